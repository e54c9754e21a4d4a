//! Opening a session, and minting its tokens.

use std::sync::Arc;

use serde_json::Map;
use time::Duration;

use super::{
    Generation, Moment, Opening, Revocation, SessionError, SessionRecord, authority::Authority,
    issuer::SessionIssuer,
};
use crate::{
    error::MintError,
    token::{Draft, OwnClaims, Token, TokenType, random_id},
};

/// The two tokens of a session: one for resources, one for the next pair.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TokenPair {
    /// Short-lived, for access to resources. It has the claims `jti`, `sid` and `auth_time`.
    pub auth: Token,
    /// For [`AuthManager::refresh`](crate::AuthManager::refresh), once. It has the claims `rid`, `sid` and
    /// `auth_time`.
    pub refresh: Token,
}

/// A session that is to be opened.
#[derive(Default)]
pub(crate) struct Login {
    pub(crate) subject: String,
    /// The claims of its auth tokens.
    pub(crate) claims: OwnClaims,
    pub(crate) label: Option<String>,
    /// Subjects and ids of the sessions that end when this one opens.
    pub(crate) replaced: Vec<(String, String)>,
}

impl SessionIssuer {
    /// Opens a session, and gives its first pair of tokens.
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
            claims: self.seal(&authority)?,
            generations: vec![Generation::random(now)?],
        };
        // What cannot be minted opens no session.
        let generation = &session.generations[0];
        let pair = self.mint_pair(&authority, generation, Occasion::Login)?;
        let is_own = |(subject, _): &(String, String)| *subject == session.subject;
        let (own, others): (Vec<_>, Vec<_>) = login.replaced.into_iter().partition(is_own);
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

    /// Mints the tokens of a generation: the same ids, times and claims, however often.
    pub(super) fn mint_pair(
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
        Ok(TokenPair {
            auth: auth.sign(&self.verification)?,
            refresh: refresh.sign(&self.verification)?,
        })
    }
}

impl Generation {
    /// A pair with ids that nobody can guess.
    pub(super) fn random(now: Moment) -> Result<Self, MintError> {
        Ok(Self::new(random_id()?, random_id()?, now))
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
