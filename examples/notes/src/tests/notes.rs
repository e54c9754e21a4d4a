//! Notes: what is kept, and for whom.

use serde_json::json;

use super::start;
use crate::notes::MAX_NOTES;

#[actix_web::test]
async fn a_note_is_kept_listed_shown_and_deleted() {
    let server = start().await;
    let alice = server.register("alice").await;
    let answer = server
        .post("/notes", &alice, json!({"text": " buy tea\n"}))
        .await;
    assert_eq!(
        (answer.status, answer.text("text").as_str()),
        (201, "buy tea")
    );
    let first = answer.header("location").to_owned();
    let second = server.save_note(&alice, "<script>alert(1)</script>").await;

    let list = server.get("/notes", &alice).await;
    let texts: Vec<_> = list
        .body
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| &it["text"])
        .collect();
    assert_eq!(
        texts,
        ["<script>alert(1)</script>", "buy tea"],
        "the newest first"
    );
    assert_eq!(list.header("content-type"), "application/json");
    assert_eq!(server.get(&second, &alice).await.body, list.body[0]);

    assert_eq!(server.delete(&first, &alice).await.status, 204);
    assert_eq!(server.get(&first, &alice).await.status, 404);
    assert_eq!(server.delete(&first, &alice).await.status, 404);
    assert_eq!(
        server
            .get("/notes", &alice)
            .await
            .body
            .as_array()
            .map(Vec::len),
        Some(1)
    );
}

#[actix_web::test]
async fn the_text_may_have_a_title_and_other_names() {
    let server = start().await;
    let alice = server.register("alice").await;
    for (body, text) in [
        (json!({"text": "tea"}), "tea"),
        (json!({"content": "tea"}), "tea"),
        (json!({"body": "tea", "title": null}), "tea"),
        (json!({"title": "buy", "content": "tea"}), "buy\ntea"),
        (json!({"title": "buy", "body": "tea"}), "buy\ntea"),
        (
            json!({"text": "1", "title": "2", "content": "3", "body": "4"}),
            "1",
        ),
    ] {
        let answer = server.post("/notes", &alice, body.clone()).await;
        assert_eq!(answer.status, 201, "{body}");
        assert_eq!(answer.text("text"), text, "{body}");
    }
    for body in [
        json!({}),
        json!([]),
        json!({"title": "buy"}),
        json!({"text": 1}),
        json!({"title": 1, "content": "tea"}),
        json!({"title": "buy".repeat(700), "content": " "}),
    ] {
        assert_eq!(
            server.post("/notes", &alice, body.clone()).await.status,
            400,
            "{body}"
        );
    }
}

#[actix_web::test]
async fn notes_of_others_look_as_if_they_were_not_there() {
    let server = start().await;
    // The admin too: `/users/{username}/notes` is the one way to the notes of others.
    let admin = server.register("admin").await;
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    let note = server.save_note(&alice, "buy tea").await;
    for token in [&admin, &bob] {
        let others = server.get(&note, token).await;
        let missing = server.get("/notes/999", token).await;
        assert_eq!((others.status, missing.status), (404, 404));
        assert_eq!(others.body, missing.body);
        assert_eq!(server.delete(&note, token).await.status, 404);
        assert_eq!(server.get("/notes", token).await.body, json!([]));
    }
    assert_eq!(server.get(&note, &alice).await.status, 200);
}

#[actix_web::test]
async fn ids_that_are_none_are_404() {
    let server = start().await;
    let alice = server.register("alice").await;
    server.save_note(&alice, "buy tea").await;
    for id in [
        "0",
        "-1",
        "abc",
        "1%20OR%201=1",
        "99999999999999999999",
        "1.0",
        "%FF",
    ] {
        assert_eq!(
            server.get(&format!("/notes/{id}"), &alice).await.status,
            404,
            "{id}"
        );
    }
}

#[actix_web::test]
async fn the_id_of_a_deleted_note_is_not_used_again() {
    let server = start().await;
    let alice = server.register("alice").await;
    let first = server.save_note(&alice, "buy tea").await;
    server.delete(&first, &alice).await;
    assert_ne!(server.save_note(&alice, "drink tea").await, first);
}

#[actix_web::test]
async fn texts_that_are_empty_or_too_long_are_refused() {
    let server = start().await;
    let alice = server.register("alice").await;
    for (text, status) in [
        (String::new(), 400),
        (" \n ".to_owned(), 400),
        ("é".repeat(2_001), 400),
        ("é".repeat(2_000), 201),
        ("é".repeat(40_000), 413),
    ] {
        let answer = server.post("/notes", &alice, json!({"text": text})).await;
        assert_eq!(answer.status, status, "{} bytes", text.len());
    }
    assert_eq!(
        server
            .post("/notes", &alice, json!({"text": 1}))
            .await
            .status,
        400
    );
}

#[actix_web::test]
async fn an_account_has_room_for_so_many_notes() {
    let server = start().await;
    let alice = server.register("alice").await;
    let bob = server.register("bob").await;
    server
        .sql(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 499) \
             INSERT INTO notes (account, text) \
             SELECT id, 'x' FROM n, accounts WHERE username = 'alice'",
        )
        .await;
    assert_eq!(MAX_NOTES, 500);
    server.save_note(&alice, "the last one").await;
    let answer = server
        .post("/notes", &alice, json!({"text": "one more"}))
        .await;
    assert_eq!(
        (answer.status, answer.text("error").as_str()),
        (409, "too_many_notes")
    );
    server.save_note(&bob, "his first").await;
}
