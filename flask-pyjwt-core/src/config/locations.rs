//! The part of the configuration that says where tokens are.

use super::{Config, key};
use crate::{
    error::ConfigError,
    rules::{TokenLocation, location},
};

impl Config {
    /// Sets where guards look for the token unless they say so themselves: `#[require_token]` without
    /// `location`, [`RequireToken`](crate::RequireToken) without a place. By default that is the
    /// `Authorization` field. Credentials in two of these places are refused with 400.
    ///
    /// A guard inside a guarded scope looks where the guard around it looks.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, TokenLocation};
    ///
    /// let config = Config::new("example", AuthType::HS256, "a secret of 32 bytes, at the least");
    /// let both = config.clone().locations([TokenLocation::Header, TokenLocation::DefaultCookie]);
    /// assert!(AuthManager::new(both).is_ok());
    ///
    /// assert!(AuthManager::new(config.locations([])).is_err());
    /// ```
    pub fn locations(mut self, locations: impl Into<Vec<TokenLocation>>) -> Self {
        self.locations = locations.into();
        self
    }

    /// The places, if each of them can hold a token.
    pub(super) fn take_locations(&mut self) -> Result<Vec<TokenLocation>, ConfigError> {
        let locations = std::mem::take(&mut self.locations);
        match location::problem(&locations) {
            Some(problem) => Err(ConfigError::invalid(key::LOCATIONS, problem)),
            None => Ok(location::without_repeats(locations)),
        }
    }
}
