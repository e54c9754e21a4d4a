//! A server of keys that is down for a time, and which tokens are accepted when: the table of
//! docs/guide/issuers.md.

use time::Duration;

use super::{Answer, Setting, at, is_unavailable, jwk, set};
use support::{NOW, keys};

/// The server is down for an hour, and then has a new key in place of the old one.
#[actix_web::test]
async fn after_an_hour_of_outage_the_new_keys_are_used() {
    let here = Setting::new(Some(set(&[jwk(&keys::ED25519, "old")])));
    here.auth.fetch_keys().await;
    let (old, new) = (
        here.token(&keys::ED25519, "old"),
        here.token(&keys::OTHER_ED25519, "new"),
    );
    here.server
        .answers(PATH, Answer::with("503 Service Unavailable", "", ""));
    for minute in [5, 10, 30, 60] {
        here.clock.set(at(NOW + 60 * minute));
        here.auth.fetch_keys().await;
        assert_eq!(here.outcome(&old).await, Ok(()), "{minute}");
        assert!(is_unavailable(here.outcome(&new).await), "{minute}");
        let state = &here.auth.key_sources()[0];
        assert_eq!(state.fetched_at(), Some(at(NOW)));
        assert!(state.is_usable() && state.error().is_some());
    }
    here.server
        .answers(PATH, set(&[jwk(&keys::OTHER_ED25519, "new")]));
    // Shortly after the last attempt there is no request. Then the next token causes a fetch.
    here.clock.set(at(NOW + 3_600 + 9));
    assert!(is_unavailable(here.outcome(&new).await));
    assert_eq!(here.outcome(&old).await, Ok(()));
    here.clock.set(at(NOW + 3_600 + 10));
    assert_eq!(here.outcome(&new).await, Ok(()));
    assert!(
        here.outcome(&old).await.is_err(),
        "its issuer has dropped the key"
    );
    assert_eq!(here.auth.key_sources()[0].error(), None);
}

/// The last fetched keys are kept for a day, and no longer, also for remembered tokens.
#[actix_web::test]
async fn threat_38_keys_that_were_not_confirmed_for_a_day_are_503() {
    let here = Setting::new(Some(set(&[jwk(&keys::ED25519, "a")])));
    here.auth.fetch_keys().await;
    let token = here.token(&keys::ED25519, "a");
    here.server.answers(PATH, Answer::Bytes(Vec::new()));
    for (second, is_good) in [
        (0, true),
        (3_600, true),
        (86_399, true),
        (86_400, false),
        (90_000, false),
        // When the clock is set back, the keys are valid again.
        (86_399, true),
    ] {
        here.clock.set(at(NOW + second));
        here.auth.fetch_keys().await;
        for _ in 0..2 {
            let outcome = here.outcome(&token).await;
            assert_eq!(outcome.is_ok(), is_good, "{second}");
            assert!(is_good || is_unavailable(outcome), "{second}");
        }
        assert_eq!(here.auth.key_sources()[0].is_usable(), is_good);
    }
    here.server.answers(PATH, set(&[jwk(&keys::ED25519, "a")]));
    here.clock.set(at(NOW + 90_000));
    here.auth.fetch_keys().await;
    assert_eq!(here.outcome(&token).await, Ok(()));
}

/// The server is up now and then: the keys that were fetched last are used, and never lost in between.
#[actix_web::test]
async fn a_server_that_is_up_now_and_then_loses_no_keys() {
    let here = Setting::new(Some(set(&[jwk(&keys::ED25519, "a")])));
    here.auth.fetch_keys().await;
    let token = here.token(&keys::ED25519, "a");
    for round in 0..20 {
        here.server.answers(
            PATH,
            match round % 4 {
                0 => Answer::Bytes(Vec::new()),
                1 => Answer::with("500 Internal Server Error", "", ""),
                2 => set(&[jwk(&keys::ED25519, "a")]),
                _ => Answer::json("{}"),
            },
        );
        here.clock.advance(Duration::seconds(30));
        let states = here.auth.fetch_keys().await;
        assert_eq!(states[0].error().is_none(), round % 4 == 2, "{round}");
        assert_eq!(here.outcome(&token).await, Ok(()), "{round}");
    }
}

/// Nothing listens at the address: the first request waits and gets 503.
#[actix_web::test]
async fn a_server_that_was_never_up_is_503() {
    let here = Setting::new(None);
    let token = here.token(&keys::ED25519, "a");
    assert!(is_unavailable(here.outcome(&token).await));
    assert!(!here.auth.key_sources()[0].is_usable());
    let own = here.auth.auth_token("alice").sign().expect("minted");
    assert!(
        here.auth.verify_token(own.signed()).is_ok(),
        "this server's own tokens need no other server"
    );
    here.server.answers(PATH, set(&[jwk(&keys::ED25519, "a")]));
    here.clock.advance(Duration::seconds(10));
    assert_eq!(here.outcome(&token).await, Ok(()));
}

/// A remembered token is refused as soon as its issuer has dropped the key.
#[actix_web::test]
async fn threat_38_tokens_of_a_key_that_its_issuer_drops_are_refused() {
    let here = Setting::new(Some(set(&[
        jwk(&keys::ED25519, "a"),
        jwk(&keys::OTHER_ED25519, "b"),
    ])));
    here.auth.fetch_keys().await;
    let (a, b) = (
        here.token(&keys::ED25519, "a"),
        here.token(&keys::OTHER_ED25519, "b"),
    );
    for token in [&a, &b, &a, &b] {
        assert_eq!(here.outcome(token).await, Ok(()));
    }
    here.server
        .answers(PATH, set(&[jwk(&keys::OTHER_ED25519, "b")]));
    here.auth.fetch_keys().await;
    assert_eq!(here.outcome(&a).await, Err(super::TokenError::UnknownKey));
    assert_eq!(here.outcome(&b).await, Ok(()));
}

const PATH: &str = super::PATH;
