//! Whether a verified token is still good.

use std::sync::Arc;

use time::Duration;

use super::{
    Moment, Revocation, SessionError, Standing, StoreError, TokenIdentity,
    moment::whole_milliseconds,
    policy::{Sessions, unanswered},
};
use crate::token::{Token, TokenError, TokenType};

/// Who is known to have a token that is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    /// The client: it has presented the token.
    Client,
    /// Only this server: the token was minted for this request, and its answer may get lost.
    Server,
}

impl Sessions {
    /// Asks the store about a token, unless it has said a moment ago that it is good.
    ///
    /// The first token of a new pair that its client presents is marked as used, before it passes.
    pub(crate) async fn check(
        self: &Arc<Self>,
        token: &Token,
        holder: Holder,
        now: Moment,
    ) -> Result<(), SessionError> {
        // Read before the store is asked: what is revoked meanwhile makes the answer worthless.
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
            // An answer that is remembered would keep the client's own request from marking it.
            Standing::Unused if holder == Holder::Server => Ok(()),
            Standing::Unused => {
                let error = StoreError::unavailable("the store has not marked a token as used");
                Err(unanswered(error))
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
                    sessions.revoke_unless_dropped(&revocation, now).await?;
                    sessions.replayed(&subject, &session);
                    Ok::<_, SessionError>(())
                })
                .await?;
                Err(TokenError::Replayed.into())
            }
        }
    }

    /// Whether a refresh token is the latest one of an open session, or nobody can tell. Nothing follows
    /// from it: an old refresh token is no theft here.
    pub(crate) async fn may_be_latest(&self, token: &Token, now: Moment) -> bool {
        let Ok(mut identity) = self.identity(token) else {
            return true;
        };
        // One that was rotated is not the latest, however short ago that was.
        identity.grace = Some(Duration::ZERO);
        let answer = self.ask(|store| store.standing(&identity, now)).await;
        !matches!(answer, Ok(Standing::Revoked | Standing::Replayed))
    }

    /// What the store has to know of a token.
    fn identity(&self, token: &Token) -> Result<TokenIdentity, TokenError> {
        let session = token.id("sid")?;
        Ok(TokenIdentity {
            subject: token.sub().to_owned(),
            // A token of no session may call anything its `jti`.
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
