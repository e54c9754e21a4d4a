//! What the tokens of a session are minted from, and the seal by which a record is known as our own.
//!
//! Whoever can write to a store could otherwise write claims, and have them signed. Therefore the claims lie
//! in the store with a tag over them and over everything else of the record that never changes. It is made
//! with a key that is derived from the signing one, so that the store holds no authority.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Generation, Moment, SessionRecord, issuer::SessionIssuer, policy::Policy};
use crate::{
    error::MintError,
    keys::{MadeBy, Purpose, Tag},
    token::TokenError,
};

/// What a session's tokens say, as it was given at the login or by a refresh.
pub(super) struct Authority {
    pub(super) session: String,
    pub(super) subject: String,
    pub(super) opened_at: Moment,
    pub(super) ends_at: Moment,
    /// The text of a JSON object.
    pub(super) claims: String,
}

/// An authority of a record, and whether its seal has to be made anew.
pub(super) struct Unsealed {
    pub(super) authority: Authority,
    /// The key that made it signs no more: it will leave the ring before the session ends.
    pub(super) is_old: bool,
}

impl Authority {
    pub(super) fn claims(&self) -> Result<Map<String, Value>, MintError> {
        serde_json::from_str(&self.claims).map_err(|error| MintError::SessionClaims {
            source: Arc::new(error),
        })
    }

    fn with_parts<T>(&self, issuer: &str, then: impl FnOnce(&[&[u8]]) -> T) -> T {
        then(&[
            issuer.as_bytes(),
            self.subject.as_bytes(),
            self.session.as_bytes(),
            &self.opened_at.milliseconds().to_be_bytes(),
            &self.ends_at.milliseconds().to_be_bytes(),
            self.claims.as_bytes(),
        ])
    }
}

/// What stands in a record before the tag, between it and the claims, and behind them. The whole is JSON.
const ENVELOPE: [&str; 3] = [r#"{"seal":""#, r#"","claims":"#, "}"];

/// The tag and the claims of what lies in a record.
fn opened(sealed: &str) -> Option<(Tag, &str)> {
    let [before, between, behind] = ENVELOPE;
    let rest = sealed.strip_prefix(before)?;
    let (tag, rest) = rest.split_at_checked(Tag::LENGTH)?;
    let claims = rest.strip_prefix(between)?.strip_suffix(behind)?;
    Some((Tag::parse(tag)?, claims))
}

impl SessionIssuer {
    /// The claims as they lie in a record.
    pub(super) fn seal(&self, authority: &Authority) -> Result<String, MintError> {
        let keys = &self.verification.keys;
        let tag = authority.with_parts(self.issuer(), |parts| {
            keys.tag(Purpose::SessionRecords, parts)
        });
        let tag = tag.ok_or(MintError::MissingSigner)?;
        let [before, between, behind] = ENVELOPE;
        Ok([before, &tag, between, &authority.claims, behind].concat())
    }

    /// What a record says, if this is the session that was asked for and its seal is right. Otherwise the
    /// session counts as revoked.
    pub(super) fn unseal(
        &self,
        record: &SessionRecord,
        subject: &str,
        session: &str,
    ) -> Result<Unsealed, TokenError> {
        let now = self.verification.clock.now()?;
        let keys = &self.verification.keys;
        let is_asked_for = record.subject == subject && record.id == session;
        let opened = opened(&record.claims).filter(|_| is_asked_for);
        let unsealed = opened.and_then(|(tag, claims)| {
            let authority = Authority {
                session: session.to_owned(),
                subject: subject.to_owned(),
                opened_at: record.opened_at,
                ends_at: record.ends_at,
                claims: claims.to_owned(),
            };
            let made_by = authority.with_parts(self.issuer(), |parts| {
                keys.made_by(Purpose::SessionRecords, parts, &tag, now)
            })?;
            Some(Unsealed {
                authority,
                is_old: made_by == MadeBy::Other,
            })
        });
        let Some(unsealed) = unsealed else {
            return Err(refused(session));
        };
        if Moment::from_milliseconds(now.milliseconds()) >= unsealed.authority.ends_at {
            return Err(TokenError::Revoked);
        }
        Ok(unsealed)
    }

    /// Whether several keys may have sealed the records that are there.
    pub(super) fn has_several_seals(&self) -> Result<bool, TokenError> {
        let now = self.verification.clock.now()?;
        let keys = &self.verification.keys;
        Ok(keys.count_of_checking(Purpose::SessionRecords, now) > 1)
    }
}

/// Refuses to mint from a record.
fn refused(session: &str) -> TokenError {
    tracing::error!(
        session,
        "a session is refused: its record was changed outside, or was sealed with a key that is not \
         in the ring, or is there without its secret or private part"
    );
    TokenError::Revoked
}

/// The length of the ids that are made here.
const ID: usize = 22;

/// Refuses a pair of a record that was not made here. A record's pairs are not sealed, since the store
/// itself writes them.
pub(super) fn check_generation(
    generation: &Generation,
    session: &str,
    policy: &Policy,
    now: Moment,
) -> Result<(), TokenError> {
    let is_id = |id: &str| {
        let is_of_id = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        id.len() == ID && id.bytes().all(is_of_id)
    };
    // Clocks may differ, and none by more than that.
    let latest = now + policy.grace.max(policy.leeway);
    let is_own = is_id(&generation.refresh_id)
        && is_id(&generation.auth_id)
        && (Moment::UNIX_EPOCH..=latest).contains(&generation.issued_at);
    is_own.then_some(()).ok_or_else(|| refused(session))
}
