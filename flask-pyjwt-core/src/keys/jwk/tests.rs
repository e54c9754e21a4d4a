use serde_json::{Value, json};

use super::*;

/// RFC 7517, appendix A.1.
const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;
const RSA: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB"}"#;
/// RFC 8037, appendix A.2.
const OKP: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// A key with members changed or added; `null` takes one away.
fn with(key: &str, changes: Value) -> Value {
    let mut key: Value = serde_json::from_str(key).expect("JSON");
    let Value::Object(changes) = changes else {
        panic!("changes are an object");
    };
    for (name, value) in changes {
        let members = key.as_object_mut().expect("an object");
        match value {
            Value::Null => drop(members.remove(&name)),
            value => drop(members.insert(name, value)),
        }
    }
    key
}

fn parse(keys: &[Value], accepted: Option<&[AuthType]>) -> Result<JwkSet, JwkProblem> {
    JwkSet::parse(&json!({ "keys": keys }).to_string(), accepted)
}

fn algorithms(set: &JwkSet) -> Vec<(String, AuthType)> {
    let keys = set.keys.iter();
    keys.map(|key| (key.id.clone(), key.auth_type)).collect()
}

#[test]
fn the_set_of_rfc_7517_with_its_encryption_key_left_out() {
    let keys = [
        with(EC, json!({ "use": "enc", "kid": "1" })),
        with(RSA, json!({ "alg": "RS256", "kid": "2011-04-29" })),
    ];
    let set = parse(&keys, None).expect("a good set");
    assert_eq!(
        algorithms(&set),
        [("2011-04-29".to_owned(), AuthType::RS256)]
    );
    // RFC 7638, section 3.1
    assert_eq!(
        set.keys[0].fingerprint,
        "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    );
    assert_eq!(set.refused, [JwkProblem::OtherUse]);
}

/// Keys that say something wrong of themselves.
fn misdescribed() -> Vec<(Value, JwkProblem)> {
    vec![
        (json!("key"), JwkProblem::Malformed),
        (json!(null), JwkProblem::Malformed),
        (json!([]), JwkProblem::Malformed),
        (json!({}), JwkProblem::Malformed),
        (
            json!({ "kty": "oct", "k": "c2VjcmV0" }),
            JwkProblem::Symmetric,
        ),
        (with(EC, json!({ "k": "c2VjcmV0" })), JwkProblem::Symmetric),
        (json!({ "kty": "oct" }), JwkProblem::Symmetric),
        (json!({ "kty": "LWE" }), JwkProblem::Unsupported),
        (json!({ "kty": "ec" }), JwkProblem::Unsupported),
        (with(EC, json!({ "kty": 1 })), JwkProblem::Malformed),
        (with(EC, json!({ "d": "AAAA" })), JwkProblem::Private),
        (with(RSA, json!({ "p": "AAAA" })), JwkProblem::Private),
        (
            with(OKP, json!({ "d": null, "qi": 1 })),
            JwkProblem::Private,
        ),
        (with(EC, json!({ "use": "enc" })), JwkProblem::OtherUse),
        (with(EC, json!({ "use": "" })), JwkProblem::OtherUse),
        (with(EC, json!({ "use": ["sig"] })), JwkProblem::Malformed),
        (with(EC, json!({ "key_ops": [] })), JwkProblem::OtherUse),
        (
            with(EC, json!({ "key_ops": ["sign"] })),
            JwkProblem::OtherUse,
        ),
        (
            with(EC, json!({ "key_ops": ["Verify"] })),
            JwkProblem::OtherUse,
        ),
        (
            with(EC, json!({ "key_ops": "verify" })),
            JwkProblem::Malformed,
        ),
        (
            with(EC, json!({ "key_ops": ["verify", 1] })),
            JwkProblem::Malformed,
        ),
        (with(EC, json!({ "alg": "RS256" })), JwkProblem::Algorithm),
        (with(EC, json!({ "alg": "ES384" })), JwkProblem::Algorithm),
        (with(EC, json!({ "alg": "ECDH-ES" })), JwkProblem::Algorithm),
        (with(EC, json!({ "alg": "none" })), JwkProblem::Algorithm),
        (with(EC, json!({ "alg": 256 })), JwkProblem::Malformed),
        (with(RSA, json!({ "alg": "HS256" })), JwkProblem::Algorithm),
        (
            with(RSA, json!({ "alg": "RSA-OAEP" })),
            JwkProblem::Algorithm,
        ),
    ]
}

/// Keys whose curve or numbers are wrong.
fn misnumbered() -> Vec<(Value, JwkProblem)> {
    let off_curve = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyN";
    let short = URL_SAFE_NO_PAD.encode([0xff; 128]);
    let long = URL_SAFE_NO_PAD.encode([0xff; 1_025]);
    let absurd = URL_SAFE_NO_PAD.encode(vec![0xff; 70_000]);
    let unfit = JwkProblem::Key(KeyProblem::Unfit);
    vec![
        (with(EC, json!({ "crv": "P-521" })), JwkProblem::Unsupported),
        (
            with(EC, json!({ "crv": "secp256k1" })),
            JwkProblem::Unsupported,
        ),
        (with(EC, json!({ "crv": "P-384" })), JwkProblem::Malformed),
        (with(EC, json!({ "crv": null })), JwkProblem::Unsupported),
        (
            with(OKP, json!({ "crv": "Ed448" })),
            JwkProblem::Unsupported,
        ),
        (
            with(OKP, json!({ "crv": "X25519" })),
            JwkProblem::Unsupported,
        ),
        (with(EC, json!({ "x": "AAAA" })), JwkProblem::Malformed),
        (with(EC, json!({ "y": null })), JwkProblem::Malformed),
        (with(EC, json!({ "y": "+/+/" })), JwkProblem::Malformed),
        (with(EC, json!({ "y": off_curve })), JwkProblem::Malformed),
        (with(OKP, json!({ "x": "AAAA" })), JwkProblem::Malformed),
        (with(RSA, json!({ "n": "" })), JwkProblem::Malformed),
        (with(RSA, json!({ "n": "AAAA" })), JwkProblem::Malformed),
        (
            with(RSA, json!({ "n": short })),
            JwkProblem::Key(KeyProblem::TooSmall),
        ),
        (
            with(RSA, json!({ "n": long })),
            JwkProblem::Key(KeyProblem::TooLarge),
        ),
        (
            with(RSA, json!({ "n": absurd })),
            JwkProblem::Key(KeyProblem::TooLarge),
        ),
        (
            with(RSA, json!({ "e": "AQ" })),
            JwkProblem::Key(KeyProblem::UnsafeExponent),
        ),
        (
            with(RSA, json!({ "e": "Ag" })),
            JwkProblem::Key(KeyProblem::UnsafeExponent),
        ),
        (with(EC, json!({ "kid": "" })), JwkProblem::Id),
        (with(EC, json!({ "kid": "a".repeat(257) })), JwkProblem::Id),
        (with(EC, json!({ "kid": 1 })), JwkProblem::Malformed),
        (
            with(EC, json!({ "x": URL_SAFE_NO_PAD.encode([1; 32]) })),
            unfit,
        ),
        (
            with(
                EC,
                json!({ "x": URL_SAFE_NO_PAD.encode([0; 32]), "y": URL_SAFE_NO_PAD.encode([0; 32]) }),
            ),
            unfit,
        ),
    ]
}

#[test]
fn threat_8_every_bad_key_is_refused_and_the_good_one_beside_it_is_used() {
    for (bad, problem) in misdescribed().into_iter().chain(misnumbered()) {
        let good = with(OKP, json!({ "kid": "good" }));
        let set = parse(&[bad.clone(), good], None).expect("one is good");
        assert_eq!(
            algorithms(&set),
            [("good".to_owned(), AuthType::EdDSA)],
            "{bad}"
        );
        let [refused] = set.refused[..] else {
            panic!("one is refused: {bad}");
        };
        // How exactly the numbers are wrong, the backends find out in different orders.
        let is_wrong = |of: JwkProblem| matches!(of, JwkProblem::Key(_));
        let is_alike = is_wrong(refused) && is_wrong(problem);
        assert!(refused == problem || is_alike, "{refused:?} {bad}");
        assert_eq!(parse(&[bad], None).map(drop), Err(JwkProblem::NoKey));
    }
}

#[test]
fn threat_8_keys_that_cannot_be_told_apart_are_refused() {
    let other =
        r#"{"kty":"OKP","crv":"Ed25519","x":"PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"}"#;
    let named = |key| with(key, json!({ "kid": "a" }));
    let set = parse(&[named(OKP), named(OKP)], None).expect("the same key twice");
    assert_eq!(set.keys.len(), 1);
    let set = parse(&[named(OKP), named(EC)], None).expect("of two kinds");
    assert_eq!(set.keys.len(), 2);
    let set = parse(&[named(OKP), named(other), named(EC)], None).expect("one is left");
    assert_eq!(algorithms(&set), [("a".to_owned(), AuthType::ES256)]);
    assert_eq!(set.refused, [JwkProblem::Duplicate]);
    assert!(parse(&[named(OKP), named(other)], None).is_err());
}

#[test]
fn a_key_serves_the_algorithms_that_are_accepted_and_fit() {
    let (rs256, ps256, es256) = (AuthType::RS256, AuthType::PS256, AuthType::ES256);
    for (key, accepted, expected) in [
        (with(RSA, json!({})), None, &[rs256][..]),
        (
            with(RSA, json!({})),
            Some(&[ps256, rs256, es256][..]),
            &[ps256, rs256],
        ),
        (with(RSA, json!({ "alg": "PS256" })), None, &[ps256]),
        (
            with(RSA, json!({ "alg": "PS256" })),
            Some(&[ps256, rs256]),
            &[ps256],
        ),
        (with(RSA, json!({ "alg": "PS256" })), Some(&[rs256]), &[]),
        (with(EC, json!({})), Some(&[rs256]), &[]),
        (
            with(EC, json!({ "x5c": ["MIIB"], "x5t": "AA", "more": {} })),
            None,
            &[es256],
        ),
        (
            with(OKP, json!({ "alg": "Ed25519" })),
            None,
            &[AuthType::EdDSA],
        ),
        (
            with(OKP, json!({ "key_ops": ["verify", "sign"], "use": "sig" })),
            None,
            &[AuthType::EdDSA],
        ),
    ] {
        let set = parse(std::slice::from_ref(&key), accepted);
        let found = set.map(|set| set.keys.iter().map(|key| key.auth_type).collect());
        let expected = Some(expected.to_vec()).filter(|all| !all.is_empty());
        assert_eq!(found.ok(), expected, "{key} {accepted:?}");
    }
}

#[test]
fn threat_9_what_is_no_set() {
    for text in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        "<html></html>",
        r#"{"keys":[],"keys":[]}"#,
        r#"{"keys":[]} x"#,
        "\u{feff}{\"keys\":[]}",
    ] {
        let problem = JwkSet::parse(text, None).map(drop);
        assert_eq!(problem, Err(JwkProblem::NoSet), "{text}");
    }
    assert_eq!(parse(&[], None).map(drop), Err(JwkProblem::NoKey));
    let many = vec![with(OKP, json!({})); 1_001];
    assert_eq!(parse(&many, None).map(drop), Err(JwkProblem::TooMany));
}
