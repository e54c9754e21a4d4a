//! From bytes to a [`Token`]: one strict pass, the first broken rule decides.

use std::sync::Arc;

use super::{Token, table::TokenTable, token::Inner};
use crate::{
    claims::ClaimRules,
    clock::TimeSource,
    issuers::{Found, Issuers, Trust},
    jose::{HeaderTypes, NumericDate, SIGNATURE_BUFFER, Segments, TokenError},
    json::Document,
    keys::{KeyRing, KeySet, VerifyingKey},
};

/// Everything that judges a token.
pub(crate) struct Verification {
    pub(crate) keys: KeyRing,
    pub(crate) types: HeaderTypes,
    pub(crate) rules: Arc<ClaimRules>,
    /// The other issuers that are trusted.
    pub(crate) issuers: Issuers,
    pub(crate) clock: TimeSource,
    /// Longest token in bytes that is looked at.
    pub(crate) max_size: usize,
    /// Tokens that were verified before; none where the table is switched off.
    pub(crate) table: Option<TokenTable>,
}

impl Verification {
    /// Verifies a token, or finds that it was verified before and is still valid.
    pub(crate) fn verify(&self, signed: &str) -> Result<Token, TokenError> {
        if let Some(recalled) = self.recall(signed.as_bytes()) {
            return recalled;
        }
        let token = self.verify_anew(signed)?;
        if let Some(table) = &self.table {
            table.insert(&token);
        }
        Ok(token)
    }

    /// The token of these very characters, if it was verified before, or why it is not valid any more.
    pub(crate) fn recall(&self, signed: &[u8]) -> Option<Result<Token, TokenError>> {
        let table = self.table.as_ref()?;
        let token = table.get(signed)?;
        let judged = match self.clock.now() {
            Ok(now) => token.is_valid_at(now),
            Err(error) => return Some(Err(error)),
        };
        if !matches!(judged, Some(Ok(()))) {
            table.remove(signed);
        }
        judged.map(|valid| valid.map(|()| token))
    }

    /// Verifies a token. No claim is looked at before the signature has been.
    fn verify_anew(&self, signed: &str) -> Result<Token, TokenError> {
        if signed.len() > self.max_size {
            return Err(TokenError::TooLarge);
        }
        let segments = Segments::of(signed)?;
        if !self.issuers.is_empty() {
            return self.verify_of_any(signed, &segments);
        }
        let ring = self.keys.load();
        let key = signer_of(&ring.set, &self.types, &segments)?;
        let payload = segments.decode_payload()?;
        let now = self.clock.now()?;
        self.judge(signed.to_owned(), payload, Arc::clone(key), now)
    }

    /// Verifies a token with the keys of the issuer that it names. That name is all that is looked at
    /// before the signature; it only says whose keys are asked.
    fn verify_of_any(&self, signed: &str, segments: &Segments<'_>) -> Result<Token, TokenError> {
        let payload = segments.decode_payload()?;
        let payload = Document::object(payload).map_err(TokenError::payload)?;
        let named = payload
            .root()
            .member("iss")
            .ok_or(TokenError::MissingClaim("iss"))?
            .as_str()
            .ok_or(TokenError::MistypedClaim("iss"))?;
        // No issuer has an empty name: a server without one of its own has it.
        if *named == *self.rules.issuer && !named.is_empty() {
            let ring = self.keys.load();
            let key = Arc::clone(signer_of(&ring.set, &self.types, segments)?);
            let now = self.clock.now()?;
            if !key.is_live(now) {
                return Err(TokenError::UnknownKey);
            }
            return token_of(signed.to_owned(), payload, key, &self.rules, now);
        }
        let now = self.clock.now()?;
        let found = self.issuers.find(&named, now);
        drop(named);
        match found {
            Found::Trust(trust) => verify_by(trust, signed, payload, segments, now),
            #[cfg(feature = "jwks")]
            Found::Resolved(trust) => verify_by(&trust, signed, payload, segments, now),
            #[cfg(feature = "jwks")]
            Found::Unresolved(seconds) => Err(TokenError::KeysUnavailable {
                retry_after: time::Duration::seconds(seconds),
            }),
            Found::Nobody => Err(TokenError::Issuer),
        }
    }

    /// Whether a route can ask for tokens of this issuer.
    pub(crate) fn trusts(&self, issuer: &str) -> bool {
        let is_own = !issuer.is_empty() && *self.rules.issuer == *issuer;
        is_own || self.issuers.knows(issuer)
    }

    /// Whether a token that was verified before is valid now.
    pub(crate) fn check_time(&self, token: &Token) -> Result<(), TokenError> {
        let now = self.clock.now()?;
        token
            .is_valid_at(now)
            .unwrap_or(Err(TokenError::UnknownKey))
    }

    /// Judges the payload of a token whose signature is right, at this moment.
    pub(super) fn judge(
        &self,
        signed: String,
        payload: String,
        key: Arc<VerifyingKey>,
        now: NumericDate,
    ) -> Result<Token, TokenError> {
        if !key.is_live(now) {
            return Err(TokenError::UnknownKey);
        }
        let payload = Document::object(payload).map_err(TokenError::payload)?;
        token_of(signed, payload, key, &self.rules, now)
    }
}

/// Verifies a token by the keys and rules of another issuer.
fn verify_by(
    trust: &Trust,
    signed: &str,
    payload: Document,
    segments: &Segments<'_>,
    now: NumericDate,
) -> Result<Token, TokenError> {
    let keys = trust.keys.load(now);
    let key = match signer_of(&keys, &trust.types, segments) {
        Ok(key) if key.is_live(now) => Arc::clone(key),
        Ok(_) | Err(TokenError::UnknownKey) => return Err(trust.keys.unknown_key(now)),
        Err(error) => return Err(error),
    };
    token_of(signed.to_owned(), payload, key, &trust.rules, now)
}

/// The key of a set whose signature a token bears.
fn signer_of<'a>(
    keys: &'a KeySet,
    types: &HeaderTypes,
    segments: &Segments<'_>,
) -> Result<&'a Arc<VerifyingKey>, TokenError> {
    let candidates = keys.select(segments.header, types)?;
    let mut buffer = SIGNATURE_BUFFER;
    let signature = segments.decode_signature(&mut buffer)?;
    let message = segments.message.as_bytes();
    let mut keys = candidates.keys.iter();
    let key = keys.find(|key| key.verify(message, signature));
    key.ok_or(candidates.otherwise)
}

/// The token of a payload that satisfies the rules of its issuer.
fn token_of(
    signed: String,
    payload: Document,
    key: Arc<VerifyingKey>,
    rules: &Arc<ClaimRules>,
    now: NumericDate,
) -> Result<Token, TokenError> {
    let claims = rules.check(&payload, now)?;
    Ok(Token::new(Inner {
        signed,
        payload,
        key,
        rules: Arc::clone(rules),
        claims,
        last_answer: <_>::default(),
    }))
}

#[cfg(test)]
mod vectors;
