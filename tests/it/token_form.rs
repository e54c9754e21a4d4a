//! `docs/threats.md` 12 to 17 and 23: the form of a token, its base64url, its header and its JSON.

mod encoding;
mod json;
mod work;

use flask_pyjwt::AuthType;
use serde_json::json;

use support::{
    ISSUER, NOW, SECRET, claims, config,
    forge::{Key, encode, forge, segments, sign_segments},
    guarded_site, header, hs256,
};

const KEY: Key<'_> = Key::Hs256(SECRET);

fn good() -> String {
    forge(header(AuthType::HS256), claims().to_string(), &KEY)
}

/// A token with this payload text and a valid header.
fn with_payload(payload: impl AsRef<[u8]>) -> String {
    forge(header(AuthType::HS256), payload, &KEY)
}

#[actix_web::test]
async fn threat_13_a_token_must_have_three_segments_that_are_not_empty() {
    let site = guarded_site(hs256()).await;
    let token = good();
    let [head, payload, signature] = segments(&token);
    for token in [
        ".",
        "..",
        "...",
        "....",
        head,
        &format!("{head}."),
        &format!(".{payload}"),
        &format!("{head}.{payload}"),
        &format!("{head}.{payload}."),
        &format!("{head}..{signature}"),
        &format!(".{payload}.{signature}"),
        &format!("{head}.{payload}.{signature}."),
        &format!(".{head}.{payload}.{signature}"),
        &format!("{head}..{payload}.{signature}"),
        &format!("{head}.{payload}.{signature}.{signature}"),
        &format!("{head}.{payload}.{signature}.{signature}.{signature}"),
        // A JWE's five segments, the first of which is a header.
        &format!(
            "{}.AA.AA.{payload}.{signature}",
            encode(r#"{"alg":"dir","enc":"A128GCM"}"#)
        ),
        &[head; 100].join("."),
    ] {
        site.refuses(token, "token_form", token).await;
    }
    // JSON serialization and detached payloads are not Bearer tokens.
    let auth = support::manager(hs256());
    for token in [
        String::new(),
        json!({"payload": payload, "protected": head, "signature": signature}).to_string(),
        json!({"payload": payload, "signatures": [{"protected": head, "signature": signature}]})
            .to_string(),
    ] {
        assert!(auth.verify_token(&token).is_err(), "{token}");
    }
    // A nested token.
    for header in [
        r#"{"alg":"HS256","typ":"JWT","cty":"JWT"}"#,
        r#"{"alg":"HS256","typ":"JWT"}"#,
    ] {
        let nested = forge(header, &token, &KEY);
        site.refuses(&nested, "token_payload", header).await;
    }
}

#[actix_web::test]
async fn threat_14_header_extensions_are_refused() {
    let site = guarded_site(hs256()).await;
    for member in [
        r#""crit":["exp"],"exp":1"#,
        r#""crit":["b64"],"b64":false"#,
        r#""crit":["b64"],"b64":true"#,
        r#""crit":["unknown"]"#,
        r#""crit":["http://example.com/x"],"http://example.com/x":true"#,
        r#""crit":[]"#,
        r#""crit":null"#,
        r#""crit":"exp""#,
        r#""crit":{}"#,
        r#""crit":["alg","alg"]"#,
        r#""\u0063rit":["x"]"#,
        r#""b64":false"#,
        r#""b64":true"#,
        r#""b64":null"#,
        r#""b6\u0034":false"#,
        r#""zip":"DEF""#,
        r#""zip":null"#,
    ] {
        for header in [
            format!(r#"{{"alg":"HS256","typ":"JWT",{member}}}"#),
            format!(r#"{{{member},"alg":"HS256","typ":"JWT"}}"#),
            // Whatever else is wrong, the response is never 500.
            format!(r#"{{"alg":"none",{member}}}"#),
        ] {
            let token = forge(&header, claims().to_string(), &KEY);
            site.refuses(&token, "token_critical", &header).await;
        }
    }
    // RFC 7797: the payload is not encoded, and can even contain a dot.
    let head = encode(r#"{"alg":"HS256","typ":"JWT","b64":false,"crit":["b64"]}"#);
    let unencoded = sign_segments(&head, "payload", &KEY);
    site.refuses(&unencoded, "token_critical", "b64").await;
    // Unknown header parameters are ignored.
    let header = r#"{"alg":"HS256","typ":"JWT","CRIT":["x"],"x":{"crit":[]}}"#;
    site.accepts(&forge(header, claims().to_string(), &KEY), header)
        .await;
}

#[actix_web::test]
async fn threat_23_another_type_of_token_with_the_same_key_is_refused() {
    let site = guarded_site(hs256()).await;
    for typ in [
        r#""dpop+jwt""#,
        r#""logout+jwt""#,
        r#""secevent+jwt""#,
        r#""id_token+jwt""#,
        r#""entity-statement+jwt""#,
        r#""token-introspection+jwt""#,
        r#""oauth-authz-req+jwt""#,
        r#""application/jwt""#,
        r#""jwt+at""#,
        r#""at+jwt ""#,
        r#"" JWT""#,
        r#""JWT\u0000""#,
        r#""JWS""#,
        r#""JOSE""#,
        r#""JWE""#,
        r#""""#,
        r#""J WT""#,
        r#""\u212aWT""#,
        "null",
        "true",
        "1",
        r#"["JWT"]"#,
        "{}",
    ] {
        let header = format!(r#"{{"alg":"HS256","typ":{typ}}}"#);
        let token = forge(&header, claims().to_string(), &KEY);
        site.refuses(&token, "token_kind", &header).await;
    }
    let token = forge(r#"{"alg":"HS256"}"#, claims().to_string(), &KEY);
    site.refuses(&token, "token_kind", "no typ").await;
    for typ in ["JWT", "jwt", "Jwt", "at+jwt", "AT+JWT", "At+Jwt"] {
        let header = format!(r#"{{"typ":"{typ}","alg":"HS256","cty":"x"}}"#);
        site.accepts(&forge(&header, claims().to_string(), &KEY), typ)
            .await;
    }
}

#[actix_web::test]
async fn threat_23_tokens_of_other_systems_with_the_same_key_are_refused() {
    let site = guarded_site(hs256()).await;
    for (payload, reason) in [
        // OpenID Connect's ID token, OAuth's logout token and a DPoP proof.
        (
            json!({"iss": ISSUER, "sub": "alice", "aud": "client", "iat": NOW, "exp": NOW + 60, "nonce": "n"}),
            "token_audience",
        ),
        (
            json!({"iss": ISSUER, "sub": "alice", "iat": NOW, "exp": NOW + 60, "events": {}}),
            "token_missing_claim",
        ),
        (
            json!({"jti": "x", "htm": "GET", "htu": "http://localhost/", "iat": NOW}),
            "token_missing_claim",
        ),
        (
            json!({"fresh": true, "iat": NOW, "jti": "x", "type": "access", "sub": "alice", "nbf": NOW, "exp": NOW + 60, "iss": ISSUER}),
            "token_mistyped_claim",
        ),
        (json!({}), "token_missing_claim"),
    ] {
        let token = with_payload(payload.to_string());
        site.refuses(&token, reason, &payload.to_string()).await;
    }
    // A key for another purpose.
    let other = guarded_site(config(AuthType::HS256, [7; 32])).await;
    other
        .refuses(&good(), "token_signature", "another key")
        .await;
}
