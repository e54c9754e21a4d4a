//! Checks with the session store whether a verified token is still good.

use std::sync::Arc;

use time::Duration;

use super::{
    MOST_SESSIONS, Moment, Revocation, SessionError, SessionRecord, Standing, StoreError,
    TokenIdentity,
    moment::whole_milliseconds,
    policy::{Sessions, log_failure},
};
use crate::{
    meters::StoreCall,
    token::{Token, TokenError, TokenType},
};

/// Who is known to hold the token that is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// The client has presented the token.
    Client,
    /// Only this server. The token was minted for this request, and the response may get lost.
    Server,
}

impl Sessions {
    /// Asks the store about a token, unless a recent answer said that the token is good.
    ///
    /// The first token of a new pair that the client presents is marked as used before it is
    /// accepted.
    pub(crate) async fn check(
        self: &Arc<Self>,
        token: &Token,
        holder: Holder,
        now: Moment,
    ) -> Result<(), SessionError> {
        let epoch = self.epoch_for(token);
        if self.remembers(token, epoch, now) {
            return Ok(());
        }
        let identity = self.identity(token)?;
        let mut standing = self
            .ask(StoreCall::Standing, |store| store.standing(&identity, now))
            .await?;
        if standing == Standing::Unused && holder == Holder::Client {
            standing = self
                .ask(StoreCall::MarkUsed, |store| store.mark_used(&identity, now))
                .await?;
        }
        match standing {
            // Not cached: otherwise the client's own request would not mark the pair as used.
            Standing::Unused if holder == Holder::Server => Ok(()),
            Standing::Unused => {
                let error = StoreError::unavailable("the store did not mark a token as used");
                Err(log_failure(error))
            }
            Standing::Good => {
                if let Some(epoch) = epoch {
                    token.last_answer().note(epoch, now.milliseconds());
                }
                Ok(())
            }
            Standing::Revoked => Err(TokenError::Revoked.into()),
            Standing::Replayed => {
                let TokenIdentity {
                    subject, session, ..
                } = identity;
                let session = session.unwrap_or_default();
                let sessions = Arc::clone(self);
                self.change(async move {
                    let revocation = Revocation::Session {
                        subject: subject.clone(),
                        session: session.clone(),
                    };
                    let ended = sessions.revoke_within_change(&revocation, now).await?;
                    if ended.is_empty() {
                        // The one who has ended it has reported that, unless it was the store's
                        // own first attempt.
                        tracing::warn!(
                            session,
                            "a refresh token was used again after the grace window: its session had ended already"
                        );
                    } else {
                        sessions.report_replay(&subject, &session, now);
                    }
                    Ok::<_, SessionError>(())
                })
                .await?;
                Err(TokenError::Replayed.into())
            }
        }
    }

    /// The answer that [`check`](Self::check) would give to the client. This only reads: the token is not marked as used,
    /// and a session is not ended because an old refresh token came again.
    pub(crate) async fn look(&self, token: &Token, now: Moment) -> Result<(), SessionError> {
        if self.remembers(token, self.epoch_for(token), now) {
            return Ok(());
        }
        let identity = self.identity(token)?;
        let standing = self
            .ask(StoreCall::Standing, |store| store.standing(&identity, now))
            .await?;
        match standing {
            Standing::Good | Standing::Unused => Ok(()),
            Standing::Revoked => Err(TokenError::Revoked.into()),
            Standing::Replayed => Err(TokenError::Replayed.into()),
        }
    }

    /// The epoch for which a good answer about this token may be kept. It is read before the store is asked: a revocation
    /// in the meantime makes the answer worthless.
    fn epoch_for(&self, token: &Token) -> Option<u64> {
        self.epoch()
            .filter(|_| self.staleness_of(token).is_positive())
    }

    /// How long a good answer about this token may be kept.
    fn staleness_of(&self, token: &Token) -> Duration {
        match token.token_type() {
            TokenType::Auth => self.policy.staleness,
            TokenType::Refresh => Duration::ZERO,
        }
    }

    /// Whether a recent answer said that the token is good.
    fn remembers(&self, token: &Token, epoch: Option<u64>, now: Moment) -> bool {
        epoch.is_some_and(|epoch| {
            let staleness = whole_milliseconds(self.staleness_of(token));
            token
                .last_answer()
                .holds(epoch, now.milliseconds(), staleness)
        })
    }

    /// Whether a refresh token is the latest of an open session, or the answer is unknown. This
    /// only reads: an old refresh token is not treated as theft here.
    pub(crate) async fn may_be_latest(&self, token: &Token, now: Moment) -> bool {
        let Ok(mut identity) = self.identity(token) else {
            return true;
        };
        // A rotated token is not the latest, even within the grace window.
        identity.grace = Some(Duration::ZERO);
        let answer = self
            .ask(StoreCall::Standing, |store| store.standing(&identity, now))
            .await;
        !matches!(answer, Ok(Standing::Revoked | Standing::Replayed))
    }

    /// Whether a token is good and, if it is a refresh token of a session, was not rotated: not even within the grace
    /// window or that of lost answers. This only reads.
    #[cfg(feature = "oauth")]
    pub(crate) async fn is_current(
        &self,
        token: &Token,
        now: Moment,
    ) -> Result<bool, SessionError> {
        match self.look(token, now).await {
            Err(SessionError::Token(_)) => return Ok(false),
            looked => looked?,
        }
        let Some(session) = token.id("sid")? else {
            return Ok(true);
        };
        let record = self.record(token.sub(), &session, now).await?;
        let current = record.as_ref().and_then(|record| record.current());
        let id = token.own_id()?;
        Ok(current.is_some_and(|current| Some(&current.refresh_id) == id.as_ref()))
    }

    /// The record of an open session.
    pub(super) async fn record(
        &self,
        subject: &str,
        session: &str,
        now: Moment,
    ) -> Result<Option<SessionRecord>, SessionError> {
        let records = self.ask(StoreCall::Sessions, |store| {
            store.sessions(subject, MOST_SESSIONS, now)
        });
        let mut records = records.await?.into_iter();
        Ok(records.find(|record| record.id == session))
    }

    /// What the store needs to know about a token.
    fn identity(&self, token: &Token) -> Result<TokenIdentity, TokenError> {
        let session = token.id("sid")?;
        Ok(TokenIdentity {
            subject: token.sub().to_owned(),
            // A token that belongs to no session may use any value as its `jti`.
            id: match token.own_id() {
                Err(_) if session.is_none() => None,
                id => id?,
            },
            session,
            issued_at: Moment::from_milliseconds(token.issued_at_milliseconds()),
            grace: match token.token_type() {
                TokenType::Auth => None,
                TokenType::Refresh => Some(self.policy.grace),
            },
        })
    }
}
