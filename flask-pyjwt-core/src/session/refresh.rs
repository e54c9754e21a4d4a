//! Rotating a refresh token.

use super::{
    Generation, MOST_SESSIONS, Rotated, Rotation, SessionError, SessionEvent, SessionRecord,
    TokenPair,
    authority::{Authority, check_generation},
    issuer::SessionIssuer,
    login::Occasion,
    policy::Sessions,
};
use crate::{
    error::MintError,
    token::{OwnClaims, Token, TokenError, TokenType},
};

impl SessionIssuer {
    /// Rotates a refresh token of a session, and gives the next pair. New claims take the place of all that
    /// the login has set.
    pub(crate) async fn refresh(
        &self,
        token: &Token,
        claims: Option<OwnClaims>,
    ) -> Result<TokenPair, SessionError> {
        if token.token_type() != TokenType::Refresh {
            let expected = TokenType::Refresh;
            return Err(TokenError::WrongType { expected }.into());
        }
        let session = token.required_id("sid")?;
        let refresh_id = token.required_id("rid")?;
        let policy = self.sessions.policy;
        let claims = claims.map(OwnClaims::into_json).transpose()?;
        let now = self.now()?;
        let mut successor = Generation::random(now)?;
        if policy.lost_answer_window.is_positive() {
            successor.repeatable_until = Some(now + policy.lost_answer_window);
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
        self.try_minting(&rotation, claims.as_deref())?;
        rotation.claims = self.claims_to_write(&rotation, claims).await?;
        let issuer = self.clone();
        let rotating = async move { issuer.rotate_to_the_end(rotation).await };
        self.sessions.change(rotating).await
    }

    /// What cannot be minted rotates nothing.
    fn try_minting(&self, rotation: &Rotation, claims: Option<&str>) -> Result<(), MintError> {
        let Some(claims) = claims else {
            // The session's own claims were minted before.
            let can_sign = self.verification.keys.load().signing.is_some();
            return can_sign.then_some(()).ok_or(MintError::MissingSigner);
        };
        let now = rotation.successor.issued_at;
        let session = Authority {
            session: rotation.session.clone(),
            subject: rotation.subject.clone(),
            opened_at: now,
            ends_at: now + self.sessions.policy.lifetime,
            claims: claims.to_owned(),
        };
        self.mint_pair(&session, &rotation.successor, Occasion::Refresh)
            .map(drop)
    }

    /// The claims that a rotation writes into the record, sealed: new ones, or the session's own where
    /// their seal was made by a key that signs no more. Nothing where the record stays as it is.
    ///
    /// What is read here is what the rotation changes, or else the rotation does not win: nothing but a
    /// rotation that wins changes claims, and each makes the tokens before it old.
    async fn claims_to_write(
        &self,
        rotation: &Rotation,
        claims: Option<String>,
    ) -> Result<Option<String>, SessionError> {
        if claims.is_none() && !self.has_several_seals()? {
            return Ok(None);
        }
        let Rotation {
            subject, session, ..
        } = rotation;
        let now = rotation.successor.issued_at;
        let records = self
            .sessions
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
        Ok(Some(self.seal(&authority)?))
    }

    /// Asks the store, mints what it answers, and tells of a theft.
    async fn rotate_to_the_end(&self, rotation: Rotation) -> Result<TokenPair, SessionError> {
        let Rotation {
            subject, session, ..
        } = &rotation;
        let mint = |record: &SessionRecord, successor: &Generation| {
            let authority = self.unseal(record, subject, session)?.authority;
            Ok(self.mint_pair(&authority, successor, Occasion::Refresh)?)
        };
        let sessions = &self.sessions;
        let rotated = sessions.ask(|store| store.rotate(&rotation)).await;
        // Nobody knows whether the store has ended the session.
        let rotated = rotated.inspect_err(|_| sessions.forget_answers())?;
        match rotated {
            Rotated::Won(record) => mint(&record, &rotation.successor),
            Rotated::Again(record, successor) => {
                check_generation(&successor, session, &self.sessions.policy, self.now()?)?;
                sessions.repeated(&rotation, &successor);
                mint(&record, &successor)
            }
            Rotated::LostAnswer(record, successor) => {
                check_generation(&successor, session, &self.sessions.policy, self.now()?)?;
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
            rotated_at: successor.issued_at.into(),
            repeated_at: rotation.successor.issued_at.into(),
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
            rotated_at: successor.issued_at.into(),
            repeated_at: rotation.successor.issued_at.into(),
        });
    }
}
