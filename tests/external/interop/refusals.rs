//! Tokens that both servers refuse: forged ones, expired ones and those of others. Requests without a token are
//! refused, too.

use std::path::Path;

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flask_pyjwt::{AuthManager, Config, testing::FrozenClock};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::{
    fleet::{Fleet, bearer},
    python::Packages,
    setup::{ISSUER, Keys},
};

impl Fleet {
    pub(crate) fn tokens_are_refused_by_both(&self, algorithm: &str, keys: &Keys, dotenv: &Path) {
        let mut refused = self.tampered(keys);
        refused.extend(foreign(algorithm, dotenv));
        for (what, claim, value) in bad_claims() {
            refused.push((what, self.forge(algorithm, &claims(claim, value))));
        }
        let sibling = match algorithm.split_at(2) {
            (family, "256") => format!("{family}512"),
            (family, _) => format!("{family}256"),
        };
        let sibling = self.forge(&sibling, &claims("sub", json!("alice")));
        refused.push(("of the sibling algorithm", sibling));
        for (what, token) in refused {
            let (flask, actix) = self.get("/protected", &bearer(&token));
            assert_eq!((flask.status, actix.status), (401, 401), "a token {what}");
        }

        // Flask_PyJWT answers these with a 500, which is a bug.
        let none = format!(
            "{}.{}.",
            encoded(r#"{"typ":"JWT","alg":"none"}"#),
            encoded("{}")
        );
        let no_type = self.forge(algorithm, &claims("type", json!("session")));
        for (what, token) in [("without an algorithm", none), ("of no type", no_type)] {
            let (flask, actix) = self.get("/protected", &bearer(&token));
            assert_eq!((flask.status, actix.status), (500, 401), "a token {what}");
        }
    }

    /// Valid tokens that were changed.
    fn tampered(&self, keys: &Keys) -> Vec<(&'static str, String)> {
        let auth = &self.actix.auth;
        let token = auth.auth_token("alice").sign().expect("minted");
        let refresh = auth.refresh_token("alice").sign().expect("minted");
        let root = auth.auth_token("root").sign().expect("minted");
        let (header, payload, signature) = parts(token.signed());
        let (_, roots, _) = parts(root.signed());
        let blank = encoded(r#"{"typ":"JWT", "alg":"HS256"}"#);
        // The public key is not secret.
        let known = keys.public.as_deref().unwrap_or("known");
        let content = format!("{}.{payload}", encoded(r#"{"typ":"JWT","alg":"HS256"}"#));
        let mac = hmac::sign(
            &hmac::Key::new(hmac::HMAC_SHA256, known.as_bytes()),
            content.as_bytes(),
        );
        vec![
            ("of the other type", refresh.signed().to_owned()),
            (
                "signed with the public key",
                format!("{content}.{}", encoded(mac)),
            ),
            (
                "with another header",
                format!("{blank}.{payload}.{signature}"),
            ),
            (
                "with another payload",
                format!("{header}.{roots}.{signature}"),
            ),
            (
                "with a changed signature",
                format!("{header}.{payload}.{}", reversed(signature)),
            ),
            (
                "with a short signature",
                token.signed()[..token.signed().len() - 4].to_owned(),
            ),
            ("without a signature", format!("{header}.{payload}.")),
            ("of two segments", format!("{header}.{payload}")),
            (
                "of four segments",
                format!("{}.{signature}", token.signed()),
            ),
            ("of garbage", "garbage".to_owned()),
            ("of dots", "..".to_owned()),
            ("of no ASCII", "ÿ.e30.e30".to_owned()),
            ("of nothing", String::new()),
        ]
    }

    pub(crate) fn requests_are_refused_by_both(&self) {
        let token = self.actix.auth.auth_token("alice").sign().expect("minted");
        let refresh = self
            .actix
            .auth
            .refresh_token("alice")
            .sign()
            .expect("minted");
        let (token, refresh) = (token.signed(), refresh.signed());
        for (path, headers) in [
            ("/refresh", bearer(token)),
            ("/protected", String::new()),
            ("/protected", format!("Authorization: {token}\r\n")),
            ("/protected", format!("Authorization: Basic {token}\r\n")),
            ("/protected", format!("Authorization: Bearer  {token}\r\n")),
            ("/protected", format!("Authorization: Bearer {token} x\r\n")),
            ("/protected", "Authorization: Bearer\r\n".to_owned()),
            ("/protected", format!("Cookie: auth_token={token}\r\n")),
            ("/cookie", bearer(token)),
            ("/cookie", format!("Cookie: Auth_Token={token}\r\n")),
            ("/cookie", format!("Cookie: auth_token={refresh}\r\n")),
        ] {
            let (flask, actix) = self.get(path, &headers);
            assert_eq!(
                (flask.status, actix.status),
                (401, 401),
                "{path} with {headers}"
            );
        }
        let (flask, actix) = self.get("/protected", &format!("authorization: bEARER {token}\r\n"));
        assert_eq!(
            (flask.status, actix.status),
            (200, 200),
            "the scheme has no case"
        );
    }

    /// Fleets with an old `PyJWT` issue such tokens. Newer versions refuse them.
    pub(crate) fn integer_subjects_are_accepted_on_request(
        &self,
        packages: Packages,
        algorithm: &str,
        dotenv: &Path,
    ) {
        let token = self.forge(algorithm, &claims("sub", json!(42)));
        let (flask, actix) = self.get("/protected", &bearer(&token));
        let expected = match packages {
            Packages::Release => (200, 401),
            Packages::Newest => (401, 401),
        };
        assert_eq!((flask.status, actix.status), expected);
        let config = Config::from_dotenv(dotenv).expect("a valid .env");
        let auth = AuthManager::new(config.integer_subjects(true)).expect("a valid .env");
        let token = auth.verify_token(&token).expect("accepted on request");
        assert_eq!((token.sub(), &token.claims()["sub"]), ("42", &json!(42)));
    }
}

/// Tokens of managers with other configurations.
fn foreign(algorithm: &str, dotenv: &Path) -> [(&'static str, String); 3] {
    let minted = |edit: &dyn Fn(Config) -> Config| {
        let config = edit(Config::from_dotenv(dotenv).expect("a valid .env"));
        let auth = AuthManager::new(config).expect("a valid configuration");
        auth.auth_token("alice")
            .sign()
            .expect("minted")
            .signed()
            .to_owned()
    };
    let clock = FrozenClock::new(OffsetDateTime::now_utc() - Duration::hours(1));
    let other = Keys::generate(algorithm);
    [
        (
            "of an hour ago",
            minted(&|config| config.clock(clock.clone())),
        ),
        (
            "of another issuer",
            minted(&|config| config.issuer("https://auth.example")),
        ),
        (
            "of another key",
            minted(&|config| match &other.public {
                Some(public) => config.secret(&other.secret).public_key(public),
                None => config.secret(&other.secret),
            }),
        ),
    ]
}

/// Changes that make valid claims invalid, each by itself: a claim and its value, or `null` to leave it out.
fn bad_claims() -> [(&'static str, &'static str, Value); 18] {
    let (now, tomorrow) = (now(), now() + 86_400);
    [
        ("expired a second ago", "exp", json!(now - 1)),
        ("that expires now", "exp", json!(now)),
        ("without exp", "exp", Value::Null),
        ("with exp as text", "exp", json!("soon")),
        ("without iat", "iat", Value::Null),
        ("issued tomorrow", "iat", json!(tomorrow)),
        ("with iat as text", "iat", json!("today")),
        ("not valid before tomorrow", "nbf", json!(tomorrow)),
        ("with nbf as text", "nbf", json!("today")),
        ("without iss", "iss", Value::Null),
        ("of no issuer", "iss", json!("")),
        (
            "of an issuer in capitals",
            "iss",
            json!(ISSUER.to_uppercase()),
        ),
        (
            "of the beginning of an issuer",
            "iss",
            json!(ISSUER[..ISSUER.len() - 1]),
        ),
        ("without sub", "sub", Value::Null),
        ("without type", "type", Value::Null),
        ("of the other type, forged", "type", json!("refresh")),
        ("for an audience", "aud", json!("somebody")),
        ("for audiences", "aud", json!(["somebody", ISSUER])),
    ]
}

/// Valid claims, one of which is changed.
fn claims(name: &str, value: Value) -> Value {
    let mut claims = json!({
        "iss": ISSUER, "sub": "alice", "type": "auth", "iat": now() - 1, "exp": now() + 600,
    });
    claims[name] = value;
    if let Some(claims) = claims.as_object_mut() {
        claims.retain(|_, value| !value.is_null());
    }
    claims
}

fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

fn parts(token: &str) -> (&str, &str, &str) {
    let (content, signature) = token.rsplit_once('.').expect("three segments");
    let (header, payload) = content.split_once('.').expect("three segments");
    (header, payload, signature)
}

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn reversed(signature: &str) -> String {
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    bytes.reverse();
    encoded(bytes)
}
