//! Registration and login.

use actix_web::{rt, test::TestRequest};
use serde_json::{Value, json};

use super::{PASSWORD, start};
use crate::accounts;

#[actix_web::test]
async fn the_first_user_is_the_admin_and_no_other() {
    let server = start().await;
    for (username, is_admin) in [("alice", true), ("bob", false), ("carol", false)] {
        let token = server.register(username).await;
        let me = server.get("/me", &token).await;
        assert_eq!(me.body["username"], username);
        assert_eq!(me.body["admin"], is_admin, "{username}");
    }
}

#[actix_web::test]
async fn registrations_at_the_same_time_make_one_admin() {
    let server = start().await;
    let tasks = (0..20).map(|number| {
        let database = server.state.database.clone();
        rt::spawn(
            async move { accounts::create(&database, &format!("user{number}"), "hash").await },
        )
    });
    let mut admins = 0;
    for task in tasks.collect::<Vec<_>>() {
        let account = task.await.expect("no panic").expect("the name is free");
        admins += usize::from(account.admin);
    }
    assert_eq!(admins, 1);
}

#[actix_web::test]
async fn a_name_is_taken_in_any_case() {
    let server = start().await;
    server.register("Alice").await;
    for username in ["Alice", "alice", "ALICE"] {
        let answer = server.enter("/register", username, PASSWORD).await;
        assert_eq!(
            (answer.status, answer.text("error").as_str()),
            (409, "username_taken")
        );
        let answer = server.enter("/login", username, PASSWORD).await;
        let me = server.get("/me", &answer.text("auth_token")).await;
        assert_eq!(
            me.body["username"], "Alice",
            "the token has the name as it was registered"
        );
    }
}

#[actix_web::test]
async fn names_and_passwords_outside_the_rules_are_refused() {
    let server = start().await;
    let long = "a".repeat(65);
    for username in [
        "",
        "al",
        &long,
        "al ice",
        "al/ice",
        "al%2Fice",
        "alícia",
        "al\0ice",
        "<b>al</b>",
        "al'--",
    ] {
        let answer = server.enter("/register", username, PASSWORD).await;
        assert_eq!(answer.status, 400, "{username:?}");
    }
    let longest = "b".repeat(64);
    for username in ["bob", "b_o-b", "bob@example.com", "...", &longest] {
        let token = server.register(username).await;
        let notes = format!("/users/{username}/notes");
        assert_eq!(server.get(&notes, &token).await.status, 200, "{username:?}");
    }
    for password in ["", "1234567", &"a".repeat(129)] {
        let answer = server.enter("/register", "alice", password).await;
        assert_eq!(answer.status, 400, "{password:?}");
    }
    for password in ["12345678", &"ä".repeat(128)] {
        let username = format!("user{}", password.len());
        assert_eq!(
            server.enter("/register", &username, password).await.status,
            201,
            "{password:?}"
        );
    }
}

#[actix_web::test]
async fn bodies_that_are_not_the_json_are_refused() {
    let server = start().await;
    let bodies = [
        json!({}),
        json!({"username": "alice"}),
        json!({"username": "alice", "password": 12_345_678}),
        json!(["alice", PASSWORD, 1]),
    ];
    for path in ["/register", "/login"] {
        for body in &bodies {
            assert_eq!(
                server.post(path, "", body.clone()).await.status,
                400,
                "{path} {body}"
            );
        }
        let text = r#"{"username": "alice", "password": "down the rabbit hole"}"#;
        let request = || TestRequest::post().uri(path);
        for request in [
            request()
                .set_payload("{")
                .insert_header(("content-type", "application/json")),
            request()
                .set_payload(text)
                .insert_header(("content-type", "text/plain")),
            request().set_payload(text),
        ] {
            assert_eq!(server.send(request).await.status, 400, "{path}");
        }
        let answer = server.enter(path, "alice", &"a".repeat(100_000)).await;
        assert_eq!(answer.status, 413, "{path}");
    }
}

#[actix_web::test]
async fn a_wrong_login_does_not_tell_what_was_wrong() {
    let server = start().await;
    server.register("alice").await;
    let mut bodies: Vec<Value> = Vec::new();
    for (username, password) in [
        ("alice", "Down the rabbit hole"),
        ("alice", "short"),
        ("alice", ""),
        ("nobody", PASSWORD),
        ("", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
    ] {
        let answer = server.enter("/login", username, password).await;
        assert_eq!(answer.status, 401, "{username} {password}");
        assert!(!answer.headers.contains_key("set-cookie"));
        bodies.push(answer.body);
    }
    assert_eq!(bodies[0]["error"], "wrong_login");
    assert!(bodies.iter().all(|body| *body == bodies[0]));
}

#[actix_web::test]
async fn answers_with_tokens_are_not_stored() {
    let server = start().await;
    let registered = server.enter("/register", "alice", PASSWORD).await;
    let entered = server.enter("/login", "alice", PASSWORD).await;
    let refresh = entered.text("refresh_token");
    let refreshed = server.post("/refresh", &refresh, json!({})).await;
    for answer in [registered, entered, refreshed] {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.cookies().0.split("; ").count(), 3);
    }
}

#[actix_web::test]
async fn pages_of_other_sites_cannot_log_their_visitors_in() {
    let server = start().await;
    server.register("alice").await;
    for (field, value, status) in [
        ("sec-fetch-site", "cross-site", 403),
        ("sec-fetch-site", "same-site", 403),
        ("origin", "https://evil.example", 403),
        ("origin", "null", 403),
        ("sec-fetch-site", "same-origin", 200),
    ] {
        let body = json!({"username": "alice", "password": PASSWORD});
        let request = TestRequest::post().uri("/login").set_json(&body);
        let answer = server.send(request.insert_header((field, value))).await;
        assert_eq!(answer.status, status, "{field}: {value}");
        let request = TestRequest::post().uri("/register").set_json(&body);
        let answer = server.send(request.insert_header((field, value))).await;
        let status = if status == 200 { 409 } else { 403 };
        assert_eq!(answer.status, status, "{field}: {value}");
    }
}
