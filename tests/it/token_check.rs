//! `docs/threats.md` 35: the server's own check decides about a token in every request.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use actix_web::{test::TestRequest, web};
use flask_pyjwt::{Config, CurrentToken, RequireToken, TokenCheckError, require_token};
use serde_json::json;
use time::Duration;

use support::{hs256, manager, site::Site};

#[require_token(role = "editor")]
async fn editors() -> &'static str {
    "editors"
}

#[require_token(optional)]
async fn anybody(token: Option<CurrentToken>) -> String {
    token.map_or("nobody".to_owned(), |token| token.sub().to_owned())
}

#[require_token("refresh")]
async fn refresh() -> &'static str {
    "refresh"
}

async fn site(config: Config) -> Site {
    let auth = manager(config);
    Site::new(|app| {
        let wrapped = web::scope("/wrapped").wrap(RequireToken::auth().claim("role", "editor"));
        app.app_data(auth)
            .route("/editors", web::get().to(editors))
            .route("/anybody", web::get().to(anybody))
            .route("/refresh", web::get().to(refresh))
            .service(wrapped.route("/editors", web::get().to(|| async { "editors" })));
    })
    .await
}

#[actix_web::test]
async fn threat_35_a_revoked_token_is_refused_although_it_was_accepted_before() {
    let (revoked, asked) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
    let (is_revoked, count) = (Arc::clone(&revoked), Arc::clone(&asked));
    let site = site(hs256().token_check(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        let revoked = is_revoked.load(Ordering::Relaxed);
        async move {
            if revoked {
                Err(TokenCheckError::Revoked)
            } else {
                Ok(())
            }
        }
    }))
    .await;
    let auth = manager(hs256());
    let editor = auth
        .auth_token("alice")
        .claim("role", "editor")
        .sign()
        .expect("minted");
    let reader = auth.auth_token("alice").sign().expect("minted");
    let refresh = auth.refresh_token("alice").sign().expect("minted");
    for is_revoked in [false, true, false, true] {
        revoked.store(is_revoked, Ordering::Relaxed);
        for path in ["/editors", "/wrapped/editors", "/anybody"] {
            let before = asked.load(Ordering::Relaxed);
            let reply = site.get(path, editor.signed()).await;
            assert_eq!(asked.load(Ordering::Relaxed), before + 1, "{path}");
            if is_revoked {
                reply.is_refused(401, "invalid_token", "token_revoked", path);
                assert_eq!(reply.json()["error_description"], "The token is not valid");
            } else {
                assert_eq!(reply.outcome(), (200, ""), "{path}");
            }
        }
        // The check is run before the requirements of the route.
        for path in ["/editors", "/wrapped/editors"] {
            let reply = site.get(path, reader.signed()).await;
            if is_revoked {
                reply.is_refused(401, "invalid_token", "token_revoked", path);
            } else {
                reply.is_refused(403, "insufficient_scope", "claim_not_met", path);
            }
        }
        let reply = site.get("/refresh", refresh.signed()).await;
        assert_eq!(reply.status, if is_revoked { 401 } else { 200 });
    }
    // The check is not run for a token that the route does not accept.
    let before = asked.load(Ordering::Relaxed);
    for (path, token) in [
        ("/editors", refresh.signed()),
        ("/refresh", editor.signed()),
        ("/editors", "a.b.c"),
    ] {
        assert_eq!(site.get(path, token).await.status, 401);
    }
    assert_eq!(
        site.ask(TestRequest::get().uri("/anybody")).await.text(),
        "nobody"
    );
    assert_eq!(
        site.ask(TestRequest::get().uri("/editors")).await.status,
        401
    );
    assert_eq!(asked.load(Ordering::Relaxed), before);
}

#[actix_web::test]
async fn threat_35_a_check_that_fails_or_hangs_fails_closed() {
    for (retry_after, field) in [
        (Duration::ZERO, "1"),
        (Duration::nanoseconds(1), "1"),
        (Duration::SECOND, "1"),
        (Duration::milliseconds(1_001), "2"),
        (Duration::seconds(30), "30"),
        (Duration::MAX, "9223372036854775807"),
        (Duration::seconds(-5), "1"),
    ] {
        let config = hs256()
            .token_check(move |_| async move { Err(TokenCheckError::Unavailable { retry_after }) });
        let site = site(config).await;
        let auth = manager(hs256());
        for claims in [json!("editor"), json!("reader")] {
            let token = auth
                .auth_token("alice")
                .claim("role", claims)
                .sign()
                .expect("minted");
            for path in ["/editors", "/wrapped/editors", "/anybody"] {
                let reply = site.get(path, token.signed()).await;
                reply.is_refused(503, "temporarily_unavailable", "unavailable", path);
                assert_eq!(reply.field("retry-after"), field);
            }
        }
    }
}

#[actix_web::test]
async fn threat_35_a_check_gets_the_verified_token() {
    let site = site(hs256().token_check(|token| async move {
        let is_whole = token.sub() == "alice" && token.claims()["jti_of_ours"] == 7;
        if is_whole {
            Ok(())
        } else {
            Err(TokenCheckError::Revoked)
        }
    }))
    .await;
    let auth = manager(hs256());
    for (number, status) in [(7, 200), (8, 401)] {
        let token = auth
            .auth_token("alice")
            .claim("role", "editor")
            .claim("jti_of_ours", number)
            .sign()
            .expect("minted");
        for _ in 0..2 {
            assert_eq!(site.get("/editors", token.signed()).await.status, status);
        }
    }
}
