//! Refresh token rotation.

use super::{
    Generation, Rotated, Rotation, SessionError, SessionRecord, TokenPair,
    authority::{Authority, check_generation},
    issuer::SessionIssuer,
    login::Occasion,
};
use crate::{
    error::MintError,
    meters::StoreCall,
    token::{OwnClaims, Token, TokenError, TokenType},
};

impl SessionIssuer {
    /// Rotates a refresh token of a session and returns the next pair. New claims replace all
    /// claims set by the login. With `scope`, a space-separated list, the auth token of this pair has
    /// no other items in its scope; the session keeps its scope.
    pub(crate) async fn refresh(
        &self,
        token: &Token,
        claims: Option<OwnClaims>,
        scope: Option<String>,
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
        let rotating = async move { issuer.rotate_and_mint(rotation, scope.as_deref()).await };
        self.sessions.change(rotating).await
    }

    /// Mints first: a refresh whose tokens cannot be minted must not rotate anything.
    fn try_minting(&self, rotation: &Rotation, claims: Option<&str>) -> Result<(), MintError> {
        let Some(claims) = claims else {
            // The claims of the session were minted before.
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

    /// The sealed claims that a rotation writes into the record: new claims, or the existing ones
    /// if the key of their seal no longer signs. `None` leaves the record unchanged.
    ///
    /// The record that is read here is the one that the rotation changes, or the rotation does not
    /// win. Only a winning rotation changes claims, and it makes all earlier tokens old.
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
        let record = self.sessions.record(subject, session, now).await?;
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

    /// The claims that the next auth token of a refresh token's session has. This only reads.
    #[cfg(feature = "oauth")]
    pub(crate) async fn claims_of_next(
        &self,
        token: &Token,
    ) -> Result<serde_json::Map<String, serde_json::Value>, SessionError> {
        let session = token.required_id("sid")?;
        let record = self.sessions.record(token.sub(), &session, self.now()?);
        let record = record.await?.ok_or(TokenError::Revoked)?;
        let unsealed = self.unseal(&record, token.sub(), &session)?;
        Ok(unsealed.authority.claims()?)
    }

    /// Asks the store, mints the resulting pair, and reports a theft.
    async fn rotate_and_mint(
        &self,
        rotation: Rotation,
        scope: Option<&str>,
    ) -> Result<TokenPair, SessionError> {
        let Rotation {
            subject, session, ..
        } = &rotation;
        let mint = |record: &SessionRecord, successor: &Generation| {
            let mut authority = self.unseal(record, subject, session)?.authority;
            if let Some(scope) = scope {
                authority = authority.narrowed(scope)?;
            }
            Ok(self.mint_pair(&authority, successor, Occasion::Refresh)?)
        };
        let sessions = &self.sessions;
        let rotated = sessions
            .ask(StoreCall::Rotate, |store| store.rotate(&rotation))
            .await;
        // The store may have ended the session.
        let rotated = rotated.inspect_err(|_| sessions.forget_answers())?;
        match rotated {
            Rotated::Won(record) => {
                let pair = mint(&record, &rotation.successor)?;
                sessions.report_refresh(&rotation);
                Ok(pair)
            }
            Rotated::Again(record, successor) => {
                check_generation(&successor, session, &self.sessions.policy, self.now()?)?;
                sessions.report_repetition(&rotation, &successor);
                mint(&record, &successor)
            }
            Rotated::LostAnswer(record, successor) => {
                check_generation(&successor, session, &self.sessions.policy, self.now()?)?;
                sessions.report_lost_answer(&rotation, &successor);
                mint(&record, &successor)
            }
            Rotated::Replayed => {
                sessions.report_replay(subject, session, rotation.successor.issued_at);
                Err(TokenError::Replayed.into())
            }
            Rotated::Gone => Err(TokenError::Revoked.into()),
        }
    }
}
