//! Other issuers that a manager trusts.

use std::collections::HashMap;

use super::{Config, key};
use crate::{
    error::ConfigError,
    issuers::{Defaults, Issuer, Trust},
};

impl Config {
    /// Accepts the tokens of another issuer beside the own ones. May be said again, for more issuers.
    ///
    /// Every route accepts them, unless it is narrowed to one issuer:
    /// `#[require_token(issuer = "https://accounts.example")]`.
    pub fn trust(mut self, issuer: Issuer) -> Self {
        self.trusted.push(issuer);
        self
    }

    /// Judges the other issuers. Each is there once, and none has the name of the own one.
    pub(super) fn issuers(&mut self, own: &str) -> Result<HashMap<String, Trust>, ConfigError> {
        let defaults = Defaults {
            leeway: self.leeway,
            integer_subjects: self.integer_subjects,
            #[cfg(feature = "jwks")]
            clock: self.clock.clone(),
        };
        let mut trusted = HashMap::new();
        for issuer in std::mem::take(&mut self.trusted) {
            let name = issuer.name().to_owned();
            let trust = issuer.validate(&defaults)?;
            if name == own || trusted.insert(name.clone(), trust).is_some() {
                let reason = format!("has the issuer `{name}` twice, or it is the own one");
                return Err(ConfigError::invalid(key::ISSUERS, reason));
            }
        }
        Ok(trusted)
    }
}
