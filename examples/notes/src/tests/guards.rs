//! Who may call what.

use actix_web::{http::Method, test::TestRequest};
use flask_pyjwt::testing::audit;
use serde_json::json;

use super::start;
use crate::app;

/// Who may enter by each route. A change of this table is a change of who may do what.
const WHO: &str = r#"
GET     /                        open
GET     /admin/users             auth; scope = {"admin":true}; in header, cookies
GET     /app.js                  open
GET     /health                  open
HEAD    /health                  open
POST    /login                   open
POST    /logout                  auth; in header, cookies
GET     /me                      auth; in header, cookies
GET     /metrics                 open
GET     /notes                   auth; in header, cookies
POST    /notes                   auth; in header, cookies
DELETE  /notes/{id}              auth; in header, cookies
GET     /notes/{id}              auth; in header, cookies
GET     /openapi.json            open
POST    /refresh                 refresh; in header, cookies
POST    /register                open
GET     /style.css               open
GET     /users/{username}/notes  auth; sub = path("username"), override = {"admin":true}; in header, cookies
"#;

/// Every route refuses what it has to refuse, and no route is open by mistake.
#[actix_web::test]
async fn every_route_is_audited() {
    let server = start().await;
    let token = server.register("alice").await;
    let token = server.state.auth.verify_token(&token).expect("just minted");
    let account = token
        .claim("account")
        .expect("each token names its account");
    let open = [
        "GET /",
        "GET /app.js",
        "GET /health",
        "GET /metrics",
        "GET /openapi.json",
        "HEAD /health",
        "GET /style.css",
        "POST /login",
        "POST /register",
    ];
    let report = audit(|| app::create(&server.state))
        .public(&open)
        .subject("alice")
        .claim("account", account.clone())
        .variable("username", "alice")
        .await;
    report.assert_public(&open);
    assert_eq!(report.to_string(), WHO.trim_start());
}

#[actix_web::test]
async fn without_a_token_only_the_open_routes_answer() {
    let server = start().await;
    for (path, status) in [
        ("/health", 200),
        ("/", 200),
        ("/style.css", 200),
        ("/app.js", 200),
        ("/metrics", 200),
        ("/me", 401),
        ("/notes", 401),
        ("/notes/1", 401),
        ("/users/alice/notes", 401),
        ("/admin/users", 401),
        ("/nowhere", 404),
    ] {
        let answer = server.send(TestRequest::get().uri(path)).await;
        assert_eq!(answer.status, status, "{path}");
    }
    let head = TestRequest::with_uri("/health").method(Method::HEAD);
    assert_eq!(server.send(head).await.status, 200);
    for (method, path) in [
        (Method::POST, "/notes"),
        (Method::DELETE, "/notes/1"),
        (Method::POST, "/refresh"),
        (Method::POST, "/logout"),
    ] {
        let answer = server
            .send(TestRequest::with_uri(path).method(method))
            .await;
        assert_eq!(answer.status, 401, "{path}");
    }
}

#[actix_web::test]
async fn a_users_notes_are_for_that_user_and_the_admin() {
    let server = start().await;
    let admin = server.register("admin").await;
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    server.save_note(&alice, "buy tea").await;
    for (token, path, status) in [
        (&alice, "/users/alice/notes", 200),
        (&admin, "/users/alice/notes", 200),
        (&bob, "/users/alice/notes", 403),
        (&alice, "/users/bob/notes", 403),
        (&alice, "/users/Alice/notes", 403),
        (&alice, "/users/alice%20/notes", 403),
        (&bob, "/users/nobody/notes", 403),
        (&admin, "/users/nobody/notes", 404),
    ] {
        let answer = server.get(path, token).await;
        assert_eq!(answer.status, status, "{path}");
        if status == 200 {
            assert_eq!(answer.body[0]["text"], "buy tea");
        }
    }
}

#[actix_web::test]
async fn the_list_of_users_is_for_the_admin() {
    let server = start().await;
    let admin = server.register("zoe").await;
    let alice = server.register("alice").await;
    assert_eq!(server.get("/admin/users", &alice).await.status, 403);

    let answer = server.get("/admin/users", &admin).await;
    assert_eq!(answer.status, 200);
    let users = answer.body.as_array().expect("a list");
    assert_eq!(
        (&users[0]["username"], &users[0]["admin"]),
        (&json!("alice"), &json!(false))
    );
    assert_eq!(
        (&users[1]["username"], &users[1]["admin"]),
        (&json!("zoe"), &json!(true))
    );
    assert!(
        !answer.body.to_string().contains("argon2"),
        "no hash leaves the database"
    );

    let rest = server.get("/admin/users?after=alice", &admin).await;
    assert_eq!(rest.body.as_array().map(Vec::len), Some(1));
    assert_eq!(
        server
            .get("/admin/users?after=a&after=b", &admin)
            .await
            .status,
        400
    );
}

#[actix_web::test]
async fn an_admin_who_is_none_any_more_has_to_log_in_again() {
    let server = start().await;
    let admin = server.register("alice").await;
    assert_eq!(server.get("/admin/users", &admin).await.status, 200);
    server.sql("UPDATE accounts SET is_admin = 0").await;
    assert_eq!(server.get("/admin/users", &admin).await.status, 401);

    let again = server.enter("/login", "alice", super::PASSWORD).await;
    assert_eq!(
        server
            .get("/admin/users", &again.text("auth_token"))
            .await
            .status,
        403
    );
}

#[actix_web::test]
async fn answers_tell_browsers_to_run_no_foreign_scripts() {
    let server = start().await;
    for path in ["/", "/me", "/nowhere"] {
        let answer = server.send(TestRequest::get().uri(path)).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("script-src 'self'"));
        assert!(!policy.contains("unsafe"));
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}
