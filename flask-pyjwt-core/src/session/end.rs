//! Ending sessions and tokens before their time, and listing what is open.

use std::sync::Arc;

use time::OffsetDateTime;

use super::{Policy, Revocation, SessionRecord, event::moment};
use crate::{
    manager::AuthManager,
    token::Token,
    web::{Rejection, refused::reporting},
};

/// An open session, as it is shown to its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// Its id: the claim `sid` of its tokens. What [`AuthManager::revoke_session`] takes.
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
            opened: moment(record.opened_at),
            refreshed: moment(refreshed),
            expires: moment(record.expires_at),
            id: record.id,
            label: record.label,
        }
    }
}

/// Ending what was begun. After each of these has returned, no guarded request is let in any more with
/// what was revoked, in any process that shares the store.
///
/// Each goes on in tokio's runtime when its future is dropped half-done, for instance because the client
/// hangs up. Until it is done, this process asks the store about every token.
impl AuthManager {
    /// Ends the session of this token, auth or refresh: all its tokens are revoked. A token of no
    /// session is revoked alone.
    ///
    /// # Errors
    ///
    /// [`Rejection::NotRevocable`] for a token that has neither a session nor an id, or is of another
    /// issuer,
    /// [`Rejection::Unavailable`] when the store does not answer: then nothing may have ended.
    pub async fn logout(&self, current: &Token) -> Result<(), Rejection> {
        reporting(self, Some(current), self.try_logout(current)).await
    }

    async fn try_logout(&self, current: &Token) -> Result<(), Rejection> {
        self.own_or_reject(current)?;
        match current.id("sid")? {
            Some(session) => self.revoke_session(current.sub(), session).await,
            None => self.revoke_token(current).await,
        }
    }

    /// What another issuer has issued is not ours to end: its sessions and subjects are not ours.
    fn own_or_reject(&self, token: &Token) -> Result<(), Rejection> {
        if token.iss() == self.issuer() {
            Ok(())
        } else {
            Err(Rejection::NotRevocable)
        }
    }

    /// Revokes this one token until it expires, by its claim `jti` (auth) or `rid` (refresh).
    ///
    /// The stores remember 1,000 tokens of a subject one by one. Beyond that, the token's session is
    /// revoked in its place, or for a token of no session the subject: no revocation is refused.
    ///
    /// # Errors
    ///
    /// [`Rejection::NotRevocable`] for a token that has no such claim, or is of another issuer,
    /// [`Rejection::Unavailable`] when the store does not answer.
    pub async fn revoke_token(&self, token: &Token) -> Result<(), Rejection> {
        reporting(self, Some(token), self.try_revoke_token(token)).await
    }

    async fn try_revoke_token(&self, token: &Token) -> Result<(), Rejection> {
        let sessions = self.sessions_or_reject()?;
        self.own_or_reject(token)?;
        let id = token.own_id()?.ok_or(Rejection::NotRevocable)?;
        let now = self.now()?;
        let revocation = Revocation::Token {
            subject: token.sub().to_owned(),
            id,
            until: token
                .expires_at_milliseconds()
                .saturating_add(sessions.policy.leeway),
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

    /// Ends a session by its id, if it is this subject's: all its tokens are revoked.
    ///
    /// # Errors
    ///
    /// [`Rejection::Unavailable`] when the store does not answer.
    pub async fn revoke_session(
        &self,
        subject: impl Into<String>,
        session: impl Into<String>,
    ) -> Result<(), Rejection> {
        let work = self.try_revoke_session(subject.into(), session.into());
        reporting(self, None, work).await
    }

    async fn try_revoke_session(&self, subject: String, session: String) -> Result<(), Rejection> {
        let sessions = self.sessions_or_reject()?;
        let revocation = Revocation::Session { subject, session };
        sessions.revoke(revocation, self.now()?).await
    }

    /// Ends everything of a subject, everywhere: all its sessions, and all its other tokens that
    /// were issued until now. Sessions that are opened afterwards are good; a token of
    /// [`AuthManager::auth_token`] of the same second, and within the leeway, is not.
    ///
    /// The subject is one of this manager's own issuer: where tokens of others are trusted, let
    /// `#[require_token(issuer = "…")]` see to that before their subject is given here.
    ///
    /// # Errors
    ///
    /// [`Rejection::Unavailable`] when the store does not answer.
    pub async fn revoke_subject(&self, subject: impl Into<String>) -> Result<(), Rejection> {
        reporting(self, None, self.try_revoke_subject(subject.into())).await
    }

    async fn try_revoke_subject(&self, subject: String) -> Result<(), Rejection> {
        let sessions = self.sessions_or_reject()?;
        let now = self.now()?;
        let revocation = everything_of(subject, sessions.policy, now);
        sessions.revoke(revocation, now).await
    }

    /// The open sessions of a subject of this manager's own issuer, the one refreshed last first: at
    /// most as many as [`Config::max_sessions`](crate::Config::max_sessions) says.
    ///
    /// # Errors
    ///
    /// [`Rejection::Unavailable`] when the store does not answer.
    pub async fn sessions(&self, subject: &str) -> Result<Vec<Session>, Rejection> {
        reporting(self, None, self.try_sessions(subject)).await
    }

    async fn try_sessions(&self, subject: &str) -> Result<Vec<Session>, Rejection> {
        let sessions = self.sessions_or_reject()?;
        let now = self.now()?;
        let most = sessions.policy.max_sessions;
        let listing = sessions.ask(|store| store.sessions(subject, most, now));
        let records = listing.await?;
        let mut open: Vec<_> = records.into_iter().map(Session::from).collect();
        open.sort_by(|a, b| (b.refreshed, &b.id).cmp(&(a.refreshed, &a.id)));
        Ok(open)
    }
}

/// The revocation of all that a subject has now.
fn everything_of(subject: String, policy: Policy, now: i64) -> Revocation {
    let issued_until = now.saturating_add(policy.leeway);
    Revocation::Subject {
        subject,
        issued_until,
        until: issued_until
            .saturating_add(policy.longest_life)
            .saturating_add(policy.leeway),
    }
}
