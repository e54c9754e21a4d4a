//! Revocation and the list of sessions, and what refuses them.

use std::sync::Arc;

use super::refused::reporting;
use crate::{
    manager::AuthManager,
    session::{Holder, Moment, Session, SessionError, SessionIssuer, Sessions, own_session},
    token::{Token, TokenError},
};

/// Revocation, and the list of open sessions. After a method that revokes has returned, no guarded request
/// is let in any more with what was revoked, in any process that shares the store.
///
/// Each of them goes on in tokio's runtime when its future is dropped half-done, for instance because the client
/// hangs up. Until it is done, this process asks the store about every token.
impl AuthManager {
    /// Asks the session store whether a verified token, its session and its subject are still good.
    /// Guards do so by themselves; this is for tokens of `verify_token`, and for connections that
    /// outlive their request.
    ///
    /// Without a store, every verified token is good until it expires. The application's own check,
    /// [`Config::token_check`](crate::Config::token_check), is not asked.
    ///
    /// A token that is asked about counts as used by its client: after that, the refresh token before it
    /// is a copy, and not a lost answer. So ask about tokens that a client has presented.
    ///
    /// # Errors
    ///
    /// [`SessionError::Token`] when it has expired or is revoked, [`SessionError::Store`] when
    /// the store does not answer.
    pub async fn check_revocation(&self, token: &Token) -> Result<(), SessionError> {
        reporting(self, Some(token), self.ask_about(token)).await
    }

    async fn ask_about(&self, token: &Token) -> Result<(), SessionError> {
        match self.parts().verification.check_time(token) {
            // Its issuer has to be found again.
            #[cfg(feature = "jwks")]
            Err(TokenError::UnknownKey) if token.is_of_resolved() => {
                self.verify_token_async(token.signed()).await?;
            }
            result => result?,
        }
        match self.sessions_of(token) {
            Some(sessions) => sessions.check(token, Holder::Client, self.now()?).await,
            None => Ok(()),
        }
    }

    /// Ends the session of this token, auth or refresh: all its tokens are revoked. A token of no
    /// session is revoked alone.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotRevocable`] for a token that has neither a session nor an id, or is of another
    /// issuer,
    /// [`SessionError::Store`] when the store does not answer: then nothing may have ended.
    pub async fn logout(&self, current: &Token) -> Result<(), SessionError> {
        let work = async {
            let session = own_session(current, self.issuer())?;
            self.session_issuer()?.logout(current, session).await
        };
        reporting(self, Some(current), work).await
    }

    /// Revokes this one token until it expires, by its claim `jti` (auth) or `rid` (refresh).
    ///
    /// The stores remember 1,000 tokens of a subject one by one. Beyond that, the token's session is
    /// revoked in its place, or for a token of no session the subject: no revocation is refused.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotRevocable`] for a token that has no such claim, or is of another issuer,
    /// [`SessionError::Store`] when the store does not answer.
    pub async fn revoke_token(&self, token: &Token) -> Result<(), SessionError> {
        let work = async { self.session_issuer()?.revoke_token(token).await };
        reporting(self, Some(token), work).await
    }

    /// Ends a session by its id, if it is this subject's: all its tokens are revoked.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`] when the store does not answer.
    pub async fn revoke_session(
        &self,
        subject: impl Into<String>,
        session: impl Into<String>,
    ) -> Result<(), SessionError> {
        let (subject, session) = (subject.into(), session.into());
        let work = async {
            self.session_issuer()?
                .revoke_session(subject, session)
                .await
        };
        reporting(self, None, work).await
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
    /// [`SessionError::Store`] when the store does not answer.
    pub async fn revoke_subject(&self, subject: impl Into<String>) -> Result<(), SessionError> {
        let subject = subject.into();
        let work = async { self.session_issuer()?.revoke_subject(subject).await };
        reporting(self, None, work).await
    }

    /// The open sessions of a subject of this manager's own issuer, the one refreshed last first: at
    /// most as many as [`Config::max_sessions`](crate::Config::max_sessions) says.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`] when the store does not answer.
    pub async fn sessions(&self, subject: &str) -> Result<Vec<Session>, SessionError> {
        let work = async { self.session_issuer()?.list(subject).await };
        reporting(self, None, work).await
    }
}

impl AuthManager {
    /// What opens, rotates and ends sessions.
    pub(super) fn session_issuer(&self) -> Result<SessionIssuer, SessionError> {
        let parts = self.parts();
        let sessions = parts.sessions.as_ref().ok_or(SessionError::NoStore)?;
        Ok(SessionIssuer::new(sessions, &parts.verification))
    }

    /// The sessions that a token may belong to: none where it is of another issuer, whose subjects and
    /// ids are not those of the store.
    pub(super) fn sessions_of(&self, token: &Token) -> Option<&Arc<Sessions>> {
        let parts = self.parts();
        let sessions = parts.sessions.as_ref();
        sessions.filter(|_| token.iss() == &*parts.verification.rules.issuer)
    }

    /// Now, as stores keep it.
    pub(super) fn now(&self) -> Result<Moment, TokenError> {
        Ok(Moment::from_milliseconds(
            self.parts().verification.clock.now()?.milliseconds(),
        ))
    }
}
