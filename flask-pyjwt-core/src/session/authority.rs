//! The claims of a session's tokens, and the seal that proves that this server wrote a record.
//!
//! Without the seal, whoever can write to a store could write claims and have them signed. Each
//! record therefore carries an authentication tag over the claims and over every other field that
//! never changes. The key of the tag is derived from the signing key, so the store holds nothing
//! that can mint a token.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Generation, Moment, SessionRecord, issuer::SessionIssuer, policy::Policy};
use crate::{
    error::MintError,
    keys::{MadeBy, Purpose, Tag},
    log_limit::admits,
    token::TokenError,
};

/// Claims that say how the user logged in, and with which client. A refresh with new claims keeps them unless it sets them.
const OF_LOGIN: [&str; 2] = ["acr", "client_id"];

/// What the tokens of a session say, as set by the login or by a refresh.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) session: String,
    pub(super) subject: String,
    pub(super) opened_at: Moment,
    pub(super) ends_at: Moment,
    /// The text of a JSON object.
    pub(super) claims: String,
}

/// The authority of a record whose seal was checked.
pub(super) struct Unsealed {
    pub(super) authority: Authority,
    /// Whether the sealing key no longer signs. It will be removed before the session ends, so the
    /// record has to be sealed again.
    pub(super) is_old: bool,
}

impl Authority {
    pub(super) fn claims(&self) -> Result<Map<String, Value>, MintError> {
        serde_json::from_str(&self.claims).map_err(unreadable)
    }

    /// The same authority with only those items of its scope that are in this space-separated list. The scope is never
    /// wider than before: one that is no text loses everything.
    pub(super) fn narrowed(&self, wanted: &str) -> Result<Self, MintError> {
        let mut claims = self.claims()?;
        let wanted: Vec<_> = wanted.split(' ').collect();
        let scope = claims.get("scope").and_then(Value::as_str);
        let items = scope.unwrap_or_default().split(' ');
        let kept: Vec<_> = items.filter(|item| wanted.contains(item)).collect();
        let kept = kept.join(" ");
        if kept.is_empty() {
            claims.remove("scope");
        } else {
            claims.insert("scope".to_owned(), kept.into());
        }
        Ok(Self {
            claims: serde_json::to_string(&claims).map_err(unreadable)?,
            ..self.clone()
        })
    }

    /// These new claims, with those of the login that they do not set. `None` if nothing is added.
    pub(super) fn kept_in(&self, claims: &str) -> Result<Option<String>, MintError> {
        let read = |text: &str| -> Result<Map<String, Value>, MintError> {
            serde_json::from_str(text).map_err(|error| MintError::SessionClaims {
                source: Arc::new(error),
            })
        };
        let (mut before, mut claims) = (read(&self.claims)?, read(claims)?);
        let mut is_changed = false;
        for name in OF_LOGIN {
            if !claims.contains_key(name)
                && let Some(value) = before.remove(name)
            {
                claims.insert(name.to_owned(), value);
                is_changed = true;
            }
        }
        Ok(is_changed.then(|| Value::Object(claims).to_string()))
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

fn unreadable(error: serde_json::Error) -> MintError {
    MintError::SessionClaims {
        source: Arc::new(error),
    }
}

/// The text of a sealed record before the tag, between tag and claims, and after the claims. The
/// whole text is JSON.
const ENVELOPE: [&str; 3] = [r#"{"seal":""#, r#"","claims":"#, "}"];

/// Splits a sealed record into its tag and its claims.
fn opened(sealed: &str) -> Option<(Tag, &str)> {
    let [before, between, behind] = ENVELOPE;
    let rest = sealed.strip_prefix(before)?;
    let (tag, rest) = rest.split_at_checked(Tag::LENGTH)?;
    let claims = rest.strip_prefix(between)?.strip_suffix(behind)?;
    Some((Tag::parse(tag)?, claims))
}

impl SessionIssuer {
    /// The claims in the form in which a record stores them.
    pub(super) fn seal(&self, authority: &Authority) -> Result<String, MintError> {
        let keys = &self.verification.keys;
        let tag = authority.with_parts(self.issuer(), |parts| {
            keys.tag(Purpose::SessionRecords, parts)
        });
        let tag = tag.ok_or(MintError::MissingSigner)?;
        let [before, between, behind] = ENVELOPE;
        Ok([before, &tag, between, &authority.claims, behind].concat())
    }

    /// Checks that the record is the session that was asked for, and checks its seal. If either
    /// check fails, the session counts as revoked.
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

    /// Whether more than one key may have sealed the stored records.
    pub(super) fn has_several_seals(&self) -> Result<bool, TokenError> {
        let now = self.verification.clock.now()?;
        let keys = &self.verification.keys;
        Ok(keys.count_of_checking(Purpose::SessionRecords, now) > 1)
    }
}

/// Logs that a record is refused. Nothing is minted from it.
fn refused(session: &str) -> TokenError {
    if admits("session_refused") {
        tracing::error!(
            session,
            "a session is refused: its record was changed outside this server, or was sealed with a key \
             that is not in the key ring or is there without its secret or private part"
        );
    }
    TokenError::Revoked
}

/// The length of the session and token ids that this server makes, in characters.
const ID: usize = 22;

/// Refuses a pair of tokens that this server cannot have issued. Pairs are not sealed, because the
/// store itself writes them.
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
    // Hosts' clocks may differ, but by no more than this.
    let latest = now + policy.grace.max(policy.leeway);
    let is_well_formed = is_id(&generation.refresh_id)
        && is_id(&generation.auth_id)
        && (Moment::UNIX_EPOCH..=latest).contains(&generation.issued_at);
    is_well_formed.then_some(()).ok_or_else(|| refused(session))
}
