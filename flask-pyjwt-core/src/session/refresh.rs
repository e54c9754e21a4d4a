//! Rotating a refresh token.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
};

use serde::Serialize;
use serde_json::Value;

use super::{
    Generation, MOST_SESSIONS, Rotated, Rotation, SessionEvent, SessionRecord, TokenPair,
    authority::{Authority, check_generation},
    event::moment,
    login::Occasion,
    policy::Sessions,
};
use crate::{
    error::MintError,
    manager::AuthManager,
    token::{OwnClaims, Token, TokenError, TokenType},
    web::{Rejection, refused::reporting},
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
    /// [`AuthManager::check`] has seen a token of that pair. Where its auth token has expired by then, the
    /// client gets the pair after it. Otherwise the token is a copy in somebody's hands: the session and
    /// all its tokens are revoked.
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
    fn try_minting(
        &self,
        sessions: &Sessions,
        rotation: &Rotation,
        claims: Option<&str>,
    ) -> Result<(), Rejection> {
        let Some(claims) = claims else {
            // The session's own claims were minted before.
            let can_sign = self.parts().verification.keys.load().signing.is_some();
            return can_sign
                .then_some(())
                .ok_or_else(|| MintError::MissingSigner.into());
        };
        let now = rotation.successor.issued_at;
        let session = Authority {
            session: rotation.session.clone(),
            subject: rotation.subject.clone(),
            opened_at: now,
            ends_at: now.saturating_add(sessions.policy.lifetime),
            claims: claims.to_owned(),
        };
        self.mint_pair(sessions, &session, &rotation.successor, Occasion::Refresh)
            .map(drop)
    }

    /// The claims that a rotation writes into the record, sealed: new ones, or the session's own where
    /// their seal was made by a key that signs no more. Nothing where the record stays as it is.
    ///
    /// What is read here is what the rotation changes, or else the rotation does not win: nothing but a
    /// rotation that wins changes claims, and each makes the tokens before it old.
    async fn claims_to_write(
        &self,
        sessions: &Sessions,
        rotation: &Rotation,
        claims: Option<String>,
    ) -> Result<Option<String>, Rejection> {
        if claims.is_none() && !self.has_several_seals()? {
            return Ok(None);
        }
        let Rotation {
            subject, session, ..
        } = rotation;
        let now = rotation.successor.issued_at;
        let records = sessions
            .ask(|store| store.sessions(subject, MOST_SESSIONS, now))
            .await?;
        let record = records.into_iter().find(|record| record.id == *session);
        let Some(record) = record else {
            return match claims {
                None => Ok(None),
                Some(_) => Err(TokenError::Revoked.into()),
            };
        };
        let unsealed = self.unseal(&record, subject, session)?;
        let authority = match claims {
            Some(claims) => Authority {
                claims,
                ..unsealed.authority
            },
            None if unsealed.is_old => unsealed.authority,
            None => return Ok(None),
        };
        self.seal(&authority).map(Some)
    }

    /// Asks the store, mints what it answers, and tells of a theft.
    async fn rotate_to_the_end(
        &self,
        sessions: &Arc<Sessions>,
        rotation: Rotation,
    ) -> Result<TokenPair, Rejection> {
        let Rotation {
            subject, session, ..
        } = &rotation;
        let mint = |record: &SessionRecord, successor: &Generation| {
            let authority = self.unseal(record, subject, session)?.authority;
            self.mint_pair(sessions, &authority, successor, Occasion::Refresh)
        };
        let rotated = sessions.ask(|store| store.rotate(&rotation)).await;
        // Nobody knows whether the store has ended the session.
        let rotated = rotated.inspect_err(|_| sessions.forget_answers())?;
        match rotated {
            Rotated::Won(record) => mint(&record, &rotation.successor),
            Rotated::Again(record, successor) => {
                check_generation(&successor, session, &sessions.policy, self.now()?)?;
                sessions.repeated(&rotation, &successor);
                mint(&record, &successor)
            }
            Rotated::LostAnswer(record, successor) => {
                check_generation(&successor, session, &sessions.policy, self.now()?)?;
                sessions.answer_was_lost(&rotation, &successor);
                mint(&record, &successor)
            }
            Rotated::Replayed => {
                sessions.replayed(subject, session);
                Err(TokenError::Replayed.into())
            }
            Rotated::Gone => Err(TokenError::Revoked.into()),
        }
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

    /// Rotates the token. A pair that is given again may be so old that its auth token has expired: then
    /// it is rotated, too, since nobody could use it.
    async fn rotate(self) -> Result<TokenPair, Rejection> {
        let claims = self.claims.map(OwnClaims::into_json).transpose()?;
        let pair = rotate_once(self.manager, self.current, claims.clone()).await?;
        let now = self.manager.now()?;
        let has_expired = |token: &Token| token.expires_at_milliseconds() <= now;
        if has_expired(&pair.auth) && !has_expired(&pair.refresh) {
            return rotate_once(self.manager, &pair.refresh, claims).await;
        }
        Ok(pair)
    }
}

/// Presents a refresh token to the store, and mints what it answers.
async fn rotate_once(
    manager: &AuthManager,
    token: &Token,
    claims: Option<String>,
) -> Result<TokenPair, Rejection> {
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
    let mut rotation = Rotation {
        subject: token.sub().to_owned(),
        session,
        refresh_id,
        successor,
        idle: policy.idle,
        grace: policy.grace,
        claims: None,
    };
    manager.try_minting(sessions, &rotation, claims.as_deref())?;
    rotation.claims = manager.claims_to_write(sessions, &rotation, claims).await?;
    let (manager, shared) = (manager.clone(), Arc::clone(sessions));
    let rotating = async move { manager.rotate_to_the_end(&shared, rotation).await };
    sessions.change(rotating).await
}

impl<'a> IntoFuture for RefreshBuilder<'a> {
    type Output = Result<TokenPair, Rejection>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(reporting(self.manager, Some(self.current), self.rotate()))
    }
}

impl fmt::Debug for RefreshBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RefreshBuilder").finish_non_exhaustive()
    }
}
