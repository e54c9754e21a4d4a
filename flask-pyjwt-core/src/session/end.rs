//! Ending sessions and tokens before their time, and listing what is open.

use time::OffsetDateTime;

use super::{Revocation, SessionRecord, event::moment};
use crate::{manager::AuthManager, token::Token, web::Rejection};

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
        let refreshed = record.current().map_or(record.opened_at, |it| it.issued_at);
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
    /// # Errors
    ///
    /// [`Rejection::NotRevocable`] for a token that has no such claim, or is of another issuer,
    /// [`Rejection::Unavailable`] when the store does not answer.
    pub async fn revoke_token(&self, token: &Token) -> Result<(), Rejection> {
        let sessions = self.sessions_or_reject()?;
        self.own_or_reject(token)?;
        let id = token.own_id()?.ok_or(Rejection::NotRevocable)?;
        let revocation = Revocation::Token {
            subject: token.sub().to_owned(),
            id,
            until: token
                .expires_at_milliseconds()
                .saturating_add(sessions.policy.leeway),
        };
        sessions.revoke(&revocation, self.now()?).await
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
        let sessions = self.sessions_or_reject()?;
        let revocation = Revocation::Session {
            subject: subject.into(),
            session: session.into(),
        };
        sessions.revoke(&revocation, self.now()?).await
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
        let sessions = self.sessions_or_reject()?;
        let now = self.now()?;
        let policy = sessions.policy;
        let issued_until = now.saturating_add(policy.leeway);
        let revocation = Revocation::Subject {
            subject: subject.into(),
            issued_until,
            until: issued_until
                .saturating_add(policy.longest_life)
                .saturating_add(policy.leeway),
        };
        sessions.revoke(&revocation, now).await
    }

    /// The open sessions of a subject of this manager's own issuer, the one refreshed last first.
    ///
    /// # Errors
    ///
    /// [`Rejection::Unavailable`] when the store does not answer.
    pub async fn sessions(&self, subject: &str) -> Result<Vec<Session>, Rejection> {
        let sessions = self.sessions_or_reject()?;
        let now = self.now()?;
        let records = sessions.ask(|store| store.sessions(subject, now)).await?;
        let mut open: Vec<_> = records.into_iter().map(Session::from).collect();
        open.sort_by(|a, b| (b.refreshed, &b.id).cmp(&(a.refreshed, &a.id)));
        Ok(open)
    }

    /// Ends the sessions of a subject, but for so many that were refreshed last.
    pub(super) async fn end_all_but(&self, most: usize, subject: &str) -> Result<(), Rejection> {
        for session in self.sessions(subject).await?.into_iter().skip(most) {
            self.revoke_session(subject, session.id).await?;
        }
        Ok(())
    }
}
