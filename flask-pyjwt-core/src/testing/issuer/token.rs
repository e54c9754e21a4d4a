//! Tokens of a test issuer: good ones, and each kind of bad one by its name.

use std::{collections::BTreeMap, fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};
use time::Duration;

use super::{
    super::SignedToken,
    shape::{Scope, filled},
    state::State,
    test_keys::TestKey,
};
use crate::testing::Clock;

/// More than the largest leeway, in seconds.
const BEYOND_LEEWAY: i64 = 301;
const OTHER_ISSUER: &str = "https://other-issuer.example";
const OTHER_AUDIENCE: &str = "https://other-api.example";

/// A token that a [`TestIssuer`](super::TestIssuer) is about to sign, with the claims that its provider writes.
///
/// Without further calls, the token is good. Each bad kind differs from the good token in one thing, and they can be
/// combined.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, Config, TokenError, testing::TestIssuer};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keycloak = TestIssuer::keycloak();
/// let auth = AuthManager::new(Config::for_issuers([keycloak.issuer()]))?;
///
/// let good = keycloak.token("alice").scope("read write").claim("acr", "2").sign();
/// assert!(auth.verify_token_async(&good).await.is_ok());
///
/// let expired = keycloak.token("alice").expired().sign();
/// let refused = auth.verify_token_async(&expired).await;
/// assert_eq!(refused.unwrap_err(), TokenError::Expired);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a token is made by `sign`"]
pub struct IssuerToken {
    state: Arc<State>,
    clock: Arc<dyn Clock>,
    subject: String,
    /// `None` for a claim that is left out.
    claims: BTreeMap<String, Option<Value>>,
    age: Duration,
    time: Time,
    is_of_other_issuer: bool,
    is_for_other_audience: bool,
    signature: Signature,
    is_tampered: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Time {
    Valid,
    Expired,
    NotYetValid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signature {
    Own,
    OtherKey,
    AlgNone,
}

impl IssuerToken {
    pub(super) fn new(state: Arc<State>, clock: Arc<dyn Clock>, subject: String) -> Self {
        Self {
            state,
            clock,
            subject,
            claims: BTreeMap::new(),
            age: Duration::ZERO,
            time: Time::Valid,
            is_of_other_issuer: false,
            is_for_other_audience: false,
            signature: Signature::Own,
            is_tampered: false,
        }
    }

    /// Sets a claim, in addition to those that the provider writes or in place of one.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.insert(name.into(), Some(value.into()));
        self
    }

    /// Leaves a claim out that the provider writes.
    pub fn without_claim(mut self, name: impl Into<String>) -> Self {
        self.claims.insert(name.into(), None);
        self
    }

    /// Sets the scope, in words with spaces between them, in the claim and the form that the provider uses: `scope` as
    /// text in most tokens, `scp` as an array in Okta's.
    ///
    /// # Panics
    ///
    /// If the provider's tokens have no scope, as Google's.
    pub fn scope(self, scope: &str) -> Self {
        match self.state.shape.scope {
            Scope::Text(name) => self.claim(name, scope),
            Scope::Array(name) => {
                let words: Vec<_> = scope.split_ascii_whitespace().collect();
                self.claim(name, words)
            }
            Scope::Nowhere => panic!(
                "tokens of {} have no scope: set the claim that the route requires with `claim`",
                self.state.shape.name
            ),
        }
    }

    /// Issues the token so long ago. All its times are earlier by this.
    pub fn age(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    /// Makes a token whose time is over, beyond every leeway.
    pub fn expired(mut self) -> Self {
        self.time = Time::Expired;
        self
    }

    /// Makes a token whose time has not come, beyond every leeway (`nbf`).
    pub fn not_yet_valid(mut self) -> Self {
        self.time = Time::NotYetValid;
        self
    }

    /// Signs with a key that is not the issuer's. The header names the issuer's key.
    pub fn of_other_key(mut self) -> Self {
        self.signature = Signature::OtherKey;
        self
    }

    /// Writes the name of another issuer, with this issuer's signature.
    pub fn of_other_issuer(mut self) -> Self {
        self.is_of_other_issuer = true;
        self
    }

    /// Writes another audience, in the claim in which the provider writes it: `client_id` for Cognito.
    pub fn for_other_audience(mut self) -> Self {
        self.is_for_other_audience = true;
        self
    }

    /// Makes a token with `alg` `none` and without a signature. Its third segment is empty.
    pub fn alg_none(mut self) -> Self {
        self.signature = Signature::AlgNone;
        self
    }

    /// Changes the subject after the token is signed.
    pub fn tampered(mut self) -> Self {
        self.is_tampered = true;
        self
    }

    /// Signs the token.
    #[must_use]
    pub fn sign(&self) -> SignedToken {
        let key = self.state.key();
        let header = self.header(&key);
        let claims = self.payload();
        let message =
            |claims: &Map<String, Value>| format!("{}.{}", segment(&header), segment(claims));
        let signature = match self.signature {
            Signature::AlgNone => String::new(),
            Signature::Own => key.sign(&message(&claims)),
            Signature::OtherKey => {
                let other = TestKey::stranger(self.state.shape.algorithm, &key.id);
                other.sign(&message(&claims))
            }
        };
        let message = if self.is_tampered {
            let mut tampered = claims;
            tampered.insert("sub".to_owned(), format!("not-{}", self.subject).into());
            message(&tampered)
        } else {
            message(&claims)
        };
        SignedToken(format!("{message}.{signature}"))
    }

    fn header(&self, key: &TestKey) -> Map<String, Value> {
        let mut header = filled(self.state.shape.header, &|name| key.placeholder(name));
        if self.signature == Signature::AlgNone {
            header.insert("alg".to_owned(), "none".into());
        }
        header
    }

    fn payload(&self) -> Map<String, Value> {
        let shape = self.state.shape;
        let lifetime = shape.lifetime;
        let now = (self.clock.now() - self.age).unix_timestamp();
        let minted_at = match self.time {
            Time::Valid | Time::NotYetValid => now,
            Time::Expired => now - BEYOND_LEEWAY - lifetime,
        };
        let issuer = if self.is_of_other_issuer {
            OTHER_ISSUER.to_owned()
        } else {
            self.state.url()
        };
        let audience = if self.is_for_other_audience {
            OTHER_AUDIENCE
        } else {
            shape.audience
        };
        let value = |name: &str| {
            Some(match name {
                "$iss" => issuer.as_str().into(),
                "$aud" => audience.into(),
                "$sub" => self.subject.as_str().into(),
                "$iat" => minted_at.into(),
                "$exp" => (minted_at + lifetime).into(),
                "$jti" => unique().into(),
                "$origin" => self.state.server.origin().into(),
                _ => return None,
            })
        };
        let mut claims = filled(shape.claims, &value);
        if self.time == Time::NotYetValid {
            let begins = now + BEYOND_LEEWAY;
            claims.insert("nbf".to_owned(), begins.into());
            claims.insert("exp".to_owned(), (begins + lifetime).into());
        }
        for (name, value) in &self.claims {
            match value {
                Some(value) => claims.insert(name.clone(), value.clone()),
                None => claims.remove(name),
            };
        }
        claims
    }
}

fn segment(members: &Map<String, Value>) -> String {
    let json = serde_json::to_string(members).expect("JSON can be serialized");
    URL_SAFE_NO_PAD.encode(json)
}

/// A text that no other token has.
fn unique() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    URL_SAFE_NO_PAD.encode(bytes)
}

impl fmt::Debug for IssuerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuerToken")
            .field("issuer", &self.state.url())
            .field("subject", &self.subject)
            .field("claims", &self.claims.keys())
            .field("time", &self.time)
            .field("signature", &self.signature)
            .finish_non_exhaustive()
    }
}
