//! Tokens, good and bad, with each kind of key.

use actix_web::test::TestRequest;
use flask_pyjwt::{
    AuthType, Config, CurrentToken,
    testing::{TestAuth, TestRequestExt as _, TestToken, assert_accepted, assert_refused},
};
use serde::Deserialize;
use serde_json::json;
use time::Duration;

use super::{app, kits};

fn get(path: &str) -> TestRequest {
    TestRequest::with_uri(path)
}

#[actix_web::test]
async fn good_tokens_are_accepted_with_each_kind_of_key() {
    for auth in kits() {
        let app = app!(auth);
        let alice = auth.token("alice");
        assert_accepted!(app, get("/auth").bearer(&alice));
        assert_accepted!(app, get("/auth").bearer(alice.sign()));
        assert_accepted!(app, get("/auth").bearer(alice.sign().signed()));
        assert_accepted!(
            app,
            get("/auth").bearer(auth.manager().auth_token("alice").sign().expect("minted"))
        );
        assert_accepted!(app, get("/auth").insert_header(alice.sign().header()));
        assert_accepted!(
            app,
            get("/scope").bearer(alice.clone().scope(json!({"admin": true})))
        );
        assert_accepted!(app, get("/socket").websocket_token(&alice));
        assert_accepted!(app, get("/auth").bearer(alice.age(Duration::seconds(3599))));
    }
}

#[actix_web::test]
async fn each_bad_token_is_refused_for_its_own_reason() {
    type Spoil = fn(TestToken) -> TestToken;
    let flaws: [(&str, Spoil); 7] = [
        ("token_expired", TestToken::expired),
        ("token_not_yet_valid", TestToken::not_yet_valid),
        ("token_signature", TestToken::of_other_key),
        ("token_issuer", TestToken::of_other_issuer),
        ("token_form", TestToken::alg_none),
        ("token_revoked", TestToken::revoked),
        ("token_signature", TestToken::tampered),
    ];
    for auth in kits() {
        let app = app!(auth);
        for (reason, spoil) in flaws {
            let bad = spoil(auth.token("alice"));
            assert_refused!(app, get("/auth").bearer(&bad), 401, reason);
            assert_refused!(app, get("/auth").bearer(&bad), 401, "invalid_token");
        }
        assert_refused!(app, get("/auth"), 401, "missing_credentials");
        assert_refused!(
            app,
            get("/auth").bearer(auth.refresh_token("alice")),
            401,
            "token_wrong_type"
        );
        assert_refused!(
            app,
            get("/refresh").bearer(auth.token("alice")),
            401,
            "token_wrong_type"
        );
        assert_refused!(
            app,
            get("/scope").bearer(auth.token("alice")),
            403,
            "insufficient_scope"
        );
        let old = auth.token("alice").age(Duration::hours(1));
        assert_refused!(app, get("/auth").bearer(old), 401, "token_expired");
        let lacking = auth.token("alice").without_claim("exp");
        assert_refused!(
            app,
            get("/auth").bearer(lacking),
            401,
            "token_missing_claim"
        );
    }
}

#[actix_web::test]
async fn a_bad_token_is_bad_with_a_leeway_and_with_an_audience_too() {
    let config = Config::new("service", AuthType::HS256, [7; 32]);
    let auth = TestAuth::around(config.leeway(Duration::seconds(60)).audience("api"));
    let app = app!(auth);
    let alice = auth.token("alice");
    assert_accepted!(app, get("/auth").bearer(&alice));
    assert_refused!(
        app,
        get("/auth").bearer(alice.clone().expired()),
        401,
        "token_expired"
    );
    assert_refused!(
        app,
        get("/auth").bearer(alice.clone().not_yet_valid()),
        401,
        "token_not_yet_valid"
    );
    assert_refused!(
        app,
        get("/auth").bearer(alice.claim("aud", "web")),
        401,
        "token_audience"
    );
}

#[actix_web::test]
async fn the_clock_stands_still_until_it_is_moved() {
    let auth = TestAuth::new();
    let app = app!(auth);
    let alice = auth.token("alice").sign();
    auth.clock().advance(Duration::seconds(3599));
    assert_accepted!(app, get("/auth").bearer(&alice));
    auth.clock().advance(Duration::seconds(1));
    assert_refused!(app, get("/auth").bearer(&alice), 401, "token_expired");
}

#[derive(Deserialize)]
struct Member {
    team: u32,
}

#[test]
fn a_handler_can_be_called_with_a_current_token() {
    let auth = TestAuth::new();
    let token: CurrentToken = auth.token("alice").claim("team", 7).current();
    assert_eq!(
        (token.sub(), token.claim("team")),
        ("alice", Some(&json!(7)))
    );
    let typed: CurrentToken<Member> = auth.token("alice").claim("team", 7).current_as();
    assert_eq!(typed.typed().team, 7);
}

#[test]
#[should_panic(expected = "no handler gets this token")]
fn no_handler_gets_a_bad_token() {
    let _ = TestAuth::new().token("alice").expired().current();
}

#[test]
#[should_panic(expected = "no handler gets a token that is Revoked")]
fn no_handler_gets_a_revoked_token() {
    let _ = TestAuth::new().token("alice").revoked().current();
}

#[test]
#[should_panic(expected = "the token was not revoked")]
fn nothing_is_revoked_without_a_store() {
    let config = Config::new("service", AuthType::HS256, [7; 32]);
    let _ = TestAuth::around(config).token("alice").revoked().sign();
}

#[test]
#[should_panic(expected = "JWT_SECRET")]
fn a_configuration_that_is_not_valid_is_a_panic_with_its_sentence() {
    let _ = TestAuth::around(Config::new("service", AuthType::HS256, "short"));
}

#[test]
fn debug_shows_no_text_of_a_token() {
    let auth = TestAuth::new();
    let (token, signed) = (auth.token("alice"), auth.token("alice").sign());
    let shown = format!("{auth:?} {token:?} {signed:?}");
    let parts = signed.split('.').collect::<Vec<_>>();
    assert!(parts.iter().all(|part| !shown.contains(part)), "{shown}");
}
