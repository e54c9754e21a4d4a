//! The profile of minted access tokens (RFC 9068).

use super::Config;
use crate::{claims::is_client_id, error::ConfigError};

/// The name of the method, for errors.
pub(super) const PROFILE: &str = "access_token_profile";

impl Config {
    /// Mints auth tokens by the JWT profile for OAuth access tokens (RFC 9068): the header has `typ: at+jwt`, and the
    /// claims `jti` and `client_id` are added to those that every token has.
    ///
    /// `client_id` is that of the client that asks for tokens. A builder can set another one for its token, with
    /// [`AuthTokenBuilder::client_id`](crate::AuthTokenBuilder::client_id) or
    /// [`LoginBuilder::client_id`](crate::LoginBuilder::client_id). It is text of printable ASCII characters (RFC 6749,
    /// appendix A.1). The profile requires an [`audience`](Self::audience).
    ///
    /// This server still accepts tokens of its own with `typ: JWT`, and its refresh tokens keep it.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config};
    ///
    /// let config = Config::new("https://auth.example", AuthType::HS256, "change-me: at least 32 bytes of secret")
    ///     .access_token_profile("web");
    /// let auth = AuthManager::new(config.clone().audience("our-api"))?;
    /// let token = auth.auth_token("alice").sign()?;
    /// assert_eq!(token.header()["typ"], "at+jwt");
    /// assert_eq!(token.claims()["client_id"], "web");
    /// assert!(auth.verify_token(token.signed()).is_ok());
    ///
    /// // The profile requires `aud`.
    /// assert!(AuthManager::new(config).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "RFC 9068")]
    #[doc(alias = "at+jwt")]
    #[doc(alias = "client_id")]
    pub fn access_token_profile(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// Checks the client and that there is an audience.
    pub(super) fn check_profile(&self) -> Result<(), ConfigError> {
        let reason = match &self.client_id {
            Some(client_id) if !is_client_id(client_id) => {
                "needs a client ID of at least one character, all of them printable ASCII (RFC 6749, appendix A.1)"
            }
            Some(_) if self.audience.is_none() => {
                "needs an audience, because each token must have the claim `aud` (RFC 9068, section 2.2): set \
                 `JWT_AUDIENCE`, or call `Config::audience`"
            }
            _ => return Ok(()),
        };
        Err(ConfigError::invalid(PROFILE, reason))
    }
}
