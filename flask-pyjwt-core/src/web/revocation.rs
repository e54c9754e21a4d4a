//! Logout, revocation and the list of sessions.

use std::sync::Arc;

use super::refused::reporting;
use crate::{
    manager::AuthManager,
    session::{
        EndedBy, Holder, Moment, Session, SessionError, SessionIssuer, Sessions, own_session,
    },
    token::{Token, TokenError},
};

/// Logout, revocation and the list of open sessions. All of these methods except `check_revocation` need a
/// [session store](crate::Config::session_store).
///
/// When a method that revokes has returned `Ok`, guards refuse the revoked tokens in every process that shares the store,
/// or with [`Config::revocation_staleness`](crate::Config::revocation_staleness) after that time at the latest.
///
/// A revocation continues in tokio's runtime if its future is dropped, for instance because the client disconnects. Until
/// it is complete, this process asks the store about every token.
impl AuthManager {
    /// Checks outside a request that a verified token, its session and its subject are not revoked. Guards do this
    /// themselves.
    ///
    /// Call it for tokens of [`verify_token`](Self::verify_token), and repeatedly for connections that outlive their
    /// request, such as WebSockets. Without a session store, every verified token passes until it expires.
    /// [`Config::token_check`](crate::Config::token_check) is not called.
    ///
    /// A checked token counts as used by its client, so check only tokens that a client has presented. If the previous
    /// refresh token is presented after that, it counts as a copy, and not as a retry after a
    /// [lost answer](crate::Config::lost_answer_window).
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// # use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore};
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// # let auth = AuthManager::new(config.session_store(MemoryStore::default()))?;
    /// let pair = auth.login("alice").await?;
    /// let token = auth.verify_token(pair.auth.signed())?;
    /// assert!(auth.check_revocation(&token).await.is_ok());
    ///
    /// auth.revoke_subject("alice").await?;
    /// assert!(auth.verify_token(pair.auth.signed()).is_ok()); // does not ask the store
    /// assert!(auth.check_revocation(&token).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Token`] if the token has expired or is revoked. [`SessionError::Store`] if the store does not
    /// answer.
    #[doc(alias = "introspection")]
    pub async fn check_revocation(&self, token: &Token) -> Result<(), SessionError> {
        reporting(self, Some(token), self.check_time_and_session(token)).await
    }

    async fn check_time_and_session(&self, token: &Token) -> Result<(), SessionError> {
        match self.parts().verification.check_time(token) {
            // What `Config::resolve_issuers` returned for the issuer has expired. Resolve it again.
            #[cfg(feature = "jwks")]
            Err(TokenError::UnknownKey) if token.is_of_resolved() => {
                self.verify_presented_async(token.signed()).await?;
            }
            result => result?,
        }
        match self.sessions_of(token) {
            Some(sessions) => sessions.check(token, Holder::Client, self.now()?).await,
            None => Ok(()),
        }
    }

    /// Ends the session of an auth or refresh token, and revokes all tokens of the session. A token without a session is
    /// revoked alone.
    ///
    /// In a browser, also remove the cookies with [`clear_cookies`](Self::clear_cookies).
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// # use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore};
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// # let auth = AuthManager::new(config.session_store(MemoryStore::default()))?;
    /// let (phone, laptop) = (auth.login("alice").await?, auth.login("alice").await?);
    /// auth.logout(&phone.auth).await?;
    ///
    /// assert!(auth.check_revocation(&phone.auth).await.is_err());
    /// assert!(auth.refresh(&phone.refresh).await.is_err());
    /// assert!(auth.check_revocation(&laptop.auth).await.is_ok());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::NotRevocable`] if the token has neither a session nor an ID, or is of another issuer.
    /// [`SessionError::Store`] if the store does not answer. The session may still be open then.
    #[doc(alias = "blocklist")]
    pub async fn logout(&self, current: &Token) -> Result<(), SessionError> {
        let work = async {
            let session = own_session(current, self.issuer())?;
            self.session_issuer()?.logout(current, session).await
        };
        reporting(self, Some(current), work).await
    }

    /// Revokes one token until it expires, by its claim `jti` (auth token) or `rid` (refresh token). Its session stays open.
    ///
    /// A store remembers up to 1,000 single tokens of a subject. Beyond that, the token's session is revoked instead, or
    /// the whole subject if the token has no session.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// # use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore};
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// # let auth = AuthManager::new(config.session_store(MemoryStore::default()))?;
    /// let pair = auth.login("alice").await?;
    /// auth.revoke_token(&pair.auth).await?;
    ///
    /// assert!(auth.check_revocation(&pair.auth).await.is_err());
    /// assert!(auth.check_revocation(&pair.refresh).await.is_ok());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::NotRevocable`] if the token has no such claim, or is of another issuer. [`SessionError::Store`] if
    /// the store does not answer.
    #[doc(alias = "blocklist")]
    #[doc(alias = "revoke")]
    pub async fn revoke_token(&self, token: &Token) -> Result<(), SessionError> {
        let work = async { self.session_issuer()?.revoke_token(token).await };
        reporting(self, Some(token), work).await
    }

    /// Ends one session of a subject by its ID, and revokes all tokens of the session.
    ///
    /// The ID is [`Session::id`] of an entry of [`sessions`](Self::sessions), or [`Token::session_id`]. A session of another
    /// subject stays open, so an ID from a client is safe to pass together with the client's subject.
    ///
    /// Returns whether this call has ended the session. `false` is no error: there is no such session, or it has ended
    /// before.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// # use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore};
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// # let auth = AuthManager::new(config.session_store(MemoryStore::default()))?;
    /// let pair = auth.login("alice").await?;
    /// let id = auth.sessions("alice").await?[0].id.clone();
    ///
    /// assert!(!auth.revoke_session("mallory", &id).await?); // not a session of mallory
    /// assert!(auth.check_revocation(&pair.auth).await.is_ok());
    ///
    /// assert!(auth.revoke_session("alice", &id).await?);
    /// assert!(auth.check_revocation(&pair.auth).await.is_err());
    /// assert!(!auth.revoke_session("alice", &id).await?); // it had ended before
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`] if the store does not answer.
    #[doc(alias = "blocklist")]
    #[doc(alias = "revoke")]
    pub async fn revoke_session(
        &self,
        subject: impl Into<String>,
        session: impl Into<String>,
    ) -> Result<bool, SessionError> {
        let by = EndedBy::RevokeSession;
        self.end(subject.into(), session.into(), by).await
    }

    /// Ends one session of a subject, and says in its event who has ended it.
    pub(super) async fn end(
        &self,
        subject: String,
        session: String,
        by: EndedBy,
    ) -> Result<bool, SessionError> {
        let work = async { self.session_issuer()?.end(subject, session, by).await };
        reporting(self, None, work).await
    }

    /// Ends all sessions of a subject, and revokes its other tokens that were issued until now. Call it when a password
    /// changes or an account is closed.
    ///
    /// Returns the number of sessions that this call has ended. Sessions that are opened afterwards are valid. A token of [`auth_token`](Self::auth_token) that is signed in the same
    /// second, or within the leeway after it, is revoked too.
    ///
    /// The subject is one of this manager's issuer. If you trust other issuers, guard a route that passes the subject of
    /// its token with `#[require_token(issuer = "…")]`: a subject of another issuer can have the same name.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// # use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore};
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// # let auth = AuthManager::new(config.session_store(MemoryStore::default()))?;
    /// let (phone, laptop) = (auth.login("alice").await?, auth.login("alice").await?);
    /// assert_eq!(auth.revoke_subject("alice").await?, 2);
    /// assert!(auth.check_revocation(&phone.auth).await.is_err());
    /// assert!(auth.check_revocation(&laptop.auth).await.is_err());
    ///
    /// let later = auth.login("alice").await?;
    /// assert!(auth.check_revocation(&later.auth).await.is_ok());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`] if the store does not answer.
    #[doc(alias = "logout everywhere")]
    #[doc(alias = "blocklist")]
    #[doc(alias = "revoke")]
    pub async fn revoke_subject(&self, subject: impl Into<String>) -> Result<usize, SessionError> {
        let subject = subject.into();
        self.forget_users(&subject);
        let work = async { self.session_issuer()?.revoke_subject(subject).await };
        reporting(self, None, work).await
    }

    /// Lists the open sessions of a subject of this manager's issuer, the most recently refreshed first.
    ///
    /// There are at most [`Config::max_sessions`](crate::Config::max_sessions). [`Session`] has an example.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`] if the store does not answer.
    #[doc(alias = "devices")]
    pub async fn sessions(&self, subject: &str) -> Result<Vec<Session>, SessionError> {
        let work = async { self.session_issuer()?.list(subject).await };
        reporting(self, None, work).await
    }
}

impl AuthManager {
    /// The part that opens, rotates and ends sessions.
    pub(crate) fn session_issuer(&self) -> Result<SessionIssuer, SessionError> {
        let parts = self.parts();
        let sessions = parts.sessions.as_ref().ok_or(SessionError::NoStore)?;
        Ok(SessionIssuer::new(sessions, &parts.verification))
    }

    /// The sessions that a token may belong to. `None` for a token of another issuer, whose subjects and IDs have nothing
    /// to do with those in the store.
    pub(crate) fn sessions_of(&self, token: &Token) -> Option<&Arc<Sessions>> {
        let parts = self.parts();
        let sessions = parts.sessions.as_ref();
        sessions.filter(|_| token.iss() == &*parts.verification.rules.issuer)
    }

    /// The current time in the type that stores use.
    pub(crate) fn now(&self) -> Result<Moment, TokenError> {
        Ok(Moment::from_milliseconds(
            self.parts().verification.clock.now()?.milliseconds(),
        ))
    }
}
