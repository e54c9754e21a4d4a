//! Any bytes as a token, as its payload and as its header: nothing panics, and an accepted token is signed and
//! has the required claims.

use std::sync::LazyLock;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flask_pyjwt::{AuthManager, AuthType, Config, Token, UnverifiedToken, testing::FrozenClock};
use serde_json::{Value, json};
use time::OffsetDateTime;

const SECRET: &str = "the fuzzer knows this secret, and nobody else needs it";
const HEADER: &str = r#"{"typ":"JWT","alg":"HS256"}"#;
const PAYLOAD: &str =
    r#"{"iss":"fuzz","sub":"alice","type":"auth","iat":1700000000,"exp":1700003600}"#;
const NOW: i32 = 1_700_000_001;

static AUTH: LazyLock<AuthManager> = LazyLock::new(|| {
    let now = OffsetDateTime::from_unix_timestamp(NOW.into()).expect("a moment");
    let config = Config::new("fuzz", AuthType::HS256, SECRET).clock(FrozenClock::new(now));
    AuthManager::new(config).expect("a valid configuration")
});

/// The tokens that can be accepted. They are always the same because the clock stands still.
pub fn minted() -> &'static [String] {
    static MINTED: LazyLock<Vec<String>> = LazyLock::new(|| {
        let plain = AUTH.auth_token("alice").sign();
        let scope = json!({"admin": true, "list": [1, 2.5, null, "é\u{1}"]});
        let scoped = AUTH.auth_token("bob").scope(scope).claim("team", 7).sign();
        let texts = [plain, scoped].map(|token| token.expect("minted").signed().to_owned());
        [&texts[..], &[signed(HEADER.as_bytes(), PAYLOAD.as_bytes())]].concat()
    });
    &MINTED
}

pub fn check(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = UnverifiedToken::decode(text);
        if let Ok(token) = AUTH.verify_token(text) {
            assert!(minted().iter().any(|known| known == text), "forged: {text}");
            assert_eq!(token.signed(), text);
        }
    }
    // With a valid signature, as somebody who has the key can write any claims.
    let text = signed(HEADER.as_bytes(), data);
    if let Ok(token) = AUTH.verify_token(&text) {
        says_what_it_must(&token, data);
    }
    let text = signed(data, PAYLOAD.as_bytes());
    if AUTH.verify_token(&text).is_ok() {
        let header: Value = serde_json::from_slice(data).expect("the header is JSON");
        assert_eq!(header["alg"], "HS256");
        let kind = header["typ"]
            .as_str()
            .unwrap_or_default()
            .to_ascii_lowercase();
        assert!(kind == "jwt" || kind == "at+jwt", "typ is {kind}");
        for forbidden in ["crit", "b64", "zip"] {
            assert!(header.get(forbidden).is_none(), "{forbidden} was accepted");
        }
    }
}

/// Checks the rules again with the payload as another JSON reader reads it.
fn says_what_it_must(token: &Token, payload: &[u8]) {
    let claims: Value = serde_json::from_slice(payload).expect("the payload is JSON");
    assert_eq!(claims["iss"], "fuzz");
    assert_eq!(claims["type"], token.token_type().to_string());
    assert!(!token.sub().is_empty() && claims["sub"] == token.sub());
    assert!(
        claims["exp"]
            .as_f64()
            .is_some_and(|exp| exp > f64::from(NOW))
    );
    assert!(
        claims["iat"]
            .as_f64()
            .is_some_and(|iat| iat <= f64::from(NOW))
    );
    assert!(
        claims
            .get("nbf")
            .is_none_or(|nbf| nbf.as_f64().is_some_and(|nbf| nbf <= f64::from(NOW)))
    );
    assert!(claims.get("aud").is_none() && claims.get("cnf").is_none());
    assert_eq!(
        token.claims().len(),
        claims.as_object().map_or(0, serde_json::Map::len)
    );
}

fn signed(header: &[u8], payload: &[u8]) -> String {
    static KEY: LazyLock<hmac::Key> =
        LazyLock::new(|| hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()));
    let mut text = URL_SAFE_NO_PAD.encode(header);
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut text);
    let signature = hmac::sign(&KEY, text.as_bytes());
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut text);
    text
}
