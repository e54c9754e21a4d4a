//! Rotating a refresh token.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
};

use serde::Serialize;
use serde_json::Value;

use super::{
    Generation, Rotated, Rotation, SessionEvent, SessionRecord, TokenPair, event::moment,
    login::Occasion, policy::Sessions,
};
use crate::{
    error::MintError,
    manager::AuthManager,
    token::{OwnClaims, Token, TokenError, TokenType},
    web::Rejection,
};

/// A rotation in the making: [`AuthManager::refresh`]. It happens when it is awaited.
#[must_use = "a token is rotated when this is awaited"]
pub struct RefreshBuilder<'a> {
    manager: &'a AuthManager,
    current: &'a Token,
    claims: Option<OwnClaims>,
}

impl AuthManager {
    /// Rotates a refresh token of a session: awaited, it gives the next pair, once.
    ///
    /// A retry or a parallel tab within [`Config::refresh_grace`](crate::Config::refresh_grace)
    /// gets the same pair again. So does a client that never got the answer, within
    /// [`Config::lost_answer_window`](crate::Config::lost_answer_window), as long as no guard and no
    /// [`AuthManager::check`] has seen a token of that pair. Otherwise the token is a copy in somebody's
    /// hands: the session and all its tokens are revoked.
    /// [`Config::on_session_event`](crate::Config::on_session_event) hears of each of the three.
    ///
    /// # Errors
    ///
    /// When awaited: [`Rejection::InvalidToken`] when the token is no refresh token of a live session
    /// or was used before, [`Rejection::Unavailable`] when the store does not answer.
    pub fn refresh<'a>(&'a self, current: &'a Token) -> RefreshBuilder<'a> {
        RefreshBuilder {
            manager: self,
            current,
            claims: None,
        }
    }
}

impl AuthManager {
    /// What cannot be minted rotates nothing.
    fn try_minting(&self, sessions: &Sessions, rotation: &Rotation) -> Result<(), Rejection> {
        let Some(claims) = &rotation.claims else {
            // The session's own claims were minted before.
            let can_sign = self.parts().verification.keys.load().signing.is_some();
            return can_sign
                .then_some(())
                .ok_or_else(|| MintError::MissingSigner.into());
        };
        let now = rotation.successor.issued_at;
        let session = SessionRecord {
            id: rotation.session.clone(),
            subject: rotation.subject.clone(),
            opened_at: now,
            expires_at: now.saturating_add(sessions.policy.idle),
            ends_at: now.saturating_add(sessions.policy.lifetime),
            label: None,
            claims: claims.clone(),
            generations: Vec::new(),
        };
        self.mint_pair(sessions, &session, &rotation.successor, Occasion::Refresh)
            .map(drop)
    }
}

impl Sessions {
    /// Tells that a token was presented again within the grace window.
    fn repeated(&self, rotation: &Rotation, successor: &Generation) {
        tracing::info!(
            session = rotation.session,
            "a refresh token was used again within the grace window: it got the same pair"
        );
        self.tell(&SessionEvent::Repeated {
            subject: rotation.subject.clone(),
            session: rotation.session.clone(),
            rotated_at: moment(successor.issued_at),
            repeated_at: moment(rotation.successor.issued_at),
        });
    }

    /// Tells that a token was presented again later, whose successor nobody has used.
    fn answer_was_lost(&self, rotation: &Rotation, successor: &Generation) {
        tracing::warn!(
            session = rotation.session,
            "a refresh token was used again after the grace window, and its unused pair given again: \
             the answer was lost, or somebody else has that pair"
        );
        self.tell(&SessionEvent::LostAnswer {
            subject: rotation.subject.clone(),
            session: rotation.session.clone(),
            rotated_at: moment(successor.issued_at),
            repeated_at: moment(rotation.successor.issued_at),
        });
    }
}

impl RefreshBuilder<'_> {
    /// Sets the claim `scope` of auth tokens from now on. Whoever sets any claim here sets them all:
    /// those of the login do not go on then.
    pub fn scope(mut self, scope: impl Into<Value>) -> Self {
        let claims = self.claims.get_or_insert_default();
        claims.scope(scope.into());
        self
    }

    /// Sets a claim of auth tokens from now on. Whoever sets any claim here sets them all: those of
    /// the login do not go on then.
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let claims = self.claims.get_or_insert_default();
        claims.session_claim(name.into(), value);
        self
    }

    async fn rotate(self) -> Result<TokenPair, Rejection> {
        let (manager, token) = (self.manager, self.current);
        let sessions = manager.sessions_or_reject()?;
        if token.token_type() != TokenType::Refresh {
            let expected = TokenType::Refresh;
            return Err(TokenError::WrongType { expected }.into());
        }
        let session = token.required_id("sid")?;
        let refresh_id = token.required_id("rid")?;
        let policy = sessions.policy;
        let now = manager.now()?;
        let mut successor = Generation::new(now)?;
        if policy.lost_answer_window > 0 {
            successor.repeatable_until = Some(now.saturating_add(policy.lost_answer_window));
        }
        let rotation = Rotation {
            subject: token.sub().to_owned(),
            session,
            refresh_id,
            successor,
            idle: policy.idle,
            grace: policy.grace,
            claims: self.claims.map(OwnClaims::into_json).transpose()?,
        };
        manager.try_minting(sessions, &rotation)?;
        let mint = |session: SessionRecord, successor: &Generation| {
            manager.mint_pair(sessions, &session, successor, Occasion::Refresh)
        };
        match sessions.ask(|store| store.rotate(&rotation)).await? {
            Rotated::Won(session) => mint(session, &rotation.successor),
            Rotated::Again(session, successor) => {
                sessions.repeated(&rotation, &successor);
                mint(session, &successor)
            }
            Rotated::LostAnswer(session, successor) => {
                sessions.answer_was_lost(&rotation, &successor);
                mint(session, &successor)
            }
            Rotated::Replayed => {
                sessions.replayed(&rotation.subject, &rotation.session);
                Err(TokenError::Replayed.into())
            }
            Rotated::Gone => Err(TokenError::Revoked.into()),
        }
    }
}

impl<'a> IntoFuture for RefreshBuilder<'a> {
    type Output = Result<TokenPair, Rejection>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.rotate())
    }
}

impl fmt::Debug for RefreshBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshBuilder").finish_non_exhaustive()
    }
}
