//! Collects the claims of a new token and signs them.

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

/// Claims that only the manager sets.
const RESERVED: [&str; 10] = [
    "iss", "sub", "iat", "exp", "nbf", "aud", "type", "rid", "jti", "cnf",
];
/// Further claims that only the manager sets when a token belongs to a session.
const RESERVED_IN_SESSIONS: [&str; 2] = ["sid", "auth_time"];

/// The claims that an application adds to a token through its builder.
#[derive(Default)]
pub(crate) struct OwnClaims {
    claims: Map<String, Value>,
    error: Option<MintError>,
}

impl OwnClaims {
    /// Sets the claim `scope`. `null` removes it, like Python's `None`.
    pub(crate) fn scope(&mut self, scope: Value) {
        match scope {
            Value::Null => drop(self.claims.remove("scope")),
            scope => drop(self.claims.insert("scope".to_owned(), scope)),
        }
    }

    /// Sets a claim, or records the error for [`into_map`](Self::into_map). The first error is kept.
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

    /// Sets a claim in the tokens of a session.
    pub(crate) fn session_claim(&mut self, name: String, value: impl Serialize) {
        if RESERVED_IN_SESSIONS.contains(&name.as_str()) {
            self.error.get_or_insert(MintError::ReservedClaim { name });
            return;
        }
        self.claim(name, value);
    }

    /// Returns the claims, or the first error.
    pub(crate) fn into_map(self) -> Result<Map<String, Value>, MintError> {
        self.error.map_or(Ok(self.claims), Err)
    }

    /// Returns the claims as the text of a JSON object, or the first error.
    pub(crate) fn into_json(self) -> Result<String, MintError> {
        self.into_map()
            .map(|claims| Value::Object(claims).to_string())
    }
}

/// Generates an identifier that cannot be guessed: 128 random bits in base64url.
pub(crate) fn random_id() -> Result<String, MintError> {
    let mut id = [0; 16];
    getrandom::fill(&mut id).map_err(|_| MintError::Randomness)?;
    Ok(URL_SAFE_NO_PAD.encode(id))
}

/// A token about to be minted.
pub(crate) struct Draft<'a> {
    pub(crate) token_type: TokenType,
    pub(crate) subject: &'a str,
    /// All claims except those that the other fields and the configuration determine.
    pub(crate) claims: Map<String, Value>,
    /// Seconds since 1970.
    pub(crate) issued_at: i64,
    /// Seconds since 1970.
    pub(crate) expires_at: i64,
}

/// The payload. Its fields are serialized in this order.
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
    /// Signs the token, and fails if this server would refuse it at `issued_at`.
    pub(crate) fn sign(self, verification: &Verification) -> Result<Token, MintError> {
        loop {
            let ring = verification.keys.load();
            let signing = ring.signing.as_ref().ok_or(MintError::MissingSigner)?;
            let token = self.sign_with(signing, ring.header_of(signing), verification)?;
            // A rotation in the meantime set the old key's end without counting this token: sign again.
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
        let payload =
            serde_json::to_string(&payload).expect("strings and JSON values can be serialized");

        // 350 bytes are enough for the dots and a signature of an RSA key of 2048 bits.
        let capacity = header.len() + payload.len() / 3 * 4 + 350;
        let mut signed = String::with_capacity(capacity);
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
        // Apply the rules that a verifying server applies.
        let issued_at = NumericDate::at(self.issued_at).ok_or(TokenError::Clock)?;
        let key = Arc::clone(&signing.key);
        let token = verification.judge(signed, payload, key, issued_at)?;
        signing.minted(self.expires_at);
        Ok(token)
    }
}
