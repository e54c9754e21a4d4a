//! `docs/threats.md` 18, 19, 21, 22, 24, 25, 34 and 42: the claims of a genuine token, and the clock.

mod minted_text;
mod minting;
mod moments;

use flask_pyjwt::AuthType;
use serde_json::{Value, json};

use support::{
    ISSUER, SECRET, claims, claims_with,
    forge::{Key, forge},
    guarded_site, header, hs256, manager,
    site::Site,
};

const MISSING: &str = "token_missing_claim";
const MISTYPED: &str = "token_mistyped_claim";

/// A token with this payload, a valid header and a valid signature.
fn token(payload: impl AsRef<[u8]>) -> String {
    forge(header(AuthType::HS256), payload, &Key::Hs256(SECRET))
}

/// The valid claims, with this text as the value of one of them. `""` leaves it out.
fn with(name: &str, literal: &str) -> String {
    let mut members: Vec<_> = claims()
        .as_object()
        .expect("an object")
        .iter()
        .filter(|(own, _)| *own != name)
        .map(|(own, value)| format!("{own:?}:{value}"))
        .collect();
    if !literal.is_empty() {
        members.push(format!("{name:?}:{literal}"));
    }
    format!("{{{}}}", members.join(","))
}

/// Sends a token with each of these texts as the claim. The reason is empty where the token is accepted.
async fn judge(site: &Site, name: &str, rows: &[(&str, &str)]) {
    for (literal, reason) in rows {
        let payload = with(name, literal);
        match *reason {
            "" => site.accepts(&token(&payload), &payload).await,
            reason => site.refuses(&token(&payload), reason, &payload).await,
        }
    }
}

#[actix_web::test]
async fn threat_21_the_issuer_is_exactly_the_configured_one() {
    let site = guarded_site(hs256()).await;
    for other in [
        "",
        "https://issuer.exampl",
        "https://issuer.example/",
        "https://issuer.example.evil",
        "HTTPS://issuer.example",
        "https://Issuer.example",
        "http://issuer.example",
        " https://issuer.example",
        "https://issuer.example\0",
        "https://issuer.example\n",
        "https://\u{456}ssuer.example",
        "*",
        "null",
    ] {
        judge(&site, "iss", &[(&json!(other).to_string(), "token_issuer")]).await;
    }
    for value in [
        json!([ISSUER]),
        json!({"iss": ISSUER}),
        json!(7),
        json!(true),
        Value::Null,
    ] {
        judge(&site, "iss", &[(&value.to_string(), MISTYPED)]).await;
    }
    judge(&site, "iss", &[("", MISSING)]).await;
    judge(&site, "iss", &[(r#""https:\/\/issuer\u002eexample""#, "")]).await;
}

#[actix_web::test]
async fn threat_21_a_token_must_name_the_configured_audience() {
    let site = guarded_site(hs256().audience("api")).await;
    judge(
        &site,
        "aud",
        &[
            ("", MISSING),
            ("null", MISTYPED),
            ("7", MISTYPED),
            ("true", MISTYPED),
            ("{}", MISTYPED),
            (r#"{"api":true}"#, MISTYPED),
            (r#"["api",7]"#, MISTYPED),
            (r#"["api",null]"#, MISTYPED),
            (r#"["api",["api"]]"#, MISTYPED),
            (r#"[["api"]]"#, MISTYPED),
            (r#"[{"aud":"api"}]"#, MISTYPED),
            ("[]", "token_audience"),
            (r#""""#, "token_audience"),
            (r#"[""]"#, "token_audience"),
            (r#""API""#, "token_audience"),
            (r#""api ""#, "token_audience"),
            (r#""ap""#, "token_audience"),
            (r#""apis""#, "token_audience"),
            (r#""other api""#, "token_audience"),
            (r#""api,other""#, "token_audience"),
            (r#"["other"]"#, "token_audience"),
            (r#""*""#, "token_audience"),
            (r#""api""#, ""),
            (r#"["api"]"#, ""),
            (r#"["other","api"]"#, ""),
            (r#""\u0061pi""#, ""),
        ],
    )
    .await;
}

#[actix_web::test]
async fn threat_21_a_token_with_an_audience_is_refused_if_none_is_configured() {
    let site = guarded_site(hs256()).await;
    for audience in ["\"api\"", "[]", "[\"api\"]", "null", "\"\"", "7", "{}"] {
        judge(&site, "aud", &[(audience, "token_audience")]).await;
    }
}

#[actix_web::test]
async fn threat_22_a_subject_is_a_string_without_control_characters() {
    let site = guarded_site(hs256()).await;
    let strict = [
        ("", MISSING),
        ("\"\"", MISTYPED),
        ("null", MISTYPED),
        ("true", MISTYPED),
        ("[]", MISTYPED),
        ("[\"alice\"]", MISTYPED),
        ("{}", MISTYPED),
        ("1.5", MISTYPED),
        ("42.0", MISTYPED),
        ("4.2e1", MISTYPED),
        ("-0", MISTYPED),
        ("18446744073709551616", MISTYPED),
        (r#""alice\u0000""#, MISTYPED),
        (r#""alice\n""#, MISTYPED),
        (r#""a\r\nSet-Cookie: x""#, MISTYPED),
        (r#""\t""#, MISTYPED),
        (r#""alice\u001b[31m""#, MISTYPED),
        (r#""\u007f""#, MISTYPED),
        (r#""\u0085""#, MISTYPED),
        (r#""\u009f""#, MISTYPED),
        ("\"alice\u{85}\"", MISTYPED),
        ("\"alice\u{7f}\"", MISTYPED),
        (r#"" ""#, ""),
        (r#""null""#, ""),
        (r#""é 😀 \" \\""#, ""),
    ];
    judge(&site, "sub", &strict).await;
    let integers = ["42", "0", "-7", "18446744073709551615"];
    for integer in integers {
        judge(&site, "sub", &[(integer, MISTYPED)]).await;
    }
    // Integers, as old fleets mint them, are accepted if configured, and nothing else is.
    let lenient = guarded_site(hs256().integer_subjects(true)).await;
    judge(&lenient, "sub", &strict).await;
    for integer in integers {
        let reply = lenient.get("/", &token(with("sub", integer))).await;
        assert_eq!((reply.status, reply.text()), (200, integer));
    }
}

#[actix_web::test]
async fn threat_24_a_token_must_have_the_type_that_the_route_requires() {
    let site = guarded_site(hs256()).await;
    for (literal, on_auth, on_refresh) in [
        ("\"auth\"", "", "token_wrong_type"),
        ("\"refresh\"", "token_wrong_type", ""),
        ("\"\\u0061uth\"", "", "token_wrong_type"),
        ("\"Auth\"", MISTYPED, MISTYPED),
        ("\"AUTH\"", MISTYPED, MISTYPED),
        ("\"Refresh\"", MISTYPED, MISTYPED),
        ("\"auth \"", MISTYPED, MISTYPED),
        ("\"access\"", MISTYPED, MISTYPED),
        ("\"authrefresh\"", MISTYPED, MISTYPED),
        ("\"auth,refresh\"", MISTYPED, MISTYPED),
        ("\"\"", MISTYPED, MISTYPED),
        ("[\"auth\"]", MISTYPED, MISTYPED),
        ("[\"auth\",\"refresh\"]", MISTYPED, MISTYPED),
        ("{\"auth\":true}", MISTYPED, MISTYPED),
        ("null", MISTYPED, MISTYPED),
        ("true", MISTYPED, MISTYPED),
        ("0", MISTYPED, MISTYPED),
        ("", MISSING, MISSING),
    ] {
        let payload = with("type", literal);
        for (path, reason) in [("/", on_auth), ("/refresh", on_refresh)] {
            let reply = site.get(path, &token(&payload)).await;
            let what = format!("{path} {payload}");
            match reason {
                "" => assert_eq!(reply.outcome(), (200, ""), "{what}"),
                reason => reply.is_refused(401, "invalid_token", reason, &what),
            }
        }
    }
    let auth = manager(hs256());
    let minted = [
        auth.auth_token("alice").sign().expect("minted"),
        auth.refresh_token("alice").sign().expect("minted"),
    ];
    for (token, own, other) in [(&minted[0], "/", "/refresh"), (&minted[1], "/refresh", "/")] {
        assert_eq!(site.get(own, token.signed()).await.outcome(), (200, ""));
        let reply = site.get(other, token.signed()).await;
        reply.is_refused(401, "invalid_token", "token_wrong_type", other);
        assert_eq!(
            reply.json()["error_description"],
            "A token of another type is required"
        );
    }
}

#[actix_web::test]
async fn threat_34_a_token_bound_to_a_key_is_refused_as_bearer_token() {
    let site = guarded_site(hs256()).await;
    let by_key = r#"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#;
    judge(&site, "cnf", &[(by_key, "token_bound")]).await;
    let by_certificate = r#"{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg0"}"#;
    judge(&site, "cnf", &[(by_certificate, "certificate_missing")]).await;
    for confirmation in [
        r#"{"jwk":{"kty":"oct"}}"#,
        r#"{"kid":"x"}"#,
        "{}",
        "[]",
        "null",
        "false",
        "\"\"",
    ] {
        judge(&site, "cnf", &[(confirmation, "token_unknown_binding")]).await;
    }
    let escaped = with("x", "1").replace("\"x\"", r#""\u0063nf""#);
    site.refuses(&token(escaped), "token_unknown_binding", "escaped")
        .await;
    let nested = claims_with(json!({"act": {"cnf": {"jkt": "x"}}}));
    site.accepts(&token(nested), "a member of another claim")
        .await;
}
