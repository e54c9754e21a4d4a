//! Logging in: the builder of a session.

use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use serde::Serialize;
use serde_json::Value;

use super::refused::reporting;
use crate::{
    manager::AuthManager,
    session::{Login, SessionError, TokenPair},
    token::OwnClaims,
};

/// The longest label in characters; what is longer is cut.
const LONGEST_LABEL: usize = 256;

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
/// assert!(auth.check_revocation(&pair.auth).await.is_ok());
///
/// auth.logout(&pair.auth).await?;
/// assert!(auth.check_revocation(&pair.auth).await.is_err());
/// # Ok(())
/// # }
/// ```
#[must_use = "the session opens when this is awaited: add `.await?`"]
pub struct LoginBuilder<'a> {
    manager: &'a AuthManager,
    login: Login,
    /// What the first poll has begun.
    opening: Option<Opening<'a>>,
}

type Opening<'a> = Pin<Box<dyn Future<Output = Result<TokenPair, SessionError>> + Send + 'a>>;

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
    /// When awaited: [`SessionError::Store`] when the store does not answer,
    /// [`SessionError::NoStore`], and [`SessionError::Mint`] for claims that cannot be.
    pub fn login(&self, subject: impl fmt::Display) -> LoginBuilder<'_> {
        LoginBuilder {
            manager: self,
            login: Login {
                subject: subject.to_string(),
                claims: OwnClaims::default(),
                label: None,
                replaced: Vec::new(),
            },
            opening: None,
        }
    }
}

impl LoginBuilder<'_> {
    /// Sets the claim `scope` of all auth tokens of the session.
    pub fn scope(mut self, scope: impl Into<Value>) -> Self {
        self.login.claims.scope(scope.into());
        self
    }

    /// Sets a claim of all auth tokens of the session to anything that becomes JSON.
    ///
    /// Beside what is reserved in every token, `sid` and `auth_time` are.
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.login.claims.session_claim(name.into(), value);
        self
    }

    /// Sets what a person recognises the session by in a list, for instance the `User-Agent`. At
    /// most 256 characters are kept.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        let label: String = label.into();
        self.login.label = Some(label.chars().take(LONGEST_LABEL).collect());
        self
    }

    pub(super) fn manager(&self) -> &AuthManager {
        self.manager
    }

    /// Ends this session of this subject when the new one opens.
    pub(super) fn replaces(mut self, subject: String, session: String) -> Self {
        self.login.replaced.push((subject, session));
        self
    }
}

// A future, and not only `IntoFuture`: the compiler proposes `.await` where it is forgotten.
impl Future for LoginBuilder<'_> {
    type Output = Result<TokenPair, SessionError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            manager,
            login,
            opening,
        } = &mut *self;
        let opening = opening.get_or_insert_with(|| {
            let (manager, login) = (*manager, mem::take(login));
            let work = async move { manager.session_issuer()?.login(login).await };
            Box::pin(reporting(manager, None, work))
        });
        opening.as_mut().poll(context)
    }
}

impl fmt::Debug for LoginBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginBuilder").finish_non_exhaustive()
    }
}
