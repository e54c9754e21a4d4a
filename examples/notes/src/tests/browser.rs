//! Browsers: tokens in cookies, and the CSRF proof.

use actix_web::{http::Method, test::TestRequest};
use serde_json::json;

use super::{PASSWORD, bearer, start};

fn asked(method: Method, path: &str, cookies: &str) -> TestRequest {
    TestRequest::with_uri(path)
        .method(method)
        .insert_header(("cookie", cookies))
}

#[actix_web::test]
async fn a_cookie_reads_and_with_the_proof_it_writes() {
    let server = start().await;
    let (cookies, proof) = server.enter("/register", "alice", PASSWORD).await.cookies();
    let (_, other) = server.enter("/register", "bob", PASSWORD).await.cookies();
    assert_eq!(
        server
            .send(asked(Method::GET, "/me", &cookies))
            .await
            .text("username"),
        "alice"
    );

    let post = || asked(Method::POST, "/notes", &cookies).set_json(json!({"text": "buy tea"}));
    for (request, status) in [
        (post(), 403),
        (post().insert_header(("x-csrf-token", "")), 403),
        (post().insert_header(("x-csrf-token", other)), 403),
        (
            post()
                .insert_header(("x-csrf-token", &*proof))
                .insert_header(("sec-fetch-site", "cross-site")),
            403,
        ),
        (
            post()
                .insert_header(("x-csrf-token", &*proof))
                .insert_header(("origin", "https://evil.example")),
            403,
        ),
        (post().insert_header(("x-csrf-token", &*proof)), 201),
        (
            post()
                .insert_header(("x-csrf-token", &*proof))
                .insert_header(("sec-fetch-site", "same-origin")),
            201,
        ),
    ] {
        assert_eq!(server.send(request).await.status, status);
    }
    for (method, path) in [
        (Method::DELETE, "/notes/1"),
        (Method::POST, "/refresh"),
        (Method::POST, "/logout"),
    ] {
        assert_eq!(
            server.send(asked(method, path, &cookies)).await.status,
            403,
            "{path}"
        );
    }
    assert_eq!(
        server
            .send(asked(Method::GET, "/notes/1", &cookies))
            .await
            .status,
        200
    );
}

#[actix_web::test]
async fn the_tokens_are_in_cookies_that_no_script_reads() {
    let server = start().await;
    let answer = server.enter("/register", "alice", PASSWORD).await;
    let set: Vec<_> = answer
        .headers
        .get_all("set-cookie")
        .filter_map(|it| it.to_str().ok())
        .collect();
    for (name, is_for_scripts) in [
        ("__Host-auth=", false),
        ("__Secure-refresh=", false),
        ("__Host-csrf=", true),
    ] {
        let cookie = set.iter().find(|it| it.starts_with(name)).expect(name);
        assert_eq!(!cookie.contains("HttpOnly"), is_for_scripts, "{name}");
        assert!(
            cookie.contains("Secure") && cookie.contains("SameSite"),
            "{name}"
        );
    }
}

#[actix_web::test]
async fn a_refresh_by_cookie_gives_pages_no_tokens_in_the_body() {
    let server = start().await;
    let (mut cookies, mut proof) = server.enter("/register", "alice", PASSWORD).await.cookies();
    for (page, has_tokens) in [
        (Some(("sec-fetch-site", "same-origin")), false),
        (Some(("origin", "http://localhost:8080")), false),
        (None, true),
    ] {
        let mut request =
            asked(Method::POST, "/refresh", &cookies).insert_header(("x-csrf-token", &*proof));
        if let Some(field) = page {
            request = request.insert_header(field);
        }
        let answer = server.send(request).await;
        assert_eq!(answer.status, 200, "{page:?} {}", answer.body);
        assert_eq!(
            answer.body.get("refresh_token").is_some(),
            has_tokens,
            "{page:?}"
        );
        assert_ne!(answer.cookies().0, cookies);
        (cookies, proof) = answer.cookies();
    }
}

#[actix_web::test]
async fn a_missing_auth_cookie_is_renewed_on_the_way() {
    let server = start().await;
    let (cookies, _) = server.enter("/register", "alice", PASSWORD).await.cookies();
    // A browser drops the auth cookie when its token expires.
    let rest: Vec<_> = cookies
        .split("; ")
        .filter(|it| !it.starts_with("__Host-auth="))
        .collect();
    let answer = server
        .send(asked(Method::GET, "/me", &rest.join("; ")))
        .await;
    assert_eq!(
        (answer.status, answer.text("username").as_str()),
        (200, "alice")
    );
    assert_eq!(answer.cookies().0.split("; ").count(), 3);
}

#[actix_web::test]
async fn a_login_ends_the_session_that_the_browser_had() {
    let server = start().await;
    server.register("bob").await;
    let (cookies, _) = server.enter("/register", "alice", PASSWORD).await.cookies();
    let login = json!({"username": "bob", "password": PASSWORD});
    let answer = server
        .send(asked(Method::POST, "/login", &cookies).set_json(login))
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        server
            .send(asked(Method::GET, "/me", &cookies))
            .await
            .status,
        401
    );
    let (cookies, _) = answer.cookies();
    assert_eq!(
        server
            .send(asked(Method::GET, "/me", &cookies))
            .await
            .text("username"),
        "bob"
    );
}

#[actix_web::test]
async fn a_logout_clears_the_cookies_and_ends_the_session() {
    let server = start().await;
    let (cookies, proof) = server.enter("/register", "alice", PASSWORD).await.cookies();
    let logout = asked(Method::POST, "/logout", &cookies).insert_header(("x-csrf-token", proof));
    let answer = server.send(logout).await;
    assert_eq!(answer.status, 204);
    let set: Vec<_> = answer
        .headers
        .get_all("set-cookie")
        .filter_map(|it| it.to_str().ok())
        .collect();
    assert_eq!(set.len(), 3);
    assert!(set.iter().all(|cookie| cookie.contains("Max-Age=0")));
    assert_eq!(
        server
            .send(asked(Method::GET, "/me", &cookies))
            .await
            .status,
        401
    );
}

#[actix_web::test]
async fn tokens_in_two_places_are_refused() {
    let server = start().await;
    let answer = server.enter("/register", "alice", PASSWORD).await;
    let both = asked(Method::GET, "/me", &answer.cookies().0);
    let both = both.insert_header(bearer(&answer.text("auth_token")));
    assert_eq!(server.send(both).await.status, 400);
}
