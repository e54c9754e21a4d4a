//! Login: opens a session and mints its tokens.

use std::sync::Arc;

use time::Duration;

use super::{
    EndedBy, Generation, Moment, Opening, Revocation, SessionError, SessionRecord,
    authority::Authority, issuer::SessionIssuer,
};
use crate::{
    error::MintError,
    json::Members,
    token::{Draft, OwnClaims, Token, TokenType, random_id},
};

/// The two tokens of a session, as issued by a login or a refresh.
///
/// Send both to the client. It presents [`auth`](Self::auth) with each request, and exchanges
/// [`refresh`](Self::refresh) for the next pair before `auth` expires. A refresh token can be used
/// once (refresh token rotation, RFC 9700, section 4.14.2).
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
/// let first = auth.login("alice").await?;
/// println!("send {} and {}", first.auth.signed(), first.refresh.signed());
///
/// let second = auth.refresh(&first.refresh).await?;
/// assert_eq!(second.auth.sub(), "alice");
///
/// // Accepts the refresh token of the pair, and refuses the auth token.
/// assert!(auth.refresh(&second.refresh).await.is_ok());
/// assert!(auth.refresh(&second.auth).await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TokenPair {
    /// The short-lived token for requests. It has the claims `jti`, `sid` and `auth_time`.
    pub auth: Token,
    /// The token for [`AuthManager::refresh`](crate::AuthManager::refresh), for one use. It has the
    /// claims `rid`, `sid` and `auth_time`.
    #[doc(alias = "refresh_token")]
    pub refresh: Token,
}

/// A session to be opened.
#[derive(Default)]
pub(crate) struct Login {
    pub(crate) subject: String,
    /// The claims of the session's auth tokens.
    pub(crate) claims: OwnClaims,
    pub(crate) label: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) user_agent: Option<String>,
    /// Subject and id of each session that ends when this one opens.
    pub(crate) replaced: Vec<(String, String)>,
}

impl SessionIssuer {
    /// Opens a session and returns its first pair of tokens.
    pub(crate) async fn login(&self, login: Login) -> Result<TokenPair, SessionError> {
        let sessions = &self.sessions;
        let policy = sessions.policy;
        let now = self.now()?;
        let ends_at = now + policy.lifetime;
        let authority = Authority {
            session: random_id()?,
            subject: login.subject,
            opened_at: now,
            ends_at,
            claims: login.claims.into_json()?,
        };
        let session = SessionRecord {
            id: authority.session.clone(),
            subject: authority.subject.clone(),
            opened_at: now,
            expires_at: (now + policy.idle).min(ends_at),
            ends_at,
            label: login.label,
            address: login.address,
            user_agent: login.user_agent,
            claims: self.seal(&authority)?,
            generations: vec![Generation::random(now)?],
        };
        // Mint first: a login whose tokens cannot be minted must open no session.
        let generation = &session.generations[0];
        let pair = self
            .mint_pair(&authority, generation, Occasion::Login)
            .await?;
        let is_same_subject = |(subject, _): &(String, String)| *subject == session.subject;
        let (replaced, others): (Vec<_>, Vec<_>) =
            login.replaced.into_iter().partition(is_same_subject);
        let replaced = replaced.into_iter().map(|(_, session)| session).collect();
        let shared = Arc::clone(sessions);
        let opening = async move {
            let opening = Opening::new(session, policy.max_sessions).replacing(replaced);
            shared.open(&opening, now).await?;
            for (subject, session) in others {
                let revocation = Revocation::Session { subject, session };
                shared
                    .revoke_and_report(&revocation, EndedBy::Login, now)
                    .await?;
            }
            Ok(pair)
        };
        sessions.change(opening).await
    }

    /// Mints the tokens of a generation. Repeated calls give the same ids, times and claims.
    ///
    /// It changes nothing, so it may be dropped at any await.
    pub(super) async fn mint_pair(
        &self,
        session: &Authority,
        generation: &Generation,
        occasion: Occasion,
    ) -> Result<TokenPair, MintError> {
        let policy = self.sessions.policy;
        let issued_at = generation.issued_at.seconds();
        let ends_at = session.ends_at.seconds();
        let until = |age: Duration| issued_at.saturating_add(age.whole_seconds()).min(ends_at);
        let idle = policy.idle;
        let opened_at = session.opened_at.seconds();
        let authenticated_at = match occasion {
            Occasion::Login => opened_at,
            // A token refreshed within the second of the login must not pass as the login's token.
            Occasion::Refresh => opened_at.min(issued_at - 1),
        };
        let claims = session.claims()?;
        let mut refresh_claims = Members::default();
        // Whoever has stolen the refresh token must not get further with it (RFC 9449, section 5), and the token endpoint has
        // to know whose token it is before it rotates it (RFC 6749, section 10.4).
        for name in ["cnf", "client_id"] {
            if let Some(value) = claims.get(name) {
                refresh_claims.insert(name, value);
            }
        }
        // The auth tokens of a login that names no client have that of the profile (RFC 9068).
        if let Some(client) = self.verification.client_id.as_deref()
            && !refresh_claims.has("client_id")
        {
            refresh_claims.insert("client_id", &client.into());
        }
        let mut claims = Members::from(claims);
        for claims in [&mut claims, &mut refresh_claims] {
            claims.insert("sid", &session.session.as_str().into());
            claims.insert("auth_time", &authenticated_at.into());
        }
        claims.insert("jti", &generation.auth_id.as_str().into());
        refresh_claims.insert("rid", &generation.refresh_id.as_str().into());
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
        // A remote key makes both signatures at the same time.
        let (auth, refresh) = tokio::try_join!(
            auth.sign_async(&self.verification),
            refresh.sign_async(&self.verification),
        )?;
        Ok(TokenPair { auth, refresh })
    }
}

impl Generation {
    /// A pair with random, unguessable ids.
    pub(super) fn random(now: Moment) -> Result<Self, MintError> {
        Ok(Self::new(random_id()?, random_id()?, now))
    }
}

/// Why a pair of tokens is minted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// The user has just authenticated.
    Login,
    /// The client has presented a refresh token.
    Refresh,
}
