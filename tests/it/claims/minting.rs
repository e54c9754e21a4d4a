//! Row 25: claims that cannot be minted.

use flask_pyjwt::{MintError, TokenError};
use serde_json::{Value, json};

use support::{NOW, at, hs256, manager};

#[test]
fn threat_25_reserved_claims_cannot_be_overridden() {
    let auth = manager(hs256());
    for reserved in [
        "iss", "sub", "iat", "exp", "nbf", "aud", "type", "rid", "jti", "cnf",
    ] {
        for value in [json!(1), json!("x"), Value::Null, json!([])] {
            let minted = auth
                .auth_token("alice")
                .claim("good", 1)
                .claim(reserved, value)
                .claim("good", 2)
                .sign();
            match minted {
                Err(MintError::ReservedClaim { name }) => assert_eq!(name, reserved),
                other => panic!("{reserved}: {other:?}"),
            }
        }
    }
    // Names that only look similar are ordinary claims.
    let token = auth
        .auth_token("alice")
        .claim("EXP", 1)
        .claim("exp ", 2)
        .claim("", 3)
        .claim("\u{435}xp", 4)
        .sign()
        .expect("minted");
    assert_eq!(token.exp(), at(NOW + 3_600));
    assert!(auth.verify_token(token.signed()).is_ok());
}

#[test]
fn threat_25_a_token_that_verification_would_refuse_is_not_minted() {
    let auth = manager(hs256().max_token_size(2_000));
    let refused = |subject: &str| match auth.auth_token(subject).sign() {
        Err(MintError::Refused(error)) => error,
        other => panic!("{subject:?}: {other:?}"),
    };
    for subject in ["", "a\0", "a\n", "\u{7f}", "\u{85}"] {
        assert_eq!(
            refused(subject),
            TokenError::MistypedClaim("sub"),
            "{subject:?}"
        );
        assert!(auth.refresh_token(subject).sign().is_err(), "{subject:?}");
    }
    let deep = (0..70).fold(json!(1), |value, _| json!([value]));
    let minted = auth.auth_token("alice").claim("x", deep).sign();
    assert!(
        matches!(minted, Err(MintError::Refused(TokenError::Payload))),
        "{minted:?}"
    );
    let minted = auth
        .auth_token("alice")
        .claim("x", "x".repeat(2_000))
        .sign();
    assert!(
        matches!(minted, Err(MintError::TooLarge { limit: 2_000, .. })),
        "{minted:?}"
    );
    let no_text = std::collections::BTreeMap::from([([1_u8], 1)]);
    let minted = auth.auth_token("alice").claim("x", no_text).sign();
    assert!(
        matches!(minted, Err(MintError::NoJson { .. })),
        "{minted:?}"
    );
}
