//! What tokens contain must not depend on the features of `serde_json` that another crate enables.
//! `docs/threats.md` 57.
//!
//! Every feature must give the same results, so the expected ones are written out here as texts and Rust values,
//! which no feature changes.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flask_pyjwt_core::{
    AuthManager, AuthType, Config, ExpectedClaim, Token, TokenError, UnverifiedToken,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::Sha256;

const SECRET: &str = "a secret of 32 bytes, at the least";

fn sign(header: &str, payload: &str) -> String {
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
    mac.update(message.as_bytes());
    format!(
        "{message}.{}",
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    )
}

fn verify(auth: &AuthManager, members: &str) -> Result<Token, TokenError> {
    let payload = format!(
        r#"{{"iss":"i","sub":"alice","iat":1700000000,"exp":1.9e9,"type":"auth",{members}}}"#
    );
    auth.verify_token(&sign(r#"{"alg":"HS256","typ":"JWT"}"#, &payload))
}

#[derive(Debug, Deserialize, PartialEq)]
struct Own {
    whole: u64,
    negative: i64,
    float: f64,
    wide: f64,
    any: Value,
    #[serde(flatten)]
    rest: std::collections::BTreeMap<String, Value>,
}

fn numbers(auth: &AuthManager) {
    let members = r#""whole":18446744073709551615,"negative":-9223372036854775808,"float":1.50e1,
        "wide":18446744073709551616,"any":[1e2,1.0,1,0.1,100000000000000000000],"more":1E2"#;
    let token = verify(auth, members).expect("valid");
    let claims = token.claims();
    for (name, expected) in [
        ("whole", json!(u64::MAX)),
        ("negative", json!(i64::MIN)),
        ("float", json!(15.0)),
        ("wide", json!(18_446_744_073_709_551_616.0)),
        ("any", json!([100.0, 1.0, 1, 0.1, 1e20])),
        ("more", json!(100.0)),
    ] {
        assert_eq!(claims[name], expected, "{name}");
        assert_eq!(token.claim(name), Some(&expected), "{name}");
        assert_eq!(claims[name].to_string(), expected.to_string(), "{name}");
    }
    assert_eq!(claims["float"].as_f64(), Some(15.0));
    assert!(claims["float"].as_u64().is_none() && claims["float"].is_f64());
    assert!(claims["any"][2].is_u64() && !claims["any"][1].is_u64());
    assert!(claims["wide"].is_f64() && claims["wide"].as_u64().is_none());
    let own: Own = token.claims_as().expect("they fit");
    assert_eq!(
        (own.whole, own.negative, own.float),
        (u64::MAX, i64::MIN, 15.0)
    );
    assert_eq!(own.wide, 18_446_744_073_709_551_616.0);
    assert_eq!(own.any, json!([100.0, 1.0, 1, 0.1, 1e20]));
    assert_eq!(own.rest["more"], json!(100.0));
    assert_eq!(own.rest["exp"], json!(1.9e9));
    let all: Value = token.claims_as().expect("a value");
    assert_eq!(all, Value::Object(claims.clone()));
    let unverified = UnverifiedToken::decode(token.signed()).expect("decodable");
    assert_eq!(unverified.claims(), claims);
    assert_eq!(token.exp().unix_timestamp(), 1_900_000_000);
    for literal in ["1e400", "-1e309", "01", "1.", "NaN"] {
        let refused = verify(auth, &format!(r#""x":{literal}"#));
        assert_eq!(refused.err(), Some(TokenError::Payload), "{literal}");
    }
    // Minted numbers are the ones that were passed.
    let token = auth
        .auth_token("alice")
        .claim("n", 1.0)
        .claim("m", 1)
        .claim("big", u64::MAX);
    let token = token.sign().expect("minted");
    assert_eq!(token.claims()["n"], json!(1.0));
    assert!(token.claims()["n"].is_f64() && token.claims()["m"].is_u64());
    assert_eq!(token.claims()["big"], json!(u64::MAX));
}

/// Requirements can also be parsed from text, where numbers keep their spelling with some features.
fn requirements() {
    let read = |text: &str| serde_json::from_str::<Value>(text).expect("JSON");
    for (required, claim, holds) in [
        ("1", "1", true),
        ("1", "1.0", false),
        ("1.0", "1", false),
        ("1.0", "1e0", true),
        ("1e0", "1.0", true),
        ("100", "1e2", false),
        ("1e2", "100.0", true),
        ("0.1", "1e-1", true),
        ("-0", "-0.0", true),
        ("-0", "0", false),
        ("0", "-0", false),
        ("18446744073709551615", "18446744073709551615", true),
        ("18446744073709551616", "18446744073709551616", false),
        ("9007199254740993", "9007199254740992", false),
        ("{\"a\":[1e0]}", "{\"b\":1,\"a\":[2,1.0]}", true),
        ("[1]", "[1.0]", false),
    ] {
        let issuer = flask_pyjwt_core::Issuer::new("other")
            .key(flask_pyjwt_core::Key::new(AuthType::HS256, SECRET))
            .any_audience(true)
            .require_claim("x", read(required));
        let config = Config::new("i", AuthType::HS256, SECRET).trust(issuer);
        let auth = AuthManager::new(config).expect("a valid configuration");
        let payload =
            format!(r#"{{"iss":"other","sub":"a","iat":1700000000,"exp":1.9e9,"x":{claim}}}"#);
        let verified = auth.verify_token(&sign(r#"{"alg":"HS256","typ":"JWT"}"#, &payload));
        let expected = if holds {
            None
        } else {
            Some(TokenError::IssuerClaim)
        };
        assert_eq!(verified.err(), expected, "{required} {claim}");
    }
    let _ = ExpectedClaim::contains("x");
}

fn depth_and_order(auth: &AuthManager) {
    let nested = |depth: usize| format!(r#""x":{}{}"#, "[".repeat(depth), "]".repeat(depth));
    assert!(verify(auth, &nested(63)).is_ok());
    for depth in [64, 127, 128, 3_000] {
        let refused = verify(auth, &nested(depth)).err();
        assert_eq!(refused, Some(TokenError::Payload), "{depth}");
    }
    let twice = verify(auth, r#""x":{"b":1,"a":2,"b":3}"#).err();
    assert_eq!(twice, Some(TokenError::DuplicateMember));
    let token = verify(auth, r#""x":{"b":1,"a":2}"#).expect("valid");
    assert_eq!(token.claims()["x"], json!({ "a": 2, "b": 1 }));
    // Neither serde_json's special names nor other texts have a meaning.
    for name in [
        "$serde_json::private::Number",
        "$serde_json::private::RawValue",
    ] {
        let token = verify(auth, &format!(r#""x":{{"{name}":"12"}}"#)).expect("valid");
        assert_eq!(token.claims()["x"][name], "12");
        assert!(token.claims()["x"].is_object());
    }
}

fn main() {
    let auth = AuthManager::new(Config::new("i", AuthType::HS256, SECRET)).expect("valid");
    numbers(&auth);
    requirements();
    depth_and_order(&auth);
    println!("the answers are the same");
}
