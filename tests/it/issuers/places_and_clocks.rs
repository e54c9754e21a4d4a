//! The claims of another issuer that claims are mapped from, and how far its clock may be off.

use flask_pyjwt::{AuthType, ExpectedClaim, TokenError, TokenType};
use serde_json::json;
use time::Duration;

use super::{other, outcome, token};
use support::{NOW, claims_with, forge::forge, header, hs256, keys, manager};

#[test]
fn another_issuers_clock_may_be_off_by_five_seconds_or_as_configured() {
    let of = |issuer| manager(hs256().trust(issuer));
    for (auth, leeway) in [
        (of(other()), 5),
        (of(other().leeway(Duration::ZERO)), 0),
        (of(other().leeway(Duration::MINUTE)), 60),
        (
            manager(hs256().leeway(Duration::seconds(2)).trust(other())),
            5,
        ),
        (
            manager(hs256().leeway(Duration::seconds(9)).trust(other())),
            9,
        ),
    ] {
        for (changes, is_valid) in [
            (json!({ "iat": NOW + leeway }), true),
            (json!({ "iat": NOW + leeway + 1 }), false),
            (json!({ "nbf": NOW + leeway }), true),
            (json!({ "nbf": NOW + leeway + 1 }), false),
            (json!({ "exp": NOW - leeway + 1 }), true),
            (json!({ "exp": NOW - leeway }), false),
        ] {
            let outcome = outcome(&auth, &token(changes.clone()));
            assert_eq!(outcome.is_ok(), is_valid, "{leeway} {changes}");
        }
    }
    // This server's own tokens get no such leeway.
    let auth = of(other());
    let own = forge(
        header(AuthType::HS256),
        claims_with(json!({ "iat": NOW + 1 })),
        &keys::key(AuthType::HS256),
    );
    assert_eq!(outcome(&auth, &own), Err(TokenError::NotYetValid));
}

#[test]
fn a_claim_is_read_from_the_first_place_that_has_it() {
    let auth = manager(hs256().trust(other().map_claim("sub", ["sub", "client_id", "/app/id"])));
    for (changes, subject) in [
        (json!({ "client_id": "job" }), Some("alice")),
        (json!({ "sub": null, "client_id": "job" }), Some("job")),
        (json!({ "sub": null, "app": { "id": "job" } }), Some("job")),
        (json!({ "sub": null }), None),
        (json!({ "sub": "", "client_id": "job" }), None),
        (json!({ "sub": 7, "client_id": "job" }), None),
        (json!({ "sub": ["alice"], "client_id": "job" }), None),
        (json!({ "sub": null, "client_id": 7 }), None),
    ] {
        let verified = auth.verify_token(&token(changes.clone()));
        let found = verified.as_ref().ok().map(flask_pyjwt::Token::sub);
        assert_eq!(found, subject, "{changes}");
    }
}

#[test]
fn an_id_token_is_accepted_only_where_the_issuer_requires_one() {
    for name in ["token_use", "typ", "token_type"] {
        let id = token(json!({ name: "id" }));
        let plain = manager(hs256().trust(other()));
        let expected = TokenType::Auth;
        assert_eq!(
            outcome(&plain, &id),
            Err(TokenError::WrongType { expected }),
            "{name}"
        );
        let wanting = manager(hs256().trust(other().require_claim(name, "id")));
        assert!(outcome(&wanting, &id).is_ok(), "{name}");
        let present = other().require_claim(name, ExpectedClaim::Present);
        let present = manager(hs256().trust(present));
        assert!(outcome(&present, &id).is_err(), "{name}");
    }
}
