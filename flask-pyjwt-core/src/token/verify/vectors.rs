//! Runs the JWS test vectors of Wycheproof: see `tests/vectors/README.md`.

use std::{error::Error, fs};

use serde_json::{Value, json};

use super::*;
use crate::keys::{AuthType, Crypto, GivenSet, Key, PrivatePart};

fn vectors() -> Value {
    let default = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/vectors/wycheproof_jws.json"
    );
    let path = std::env::var("FLASK_PYJWT_VECTORS").unwrap_or(default.to_owned());
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("JSON")
}

/// Prepares the keys of a case, or returns why they are refused.
fn keys_of(case: &Value, types: &HeaderTypes) -> Result<KeySet, Box<dyn Error>> {
    let key = &case["key"];
    if key["kty"] == "oct" {
        let algorithm: Result<AuthType, _> = case["key_alg"].as_str().unwrap_or_default().parse();
        let algorithm = algorithm.map_err(|_| "the algorithm is not supported")?;
        if key["use"].as_str().is_some_and(|purpose| purpose != "sig") {
            return Err("the key is for encryption".into());
        }
        let secret = key["k"].as_str().unwrap_or_default();
        let secret =
            base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, secret);
        let secret = secret.map_err(|_| "the secret is not base64url")?;
        let mut secret_key =
            Key::of(algorithm, Some(PrivatePart::text(secret)), None).accept_without_id(true);
        if let Some(id) = key["kid"].as_str() {
            secret_key = secret_key.id(id);
        }
        let key = secret_key.prepare("secret", "public", Crypto::default())?;
        return Ok(KeySet::new(vec![key.split().1], types));
    }
    let set = if key.get("keys").is_some() {
        key.clone()
    } else {
        json!({ "keys": [key] })
    };
    let set = GivenSet::Text(set.to_string()).check(None, Crypto::default())?;
    let refused: Vec<_> = set.refused.iter().map(ToString::to_string).collect();
    if !refused.is_empty() {
        return Err(refused.join(", ").into());
    }
    Ok(KeySet::new(set.keys, types))
}

fn outcome(case: &Value) -> Result<(), Box<dyn Error>> {
    // The vectors are about JWS: a header without `typ` is fine.
    let types = HeaderTypes::new(["JWT".to_owned()], true);
    let keys = keys_of(case, &types)?;
    let jws = case["jws"]
        .as_str()
        .ok_or("the serialization is not compact")?;
    let segments = Segments::of(jws)?;
    verifying_key(&keys, &types, &segments)?;
    // JWS also permits a payload that is not UTF-8.
    match segments.decode_payload() {
        Err(TokenError::Payload) => Ok(()),
        result => Ok(result.map(drop)?),
    }
}

/// Explains why this crate refuses a case that the vectors call valid.
fn explanation(comment: &str, id: &str) -> Option<&'static str> {
    Some(match (comment, id) {
        ("emptyPayload", _) => "a token has claims, so no segment is empty",
        ("Figure20", _) => "the header says PS384, the key says PS256",
        ("Figure27", _) => "the key misspells ES512",
        ("acceptsValid", "W-key-2") | ("long_key", _) => "a key set must not contain a secret",
        ("InvalidCharacterInsertedInHeader" | "InvalidCharacterInsertedInPayload", _) => {
            "`?` is not a character of base64url"
        }
        _ => return None,
    })
}

/// Cases that the vectors call invalid although their text equals that of the valid case W-sig-357: the defect
/// that their comments describe was lost.
const CONTRADICTIONS: [&str; 2] = ["W-sig-367", "W-sig-370"];

#[test]
fn threats_1_to_13_every_answer_is_right_or_explained() {
    let vectors = vectors();
    let cases = vectors["cases"].as_array().expect("an array");
    let mut counts = [0; 3];
    for case in cases {
        let text = |name: &str| case[name].as_str().unwrap_or_default();
        let (id, comment) = (text("id"), text("comment"));
        let what = format!("{id} {comment}");
        match (text("result"), outcome(case)) {
            ("valid", Ok(())) => counts[0] += 1,
            ("valid", Err(error)) => {
                assert!(explanation(comment, id).is_some(), "{what}: {error}");
                counts[1] += 1;
            }
            (_, Err(_)) => counts[2] += 1,
            (_, Ok(())) => assert!(CONTRADICTIONS.contains(&id), "{what} is accepted"),
        }
    }
    assert!(
        counts[0] >= 35 && counts[1] <= 16 && counts[2] >= 374,
        "{counts:?}"
    );
}
