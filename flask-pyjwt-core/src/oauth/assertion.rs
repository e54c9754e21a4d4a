//! JWTs by which a client authenticates (RFC 7523, section 3).

use std::sync::Arc;

use super::{
    OAuthClients,
    clients::{Client, ClientKeys, Used},
};
use crate::{
    jose::{NumericDate, SIGNATURE_BUFFER, Segments},
    json::{Document, Json, Kind},
};

/// The longest assertion, in bytes.
const LONGEST: usize = 8 * 1024;
/// How far in the future an assertion may end, in seconds: as long as those of common clients live.
const LONGEST_LIFE: i64 = 3_600;
/// How far the clocks of client and server may differ at least, in seconds.
const LEEWAY: i64 = 5;

/// What an assertion has to name.
pub(super) struct Expected<'a> {
    /// The accepted audiences: the issuer, and the address of the endpoint.
    pub(super) audiences: &'a [String],
    pub(super) now: NumericDate,
    /// In seconds.
    pub(super) leeway: i64,
}

/// The client that has signed an assertion, if it is right. `named` is the parameter `client_id`.
pub(super) fn check<'a>(
    clients: &'a OAuthClients,
    assertion: &str,
    named: Option<&str>,
    expected: &Expected<'_>,
) -> Option<(&'a Arc<Client>, Used)> {
    if assertion.len() > LONGEST {
        return None;
    }
    let segments = Segments::of(assertion).ok()?;
    let payload = Document::object(segments.decode_payload().ok()?).ok()?;
    let claims = payload.root();
    // Before the signature is checked, `sub` only selects the keys.
    let id = claims.member("sub")?.as_str()?;
    let client = clients.find(&id);
    let keys = client.and_then(|client| client.keys());
    let signed = keys.and_then(|keys| has_signed(keys, &segments));
    if signed.is_none() {
        // A signature is checked for unknown clients, too.
        let mut decoys = clients.decoys();
        decoys.find_map(|keys| has_signed(keys, &segments));
    }
    if signed != Some(true) || named.is_some_and(|named| named != id) {
        return None;
    }
    let (jti, ends_at) = valid(claims, &id, expected)?;
    Some((client?, Used::new(&id, &jti, ends_at)))
}

/// Whether one of these keys has signed. `None` if none of them is for such a token, so that none was tried.
fn has_signed(keys: &ClientKeys, segments: &Segments<'_>) -> Option<bool> {
    let candidates = keys.set.select(segments.header, &keys.types).ok()?;
    let mut buffer = SIGNATURE_BUFFER;
    let signature = segments.decode_signature(&mut buffer).ok()?;
    let message = segments.message.as_bytes();
    let mut candidates = candidates.keys.iter();
    Some(candidates.any(|key| key.verify(message, signature)))
}

/// The `jti` of valid claims, and the moment from which on they are invalid.
fn valid(claims: Json<'_>, id: &str, expected: &Expected<'_>) -> Option<(String, NumericDate)> {
    let leeway = expected.leeway.max(LEEWAY);
    let now = expected.now;
    let is_past = |name| match claims.member(name) {
        None => Some(true),
        Some(moment) => Some(NumericDate::from_json(moment)? <= now.plus(leeway)),
    };
    let expires = NumericDate::from_json(claims.member("exp")?)?;
    let is_valid = claims.member("iss")?.is_str(id)
        && names(claims.member("aud")?, expected.audiences)
        && expires.plus(leeway) > now
        && expires <= now.plus(LONGEST_LIFE + leeway)
        && is_past("iat")?
        && is_past("nbf")?;
    let jti = claims.member("jti")?.as_str()?.into_owned();
    // The second after the last one in which it is accepted.
    let ends_at = expires.plus(leeway + 1);
    (is_valid && !jti.is_empty()).then_some((jti, ends_at))
}

/// Whether an audience names this server: as text, or as an element of a list.
fn names(audience: Json<'_>, accepted: &[String]) -> bool {
    let is_accepted = |it: Json<'_>| accepted.iter().any(|name| it.is_str(name));
    match audience.kind() {
        Kind::Array => audience.items().any(is_accepted),
        _ => is_accepted(audience),
    }
}
