//! What the tokens of sessions are minted and revoked with.

use std::sync::Arc;

use super::{Moment, policy::Sessions};
use crate::token::{TokenError, Verification};

/// Opens, rotates and ends sessions: their store, and the keys, the rules and the clock of their tokens.
/// Cheap to clone.
#[derive(Clone)]
pub(crate) struct SessionIssuer {
    pub(super) sessions: Arc<Sessions>,
    pub(super) verification: Arc<Verification>,
}

impl SessionIssuer {
    pub(crate) fn new(sessions: &Arc<Sessions>, verification: &Arc<Verification>) -> Self {
        Self {
            sessions: Arc::clone(sessions),
            verification: Arc::clone(verification),
        }
    }

    /// The claim `iss` of the tokens.
    pub(super) fn issuer(&self) -> &str {
        &self.verification.rules.issuer
    }

    /// Now, as stores keep it.
    pub(super) fn now(&self) -> Result<Moment, TokenError> {
        Ok(Moment::from_milliseconds(
            self.verification.clock.now()?.milliseconds(),
        ))
    }
}
