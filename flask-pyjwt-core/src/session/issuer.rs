//! What is needed to mint and revoke the tokens of sessions.

use std::sync::Arc;

use super::{Moment, policy::Sessions};
use crate::token::{TokenError, Verification};

/// Opens, rotates and ends sessions. It holds the session store, and the keys, rules and clock for
/// the tokens. Cheap to clone.
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

    /// The current time, in the unit of the stores.
    pub(super) fn now(&self) -> Result<Moment, TokenError> {
        Ok(Moment::from_milliseconds(
            self.verification.clock.now()?.milliseconds(),
        ))
    }
}
