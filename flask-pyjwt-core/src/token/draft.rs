//! Collects the claims of a new token and signs them.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Serialize;
use serde_json::Value;

use super::{Token, remote_signature, verify::Verification};
use crate::{
    claims::{Binding, ClaimRules, check_access_token, is_client_id, is_scope_token},
    error::MintError,
    jose::{NumericDate, Thumbprint, TokenError, TokenType},
    json::{Members, ObjectWriter, WrittenObject},
    keys::SigningKey,
    meters,
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
    claims: Members,
    error: Option<MintError>,
    key: Option<Thumbprint>,
    certificate: Option<Thumbprint>,
}

impl OwnClaims {
    /// Sets the claim `scope`. `null` removes it, like Python's `None`.
    pub(crate) fn scope(&mut self, scope: &Value) {
        match scope {
            Value::Null => self.claims.remove("scope"),
            scope => self.claims.insert("scope", scope),
        }
    }

    /// Sets a claim, or records the error for [`into_members`](Self::into_members). The first error is kept.
    pub(crate) fn claim(&mut self, name: String, value: &impl Serialize) {
        if RESERVED.contains(&name.as_str()) {
            self.error.get_or_insert(MintError::ReservedClaim { name });
            return;
        }
        if let Err((name, error)) = self.claims.serialize(name, value) {
            let source = Arc::new(error);
            self.error.get_or_insert(MintError::NoJson { name, source });
        }
    }

    /// Sets a claim in the tokens of a session.
    pub(crate) fn session_claim(&mut self, name: String, value: &impl Serialize) {
        if RESERVED_IN_SESSIONS.contains(&name.as_str()) {
            self.error.get_or_insert(MintError::ReservedClaim { name });
            return;
        }
        self.claim(name, value);
    }

    /// Binds the tokens to the key with this JWK thumbprint.
    pub(crate) fn bind_to_key(&mut self, key: Thumbprint) {
        self.key = Some(key);
    }

    /// Binds the tokens to the key with this JWK thumbprint, if the text is one.
    pub(crate) fn bind_to(&mut self, thumbprint: &str) {
        match Thumbprint::parse(thumbprint) {
            Some(key) => self.key = Some(key),
            None => {
                self.error.get_or_insert(MintError::Thumbprint);
            }
        }
    }

    /// Binds the tokens to the certificate with this hash.
    pub(crate) fn bind_to_certificate(&mut self, certificate: Thumbprint) {
        self.certificate = Some(certificate);
    }

    /// Binds the tokens to what this one is bound to.
    pub(crate) fn bound_like(mut self, token: &Token) -> Self {
        if let Some(binding) = token.binding() {
            (self.key, self.certificate) = (binding.key, binding.certificate);
        }
        self
    }

    /// What the tokens are bound to.
    fn binding(&self) -> Option<Binding> {
        let is_bound = self.key.is_some() || self.certificate.is_some();
        is_bound.then_some(Binding {
            key: self.key,
            certificate: self.certificate,
        })
    }

    /// Sets the claim `acr`, which a challenge has to be able to name (RFC 9470, section 3).
    pub(crate) fn acr(&mut self, value: &str) {
        if is_scope_token(value) {
            self.claims.insert("acr", &value.into());
        } else {
            self.error.get_or_insert(MintError::Characters {
                claim: "acr",
                allowed: r#"printable ASCII characters, and no space, `"` or `\`"#,
            });
        }
    }

    /// Sets the claim `client_id` (RFC 8693, section 4.3).
    pub(crate) fn client_id(&mut self, value: &str) {
        if is_client_id(value) {
            self.claims.insert("client_id", &value.into());
        } else {
            self.error.get_or_insert(MintError::Characters {
                claim: "client_id",
                allowed: "printable ASCII characters, and at least one",
            });
        }
    }

    /// Returns the claims, or the first error.
    pub(crate) fn into_members(mut self) -> Result<Members, MintError> {
        if let Some(binding) = self.binding() {
            self.claims.insert("cnf", &binding.to_value());
        }
        self.error.map_or(Ok(self.claims), Err)
    }

    /// Returns the claims as the text of a JSON object, or the first error.
    pub(crate) fn into_json(self) -> Result<String, MintError> {
        let mut claims = self.into_members()?;
        claims.sort();
        let mut object = ObjectWriter::with_space_for(&claims, 0);
        object.members(&claims);
        Ok(object.finish().into_text())
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
    pub(crate) claims: Members,
    /// Seconds since 1970.
    pub(crate) issued_at: i64,
    /// Seconds since 1970.
    pub(crate) expires_at: i64,
}

/// A token without its signature.
struct Unsigned {
    /// Header and payload.
    text: String,
    payload: WrittenObject,
}

impl Draft<'_> {
    /// Signs the token, and fails if this server would refuse it at `issued_at`.
    pub(crate) fn sign(mut self, verification: &Verification) -> Result<Token, MintError> {
        let is_access_token = self.add_profile(verification)?;
        self.claims.sort();
        loop {
            let ring = verification.keys.load();
            let signing = ring.signing.as_ref().ok_or(MintError::MissingSigner)?;
            let header = if is_access_token {
                ring.access_header_of(signing)
            } else {
                ring.header_of(signing)
            };
            let unsigned = self.unsigned(header, verification);
            let signature = signing.signer.sign(unsigned.text.as_bytes())?;
            let token = self.finish(unsigned, &signature, signing, verification)?;
            if is_access_token {
                check_access_token(token.payload())?;
            }
            // A rotation in the meantime set the old key's end without counting this token: sign again.
            if signs(verification, signing) {
                meters::minted(self.token_type, signing.key.auth_type);
                return Ok(token);
            }
        }
    }

    /// Adds the claims of RFC 9068, section 2.2 that are not there, if the token follows it. Returns whether it does.
    fn add_profile(&mut self, verification: &Verification) -> Result<bool, MintError> {
        let Some(client_id) = verification.client_id.as_deref() else {
            return Ok(false);
        };
        if self.token_type != TokenType::Auth {
            return Ok(false);
        }
        if !self.claims.has("client_id") {
            self.claims.insert("client_id", &client_id.into());
        }
        if !self.claims.has("jti") {
            self.claims.insert("jti", &random_id()?.into());
        }
        Ok(true)
    }

    /// The same as [`sign`](Self::sign), and waits for the signature of a remote key.
    pub(crate) async fn sign_async(
        mut self,
        verification: &Verification,
    ) -> Result<Token, MintError> {
        let is_access_token = self.add_profile(verification)?;
        self.claims.sort();
        loop {
            let (signing, unsigned) = {
                let ring = verification.keys.load();
                let signing = ring.signing.as_ref().ok_or(MintError::MissingSigner)?;
                let header = if is_access_token {
                    ring.access_header_of(signing)
                } else {
                    ring.header_of(signing)
                };
                (Arc::clone(signing), self.unsigned(header, verification))
            };
            let message = unsigned.text.as_bytes();
            let signature = match signing.signer.remote() {
                Some(remote) => match remote_signature::sign(remote, &signing, message).await {
                    Ok(signature) => signature,
                    Err(failure) if signs(verification, &signing) => return Err(failure.into()),
                    // The key was replaced in the meantime, and perhaps disabled where it is kept.
                    Err(_) => continue,
                },
                None => signing.signer.sign(message)?,
            };
            let token = self.finish(unsigned, &signature, &signing, verification)?;
            if is_access_token {
                check_access_token(token.payload())?;
            }
            if signs(verification, &signing) {
                meters::minted(self.token_type, signing.key.auth_type);
                return Ok(token);
            }
        }
    }

    fn unsigned(&self, header: &str, verification: &Verification) -> Unsigned {
        let payload = self.payload(&verification.rules);
        // 350 bytes are enough for the dots and a signature of an RSA key of 2048 bits.
        let capacity = header.len() + payload.text().len() / 3 * 4 + 350;
        let mut text = String::with_capacity(capacity);
        text.push_str(header);
        text.push('.');
        base64_simd::URL_SAFE_NO_PAD.encode_append(payload.text(), &mut text);
        Unsigned { text, payload }
    }

    /// Adds the signature, and applies the rules that a verifying server applies.
    fn finish(
        &self,
        unsigned: Unsigned,
        signature: &[u8],
        signing: &SigningKey,
        verification: &Verification,
    ) -> Result<Token, MintError> {
        let Unsigned {
            text: mut signed,
            payload,
        } = unsigned;
        signed.push('.');
        base64_simd::URL_SAFE_NO_PAD.encode_append(signature, &mut signed);
        if signed.len() > verification.max_size {
            return Err(MintError::TooLarge {
                size: signed.len(),
                limit: verification.max_size,
            });
        }
        let issued_at = NumericDate::at(self.issued_at).ok_or(TokenError::Clock)?;
        let key = Arc::clone(&signing.key);
        let token = verification.judge(signed, || payload.into_document(), key, issued_at)?;
        signing.minted(self.expires_at);
        Ok(token)
    }

    fn payload(&self, rules: &ClaimRules) -> WrittenObject {
        let audience = rules.audience.minted();
        let texts = rules.issuer.len() + self.subject.len() + audience.map_or(0, str::len);
        let mut payload = ObjectWriter::with_space_for(&self.claims, texts);
        if let Some(audience) = audience {
            payload.string("aud", audience);
        }
        payload.integer("exp", self.expires_at);
        payload.integer("iat", self.issued_at);
        payload.string("iss", &rules.issuer);
        payload.string("sub", self.subject);
        payload.string("type", self.token_type.name());
        payload.members(&self.claims);
        payload.finish()
    }
}

/// Whether this key still is the signing key.
fn signs(verification: &Verification, signing: &Arc<SigningKey>) -> bool {
    let ring = verification.keys.load();
    let current = ring.signing.as_ref();
    current.is_some_and(|current| Arc::ptr_eq(current, signing))
}
