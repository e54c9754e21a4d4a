//! Checks one DPoP proof (RFC 9449, section 4.3).

use super::{Address, Dpop, ProofError, nonces::Nonce};
use crate::{
    jose::{NumericDate, SIGNATURE_BUFFER, Segments, Thumbprint, TokenError},
    json::{Document, Json},
    keys::{AuthType, KeyRing, ProofKey, sha256},
    replay::Digest,
};

/// The longest proof, in bytes. One with an RSA key of 8192 bits has about 4,000.
const LONGEST: usize = 8_192;
/// How far `iat` may be from the clock if a nonce proves the time, in seconds.
const WINDOW_WITH_NONCE: i64 = 300;

/// What a proof has to fit.
pub(crate) struct Expected<'a> {
    pub(crate) method: &'a str,
    /// The addresses under which the client may have sent the request.
    pub(crate) addresses: &'a [Address],
    /// The token that the request presents, and the key to which it is bound.
    pub(crate) token: Option<(&'a str, Thumbprint)>,
}

/// A proof that fits. Whether it was used before is not checked yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checked {
    /// The thumbprint of the client's key.
    pub(crate) key: Thumbprint,
    /// The hash of the key and of `jti`.
    pub(crate) id: Digest,
    /// From then on it is too old.
    pub(crate) ends_at: NumericDate,
    /// Whether the client has to be told a new nonce.
    pub(crate) wants_nonce: bool,
}

/// Why a proof does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unfit {
    Proof(ProofError),
    /// The nonce is missing, wrong or too old.
    Nonce,
    Clock(TokenError),
}

impl From<ProofError> for Unfit {
    fn from(error: ProofError) -> Self {
        Self::Proof(error)
    }
}

impl Dpop {
    /// Checks a proof, the signature before the claims.
    pub(crate) fn check(
        &self,
        proof: &str,
        expected: &Expected<'_>,
        ring: &KeyRing,
        now: Result<NumericDate, TokenError>,
    ) -> Result<Checked, Unfit> {
        if proof.len() > LONGEST {
            return Err(ProofError::Malformed.into());
        }
        let segments = Segments::of(proof).map_err(|_| ProofError::Malformed)?;
        let key = self.verified_key(&segments)?;
        let claims = segments.decode_payload().ok();
        let claims = claims.and_then(|text| Document::object(text).ok());
        let claims = Claims(claims.ok_or(ProofError::Malformed)?);
        let id = claims.text("jti")?;
        if claims.text("htm")? != expected.method {
            return Err(ProofError::Method.into());
        }
        let address = Address::parse(&claims.text("htu")?).ok_or(ProofError::Address)?;
        if !expected.addresses.contains(&address) {
            return Err(ProofError::Address.into());
        }
        if let Some((token, bound_to)) = expected.token {
            let hash = claims.text("ath")?;
            if Thumbprint::parse(&hash) != Some(Thumbprint(sha256(token.as_bytes()))) {
                return Err(ProofError::OtherToken.into());
            }
            if key.thumbprint != bound_to {
                return Err(ProofError::OtherKey.into());
            }
        }
        let now = now.map_err(Unfit::Clock)?;
        let issued_at = claims
            .find("iat")
            .and_then(NumericDate::from_json)
            .ok_or(ProofError::Claim("iat"))?;
        let (window, wants_nonce) = self.window(&claims, ring, now)?;
        let (earliest, ends_at) = (issued_at.plus(-window), issued_at.plus(window));
        if now < earliest || now >= ends_at {
            return Err(ProofError::Time.into());
        }
        Ok(Checked {
            key: key.thumbprint,
            id: sha256(&[&key.thumbprint.0, id.as_bytes()].concat()),
            // A fraction of a second is rounded up, so that it is not forgotten too early.
            ends_at: ends_at.plus(1),
            wants_nonce,
        })
    }

    /// Checks header and signature.
    fn verified_key(&self, segments: &Segments<'_>) -> Result<ProofKey, ProofError> {
        let header = segments.decode_header().ok();
        let header = header.and_then(|text| Document::object(text).ok());
        let header = header.ok_or(ProofError::Malformed)?;
        let (mut typ, mut algorithm, mut key) = (None, None, None);
        for (name, value) in header.root().members() {
            match &*name {
                "typ" => typ = Some(value),
                "alg" => algorithm = Some(value),
                "jwk" => key = Some(value),
                "crit" | "b64" | "zip" => return Err(ProofError::Malformed),
                _ => {}
            }
        }
        let typ = typ.and_then(Json::as_str).ok_or(ProofError::Type)?;
        if !typ.eq_ignore_ascii_case("dpop+jwt") {
            return Err(ProofError::Type);
        }
        let algorithm: Option<AuthType> = algorithm
            .and_then(Json::as_str)
            .and_then(|name| name.parse().ok());
        let algorithm = algorithm
            .filter(|algorithm| self.algorithms.contains(algorithm))
            .ok_or(ProofError::Algorithm)?;
        let key = key.and_then(|key| ProofKey::of(key, algorithm, self.crypto));
        let key = key.ok_or(ProofError::Key)?;
        let mut buffer = SIGNATURE_BUFFER;
        let signature = segments.decode_signature(&mut buffer);
        let is_signed =
            signature.is_ok_and(|signature| key.verify(segments.message.as_bytes(), signature));
        is_signed.then_some(key).ok_or(ProofError::Signature)
    }

    /// How far `iat` may be from the clock, and whether the client has to be told a new nonce.
    fn window(
        &self,
        claims: &Claims,
        ring: &KeyRing,
        now: NumericDate,
    ) -> Result<(i64, bool), Unfit> {
        let Some(nonces) = &self.nonces else {
            return Ok((self.window, false));
        };
        let nonce = claims.find("nonce").and_then(Json::as_str);
        let checked = nonce.and_then(|nonce| nonces.check(&nonce, ring, now));
        let checked = checked.ok_or(Unfit::Nonce)?;
        let window = self.window.max(WINDOW_WITH_NONCE);
        Ok((window, checked == Nonce::Previous))
    }
}

/// The payload of a proof.
struct Claims(Document);

impl Claims {
    fn find(&self, name: &str) -> Option<Json<'_>> {
        self.0.root().member(name)
    }

    fn text(&self, name: &'static str) -> Result<String, ProofError> {
        let text = self.find(name).and_then(Json::as_str);
        let text = text.filter(|text| !text.is_empty());
        Ok(text.ok_or(ProofError::Claim(name))?.into_owned())
    }
}
