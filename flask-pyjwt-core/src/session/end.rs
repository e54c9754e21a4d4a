//! Logout, revocation and the list of open sessions.

use std::sync::Arc;

use time::OffsetDateTime;

use super::{
    EndedBy, Moment, Policy, Revocation, SessionError, SessionEvents, SessionRecord,
    issuer::SessionIssuer,
};
use crate::{meters::StoreCall, token::Token};

/// An open session, as shown to its owner: one entry of
/// [`AuthManager::sessions`](crate::AuthManager::sessions).
///
/// Show these to a user as "where you are logged in", and end one with
/// [`AuthManager::revoke_session`](crate::AuthManager::revoke_session).
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::new("shop", AuthType::HS256, "change-me: at least 32 bytes of secret")
///     .session_store(MemoryStore::default());
/// let auth = AuthManager::new(config)?;
/// let phone = auth.login("alice").label("phone").await?;
/// let laptop = auth.login("alice").label("laptop").await?;
///
/// let sessions = auth.sessions("alice").await?;
/// assert_eq!(sessions.len(), 2);
/// let lost = sessions.iter().find(|it| it.label.as_deref() == Some("phone"));
/// auth.revoke_session("alice", &lost.ok_or("no such session")?.id).await?;
///
/// assert!(auth.check_revocation(&laptop.auth).await.is_ok());
/// assert!(auth.check_revocation(&phone.auth).await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// The session's id, which is the claim `sid` of its tokens.
    pub id: String,
    /// When the user logged in.
    pub opened: OffsetDateTime,
    /// When the current pair of tokens was issued: at the login, or by the latest refresh.
    pub refreshed: OffsetDateTime,
    /// When the session ends, unless a refresh extends it.
    pub expires: OffsetDateTime,
    /// The text given to [`LoginBuilder::label`](crate::LoginBuilder::label).
    pub label: Option<String>,
    /// The address given to [`LoginBuilder::address`](crate::LoginBuilder::address), as of the
    /// login.
    pub address: Option<String>,
    /// The text given to [`LoginBuilder::user_agent`](crate::LoginBuilder::user_agent), as of the
    /// login.
    pub user_agent: Option<String>,
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
            address: record.address,
            user_agent: record.user_agent,
        }
    }
}

/// Each change continues on the tokio runtime when its future is dropped before completion.
impl SessionIssuer {
    /// Ends the session of a token. A token that belongs to no session is revoked alone.
    pub(crate) async fn logout(
        &self,
        current: &Token,
        session: Option<String>,
    ) -> Result<(), SessionError> {
        match session {
            Some(session) => {
                let subject = current.sub().to_owned();
                self.end(subject, session, EndedBy::Logout).await.map(drop)
            }
            None => self.revoke_token(current).await,
        }
    }

    /// Revokes one token until it expires. When the store cannot remember another single token, the
    /// token's session or subject is revoked instead.
    pub(crate) async fn revoke_token(&self, token: &Token) -> Result<(), SessionError> {
        let sessions = &self.sessions;
        check_issuer(token, self.issuer())?;
        let id = token.own_id()?.ok_or(SessionError::NotRevocable)?;
        let now = self.now()?;
        let revocation = Revocation::Token {
            subject: token.sub().to_owned(),
            id,
            until: Moment::from_milliseconds(token.expires_at_milliseconds())
                + sessions.policy.leeway,
        };
        let session = token.id("sid")?;
        let instead = match session.clone() {
            Some(session) => Revocation::Session {
                subject: token.sub().to_owned(),
                session,
            },
            None => revocation_of_subject(token.sub().to_owned(), sessions.policy, now),
        };
        let shared = Arc::clone(sessions);
        let revoking = async move {
            let Some(tokens) = shared.revoke_token_within_change(&revocation, now).await? else {
                let by = EndedBy::RevokeToken;
                return shared.revoke_and_report(&instead, by, now).await.map(drop);
            };
            shared.report_tokens(revocation.subject(), session.as_deref(), tokens, now);
            Ok(())
        };
        sessions.change(revoking).await
    }

    /// Ends a session by its id, if it belongs to this subject. Returns whether this has ended it.
    pub(crate) async fn end(
        &self,
        subject: String,
        session: String,
        by: EndedBy,
    ) -> Result<bool, SessionError> {
        let revocation = Revocation::Session { subject, session };
        let ended = self.sessions.revoke(revocation, by, self.now()?).await?;
        Ok(!ended.is_empty())
    }

    /// Ends all sessions of a subject and revokes its other tokens. Returns the number of sessions
    /// that this has ended.
    pub(crate) async fn revoke_subject(&self, subject: String) -> Result<usize, SessionError> {
        let now = self.now()?;
        let revocation = revocation_of_subject(subject, self.sessions.policy, now);
        let by = EndedBy::RevokeSubject;
        Ok(self.sessions.revoke(revocation, by, now).await?.len())
    }

    /// Subscribes to what happens to sessions.
    pub(crate) fn events(&self) -> SessionEvents {
        self.sessions.listeners.subscribe()
    }

    /// The open sessions of a subject, most recently refreshed first.
    pub(crate) async fn list(&self, subject: &str) -> Result<Vec<Session>, SessionError> {
        let sessions = &self.sessions;
        let now = self.now()?;
        let most = sessions.policy.max_sessions;
        let listing = sessions.ask(StoreCall::Sessions, |store| {
            store.sessions(subject, most, now)
        });
        let records = listing.await?;
        let mut open: Vec<_> = records.into_iter().map(Session::from).collect();
        open.sort_by(|a, b| (b.refreshed, &b.id).cmp(&(a.refreshed, &a.id)));
        Ok(open)
    }
}

/// Refuses a token of another issuer: its sessions and subjects are not in this store.
fn check_issuer(token: &Token, issuer: &str) -> Result<(), SessionError> {
    if token.iss() == issuer {
        Ok(())
    } else {
        Err(SessionError::NotRevocable)
    }
}

/// The session of a token that this issuer minted.
pub(crate) fn own_session(token: &Token, issuer: &str) -> Result<Option<String>, SessionError> {
    check_issuer(token, issuer)?;
    Ok(token.id("sid")?)
}

/// The revocation of everything that a subject has now.
fn revocation_of_subject(subject: String, policy: Policy, now: Moment) -> Revocation {
    let issued_until = now + policy.leeway;
    Revocation::Subject {
        subject,
        issued_until,
        until: issued_until + policy.longest_life + policy.leeway,
    }
}
