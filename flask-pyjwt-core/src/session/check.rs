//! Checks with the session store whether a verified token is still good.

use std::sync::Arc;

use time::Duration;

use super::{
    Moment, Revocation, SessionError, Standing, StoreError, TokenIdentity,
    moment::whole_milliseconds,
    policy::{Sessions, log_failure},
};
use crate::token::{Token, TokenError, TokenType};

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
        // Read before the store is asked: a revocation in the meantime makes the answer worthless.
        let epoch = self.epoch();
        let staleness = match token.token_type() {
            TokenType::Auth => self.policy.staleness,
            TokenType::Refresh => Duration::ZERO,
        };
        let epoch = epoch.filter(|_| staleness.is_positive());
        if epoch.is_some_and(|epoch| {
            token
                .last_answer()
                .holds(epoch, now.milliseconds(), whole_milliseconds(staleness))
        }) {
            return Ok(());
        }
        let identity = self.identity(token)?;
        let mut standing = self.ask(|store| store.standing(&identity, now)).await?;
        if standing == Standing::Unused && holder == Holder::Client {
            standing = self.ask(|store| store.mark_used(&identity, now)).await?;
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
                    sessions.revoke_within_change(&revocation, now).await?;
                    sessions.report_replay(&subject, &session);
                    Ok::<_, SessionError>(())
                })
                .await?;
                Err(TokenError::Replayed.into())
            }
        }
    }

    /// Whether a refresh token is the latest of an open session, or the answer is unknown. This
    /// only reads: an old refresh token is not treated as theft here.
    pub(crate) async fn may_be_latest(&self, token: &Token, now: Moment) -> bool {
        let Ok(mut identity) = self.identity(token) else {
            return true;
        };
        // A rotated token is not the latest, even within the grace window.
        identity.grace = Some(Duration::ZERO);
        let answer = self.ask(|store| store.standing(&identity, now)).await;
        !matches!(answer, Ok(Standing::Revoked | Standing::Replayed))
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
