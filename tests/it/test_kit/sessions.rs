//! Sessions, with cookies and CSRF proofs as a browser sends them.

use actix_web::test::TestRequest;
use flask_pyjwt::{
    AuthType, Config, Cookies, MemoryStore,
    testing::{TestAuth, TestRequestExt as _, assert_accepted, assert_refused},
};
use serde_json::json;
use time::Duration;

use super::{app, kits};

fn post(path: &str) -> TestRequest {
    TestRequest::post().uri(path)
}

#[actix_web::test]
async fn a_session_is_sent_as_a_browser_sends_it() {
    for auth in kits() {
        let app = app!(auth);
        let session = auth
            .session("alice")
            .claim("team", 7)
            .scope(json!({"admin": true}))
            .await;
        assert_eq!(session.auth.claim("team"), Some(&json!(7)));
        assert_accepted!(app, post("/cookies").session(&session));
        assert_accepted!(app, post("/refresh-cookies").session(&session));
        assert_accepted!(app, post("/auth").bearer(&session));
        assert_accepted!(app, post("/scope").bearer(&*session));
        assert_accepted!(app, post("/refresh").bearer(&session.refresh));
        assert_accepted!(app, post("/recent").bearer(&session));

        assert_refused!(
            app,
            post("/cookies").session(&session).proof("a guess"),
            403,
            "csrf_proof_wrong"
        );
        let other = auth.session("bob").await;
        assert_refused!(
            app,
            post("/cookies").session(&session).proof(other.proof()),
            403,
            "csrf_proof_wrong"
        );
        assert_accepted!(
            app,
            post("/cookies").session(&session).proof(session.proof())
        );
        let elsewhere = post("/cookies")
            .session(&session)
            .insert_header(("sec-fetch-site", "cross-site"));
        let elsewhere = elsewhere.insert_header(("origin", "https://evil.example"));
        assert_refused!(app, elsewhere, 403, "cross_site");

        auth.clock().advance(Duration::seconds(61));
        assert_refused!(
            app,
            post("/recent").bearer(&session),
            401,
            "insufficient_user_authentication"
        );
        session.end().await;
        assert_refused!(
            app,
            post("/cookies").session(&session),
            401,
            "token_revoked"
        );
    }
}

#[actix_web::test]
async fn own_names_of_cookies_and_allowed_origins_are_used() {
    let cookies = Cookies::default()
        .auth_name("at")
        .refresh_name("rt")
        .csrf_name("proof")
        .secure(false);
    let config =
        Config::new("service", AuthType::HS256, [7; 32]).session_store(MemoryStore::default());
    let config = config
        .cookies(cookies)
        .allowed_origins(["https://app.example.com"]);
    let auth = TestAuth::around(config);
    let app = app!(auth);
    let session = auth.session("alice").await;
    assert_accepted!(app, post("/cookies").session(&session));
    let headers = session.headers();
    assert!(
        headers[0].1.starts_with("at=") && headers[0].1.contains("; rt="),
        "{headers:?}"
    );
    let mut request = post("/cookies");
    for header in headers {
        request = request.insert_header(header);
    }
    assert_accepted!(app, request);
}

#[actix_web::test]
#[should_panic(expected = "no session was opened")]
async fn without_a_store_no_session_is_opened() {
    let config = Config::new("service", AuthType::HS256, [7; 32]);
    let _ = TestAuth::around(config).session("alice").await;
}

mod users {
    use actix_web::{App, get, test, test::TestRequest};
    use flask_pyjwt::{
        Config, CurrentUser, MemoryStore, require_token,
        testing::{TestAuth, TestRequestExt as _, assert_accepted, assert_refused, current_user},
    };

    #[derive(Clone)]
    struct User {
        email: &'static str,
    }

    const ALICE: User = User {
        email: "alice@example.com",
    };

    #[require_token]
    #[get("/me")]
    async fn me(user: CurrentUser<User>) -> &'static str {
        user.email
    }

    /// A loader whose database has nobody.
    fn config() -> Config {
        support::hs256()
            .session_store(MemoryStore::default())
            .user_loader(|_| async { Ok::<_, std::io::Error>(None::<User>) })
    }

    #[actix_web::test]
    async fn a_given_user_goes_before_the_loader_for_that_token_only() {
        let auth = TestAuth::around(config());
        let app = test::init_service(App::new().app_data(auth.manager()).service(me)).await;
        let get = || TestRequest::with_uri("/me");
        assert_accepted!(app, get().bearer(auth.token("alice").user(ALICE)));
        let other = auth.token("alice").claim("team", 7);
        assert_refused!(app, get().bearer(other), 401, "user_not_found");
        // A bad token stays bad.
        let bad = auth.token("alice").user(ALICE).expired();
        assert_refused!(app, get().bearer(bad), 401, "token_expired");

        let session = auth.session("alice").user(ALICE).await;
        assert_accepted!(app, get().bearer(session.auth().signed()));
        let next = auth.manager().refresh(&session.refresh).await;
        let next = next.expect("refreshed");
        assert_refused!(app, get().bearer(next.auth.signed()), 401, "user_not_found");
    }

    #[actix_web::test]
    async fn a_handler_is_called_as_a_function_with_its_user() {
        assert_eq!(
            me::unguarded(current_user(ALICE)).await,
            "alice@example.com"
        );
    }
}
