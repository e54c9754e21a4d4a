//! Configuration of other issuers.

#[cfg(feature = "jwks")]
use std::sync::Arc;

use super::{Config, key};
use crate::{
    error::ConfigError,
    issuers::{Defaults, Issuer, Issuers},
};

/// The kind of server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It has an issuer and keys of its own, and may trust others.
    Issuer,
    /// It only accepts tokens of other issuers.
    Verifier,
}

impl Config {
    /// A configuration for a server that only accepts tokens of these issuers.
    ///
    /// It has no issuer, secret or key, and signs no tokens ([`MintError::MissingSigner`](crate::MintError::MissingSigner)).
    /// It does not read the environment.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, Config, Issuer, MintError};
    /// # let keys = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    ///
    /// let issuer = Issuer::new("https://accounts.example").jwk_set(keys).audience("our-api");
    /// let auth = AuthManager::new(Config::for_issuers([issuer]))?;
    /// assert!(matches!(auth.auth_token("alice").sign(), Err(MintError::MissingSigner)));
    ///
    /// assert!(AuthManager::new(Config::for_issuers([])).is_err()); // it would accept nothing
    /// # Ok::<(), flask_pyjwt::ConfigError>(())
    /// ```
    pub fn for_issuers(issuers: impl IntoIterator<Item = Issuer>) -> Self {
        let mut config = Self::empty();
        config.kind = Kind::Verifier;
        config.trusted.extend(issuers);
        config
    }

    /// Sets the realm of challenges, `WWW-Authenticate: Bearer realm="…"` (RFC 6750, section 3).
    ///
    /// The default is this server's issuer, or the first issuer of [`for_issuers`](Self::for_issuers).
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// Sets the address of the protected resource metadata (RFC 9728) that each challenge names in `resource_metadata`
    /// (section 5.1): clients learn there which server issues tokens. The default is none.
    ///
    /// It is an absolute `https` URL, or `http` on this machine, without a fragment.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config};
    ///
    /// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// let named = |url| AuthManager::new(config.clone().resource_metadata(url));
    /// assert!(named("https://api.example/.well-known/oauth-protected-resource").is_ok());
    /// assert_eq!(named("/.well-known/oauth-protected-resource").unwrap_err().key(), "resource_metadata");
    /// ```
    #[doc(alias = "RFC 9728")]
    pub fn resource_metadata(mut self, url: impl Into<String>) -> Self {
        self.resource_metadata = Some(url.into());
        self
    }

    /// The realm, with its defaults.
    pub(super) fn realm_or(&self, issuer: &str) -> String {
        let first = || self.trusted.first().map(Issuer::name);
        let known = Some(issuer).filter(|issuer| !issuer.is_empty());
        let realm = self.realm.as_deref().or(known).or_else(first);
        realm.unwrap_or_default().to_owned()
    }

    /// Refuses values that only a server with its own issuer can use.
    pub(super) fn check_without_issuer(&self) -> Result<(), ConfigError> {
        let is_empty = self.trusted.is_empty();
        #[cfg(feature = "jwks")]
        let is_empty = is_empty && self.resolves.is_empty();
        if is_empty {
            let reason = "has no issuer: without one, the server would accept no token at all";
            return Err(ConfigError::invalid(key::ISSUERS, reason));
        }
        for (is_set, key) in [
            (self.issuer.is_some(), key::ISSUER),
            (self.auth_type.is_some(), key::AUTH_TYPE),
            (self.secret.is_some(), key::SECRET),
            (self.public_key.is_some(), key::PUBLIC_KEY),
            (self.key_id.is_some(), key::KEY_ID),
            (self.audience.is_some(), key::AUDIENCE),
            (self.client_id.is_some(), super::profile::PROFILE),
            (self.keys.directory.is_some(), key::KEYS_DIR),
            (self.keys.has_verifying(), key::VERIFICATION_KEY),
            (self.sessions.has_store(), "session_store"),
            // For other issuers there is `Issuer::max_lifetime`.
            (self.max_lifetime.is_some(), key::MAX_LIFETIME),
        ] {
            if is_set {
                let reason = "is for tokens that this server signs, and with `Config::for_issuers` it signs \
                              none: start from `Config::new` or `Config::from_env`, or leave it out";
                return Err(ConfigError::invalid(key, reason));
            }
        }
        Ok(())
    }

    /// Accepts tokens of another issuer in addition to this server's own. Can be called repeatedly.
    ///
    /// Every route accepts them, unless it names its issuer: `#[require_token(issuer = "https://accounts.example")]`.
    #[doc(alias = "OpenID Connect")]
    pub fn trust(mut self, issuer: Issuer) -> Self {
        self.trusted.push(issuer);
        self
    }

    /// Checks the other issuers. Each name has to be unique and different from this server's issuer.
    pub(super) fn issuers(&mut self, own: &str) -> Result<Issuers, ConfigError> {
        let defaults = Defaults {
            #[cfg(feature = "jwks")]
            pattern: None,
            leeway: self.leeway,
            integer_subjects: self.integer_subjects,
            crypto: self.keys.crypto,
            #[cfg(feature = "jwks")]
            clock: self.clock.clone(),
            #[cfg(feature = "jwks")]
            sources: <_>::default(),
        };
        let mut issuers = Issuers {
            #[cfg(feature = "jwks")]
            sources: Arc::clone(&defaults.sources),
            ..Issuers::default()
        };
        let refused = |reason: String| Err(ConfigError::invalid(key::ISSUERS, reason));
        for issuer in std::mem::take(&mut self.trusted) {
            let name = issuer.name().to_owned();
            issuers.labels.extend(issuer.label().map(str::to_owned));
            let template = issuer.to_template().and_then(Result::ok);
            let trust = issuer.validate(&defaults)?;
            #[cfg(feature = "jwks")]
            if let Some(introspection) = &trust.introspection
                && let Some(first) = issuers.introspection.replace(Arc::clone(introspection))
            {
                return refused(format!(
                    "has two issuers with `introspection(…)`, `{}` and `{name}`: an opaque token does not say whose it \
                     is, so keep one of them",
                    first.endpoint.issuer
                ));
            }
            let is_new = name != own
                && match template {
                    None => issuers.add(name.clone(), trust),
                    Some(template) => issuers.add_template(template, trust),
                };
            if !is_new {
                return refused(format!(
                    "has the issuer `{name}` twice, or it is this server's own"
                ));
            }
        }
        #[cfg(feature = "jwks")]
        self.add_resolvers(&mut issuers, own, &defaults)?;
        let is_issuer = |label: &&String| **label == own || issuers.may_have(label);
        if let Some(label) = issuers.labels.iter().find(is_issuer) {
            return refused(format!(
                "has an issuer named `{label}`, which is also an issuer: a route could mean either"
            ));
        }
        Ok(issuers)
    }
}
