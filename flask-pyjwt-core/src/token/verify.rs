//! From bytes to a [`Token`]: one strict pass, the first broken rule decides.

use std::sync::Arc;

use super::{
    Token, TokenError,
    claims::ClaimRules,
    clock::TimeSource,
    document::Document,
    numeric_date::NumericDate,
    segments::{MAX_SIGNATURE, Segments},
    table::TokenTable,
    token::Inner,
};
use crate::keys::KeyRing;

/// Everything that judges a token.
pub(crate) struct Verification {
    pub(crate) keys: KeyRing,
    pub(crate) rules: ClaimRules,
    pub(crate) clock: TimeSource,
    /// Longest token in bytes that is looked at.
    pub(crate) max_size: usize,
    /// Tokens that were verified before; none where the table is switched off.
    pub(crate) table: Option<TokenTable>,
}

impl Verification {
    /// Verifies a token, or finds that it was verified before and is still valid.
    pub(crate) fn verify(&self, signed: &str) -> Result<Token, TokenError> {
        let Some(table) = &self.table else {
            return self.verify_anew(signed);
        };
        if let Some(token) = table.get(signed) {
            return match self.check_time(&token) {
                Ok(()) => Ok(token),
                Err(error) => {
                    table.remove(signed);
                    Err(error)
                }
            };
        }
        let token = self.verify_anew(signed)?;
        table.insert(&token);
        Ok(token)
    }

    /// Verifies a token. No claim is looked at before the signature has been.
    fn verify_anew(&self, signed: &str) -> Result<Token, TokenError> {
        if signed.len() > self.max_size {
            return Err(TokenError::TooLarge);
        }
        let segments = Segments::of(signed)?;
        let key = self.keys.select(segments.header)?;
        let mut buffer = [0; MAX_SIGNATURE];
        let signature = segments.decode_signature(&mut buffer)?;
        if !key.verifier.verify(segments.message.as_bytes(), signature) {
            return Err(TokenError::Signature);
        }
        let payload = segments.decode_payload()?;
        let now = self.clock.now()?;
        self.judge(signed.to_owned(), payload, key.auth_type, now)
    }

    /// Whether a token that was verified before is valid now.
    pub(crate) fn check_time(&self, token: &Token) -> Result<(), TokenError> {
        let claims = token.registered();
        let now = self.clock.now()?;
        self.rules
            .check_time(claims.valid_from, claims.expires_at, now)
    }

    /// Judges the payload of a token whose signature is right, at this moment.
    pub(super) fn judge(
        &self,
        signed: String,
        payload: String,
        auth_type: crate::AuthType,
        now: NumericDate,
    ) -> Result<Token, TokenError> {
        let payload = Document::object(payload).map_err(TokenError::payload)?;
        let claims = self.rules.check(&payload, now)?;
        let issuer = Arc::clone(&self.rules.issuer);
        Ok(Token::new(Inner {
            signed,
            payload,
            auth_type,
            issuer,
            claims,
            map: <_>::default(),
            last_answer: <_>::default(),
        }))
    }
}
