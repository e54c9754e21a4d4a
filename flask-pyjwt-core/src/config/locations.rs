//! Configuration of the places where guards look for tokens.

use super::{Config, key};
use crate::{
    error::ConfigError,
    rules::{TokenLocation, location},
};

impl Config {
    /// Sets where guards without a `location` of their own look for the token. The default is the `Authorization` header.
    ///
    /// Credentials in two of these places are refused with 400. A guard without a location inside a guarded scope uses the
    /// location of the guard around it.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, TokenLocation};
    ///
    /// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// let both = config.clone().locations([TokenLocation::Header, TokenLocation::DefaultCookie]);
    /// assert!(AuthManager::new(both).is_ok());
    ///
    /// assert!(AuthManager::new(config.locations([])).is_err());
    /// ```
    #[doc(alias = "JWT_TOKEN_LOCATION")]
    pub fn locations(mut self, locations: impl Into<Vec<TokenLocation>>) -> Self {
        self.locations = locations.into();
        self
    }

    /// The places, checked and without repeats.
    pub(super) fn take_locations(&mut self) -> Result<Vec<TokenLocation>, ConfigError> {
        let locations = std::mem::take(&mut self.locations);
        match location::problem(&locations) {
            Some(problem) => Err(ConfigError::invalid(key::LOCATIONS, problem)),
            None => Ok(location::without_repeats(locations)),
        }
    }
}
