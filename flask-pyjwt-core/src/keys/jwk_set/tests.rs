use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::*;
use crate::keys::KeyProblem;

/// RFC 7517, appendix A.1.
const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;
const RSA: &str = r#"{"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB"}"#;
/// RFC 8037, appendix A.2.
const OKP: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// Returns a key with members changed or added.
fn with(key: &str, changes: Value) -> Value {
    let mut key: Value = serde_json::from_str(key).expect("JSON");
    let Value::Object(changes) = changes else {
        panic!("changes are an object");
    };
    for (name, value) in changes {
        let members = key.as_object_mut().expect("an object");
        members.insert(name, value);
    }
    key
}

fn parse(keys: &[Value], accepted: Option<&[AuthType]>) -> Result<CheckedSet, SetProblem> {
    CheckedSet::parse(
        &json!({ "keys": keys }).to_string(),
        accepted,
        Crypto::default(),
        &[],
    )
}

fn algorithms(set: &CheckedSet) -> Vec<(String, AuthType)> {
    let keys = set.keys.iter();
    keys.map(|key| (key.id.clone(), key.auth_type)).collect()
}

#[test]
fn the_encryption_key_in_the_set_of_rfc_7517_is_skipped() {
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
    let problems: Vec<_> = set.refused.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [r#"key 1 (`kid` "1") is not for signatures: its `use` is not `sig`"#]
    );
}

/// Keys with wrong members.
fn misdescribed() -> Vec<(Value, JwkProblem)> {
    vec![
        (json!("key"), JwkProblem::NoObject),
        (json!(null), JwkProblem::NoObject),
        (json!([]), JwkProblem::NoObject),
        (json!({}), JwkProblem::Missing("kty")),
        (
            json!({ "kty": "oct", "k": "c2VjcmV0" }),
            JwkProblem::Symmetric,
        ),
        (with(EC, json!({ "k": "c2VjcmV0" })), JwkProblem::Symmetric),
        (json!({ "kty": "oct" }), JwkProblem::Symmetric),
        (json!({ "kty": "LWE" }), JwkProblem::Unsupported),
        (json!({ "kty": "ec" }), JwkProblem::Unsupported),
        (with(EC, json!({ "kty": 1 })), JwkProblem::Malformed("kty")),
        (with(EC, json!({ "d": "AAAA" })), JwkProblem::Private("d")),
        (with(RSA, json!({ "p": "AAAA" })), JwkProblem::Private("p")),
        (
            with(OKP, json!({ "d": null, "qi": 1 })),
            JwkProblem::Private("qi"),
        ),
        (with(EC, json!({ "use": "enc" })), JwkProblem::OtherUse),
        (with(EC, json!({ "use": "" })), JwkProblem::OtherUse),
        (
            with(EC, json!({ "use": ["sig"] })),
            JwkProblem::Malformed("use"),
        ),
        (
            with(EC, json!({ "key_ops": [] })),
            JwkProblem::OtherOperations,
        ),
        (
            with(EC, json!({ "key_ops": ["sign"] })),
            JwkProblem::OtherOperations,
        ),
        (
            with(EC, json!({ "key_ops": ["Verify"] })),
            JwkProblem::OtherOperations,
        ),
        (
            with(EC, json!({ "key_ops": "verify" })),
            JwkProblem::Malformed("key_ops"),
        ),
        (
            with(EC, json!({ "key_ops": ["verify", 1] })),
            JwkProblem::Malformed("key_ops"),
        ),
        (with(EC, json!({ "alg": "RS256" })), JwkProblem::Algorithm),
        (with(EC, json!({ "alg": "ES384" })), JwkProblem::Algorithm),
        (with(EC, json!({ "alg": "ECDH-ES" })), JwkProblem::Algorithm),
        (with(EC, json!({ "alg": "none" })), JwkProblem::Algorithm),
        (
            with(EC, json!({ "alg": 256 })),
            JwkProblem::Malformed("alg"),
        ),
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
        (
            with(EC, json!({ "crv": "P-521" })),
            JwkProblem::Malformed("x"),
        ),
        (
            with(EC, json!({ "crv": "secp256k1" })),
            JwkProblem::Unsupported,
        ),
        (
            with(EC, json!({ "crv": "P-384" })),
            JwkProblem::Malformed("x"),
        ),
        (with(EC, json!({ "crv": null })), JwkProblem::Unsupported),
        (with(RSA, json!({ "crv": 1 })), JwkProblem::Malformed("crv")),
        (with(OKP, json!({ "kty": "EC" })), JwkProblem::Unsupported),
        (
            with(OKP, json!({ "crv": "Ed448" })),
            JwkProblem::Unsupported,
        ),
        (
            with(OKP, json!({ "crv": "X25519" })),
            JwkProblem::Unsupported,
        ),
        (with(EC, json!({ "x": "AAAA" })), JwkProblem::Malformed("x")),
        (with(EC, json!({ "y": null })), JwkProblem::Missing("y")),
        (with(EC, json!({ "y": "+/+/" })), JwkProblem::Malformed("y")),
        (
            with(EC, json!({ "y": off_curve })),
            JwkProblem::Malformed("y"),
        ),
        (
            with(OKP, json!({ "x": "AAAA" })),
            JwkProblem::Malformed("x"),
        ),
        (with(RSA, json!({ "n": "" })), JwkProblem::Malformed("n")),
        (
            with(RSA, json!({ "n": "AAAA" })),
            JwkProblem::Malformed("n"),
        ),
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
        (with(EC, json!({ "kid": 1 })), JwkProblem::Malformed("kid")),
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
        let set = parse(&[bad.clone(), good], None).expect("one key is good");
        assert_eq!(
            algorithms(&set),
            [("good".to_owned(), AuthType::EdDSA)],
            "{bad}"
        );
        let [refused] = &set.refused[..] else {
            panic!("exactly one key is refused: {bad}");
        };
        assert_eq!(refused.number, 1);
        let refused = refused.problem;
        // The backends check the numbers in different orders, so the problem of the numbers can differ.
        let is_in_numbers = |of: JwkProblem| matches!(of, JwkProblem::Key(_));
        let is_alike = is_in_numbers(refused) && is_in_numbers(problem);
        assert!(refused == problem || is_alike, "{refused:?} {bad}");
        match parse(std::slice::from_ref(&bad), None).map(drop) {
            Err(SetProblem::NoKey(keys)) => assert_eq!(keys[0].problem, refused),
            other => panic!("{other:?} {bad}"),
        }
    }
}

#[test]
fn threat_8_keys_with_the_same_id_and_algorithm_are_refused() {
    let other =
        r#"{"kty":"OKP","crv":"Ed25519","x":"PUAXw-hDiVqStwqnTRt-vJyYLM8uxJaMwM1V8Sr0Zgw"}"#;
    let named = |key| with(key, json!({ "kid": "a" }));
    let set = parse(&[named(OKP), named(OKP)], None).expect("the same key twice");
    assert_eq!(set.keys.len(), 1);
    let set = parse(&[named(OKP), named(EC)], None).expect("two kinds");
    assert_eq!(set.keys.len(), 2);
    let set = parse(&[named(OKP), named(other), named(EC)], None).expect("one is left");
    assert_eq!(algorithms(&set), [("a".to_owned(), AuthType::ES256)]);
    let refused: Vec<_> = set
        .refused
        .iter()
        .map(|key| (key.number, key.problem))
        .collect();
    let duplicate = JwkProblem::Duplicate;
    assert_eq!(refused, [(1, duplicate), (2, duplicate)]);
    assert!(parse(&[named(OKP), named(other)], None).is_err());
}

#[test]
fn a_key_is_used_with_the_accepted_algorithms_that_match_it() {
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
fn threat_9_a_malformed_set_is_refused() {
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
        let problem = CheckedSet::parse(text, None, Crypto::default(), &[]).map(drop);
        assert_eq!(problem, Err(SetProblem::NoSet), "{text}");
    }
    assert_eq!(parse(&[], None).map(drop), Err(SetProblem::NoKey(vec![])));
    let many = vec![with(OKP, json!({})); 1_001];
    assert_eq!(parse(&many, None).map(drop), Err(SetProblem::TooMany));
}

/// Some providers write all members of RFC 7517, with `null` for those that a key does not have.
#[test]
fn null_members_of_a_key_count_as_absent() {
    let all = json!({
        "alg": null, "n": null, "e": null, "crv": null, "x": null, "y": null, "use": null,
        "key_ops": null, "kid": null, "x5c": null, "x5t": null, "d": null, "p": null, "q": null, "dp": null,
        "dq": null, "qi": null, "oth": null, "priv": null, "k": null,
    });
    let own_members = |key: &str| {
        let key: Value = serde_json::from_str(key).expect("JSON");
        let mut all = all.clone();
        for name in key.as_object().expect("an object").keys() {
            all.as_object_mut().expect("an object").remove(name);
        }
        all
    };
    for (key, algorithm) in [
        (EC, AuthType::ES256),
        (RSA, AuthType::RS256),
        (OKP, AuthType::EdDSA),
    ] {
        let set = parse(&[with(key, own_members(key))], None).expect("a good key");
        assert_eq!(algorithms(&set), [(String::new(), algorithm)]);
        assert_eq!(set.keys[0].serves, Serves::Any);
    }
    for (key, name) in [(EC, "kty"), (RSA, "n"), (RSA, "e"), (EC, "y"), (OKP, "x")] {
        let missing = parse(&[with(key, json!({ name: null }))], None).map(drop);
        let expected = RefusedKey {
            number: 1,
            id: None,
            problem: JwkProblem::Missing(name),
        };
        assert_eq!(missing, Err(SetProblem::NoKey(vec![expected])), "{name}");
    }
}

#[test]
fn the_error_for_a_set_without_a_usable_key_lists_each_reason() {
    let error_of = |keys: &[Value]| {
        let problem = parse(keys, None).map(drop).expect_err("no key");
        problem.to_string()
    };
    let keys = [
        with(EC, json!({ "use": "", "kid": "a\n2026 ERROR" })),
        with(EC, json!({ "key_ops": [] })),
        json!(null),
        json!({ "kty": "RSA", "x5c": ["MIIB"], "kid": "x".repeat(100) }),
        json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA" }),
        with(OKP, json!({ "x": URL_SAFE_NO_PAD.encode([0; 32]) })),
    ];
    let expected = format!(
        "it has no usable key: \
         key 1 (`kid` \"a\\n2026 ERROR\") is not for signatures: its `use` is not `sig`; \
         key 2 is not for verifying: its `key_ops` do not contain `verify`; \
         key 3 is not a JSON object; \
         key 4 (`kid` \"{}\") has no member `n`; \
         key 5 has a `kty` or `crv` that is not supported; \
         key 6 {}",
        "x".repeat(64),
        KeyProblem::WeakPoint,
    );
    assert_eq!(error_of(&keys), expected);
    let many = vec![json!({ "kty": "x".repeat(10_000), "kid": "\u{1f600}".repeat(60) }); 1_000];
    let text = error_of(&many);
    assert!(
        text.ends_with("; and 990 more") && text.len() < 6_000,
        "{text}"
    );
    assert_eq!(error_of(&[]), "it has no usable key");
}
