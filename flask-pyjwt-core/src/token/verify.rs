//! Verifies a text and turns it into a [`Token`]. The first rule that fails determines the error.

use std::sync::Arc;

use super::{Token, table::TokenTable, token::Inner};
use crate::{
    claims::ClaimRules,
    clock::TimeSource,
    issuers::{Found, Issuers, Trust},
    jose::{HeaderTypes, NumericDate, SIGNATURE_BUFFER, Segments, TokenError},
    json::{Document, JsonError},
    keys::{KeyRing, KeySet, VerifyingKey},
};

/// Everything that is needed to verify a token.
pub(crate) struct Verification {
    pub(crate) keys: KeyRing,
    pub(crate) types: HeaderTypes,
    pub(crate) rules: Arc<ClaimRules>,
    /// The trusted issuers other than this server.
    pub(crate) issuers: Issuers,
    /// The default `client_id` of minted access tokens, if they follow RFC 9068.
    pub(crate) client_id: Option<String>,
    pub(crate) clock: TimeSource,
    /// The maximum length of a token in bytes.
    pub(crate) max_size: usize,
    /// The cache of verified tokens; `None` if it is switched off.
    pub(crate) table: Option<TokenTable>,
}

impl Verification {
    /// Verifies a token, using the cache.
    pub(crate) fn verify(&self, signed: &str) -> Result<Token, TokenError> {
        #[cfg(feature = "jwks")]
        if let Some(introspection) = self.introspection_of(signed)? {
            let known = introspection.known(signed, self.clock.now()?)?;
            return self.judge_answer(introspection, signed, known);
        }
        if let Some(recalled) = self.recall(signed.as_bytes()) {
            return recalled;
        }
        if let Some(table) = &self.table {
            table.note_miss();
        }
        let token = self.verify_uncached(signed)?;
        if let Some(table) = &self.table {
            table.insert(&token);
        }
        Ok(token)
    }

    /// Reports what was found in the cache, for the metrics.
    pub(crate) fn report_hits(&self) {
        if let Some(table) = &self.table {
            table.report_hits();
        }
    }

    /// Looks a token up in the cache. `None` means that it must be verified; an error means that it was valid
    /// before and is not now.
    pub(crate) fn recall(&self, signed: &[u8]) -> Option<Result<Token, TokenError>> {
        let table = self.table.as_ref()?;
        let token = table.get(signed)?;
        let validity = match self.clock.now() {
            Ok(now) => token.is_valid_at(now),
            Err(error) => return Some(Err(error)),
        };
        if !matches!(validity, Some(Ok(()))) {
            table.remove(signed);
        }
        validity.map(|valid| valid.map(|()| token))
    }

    /// Verifies a token without the cache. No claim is read before the signature has been checked.
    fn verify_uncached(&self, signed: &str) -> Result<Token, TokenError> {
        self.verify_at(signed, || self.clock.now())
    }

    /// Verifies a token of this server as of the moment from which on it is valid.
    #[cfg(feature = "oauth")]
    pub(crate) fn verify_early(&self, signed: &str) -> Result<Token, TokenError> {
        let payload = Segments::of(signed)?.decode_payload()?;
        let payload = Document::object(payload).map_err(TokenError::payload)?;
        let read = |name| NumericDate::from_json(payload.root().member(name)?);
        let issued_at = read("iat").ok_or(TokenError::MissingClaim("iat"))?;
        let valid_from = read("nbf").map_or(issued_at, |not_before| not_before.max(issued_at));
        self.verify_at(signed, || Ok(valid_from))
    }

    /// Verifies a token as of a moment.
    fn verify_at(
        &self,
        signed: &str,
        moment: impl FnOnce() -> Result<NumericDate, TokenError>,
    ) -> Result<Token, TokenError> {
        if signed.len() > self.max_size {
            return Err(TokenError::TooLarge);
        }
        let segments = Segments::of(signed)?;
        if !self.issuers.is_empty() {
            return self.verify_by_issuer(signed, &segments, moment);
        }
        let ring = self.keys.load();
        let key = verifying_key(&ring.set, &self.types, &segments)?;
        let payload = segments.decode_payload()?;
        let now = moment()?;
        let payload = || Document::object(payload);
        self.judge(signed.to_owned(), payload, Arc::clone(key), now)
    }

    /// Verifies a token with the keys of the issuer in its `iss`. No other claim is read before the signature has
    /// been checked, and `iss` only selects the keys.
    fn verify_by_issuer(
        &self,
        signed: &str,
        segments: &Segments<'_>,
        moment: impl FnOnce() -> Result<NumericDate, TokenError>,
    ) -> Result<Token, TokenError> {
        let payload = segments.decode_payload()?;
        let payload = Document::object(payload).map_err(TokenError::payload)?;
        let named = payload
            .root()
            .member("iss")
            .ok_or(TokenError::MissingClaim("iss"))?
            .as_str()
            .ok_or(TokenError::MistypedClaim("iss"))?;
        // A server that issues no tokens has an empty name, which must match no token.
        if *named == *self.rules.issuer && !named.is_empty() {
            let ring = self.keys.load();
            let key = Arc::clone(verifying_key(&ring.set, &self.types, segments)?);
            let now = moment()?;
            if !key.is_live(now) {
                return Err(TokenError::UnknownKey);
            }
            return check_claims(signed.to_owned(), payload, Some(key), &self.rules, now);
        }
        let now = moment()?;
        let found = self.issuers.find(&named, now);
        drop(named);
        match found {
            Found::Trust(trust) => verify_with(trust, signed, payload, segments, now),
            #[cfg(feature = "jwks")]
            Found::Resolved(trust) => verify_with(&trust, signed, payload, segments, now),
            #[cfg(feature = "jwks")]
            Found::Unresolved(seconds) => Err(TokenError::KeysUnavailable {
                retry_after: time::Duration::seconds(seconds),
            }),
            Found::Nobody => Err(TokenError::Issuer),
        }
    }

    /// Returns whether a route can require this issuer: whether tokens of it can be accepted at all.
    pub(crate) fn trusts(&self, issuer: &str) -> bool {
        let is_own = !issuer.is_empty() && *self.rules.issuer == *issuer;
        is_own || self.issuers.knows(issuer)
    }

    /// Checks that a token that was verified before is still valid.
    pub(crate) fn check_time(&self, token: &Token) -> Result<(), TokenError> {
        let now = self.clock.now()?;
        token
            .is_valid_at(now)
            .unwrap_or(Err(TokenError::UnknownKey))
    }

    /// Checks the payload of a token whose signature is valid. It is not parsed before the key was found live.
    pub(super) fn judge(
        &self,
        signed: String,
        payload: impl FnOnce() -> Result<Document, JsonError>,
        key: Arc<VerifyingKey>,
        now: NumericDate,
    ) -> Result<Token, TokenError> {
        if !key.is_live(now) {
            return Err(TokenError::UnknownKey);
        }
        let payload = payload().map_err(TokenError::payload)?;
        check_claims(signed, payload, Some(key), &self.rules, now)
    }
}

/// Verifies a token with the keys and rules of another issuer.
fn verify_with(
    trust: &Trust,
    signed: &str,
    payload: Document,
    segments: &Segments<'_>,
    now: NumericDate,
) -> Result<Token, TokenError> {
    let key = loop {
        let keys = trust.keys.load(now);
        match verifying_key(&keys, &trust.types, segments) {
            Ok(key) if key.is_live(now) => break Arc::clone(key),
            Ok(_) | Err(TokenError::UnknownKey) => {
                if let Some(error) = trust.keys.unknown_key(&keys, now) {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
    };
    check_claims(signed.to_owned(), payload, Some(key), &trust.rules, now)
}

/// Checks the signature, and returns the key of the set that verifies it.
fn verifying_key<'a>(
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

/// Checks the claims by the rules of their issuer, and builds the token.
fn check_claims(
    signed: String,
    payload: Document,
    key: Option<Arc<VerifyingKey>>,
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

#[cfg(feature = "jwks")]
mod introspected;
#[cfg(test)]
mod vectors;
