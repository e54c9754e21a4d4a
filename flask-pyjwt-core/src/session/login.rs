//! Opening a session.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    Generation, Opening, Revocation, SessionRecord, authority::Authority, policy::Sessions,
};
use crate::{
    error::MintError,
    manager::AuthManager,
    token::{Draft, OwnClaims, Token, TokenType, random_id},
    web::{Rejection, refused::reporting},
};

/// The longest label in characters; what is longer is cut.
const LONGEST_LABEL: usize = 256;

/// The two tokens of a session: one for resources, one for the next pair.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TokenPair {
    /// Short-lived, for access to resources. It has the claims `jti`, `sid` and `auth_time`.
    pub auth: Token,
    /// For [`AuthManager::refresh`], once. It has the claims `rid`, `sid` and `auth_time`.
    pub refresh: Token,
}

/// A session in the making: [`AuthManager::login`]. It opens when it is awaited.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore};
/// use serde_json::json;
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let auth = AuthManager::new(
///     Config::new("example", AuthType::HS256, "a secret of 32 bytes, at the least")
///         .session_store(MemoryStore::default()),
/// )?;
/// let pair = auth.login("alice").scope(json!({"admin": true})).label("Firefox").await?;
/// assert!(auth.check(&pair.auth).await.is_ok());
///
/// auth.logout(&pair.auth).await?;
/// assert!(auth.check(&pair.auth).await.is_err());
/// # Ok(())
/// # }
/// ```
#[must_use = "a session opens when this is awaited"]
pub struct LoginBuilder<'a> {
    manager: &'a AuthManager,
    subject: String,
    claims: OwnClaims,
    label: Option<String>,
    replaced: Vec<(String, String)>,
}

impl AuthManager {
    /// Begins a session for this subject, which becomes a string: `42` gives `"42"`. Awaited, it
    /// gives both tokens.
    ///
    /// Before that, the password or whatever proves who this is has to be right.
    ///
    /// Where the subject has as many sessions as [`Config::max_sessions`](crate::Config::max_sessions)
    /// says, the one that was refreshed the longest ago ends in the same step. A login that fails ends
    /// none.
    ///
    /// # Errors
    ///
    /// When awaited: [`Rejection::Unavailable`] when the store does not answer,
    /// [`Rejection::NoSessionStore`], and [`Rejection::NotMinted`] for claims that cannot be.
    pub fn login(&self, subject: impl fmt::Display) -> LoginBuilder<'_> {
        LoginBuilder {
            manager: self,
            subject: subject.to_string(),
            claims: OwnClaims::default(),
            label: None,
            replaced: Vec::new(),
        }
    }
}

impl LoginBuilder<'_> {
    /// Sets the claim `scope` of all auth tokens of the session.
    pub fn scope(mut self, scope: impl Into<Value>) -> Self {
        self.claims.scope(scope.into());
        self
    }

    /// Sets a claim of all auth tokens of the session to anything that becomes JSON.
    ///
    /// Beside what is reserved in every token, `sid` and `auth_time` are.
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.claims.session_claim(name.into(), value);
        self
    }

    /// Sets what a person recognises the session by in a list, for instance the `User-Agent`. At
    /// most 256 characters are kept.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        let label: String = label.into();
        self.label = Some(label.chars().take(LONGEST_LABEL).collect());
        self
    }

    pub(crate) fn manager(&self) -> &AuthManager {
        self.manager
    }

    /// Ends this session of this subject when the new one opens.
    pub(crate) fn replaces(mut self, subject: String, session: String) -> Self {
        self.replaced.push((subject, session));
        self
    }

    async fn open(self) -> Result<TokenPair, Rejection> {
        let (manager, sessions) = (self.manager, self.manager.sessions_or_reject()?);
        let policy = sessions.policy;
        let now = manager.now()?;
        let ends_at = now.saturating_add(policy.lifetime);
        let authority = Authority {
            session: random_id()?,
            subject: self.subject,
            opened_at: now,
            ends_at,
            claims: self.claims.into_json()?,
        };
        let session = SessionRecord {
            id: authority.session.clone(),
            subject: authority.subject.clone(),
            opened_at: now,
            expires_at: now.saturating_add(policy.idle).min(ends_at),
            ends_at,
            label: self.label,
            claims: manager.seal(&authority)?,
            generations: vec![Generation::new(now)?],
        };
        // What cannot be minted opens no session.
        let generation = &session.generations[0];
        let pair = manager.mint_pair(sessions, &authority, generation, Occasion::Login)?;
        let is_own = |(subject, _): &(String, String)| *subject == session.subject;
        let (own, others): (Vec<_>, Vec<_>) = self.replaced.into_iter().partition(is_own);
        let own = own.into_iter().map(|(_, session)| session).collect();
        let shared = Arc::clone(sessions);
        let opening = async move {
            let opening = Opening::new(session, policy.max_sessions).replacing(own);
            shared.open(&opening, now).await?;
            for (subject, session) in others {
                let revocation = Revocation::Session { subject, session };
                shared.revoke_unless_dropped(&revocation, now).await?;
            }
            Ok(pair)
        };
        sessions.change(opening).await
    }
}

impl<'a> IntoFuture for LoginBuilder<'a> {
    type Output = Result<TokenPair, Rejection>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(reporting(self.manager, None, self.open()))
    }
}

impl fmt::Debug for LoginBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginBuilder").finish_non_exhaustive()
    }
}

impl Generation {
    /// A pair with ids that nobody can guess.
    pub(super) fn new(now: i64) -> Result<Self, MintError> {
        Ok(Self {
            refresh_id: random_id()?,
            auth_id: random_id()?,
            issued_at: now,
            ..Self::default()
        })
    }
}

/// Why a pair of tokens is minted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// The subject has just proved who it is.
    Login,
    /// It has shown a refresh token.
    Refresh,
}

impl AuthManager {
    pub(super) fn sessions_or_reject(&self) -> Result<&Arc<Sessions>, Rejection> {
        self.parts()
            .sessions
            .as_ref()
            .ok_or(Rejection::NoSessionStore)
    }

    /// Now, in milliseconds since 1970.
    pub(crate) fn now(&self) -> Result<i64, Rejection> {
        Ok(self.parts().verification.clock.now()?.milliseconds())
    }

    /// Mints the tokens of a generation: the same ids, times and claims, however often.
    pub(super) fn mint_pair(
        &self,
        sessions: &Sessions,
        session: &Authority,
        generation: &Generation,
        occasion: Occasion,
    ) -> Result<TokenPair, Rejection> {
        let policy = sessions.policy;
        let issued_at = generation.issued_at.div_euclid(1_000);
        let ends_at = session.ends_at.div_euclid(1_000);
        let until = |age: i64| issued_at.saturating_add(age.div_euclid(1_000)).min(ends_at);
        let idle = policy.idle;
        let opened_at = session.opened_at.div_euclid(1_000);
        let authenticated_at = match occasion {
            Occasion::Login => opened_at,
            // Within the second of the login, too, a refreshed token is not the login's own.
            Occasion::Refresh => opened_at.min(issued_at - 1),
        };
        let mut refresh_claims = Map::from_iter([
            ("sid".to_owned(), session.session.as_str().into()),
            ("auth_time".to_owned(), authenticated_at.into()),
        ]);

        let mut claims = session.claims()?;
        claims.extend(refresh_claims.clone());
        claims.insert("jti".to_owned(), generation.auth_id.as_str().into());
        refresh_claims.insert("rid".to_owned(), generation.refresh_id.as_str().into());
        let draft = |token_type, claims, expires_at| Draft {
            token_type,
            subject: &session.subject,
            claims,
            issued_at,
            expires_at,
        };
        let auth = draft(
            TokenType::Auth,
            claims,
            until(policy.auth_max_age.min(idle)),
        );
        let refresh = draft(TokenType::Refresh, refresh_claims, until(idle));
        let verification = &self.parts().verification;
        Ok(TokenPair {
            auth: auth.sign(verification)?,
            refresh: refresh.sign(verification)?,
        })
    }
}
