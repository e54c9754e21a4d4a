//! The configuration of another issuer.

use std::fmt;

use jsonwebtoken::jwk::JwkSet;
use time::Duration;

use crate::{
    claims::{ClaimNames, Profile, Required, Template},
    error::Problem,
    jose::MAX_HEADER,
    keys::{AuthType, GivenSet, Key},
};

/// Describes another issuer whose tokens this server accepts: an identity provider or another service. Pass it to
/// [`Config::trust`](crate::Config::trust) or [`Config::for_issuers`](crate::Config::for_issuers).
///
/// A token is verified only with the keys of the issuer that its `iss` names, and its `aud` must contain one of the
/// configured audiences. It counts as an auth token unless it calls itself something else: a refresh token
/// (`refresh` in its claim `type`, `token_type`, `typ` or `token_use`), or an ID token or logout token (`id` or
/// `logout` in one of the last three).
///
#[cfg_attr(
    feature = "jwks",
    doc = "Give the keys with [`key`](Self::key), [`jwk_set`](Self::jwk_set) or [`jwks`](Self::jwks), or have them
fetched: with [`jwks_url`](Self::jwks_url), [`discovery`](Self::discovery) or
[`discovery_url`](Self::discovery_url)."
)]
#[cfg_attr(
    not(feature = "jwks"),
    doc = "Give the keys with [`key`](Self::key), [`jwk_set`](Self::jwk_set) or [`jwks`](Self::jwks). With the
feature `jwks` they can be fetched."
)]
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, Key, TokenError};
/// # let shared = "change-me: at least 32 bytes of secret";
///
/// let auth = AuthManager::new(Config::for_issuers([
///     Issuer::new("https://partner.example")
///         .key(Key::new(AuthType::HS256, shared))
///         .audience("our-api"),
/// ]))?;
/// let partner = AuthManager::new(
///     Config::new("https://partner.example", AuthType::HS256, shared).audience("our-api"),
/// )?;
///
/// let token = partner.auth_token("alice").sign()?;
/// assert_eq!(auth.verify_token(token.signed())?.iss(), "https://partner.example");
///
/// // No other issuer is trusted, whatever key it uses.
/// let other = AuthManager::new(
///     Config::new("https://mallory.example", AuthType::HS256, shared).audience("our-api"),
/// )?;
/// let token = other.auth_token("alice").sign()?;
/// assert_eq!(auth.verify_token(token.signed()).unwrap_err(), TokenError::Issuer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Two issuers can use the same subject for different users. Tell them apart by
/// [`Token::iss`](crate::Token::iss), and limit routes to an issuer with `#[require_token(issuer = "…")]`.
#[derive(Clone)]
#[doc(alias = "jwks")]
#[doc(alias = "oidc")]
#[doc(alias = "OpenID Connect")]
#[doc(alias = "discovery")]
#[doc(alias = "identity provider")]
#[doc(alias = "iss")]
#[must_use = "an issuer does nothing until a configuration trusts it"]
pub struct Issuer {
    pub(super) name: String,
    /// Whether the name is a template with placeholders.
    pub(super) is_template: bool,
    /// Claims that must equal the text of a placeholder, each with the placeholder's name.
    pub(super) claims_from_name: Vec<(String, String)>,
    pub(super) label: Option<String>,
    pub(super) keys: Vec<Key>,
    pub(super) set: Option<GivenSet>,
    pub(super) algorithms: Option<Vec<AuthType>>,
    pub(super) audiences: Vec<String>,
    pub(super) any_audience: bool,
    pub(super) types: Vec<String>,
    pub(super) untyped: bool,
    pub(super) profile: Profile,
    pub(super) max_header_size: usize,
    pub(super) names: ClaimNames,
    pub(super) required: Required,
    pub(super) leeway: Option<Duration>,
    pub(super) max_lifetime: Option<Duration>,
    #[cfg(feature = "jwks")]
    pub(super) remote: super::remote_options::RemoteOptions,
    #[cfg(feature = "jwks")]
    pub(super) introspection: Option<super::introspection_client::Asked>,
    #[cfg(feature = "jwks")]
    pub(super) introspection_cache: Option<Duration>,
}

impl Issuer {
    /// Creates an issuer with this exact name: the claim `iss` of its tokens (RFC 7519, section 4.1.1).
    pub fn new(issuer: impl Into<String>) -> Self {
        Self {
            name: issuer.into(),
            is_template: false,
            claims_from_name: Vec::new(),
            label: None,
            keys: Vec::new(),
            set: None,
            algorithms: None,
            audiences: Vec::new(),
            any_audience: false,
            types: ["JWT", "at+jwt", "application/at+jwt"]
                .map(str::to_owned)
                .to_vec(),
            untyped: false,
            profile: Profile::None,
            max_header_size: MAX_HEADER,
            names: ClaimNames::default(),
            required: Required::default(),
            leeway: None,
            max_lifetime: None,
            #[cfg(feature = "jwks")]
            remote: <_>::default(),
            #[cfg(feature = "jwks")]
            introspection: None,
            #[cfg(feature = "jwks")]
            introspection_cache: None,
        }
    }

    /// Adds a key: a public key made by [`Key::verify_only`], or an HMAC secret that both servers share. Can be
    /// called repeatedly.
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Sets the keys to a fixed JWK set (RFC 7517), given as JSON.
    ///
    /// Keys that cannot be used are skipped with a warning. Creating the manager fails if the set has no usable key.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, Config, Issuer};
    ///
    /// let trusting = |set: &str| {
    ///     let issuer = Issuer::new("https://accounts.example").jwk_set(set).audience("our-api");
    ///     AuthManager::new(Config::for_issuers([issuer]))
    /// };
    /// assert!(trusting(
    ///     r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#
    /// ).is_ok());
    /// // A published set must not contain a secret.
    /// assert!(trusting(r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#).is_err());
    /// ```
    #[doc(alias = "jwks")]
    pub fn jwk_set(mut self, json: impl Into<String>) -> Self {
        self.set = Some(GivenSet::Text(json.into()));
        self
    }

    /// Sets the keys to a fixed JWK set (RFC 7517) that `jsonwebtoken` has parsed.
    ///
    /// Keys that cannot be used are skipped with a warning. Creating the manager fails if the set has no usable key.
    ///
    /// [`jwk_set`](Self::jwk_set) checks more strictly than this method can. `jsonwebtoken` drops private members
    /// (`d`) while parsing. It also parses the algorithms ES512 and `Ed25519` as unknown, so that this method skips
    /// such keys unless their `key_algorithm` is `None`.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, Config, Issuer, jsonwebtoken::jwk::JwkSet};
    ///
    /// let trusting = |keys| -> Result<_, Box<dyn std::error::Error>> {
    ///     let set: JwkSet = serde_json::from_str(keys)?;
    ///     let issuer = Issuer::new("https://accounts.example").jwks(set).audience("our-api");
    ///     Ok(AuthManager::new(Config::for_issuers([issuer]))?)
    /// };
    /// assert!(trusting(
    ///     r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#
    /// ).is_ok());
    /// assert!(trusting(r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#).is_err()); // a secret, not a public key
    /// ```
    #[doc(alias = "JwkSet")]
    pub fn jwks(mut self, set: JwkSet) -> Self {
        self.set = Some(GivenSet::Parsed(set));
        self
    }

    /// Restricts the accepted algorithms (RFC 8725, section 3.1).
    ///
    /// By default, each key of a JWK set is used with the algorithm in its `alg`. A key without `alg` is used with
    /// RS256, ES256, ES384, ES512 or EdDSA, depending on its type and curve.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Issuer};
    ///
    /// // RFC 8037, appendix A.2
    /// let set = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    /// let accepting = |algorithm| {
    ///     let issuer = Issuer::new("https://accounts.example").jwk_set(set).audience("our-api");
    ///     AuthManager::new(Config::for_issuers([issuer.algorithms([algorithm])]))
    /// };
    /// assert!(accepting(AuthType::EdDSA).is_ok());
    /// assert!(accepting(AuthType::RS256).is_err()); // no key is left
    /// ```
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = AuthType>) -> Self {
        self.algorithms = Some(algorithms.into_iter().collect());
        self
    }

    /// Accepts tokens for this audience: their claim `aud` must contain it (RFC 7519, section 4.1.3). Can be called
    /// repeatedly to accept several audiences.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, Key, TokenError};
    /// # let shared = "change-me: at least 32 bytes of secret";
    ///
    /// let auth = AuthManager::new(Config::for_issuers([
    ///     Issuer::new("https://accounts.example")
    ///         .audience("our-api")
    ///         .key(Key::new(AuthType::HS256, shared)),
    /// ]))?;
    /// let token_for = |audience| -> Result<_, Box<dyn std::error::Error>> {
    ///     let accounts = Config::new("https://accounts.example", AuthType::HS256, shared);
    ///     Ok(AuthManager::new(accounts.audience(audience))?.auth_token("alice").sign()?)
    /// };
    /// assert!(auth.verify_token(token_for("our-api")?.signed()).is_ok());
    ///
    /// let refused = auth.verify_token(token_for("another-api")?.signed());
    /// assert_eq!(refused.unwrap_err(), TokenError::Audience);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "aud")]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Accepts tokens for any audience, and tokens without an audience.
    ///
    /// Tokens that the issuer issued for other services are then accepted here too: such a service can use the tokens
    /// of its users here. Use this only for issuers that set no audience.
    pub fn any_audience(mut self, any: bool) -> Self {
        self.any_audience = any;
        self
    }

    /// Sets the accepted values of the header's `typ` (RFC 8725, section 3.11). Letter case does not matter.
    ///
    /// The default is `JWT`, `at+jwt` and `application/at+jwt`.
    #[doc(alias = "typ")]
    pub fn types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.types = types.into_iter().map(Into::into).collect();
        self
    }

    /// Accepts tokens whose header has no `typ`. Some providers issue such tokens.
    pub fn accept_untyped(mut self, accept: bool) -> Self {
        self.untyped = accept;
        self
    }

    /// Sets the maximum size of the decoded header in bytes: 256 to 1,048,576, by default 2,048.
    ///
    /// Raise it for an issuer that sends a certificate chain in each header (`x5c`). This crate does not use the
    /// chain, but each certificate takes about 2 KiB.
    /// [`Config::max_token_size`](crate::Config::max_token_size) must leave room for the header as well.
    pub fn max_header_size(mut self, bytes: usize) -> Self {
        self.max_header_size = bytes;
        self
    }

    /// Sets how far this issuer's clock may differ from this server's: 0 to 300 whole seconds.
    ///
    /// The default is 5 seconds, or [`Config::leeway`](crate::Config::leeway) if that is longer.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = Some(leeway);
        self
    }

    /// Refuses tokens whose lifetime, from `iat` to `exp`, is longer than this. By default there is no limit.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, Key, TokenError};
    /// use time::Duration;
    /// # let shared = "change-me: at least 32 bytes of secret";
    ///
    /// let auth = AuthManager::new(Config::for_issuers([
    ///     Issuer::new("https://accounts.example")
    ///         .max_lifetime(Duration::hours(1))
    ///         .key(Key::new(AuthType::HS256, shared))
    ///         .audience("our-api"),
    /// ]))?;
    /// let token_for = |age| -> Result<_, Box<dyn std::error::Error>> {
    ///     let accounts = Config::new("https://accounts.example", AuthType::HS256, shared);
    ///     let accounts = accounts.audience("our-api").auth_max_age(age);
    ///     Ok(AuthManager::new(accounts)?.auth_token("alice").sign()?)
    /// };
    /// assert!(auth.verify_token(token_for(Duration::hours(1))?.signed()).is_ok());
    ///
    /// let refused = auth.verify_token(token_for(Duration::hours(2))?.signed());
    /// assert_eq!(refused.unwrap_err(), TokenError::Lifetime);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn max_lifetime(mut self, limit: Duration) -> Self {
        self.max_lifetime = Some(limit);
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn label(&self) -> Option<&str> {
        self.label.as_deref()
    }

    /// Parses the name as a template, if it is one.
    pub(crate) fn to_template(&self) -> Option<Result<Template, Problem>> {
        self.is_template.then(|| Template::parse(&self.name))
    }

    #[cfg(feature = "jwks")]
    pub(super) fn accepted_algorithms(&self) -> Option<&[AuthType]> {
        self.algorithms.as_deref()
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer")
            .field("name", &self.name)
            .field("keys", &self.keys)
            .field("algorithms", &self.algorithms)
            .field("audiences", &self.audiences)
            .finish_non_exhaustive()
    }
}
