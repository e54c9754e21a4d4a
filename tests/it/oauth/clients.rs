//! Which clients are accepted at start.

use flask_pyjwt::{AuthType, Key, OAuthClient, OAuthClients};

use support::{SECRET, keys};

#[test]
fn invalid_clients_are_an_error_at_start() {
    let secret = |id: &str, secret: &str| OAuthClient::with_secret(id, secret);
    let long = "0123456789abcdef0123456789abcdef";
    let hmac = Key::new(AuthType::HS256, SECRET);
    let other_kind = Key::verify_only(
        AuthType::RS256,
        keys::public(AuthType::ES256).expect("a key"),
    );
    for (clients, said) in [
        (vec![secret("demo", "")], "empty secret"),
        (
            vec![secret("demo", "").allow_weak_secret(true)],
            "empty secret",
        ),
        (vec![secret("demo", &long[1..])], "31 bytes, and 32 or more"),
        (vec![secret("", long)], "id is empty"),
        (vec![OAuthClient::public("a\nb")], "control characters"),
        (
            vec![OAuthClient::public("a".repeat(257))],
            "longer than 256",
        ),
        (
            vec![OAuthClient::public("spa"), secret("spa", long)],
            "is there twice",
        ),
        (vec![OAuthClient::with_key("service", hmac)], "an HMAC key"),
        (
            vec![OAuthClient::with_key("service", other_kind)],
            "a bad key",
        ),
    ] {
        let error = OAuthClients::new(clients).expect_err(said);
        assert_eq!(error.key(), "OAuthClients");
        assert!(error.to_string().contains(said), "{error}");
        assert!(!format!("{error:?}").contains(&long[1..]), "{error}");
    }
    let weak = secret("demo", "short").allow_weak_secret(true);
    assert!(OAuthClients::new([weak, secret("other", long)]).is_ok());
    assert!(OAuthClients::new([]).is_ok());
}

#[test]
fn no_debug_text_has_a_secret() {
    let secret = "0123456789abcdef0123456789abcdef";
    let client = OAuthClient::with_secret("demo", secret);
    let texts = format!("{client:?} {:?}", OAuthClients::new([client.clone()]));
    assert!(texts.contains("demo") && !texts.contains(secret), "{texts}");
}
