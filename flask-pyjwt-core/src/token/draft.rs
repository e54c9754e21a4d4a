//! A token about to be minted: its claims, and their signature.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Token, verify::Verification};
use crate::{
    error::MintError,
    jose::{NumericDate, TokenError, TokenType},
    keys::SigningKey,
};

/// The claims that only the manager sets.
const RESERVED: [&str; 10] = [
    "iss", "sub", "iat", "exp", "nbf", "aud", "type", "rid", "jti", "cnf",
];
/// Those that it sets in tokens of sessions, besides.
const RESERVED_IN_SESSIONS: [&str; 2] = ["sid", "auth_time"];

/// The claims that a server gives to a token, collected by its builder.
#[derive(Default)]
pub(crate) struct OwnClaims {
    claims: Map<String, Value>,
    error: Option<MintError>,
}

impl OwnClaims {
    /// Sets the scope. `null`, like Python's `None`, leaves it out.
    pub(crate) fn scope(&mut self, scope: Value) {
        match scope {
            Value::Null => drop(self.claims.remove("scope")),
            scope => drop(self.claims.insert("scope".to_owned(), scope)),
        }
    }

    /// Sets a claim, or notes why it cannot be.
    pub(crate) fn claim(&mut self, name: String, value: impl Serialize) {
        if RESERVED.contains(&name.as_str()) {
            self.error.get_or_insert(MintError::ReservedClaim { name });
            return;
        }
        match serde_json::to_value(value) {
            Ok(value) => drop(self.claims.insert(name, value)),
            Err(error) => drop(self.error.get_or_insert(MintError::NoJson {
                name,
                source: Arc::new(error),
            })),
        }
    }

    /// Sets a claim of a session's tokens.
    pub(crate) fn session_claim(&mut self, name: String, value: impl Serialize) {
        if RESERVED_IN_SESSIONS.contains(&name.as_str()) {
            self.error.get_or_insert(MintError::ReservedClaim { name });
            return;
        }
        self.claim(name, value);
    }

    /// The claims, or the first thing that was wrong with them.
    pub(crate) fn into_map(self) -> Result<Map<String, Value>, MintError> {
        self.error.map_or(Ok(self.claims), Err)
    }

    /// The same as the text of a JSON object.
    pub(crate) fn into_json(self) -> Result<String, MintError> {
        self.into_map()
            .map(|claims| Value::Object(claims).to_string())
    }
}

/// An identifier that nobody can guess: 128 random bits.
pub(crate) fn random_id() -> Result<String, MintError> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|_| MintError::Randomness)?;
    Ok(URL_SAFE_NO_PAD.encode(id))
}

/// A token about to be minted.
pub(crate) struct Draft<'a> {
    pub(crate) token_type: TokenType,
    pub(crate) subject: &'a str,
    /// All claims but those that follow from the other fields and the configuration.
    pub(crate) claims: Map<String, Value>,
    /// Seconds since 1970.
    pub(crate) issued_at: i64,
    /// Seconds since 1970.
    pub(crate) expires_at: i64,
}

/// The claims in the order in which they are written.
#[derive(Serialize)]
struct Payload<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    exp: i64,
    iat: i64,
    iss: &'a str,
    sub: &'a str,
    #[serde(rename = "type")]
    token_type: &'a str,
    #[serde(flatten)]
    claims: &'a Map<String, Value>,
}

impl Draft<'_> {
    /// Signs it. What verification would refuse at the moment of its issue is not minted.
    pub(crate) fn sign(self, verification: &Verification) -> Result<Token, MintError> {
        loop {
            let ring = verification.keys.load();
            let signing = ring.signing.as_ref().ok_or(MintError::MissingSigner)?;
            let token = self.sign_with(signing, ring.header_of(signing), verification)?;
            // A key that was retired meanwhile does not know of this token.
            let current = verification.keys.load();
            if current
                .signing
                .as_ref()
                .is_some_and(|current| Arc::ptr_eq(current, signing))
            {
                return Ok(token);
            }
        }
    }

    fn sign_with(
        &self,
        signing: &SigningKey,
        header: &str,
        verification: &Verification,
    ) -> Result<Token, MintError> {
        let payload = Payload {
            aud: verification.rules.audience.minted(),
            exp: self.expires_at,
            iat: self.issued_at,
            iss: &verification.rules.issuer,
            sub: self.subject,
            token_type: self.token_type.name(),
            claims: &self.claims,
        };
        let payload = serde_json::to_string(&payload).expect("JSON values and texts are JSON");

        // With room for the dots and for the signature of an RSA key of 2048 bits.
        let room = header.len() + payload.len() / 3 * 4 + 350;
        let mut signed = String::with_capacity(room);
        signed.push_str(header);
        signed.push('.');
        base64_simd::URL_SAFE_NO_PAD.encode_append(&payload, &mut signed);
        let signature = signing.signer.sign(signed.as_bytes())?;
        signed.push('.');
        base64_simd::URL_SAFE_NO_PAD.encode_append(&signature, &mut signed);
        if signed.len() > verification.max_size {
            return Err(MintError::TooLarge {
                size: signed.len(),
                limit: verification.max_size,
            });
        }
        // The rules that every other server will apply.
        let issued_at = NumericDate::at(self.issued_at).ok_or(TokenError::Clock)?;
        let key = Arc::clone(&signing.key);
        let token = verification.judge(signed, payload, key, issued_at)?;
        signing.minted(self.expires_at);
        Ok(token)
    }
}
