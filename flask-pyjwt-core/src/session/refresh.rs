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
        let claims = claims.map(|claims| claims.bound_like(token).into_json());
        let claims = claims.transpose()?;
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
        let is_remote = self.signs_remotely()?;
        if let (Some(claims), false) = (&claims, is_remote) {
            self.try_minting(&rotation, claims).await?;
        }
        let plan = self.plan(&rotation, claims, is_remote).await?;
        rotation.claims = plan.claims;
        // Mint before the store is told: a refresh whose tokens cannot be signed must not rotate anything. A caller that
        // goes away here has changed nothing.
        let minted = match plan.to_mint {
            Some(authority) => {
                let successor = &rotation.successor;
                let pair = self
                    .mint_next(&authority, successor, scope.as_deref())
                    .await?;
                Some(Minted { authority, pair })
            }
            None => None,
        };
        let issuer = self.clone();
        let rotating = async move {
            issuer
                .rotate_and_mint(rotation, minted, scope.as_deref())
                .await
        };
        self.sessions.change(rotating).await
    }

    /// Whether the signing key is elsewhere.
    fn signs_remotely(&self) -> Result<bool, MintError> {
        let ring = self.verification.keys.load();
        let signing = ring.signing.as_ref().ok_or(MintError::MissingSigner)?;
        Ok(signing.signer.remote().is_some())
    }

    /// Mints with new claims, and drops the tokens: a refresh whose tokens cannot be minted must not rotate anything. Claims
    /// that the session already has were minted before.
    async fn try_minting(&self, rotation: &Rotation, claims: &str) -> Result<(), MintError> {
        let now = rotation.successor.issued_at;
        let session = Authority {
            session: rotation.session.clone(),
            subject: rotation.subject.clone(),
            opened_at: now,
            ends_at: now + self.sessions.policy.lifetime,
            claims: claims.to_owned(),
        };
        self.mint_pair(&session, &rotation.successor, Occasion::Refresh)
            .await
            .map(drop)
    }

    /// What a rotation writes into the record besides the successor: new claims, or the existing ones
    /// if the key of their seal no longer signs. For a remote key, also what to mint before the rotation.
    ///
    /// The record that is read here is the one that the rotation changes, or the rotation does not
    /// win. Only a winning rotation changes claims, and it makes all earlier tokens old.
    async fn plan(
        &self,
        rotation: &Rotation,
        claims: Option<String>,
        is_remote: bool,
    ) -> Result<Plan, SessionError> {
        if claims.is_none() && !is_remote && !self.has_several_seals()? {
            return Ok(Plan::default());
        }
        let Rotation {
            subject, session, ..
        } = rotation;
        let now = rotation.successor.issued_at;
        let record = self.sessions.record(subject, session, now).await?;
        let Some(record) = record else {
            return match claims {
                None => Ok(Plan::default()),
                Some(_) => Err(TokenError::Revoked.into()),
            };
        };
        let unsealed = self.unseal(&record, subject, session)?;
        let claims = match claims {
            Some(claims) => match unsealed.authority.kept_in(&claims)? {
                Some(longer) => {
                    if !is_remote {
                        self.try_minting(rotation, &longer).await?;
                    }
                    Some(longer)
                }
                None => Some(claims),
            },
            None => None,
        };
        let (authority, is_written) = match claims {
            Some(claims) => (
                Authority {
                    claims,
                    ..unsealed.authority
                },
                true,
            ),
            None => (unsealed.authority, unsealed.is_old),
        };
        // A token that is not the current one does not win. It must not cost signatures.
        let current = record.generations.last();
        let may_win = current.is_some_and(|current| current.refresh_id == rotation.refresh_id);
        Ok(Plan {
            claims: is_written.then(|| self.seal(&authority)).transpose()?,
            to_mint: Some(authority).filter(|_| is_remote && may_win),
        })
    }

    /// The claims that the next auth token of a refresh token's session has. `None` if the token is not the current one: it
    /// was rotated before. This only reads.
    #[cfg(feature = "oauth")]
    pub(crate) async fn claims_of_next(
        &self,
        token: &Token,
    ) -> Result<Option<serde_json::Map<String, serde_json::Value>>, SessionError> {
        let session = token.required_id("sid")?;
        let record = self.sessions.record(token.sub(), &session, self.now()?);
        let record = record.await?.ok_or(TokenError::Revoked)?;
        let refresh_id = token.required_id("rid")?;
        let current = record.generations.last();
        if current.is_none_or(|current| current.refresh_id != refresh_id) {
            return Ok(None);
        }
        let unsealed = self.unseal(&record, token.sub(), &session)?;
        Ok(Some(unsealed.authority.claims()?))
    }

    /// Asks the store, mints the resulting pair unless that was done before, and reports a theft.
    async fn rotate_and_mint(
        &self,
        rotation: Rotation,
        minted: Option<Minted>,
        scope: Option<&str>,
    ) -> Result<TokenPair, SessionError> {
        let Rotation {
            subject, session, ..
        } = &rotation;
        let sessions = &self.sessions;
        let rotated = sessions
            .ask(StoreCall::Rotate, |store| store.rotate(&rotation))
            .await;
        // The store may have ended the session.
        let rotated = rotated.inspect_err(|_| sessions.forget_answers())?;
        match rotated {
            Rotated::Won(record) => {
                let authority = self.unseal(&record, subject, session)?.authority;
                let pair = match minted {
                    Some(minted) if minted.authority == authority => minted.pair,
                    _ => {
                        self.mint_next(&authority, &rotation.successor, scope)
                            .await?
                    }
                };
                sessions.report_refresh(&rotation);
                Ok(pair)
            }
            Rotated::Again(record, successor) => {
                check_generation(&successor, session, &self.sessions.policy, self.now()?)?;
                sessions.report_repetition(&rotation, &successor);
                self.mint_again(&rotation, &record, &successor, scope).await
            }
            Rotated::LostAnswer(record, successor) => {
                check_generation(&successor, session, &self.sessions.policy, self.now()?)?;
                sessions.report_lost_answer(&rotation, &successor);
                self.mint_again(&rotation, &record, &successor, scope).await
            }
            Rotated::Replayed => {
                sessions.report_replay(subject, session, rotation.successor.issued_at);
                Err(TokenError::Replayed.into())
            }
            Rotated::Gone => Err(TokenError::Revoked.into()),
        }
    }

    /// Mints a pair that was issued before. If that fails, the client can repeat the attempt for as long as the store gives
    /// this pair again.
    async fn mint_again(
        &self,
        rotation: &Rotation,
        record: &SessionRecord,
        successor: &Generation,
        scope: Option<&str>,
    ) -> Result<TokenPair, SessionError> {
        let unsealed = self.unseal(record, &rotation.subject, &rotation.session)?;
        let pair = self.mint_next(&unsealed.authority, successor, scope);
        Ok(pair.await?)
    }

    /// Mints a refreshed pair, with a narrower scope if one is given.
    async fn mint_next(
        &self,
        authority: &Authority,
        successor: &Generation,
        scope: Option<&str>,
    ) -> Result<TokenPair, MintError> {
        let Some(scope) = scope else {
            return self
                .mint_pair(authority, successor, Occasion::Refresh)
                .await;
        };
        let narrowed = authority.narrowed(scope)?;
        self.mint_pair(&narrowed, successor, Occasion::Refresh)
            .await
    }
}

/// What a rotation does besides making a new pair.
#[derive(Default)]
struct Plan {
    /// The sealed claims to write into the record. `None` leaves them unchanged.
    claims: Option<String>,
    /// What to mint before the rotation.
    to_mint: Option<Authority>,
}

/// A pair that was minted before its rotation.
struct Minted {
    authority: Authority,
    pair: TokenPair,
}
