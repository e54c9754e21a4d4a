//! Key sets in the shapes that providers publish, rebuilt with generated keys.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use flask_pyjwt::{AuthType, Issuer, TokenError};
use serde_json::{Value, json};

use super::ids::header;
use support::{
    claims_with,
    forge::{self, encode, forge},
    hs256, keys, manager,
};

const OTHER: &str = "https://other.example";

/// A case: the set, the token's `alg` and `kid`, and the outcome.
type Row = (
    &'static str,
    Vec<Value>,
    &'static str,
    Option<&'static str>,
    Result<(), TokenError>,
);

const UNKNOWN: Result<(), TokenError> = Err(TokenError::UnknownKey);

fn with(mut jwk: Value, more: &Value) -> Value {
    for (name, value) in more.as_object().expect("an object") {
        jwk[name] = value.clone();
    }
    jwk
}

fn ed25519(pair: &Ed25519KeyPair, more: &Value) -> Value {
    let x = encode(pair.public_key());
    with(json!({ "kty": "OKP", "crv": "Ed25519", "x": x }), more)
}

fn own(more: &Value) -> Value {
    ed25519(&keys::ED25519, more)
}

fn other(more: &Value) -> Value {
    ed25519(&keys::OTHER_ED25519, more)
}

fn rsa(more: &Value) -> Value {
    let numbers = keys::integers_of(&keys::der(&keys::rsa_public_pkcs1(&keys::RSA)));
    let (n, e) = (encode(&numbers[0][1..]), encode(&numbers[1]));
    with(json!({ "kty": "RSA", "n": n, "e": e }), more)
}

fn check(rows: Vec<Row>) {
    for (what, set, alg, id, expected) in rows {
        let set = json!({ "keys": set }).to_string();
        let auth = manager(hs256().trust(Issuer::new(OTHER).jwk_set(set).audience("api")));
        let claims = claims_with(json!({ "iss": OTHER, "aud": "api", "type": null }));
        let key = if alg == "RS256" {
            keys::key(AuthType::RS256)
        } else {
            keys::key(AuthType::EdDSA)
        };
        let token = forge(header(alg, id), &claims, &key);
        assert_eq!(auth.verify_token(&token).map(drop), expected, "{what}");
        let forged = forge::with_signature(&token, [7; 64]);
        assert!(auth.verify_token(&forged).is_err(), "{what}");
    }
}

/// `docs/threats.md` 54
#[test]
fn a_token_without_kid_is_verified_with_the_only_matching_key() {
    let adfs = json!({ "kid": "T", "x5t": "T", "use": "sig", "alg": "RS256" });
    let (a, b) = (json!({ "kid": "a" }), json!({ "kid": "b" }));
    check(vec![
        ("one key with an id", vec![own(&a)], "EdDSA", None, Ok(())),
        ("ADFS", vec![rsa(&adfs)], "RS256", None, Ok(())),
        ("two keys", vec![own(&a), other(&b)], "EdDSA", None, UNKNOWN),
        (
            "a key of another kind",
            vec![own(&a), rsa(&b)],
            "EdDSA",
            None,
            Ok(()),
        ),
        (
            "the same key twice",
            vec![own(&a), own(&b)],
            "EdDSA",
            None,
            Ok(()),
        ),
        (
            "no id anywhere",
            vec![own(&json!({}))],
            "EdDSA",
            None,
            Ok(()),
        ),
        (
            "an id, a set without",
            vec![own(&json!({}))],
            "EdDSA",
            Some("a"),
            Ok(()),
        ),
    ]);
}

#[test]
fn keys_are_selected_by_their_algorithm() {
    let [new, old] = ["Ed25519", "EdDSA"].map(|alg| own(&json!({ "kid": "a", "alg": alg })));
    let by_alg = ["RS256", "RS384", "RS512"].map(|alg| rsa(&json!({ "kid": "a", "alg": alg })));
    let a = json!({ "kid": "a" });
    let shared = vec![own(&a), other(&a), rsa(&json!({ "kid": "r" }))];
    let mismatch = Err(TokenError::Algorithm);
    check(vec![
        ("RFC 9864", vec![new.clone()], "Ed25519", Some("a"), Ok(())),
        (
            "RFC 9864 in the set only",
            vec![new],
            "EdDSA",
            Some("a"),
            Ok(()),
        ),
        (
            "RFC 9864 in the token only",
            vec![old],
            "Ed25519",
            Some("a"),
            Ok(()),
        ),
        (
            "one id, by alg",
            by_alg.to_vec(),
            "RS256",
            Some("a"),
            Ok(()),
        ),
        (
            "one id, two keys of one alg",
            shared,
            "EdDSA",
            Some("a"),
            mismatch,
        ),
    ]);
}

#[test]
fn unusable_keys_are_skipped() {
    let enc = json!({ "kid": "e", "use": "enc", "alg": "RSA-OAEP" });
    let sig = json!({ "kid": "s", "use": "sig", "alg": "RS256" });
    let nulls = json!({ "kid": "a", "alg": null, "n": null, "e": null, "use": null, "x5c": null });
    let others = vec![
        json!(null),
        json!({ "kty": "oct", "k": "AAAA" }),
        json!({ "kty": "OKP", "crv": "X25519", "x": "AAAA" }),
        json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA" }),
        json!({ "kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA" }),
        json!({ "kty": "OKP", "crv": "Ed448", "x": "AAAA" }),
        json!({ "kty": "RSA", "x5c": ["MIIB"] }),
        own(&json!({ "kid": "a", "key_ops": ["verify"], "ext": true })),
    ];
    check(vec![
        (
            "a key for encryption",
            vec![rsa(&enc), rsa(&sig)],
            "RS256",
            None,
            Ok(()),
        ),
        ("others", others, "EdDSA", Some("a"), Ok(())),
        (
            "null members",
            vec![own(&nulls)],
            "EdDSA",
            Some("a"),
            Ok(()),
        ),
    ]);
}
