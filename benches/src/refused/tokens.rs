//! Refused tokens of the largest accepted size.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, Key};

use super::json::SHAPES;
use crate::{claims::ISSUER, keys::Keys, race::Candidate};

/// The default of `Config::max_token_size`.
pub(super) const LARGEST: usize = 8_192;
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
const FOREIGN: &str = "https://other.example";

pub(super) struct TokenCase {
    name: String,
    auth: AuthManager,
    signed: String,
}

impl TokenCase {
    pub(super) fn candidate(self) -> Candidate<'static> {
        Candidate::new(self.name, move || {
            let refused = self.auth.verify_token(&self.signed);
            assert!(refused.is_err());
        })
    }
}

/// A server with one key and no other issuers.
fn alone(keys: &Keys) -> AuthManager {
    keys.manager(true)
}

/// A server with several keys, which trusts several issuers with several keys.
fn trusting(keys: &Keys) -> AuthManager {
    let key = |name: &str, n: usize| {
        Key::new(
            AuthType::HS256,
            format!("{name}{n}, a secret of some forty-eight bytes"),
        )
    };
    let issuer = |name: String| {
        let issuer = Issuer::new(&name).any_audience(true);
        (0..4).fold(issuer, |issuer, n| {
            issuer.key(key(&name, n).id(format!("k{n}")))
        })
    };
    let config = Config::new(ISSUER, AuthType::HS256, &keys.private);
    let config = (0..3).fold(config, |config, n| {
        config.trust(issuer(format!("https://{n}.example")))
    });
    AuthManager::new(config.trust(issuer(FOREIGN.to_owned()))).expect("a valid configuration")
}

fn signed(header: &[u8], payload: &[u8], secret: &str) -> String {
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = hmac::sign(&key, message.as_bytes());
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
    assert!(token.len() <= LARGEST, "{} bytes", token.len());
    token
}

/// The longest payload after this header.
fn room(header: &[u8]) -> usize {
    (LARGEST - header.len().div_ceil(3) * 4 - 64) / 4 * 3
}

#[expect(clippy::too_many_lines, reason = "a list of cases")]
pub(super) fn all(keys: &Keys) -> Vec<TokenCase> {
    let mut cases = Vec::new();
    let mut add = |name: String, auth: &AuthManager, signed: String| {
        cases.push(TokenCase {
            name: format!("refused-{name}"),
            auth: auth.clone(),
            signed,
        });
    };
    let (alone, trusting) = (alone(keys), trusting(keys));
    let size = room(HEADER.as_bytes());
    for shape in &SHAPES {
        // The sender names an issuer, and the payload is read before the signature.
        let named = format!(r#""iss":"{FOREIGN}","#);
        let kid = br#"{"alg":"HS256","typ":"JWT","kid":"k3"}"#;
        // The signature is valid, and a claim is not.
        let own = format!(r#""iss":"{ISSUER}","iat":1,"exp":2,"#);
        let header_members = r#""alg":"HS256","typ":"JWT","kid":"no","#;
        let payload = shape.object(&named, room(kid));
        let bounded = shape.bounded(&named, room(kid));
        for (payload, suffix) in [(Some(payload), ""), (bounded, "-bounded")] {
            let name = format!("payload-{}{suffix}", shape.name);
            if let Some(payload) = payload {
                add(name, &trusting, signed(kid, &payload, "wrong"));
            }
        }
        let payload = shape.object(&own, size);
        let bounded = shape.bounded(&own, size);
        for (payload, suffix) in [(Some(payload), ""), (bounded, "-bounded")] {
            let name = format!("signed-{}{suffix}", shape.name);
            let key = &keys.private;
            if let Some(payload) = payload {
                add(name, &alone, signed(HEADER.as_bytes(), &payload, key));
            }
        }
        for (size, name) in [(size, "header-too-large"), (LARGEST / 4, "header")] {
            let header = shape.object(header_members, size);
            let name = format!("{name}-{}", shape.name);
            add(name, &alone, signed(&header, b"{}", "wrong"));
        }
    }
    let header = HEADER.as_bytes();
    let largest = |issuer: &str| {
        let issuer = format!(r#""iss":"{issuer}","#);
        SHAPES[0].bounded(&issuer, size).expect("many members")
    };
    let ordinary = largest(FOREIGN);
    add(
        "wrong-signature".to_owned(),
        &alone,
        signed(header, &ordinary, "wrong"),
    );
    let stranger = largest("https://nobody.example");
    add(
        "unknown-issuer".to_owned(),
        &trusting,
        signed(header, &stranger, "wrong"),
    );
    let no_kid = signed(
        br#"{"alg":"HS256","typ":"JWT","kid":"no"}"#,
        &ordinary[..size - 90],
        "wrong",
    );
    add("unknown-kid".to_owned(), &alone, no_kid);
    let name = "\\u00e9".repeat((size - 20) / 6);
    let escaped = format!(r#"{{"iss":"{name}"}}"#);
    add(
        "issuer-escaped".to_owned(),
        &trusting,
        signed(header, escaped.as_bytes(), "wrong"),
    );
    let mut broken = ordinary.clone();
    broken.push(0xff);
    add(
        "no-utf8-at-the-end".to_owned(),
        &trusting,
        signed(header, &broken, "wrong"),
    );
    let wide = "é".repeat(size / 2 - 1);
    add(
        "no-json-utf8".to_owned(),
        &trusting,
        signed(header, wide.as_bytes(), "wrong"),
    );
    let good = signed(header, &ordinary, "wrong");
    add(
        "no-base64-at-the-end".to_owned(),
        &trusting,
        good.replacen('.', "*.", 2),
    );
    let (message, _) = good.rsplit_once('.').expect("a token");
    add(
        "signature-broken".to_owned(),
        &trusting,
        format!("{message}.{}*", "A".repeat(42)),
    );
    add("dots".to_owned(), &alone, ".".repeat(LARGEST));
    add("no-dots".to_owned(), &alone, "A".repeat(LARGEST));
    add("too-large".to_owned(), &alone, ".".repeat(1 << 20));
    let (_, signature) = good.rsplit_once('.').expect("a token");
    let long = "A".repeat(LARGEST - 80);
    add(
        "header-too-long".to_owned(),
        &alone,
        format!("{long}.e30.{signature}"),
    );
    add(
        "signature-too-long".to_owned(),
        &alone,
        format!("{}.e30.{long}", URL_SAFE_NO_PAD.encode(header)),
    );
    cases
}
