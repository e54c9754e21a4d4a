//! Ending sessions and tokens before their time, and listing what is open.

use std::sync::Arc;

use time::OffsetDateTime;

use super::{Moment, Policy, Revocation, SessionError, SessionRecord, issuer::SessionIssuer};
use crate::token::Token;

/// An open session, as it is shown to its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// Its id: the claim `sid` of its tokens. What [`AuthManager::revoke_session`](crate::AuthManager::revoke_session) takes.
    pub id: String,
    /// When the login was.
    pub opened: OffsetDateTime,
    /// When the current pair of tokens was issued.
    pub refreshed: OffsetDateTime,
    /// When it ends unless it is refreshed before.
    pub expires: OffsetDateTime,
    /// What was given to [`LoginBuilder::label`](crate::LoginBuilder::label).
    pub label: Option<String>,
}

impl From<SessionRecord> for Session {
    fn from(record: SessionRecord) -> Self {
        let refreshed = record.refreshed_at();
        Self {
            opened: record.opened_at.into(),
            refreshed: refreshed.into(),
            expires: record.expires_at.into(),
            id: record.id,
            label: record.label,
        }
    }
}

/// Each change goes on in tokio's runtime when its future is dropped half-done.
impl SessionIssuer {
    /// Ends the session of a token, or revokes a token of no session alone.
    pub(crate) async fn logout(
        &self,
        current: &Token,
        session: Option<String>,
    ) -> Result<(), SessionError> {
        match session {
            Some(session) => self.revoke_session(current.sub().to_owned(), session).await,
            None => self.revoke_token(current).await,
        }
    }

    /// Revokes one token until it expires, or more where the store remembers no more tokens one by one.
    pub(crate) async fn revoke_token(&self, token: &Token) -> Result<(), SessionError> {
        let sessions = &self.sessions;
        check_own(token, self.issuer())?;
        let id = token.own_id()?.ok_or(SessionError::NotRevocable)?;
        let now = self.now()?;
        let revocation = Revocation::Token {
            subject: token.sub().to_owned(),
            id,
            until: Moment::from_milliseconds(token.expires_at_milliseconds())
                + sessions.policy.leeway,
        };
        let instead = match token.id("sid")? {
            Some(session) => Revocation::Session {
                subject: token.sub().to_owned(),
                session,
            },
            None => everything_of(token.sub().to_owned(), sessions.policy, now),
        };
        let shared = Arc::clone(sessions);
        let revoking = async move {
            if shared.revoke_token_unless_dropped(&revocation, now).await? {
                return Ok(());
            }
            shared.revoke_unless_dropped(&instead, now).await
        };
        sessions.change(revoking).await
    }

    /// Ends a session by its id, if it is this subject's.
    pub(crate) async fn revoke_session(
        &self,
        subject: String,
        session: String,
    ) -> Result<(), SessionError> {
        let revocation = Revocation::Session { subject, session };
        self.sessions.revoke(revocation, self.now()?).await
    }

    /// Ends everything of a subject, everywhere.
    pub(crate) async fn revoke_subject(&self, subject: String) -> Result<(), SessionError> {
        let now = self.now()?;
        let revocation = everything_of(subject, self.sessions.policy, now);
        self.sessions.revoke(revocation, now).await
    }

    /// The open sessions of a subject, the one refreshed last first.
    pub(crate) async fn list(&self, subject: &str) -> Result<Vec<Session>, SessionError> {
        let sessions = &self.sessions;
        let now = self.now()?;
        let most = sessions.policy.max_sessions;
        let listing = sessions.ask(|store| store.sessions(subject, most, now));
        let records = listing.await?;
        let mut open: Vec<_> = records.into_iter().map(Session::from).collect();
        open.sort_by(|a, b| (b.refreshed, &b.id).cmp(&(a.refreshed, &a.id)));
        Ok(open)
    }
}

/// Refuses a token of another issuer: its sessions and subjects are not ours.
fn check_own(token: &Token, issuer: &str) -> Result<(), SessionError> {
    if token.iss() == issuer {
        Ok(())
    } else {
        Err(SessionError::NotRevocable)
    }
}

/// The session of a token of this issuer.
pub(crate) fn own_session(token: &Token, issuer: &str) -> Result<Option<String>, SessionError> {
    check_own(token, issuer)?;
    Ok(token.id("sid")?)
}

/// The revocation of all that a subject has now.
fn everything_of(subject: String, policy: Policy, now: Moment) -> Revocation {
    let issued_until = now + policy.leeway;
    Revocation::Subject {
        subject,
        issued_until,
        until: issued_until + policy.longest_life + policy.leeway,
    }
}
