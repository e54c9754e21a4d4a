//! Refresh and logout, for programs: tokens in the `Authorization` field.

use serde_json::json;

use super::{AFTER_GRACE, PASSWORD, start};

#[actix_web::test]
async fn a_refresh_gives_the_next_pair() {
    let server = start().await;
    server.register("alice").await;
    let first = server.enter("/login", "alice", PASSWORD).await;
    let second = server
        .post("/refresh", &first.text("refresh_token"), json!({}))
        .await;
    assert_eq!(second.status, 200);
    assert_ne!(second.text("refresh_token"), first.text("refresh_token"));
    assert_ne!(second.text("auth_token"), first.text("auth_token"));
    let me = server.get("/me", &second.text("auth_token")).await;
    assert_eq!(
        (&me.body["username"], &me.body["admin"]),
        (&json!("alice"), &json!(true))
    );
}

#[actix_web::test]
async fn each_type_of_token_is_good_for_its_routes_only() {
    let server = start().await;
    server.register("alice").await;
    let pair = server.enter("/login", "alice", PASSWORD).await;
    assert_eq!(
        server
            .post("/refresh", &pair.text("auth_token"), json!({}))
            .await
            .status,
        401
    );
    assert_eq!(
        server.get("/me", &pair.text("refresh_token")).await.status,
        401
    );
    assert_eq!(
        server
            .post("/logout", &pair.text("refresh_token"), json!({}))
            .await
            .status,
        401
    );
}

#[actix_web::test]
async fn a_refresh_token_used_again_after_the_grace_window_ends_the_session() {
    let server = start().await;
    server.register("alice").await;
    let stolen = server
        .enter("/login", "alice", PASSWORD)
        .await
        .text("refresh_token");
    let second = server.post("/refresh", &stolen, json!({})).await;
    let third = server
        .post("/refresh", &second.text("refresh_token"), json!({}))
        .await;
    assert_eq!(
        server.get("/me", &third.text("auth_token")).await.status,
        200
    );

    server.clock.advance(AFTER_GRACE);
    assert_eq!(
        server.post("/refresh", &stolen, json!({})).await.status,
        401
    );
    assert_eq!(
        server.get("/me", &third.text("auth_token")).await.status,
        401
    );
    let next = server
        .post("/refresh", &third.text("refresh_token"), json!({}))
        .await;
    assert_eq!(next.status, 401);
}

#[actix_web::test]
async fn a_logout_ends_all_tokens_of_the_session_and_no_other_session() {
    let server = start().await;
    let phone = server.register("alice").await;
    let laptop = server.enter("/login", "alice", PASSWORD).await;
    let token = laptop.text("auth_token");
    assert_eq!(server.post("/logout", &token, json!({})).await.status, 204);
    assert_eq!(server.get("/me", &token).await.status, 401);
    assert_eq!(server.post("/logout", &token, json!({})).await.status, 401);
    let renewal = laptop.text("refresh_token");
    assert_eq!(
        server.post("/refresh", &renewal, json!({})).await.status,
        401
    );
    assert_eq!(server.get("/me", &phone).await.status, 200);
}

#[actix_web::test]
async fn tokens_of_a_deleted_account_do_not_open_one_of_the_same_name() {
    let server = start().await;
    server.register("admin").await;
    let old = server.enter("/register", "alice", PASSWORD).await;
    server
        .sql("DELETE FROM accounts WHERE username = 'alice'")
        .await;
    assert_eq!(server.get("/me", &old.text("auth_token")).await.status, 401);

    let new = server.register("alice").await;
    server.save_note(&new, "a secret").await;
    for path in ["/me", "/notes", "/users/alice/notes"] {
        assert_eq!(
            server.get(path, &old.text("auth_token")).await.status,
            401,
            "{path}"
        );
    }
    let renewed = server
        .post("/refresh", &old.text("refresh_token"), json!({}))
        .await;
    assert_eq!(renewed.status, 401);
    assert!(!renewed.headers.contains_key("set-cookie"));
    assert_eq!(server.get("/notes", &new).await.body[0]["text"], "a secret");
}

#[actix_web::test]
async fn an_auth_token_expires_and_a_refresh_gives_the_next() {
    let server = start().await;
    let pair = server.enter("/register", "alice", PASSWORD).await;
    server.clock.advance(time::Duration::hours(1));
    let token = pair.text("auth_token");
    assert_eq!(server.get("/me", &token).await.status, 401);
    let renewal = pair.text("refresh_token");
    let next = server.post("/refresh", &renewal, json!({})).await;
    let token = next.text("auth_token");
    assert_eq!(server.get("/me", &token).await.status, 200);
}
