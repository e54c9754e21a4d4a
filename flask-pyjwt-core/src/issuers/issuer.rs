//! Another issuer as it is configured.

use std::{fmt, sync::Arc};

use jsonwebtoken::jwk::JwkSet;
use time::Duration;

use super::{Defaults, ISSUERS, Trust};
use crate::{
    claims::{
        Audience, ClaimNames, ClaimPlaces, ClaimRules, ExpectedClaim, Origin, Required, Template,
    },
    error::{ConfigError, Problem},
    jose::{HeaderTypes, MAX_HEADER, TokenType},
    keys::{AuthType, Family, GivenSet, Key},
};

/// Claims that are what they are called, wherever the issuer puts the others.
const FIXED_CLAIMS: [&str; 6] = ["iss", "exp", "iat", "nbf", "cnf", "type"];

/// By how much the clock of another issuer may differ unless configured otherwise. Tokens whose `iat` is a
/// second or two ahead are common: two hosts synchronised by NTP differ by that much now and then.
const FOREIGN_LEEWAY: Duration = Duration::seconds(5);

/// Another issuer whose tokens are accepted, for [`Config::trust`](crate::Config::trust): an identity
/// provider, another service.
///
/// A token goes to the issuer that it names, and is verified with that one's keys only. It counts as an
/// auth token, unless it calls itself a refresh token (`refresh` in its claim `type`, `token_type`, `typ` or
/// `token_use`), an ID token or a logout token (`id` or `logout` in one of the last three). It has to name one
/// of the audiences.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, Key, TokenError};
/// # let shared = "the secret that both of them have";
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
/// let stranger = AuthManager::new(
///     Config::new("https://mallory.example", AuthType::HS256, shared).audience("our-api"),
/// )?;
/// let token = stranger.auth_token("alice").sign()?;
/// assert_eq!(auth.verify_token(token.signed()).unwrap_err(), TokenError::Issuer);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Subjects of different issuers are different people, even where they are called the same: see
/// [`Token::iss`](crate::Token::iss), and narrow routes with `#[require_token(issuer = "…")]`.
#[derive(Clone)]
#[must_use = "an issuer does nothing until a configuration trusts it"]
pub struct Issuer {
    pub(super) name: String,
    /// Whether the name has placeholders.
    pub(super) is_template: bool,
    /// Claims, each with the placeholder whose text it repeats.
    pub(super) claims_from_name: Vec<(String, String)>,
    pub(super) label: Option<String>,
    pub(super) keys: Vec<Key>,
    pub(super) set: Option<GivenSet>,
    pub(super) algorithms: Option<Vec<AuthType>>,
    audiences: Vec<String>,
    any_audience: bool,
    types: Vec<String>,
    untyped: bool,
    max_header_size: usize,
    names: ClaimNames,
    required: Required,
    leeway: Option<Duration>,
    max_lifetime: Option<Duration>,
    #[cfg(feature = "jwks")]
    pub(super) remote: super::remote_options::RemoteOptions,
}

impl Issuer {
    /// An issuer by its exact name, which its tokens have as `iss`.
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
            max_header_size: MAX_HEADER,
            names: ClaimNames::default(),
            required: Required::default(),
            leeway: None,
            max_lifetime: None,
            #[cfg(feature = "jwks")]
            remote: <_>::default(),
        }
    }

    /// Adds a key: `Key::verify_only(algorithm, pem)`, or an HMAC secret that both sides have. Can be
    /// called repeatedly.
    pub fn key(mut self, key: Key) -> Self {
        self.keys.push(key);
        self
    }

    /// Sets the keys to a JWK set (RFC 7517) that stays as it is: the text of its JSON.
    ///
    /// Keys that cannot be used are left out with a warning. A set without a usable key is an error.
    pub fn jwk_set(mut self, json: impl Into<String>) -> Self {
        self.set = Some(GivenSet::Text(json.into()));
        self
    }

    /// Sets the keys to a JWK set that was read with `jsonwebtoken` and stays as it is. Keys that cannot be used
    /// are left out with a warning. A set without a usable key is an error.
    ///
    /// [`jwk_set`](Self::jwk_set) judges the text of a set more strictly than this can: `jsonwebtoken` drops
    /// private members (`d`), and reads the algorithms ES512 and `Ed25519` as unknown, so that such keys are left
    /// out here unless their `key_algorithm` is `None`.
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
    /// assert!(trusting(r#"{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}"#).is_err()); // a secret is no public key
    /// ```
    #[doc(alias = "JwkSet")]
    pub fn jwks(mut self, set: JwkSet) -> Self {
        self.set = Some(GivenSet::Read(set));
        self
    }

    /// Accepts these algorithms only. By default a key of a set serves the one that its `alg` says, or
    /// else RS256, ES256, ES384, ES512 or EdDSA after its kind.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = AuthType>) -> Self {
        self.algorithms = Some(algorithms.into_iter().collect());
        self
    }

    /// Accepts tokens for this audience: their `aud` has to contain it. Can be called
    /// repeatedly.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Accepts tokens for whatever audience, also for none. Then every service that the issuer issues
    /// tokens for can use them here: say so only where the issuer has no audiences.
    pub fn any_audience(mut self, any: bool) -> Self {
        self.any_audience = any;
        self
    }

    /// Sets the values of the header's `typ` that are accepted, in any case (RFC 8725, section 3.11).
    /// By default `JWT`, `at+jwt` and `application/at+jwt`.
    pub fn types<T: Into<String>>(mut self, types: impl IntoIterator<Item = T>) -> Self {
        self.types = types.into_iter().map(Into::into).collect();
        self
    }

    /// Accepts tokens whose header has no `typ`, as some providers issue them.
    pub fn accept_untyped(mut self, accept: bool) -> Self {
        self.untyped = accept;
        self
    }

    /// Accepts headers of up to so many bytes, before they are encoded; by default 2,048. For an issuer that
    /// sends a chain of certificates in each header (`x5c`), which is not used here: each of them takes
    /// some 2 KiB. [`Config::max_token_size`](crate::Config::max_token_size) has to leave room for it.
    pub fn max_header_size(mut self, bytes: usize) -> Self {
        self.max_header_size = bytes;
        self
    }

    /// Takes the claim that routes call `name` from another place in the token: a claim of another
    /// name, or a JSON pointer (RFC 6901) into one, which begins with `/`. Of several places, the first
    /// that is there counts; `null` counts as not there.
    ///
    /// `map_claim("scope", "scp")`, `map_claim("roles", "/realm_access/roles")`. The subject and the
    /// audience can be taken from other claims too: `map_claim("sub", ["sub", "client_id"])` accepts the
    /// tokens of machines, which have no `sub` at some providers, and leaves users as they are. A value of
    /// the wrong type is refused, and no further place is looked at.
    ///
    /// A client's id and a user's may then be the same text. Where that matters, let routes look at a claim
    /// that only one of them has.
    pub fn map_claim(mut self, name: impl Into<String>, places: impl Into<ClaimPlaces>) -> Self {
        self.names.add(name.into(), places.into());
        self
    }

    /// Requires a claim of every token of this issuer: a value, or what an [`ExpectedClaim`] says. Can be called
    /// repeatedly; all of it has to hold.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{ExpectedClaim, Issuer};
    ///
    /// let issuer = Issuer::new("https://accounts.example")
    ///     .require_claim("token_use", "access")                       // this very value
    ///     .require_claim("azp", ExpectedClaim::one_of(["web", "mobile"]))  // one of several
    ///     .require_claim("scope", ExpectedClaim::contains("our-api"))      // an item of a list
    ///     .require_claim("client_id", ExpectedClaim::Present)
    ///     .require_claim("nonce", ExpectedClaim::Absent);                  // ID tokens have one
    /// # drop(issuer);
    /// ```
    pub fn require_claim(
        mut self,
        name: impl Into<String>,
        expected: impl Into<ExpectedClaim>,
    ) -> Self {
        self.required.claims.push((name.into(), expected.into()));
        self
    }

    /// Requires at least one of these claims to be there and not empty: `["scp", "roles"]` of Microsoft
    /// Entra, whose ID tokens have neither. Can be called repeatedly; each list has to be met.
    pub fn require_any_claim<T: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = T>,
    ) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        self.required.any_of.push(names);
        self
    }

    /// Sets by how much this issuer's clock may differ: whole seconds, at most 300. By default 5 seconds, or
    /// [`Config::leeway`](crate::Config::leeway) where that is more.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = Some(leeway);
        self
    }

    /// Refuses tokens whose time from `iat` to `exp` is longer than this. By default there is no limit.
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

    /// The template, where the name is one.
    pub(crate) fn to_template(&self) -> Option<Result<Template, Problem>> {
        self.is_template.then(|| Template::parse(&self.name))
    }

    #[cfg(feature = "jwks")]
    pub(super) fn accepted_algorithms(&self) -> Option<&[AuthType]> {
        self.algorithms.as_deref()
    }

    /// Judges the configuration.
    pub(crate) fn validate(self, defaults: &Defaults) -> Result<Trust, ConfigError> {
        let name = self.name.clone();
        let wrong = |problem: Problem| {
            ConfigError::invalid(ISSUERS, format!("has the issuer `{name}`, which {problem}"))
        };
        self.check().map_err(wrong)?;
        let template = self.template_parts().map_err(wrong)?;
        let leeway = self.leeway.unwrap_or(defaults.leeway.max(FOREIGN_LEEWAY));
        if leeway.subsec_nanoseconds() != 0 || !(0..=300).contains(&leeway.whole_seconds()) {
            return Err(wrong(Problem::new(
                "has a leeway that is not 0 to 300 whole seconds",
            )));
        }
        let types =
            HeaderTypes::new(self.types.clone(), self.untyped).max_size(self.max_header_size);
        let keys = self
            .key_source(&types, defaults)
            .map_err(|error| match error {
                ConfigError::Invalid { reason, .. } => {
                    wrong(Problem::new(format!("has a key that {reason}")))
                }
                ConfigError::Missing { .. } => {
                    wrong(Problem::new("has an HMAC key without a secret"))
                }
                other @ ConfigError::Unreadable { .. } => other,
            })?;
        let audience = if self.any_audience {
            Audience::Any
        } else {
            Audience::OneOf(self.audiences)
        };
        Ok(Trust {
            rules: Arc::new(ClaimRules {
                issuer: self.name.into(),
                origin: Origin {
                    label: self.label,
                    template,
                    #[cfg(feature = "jwks")]
                    resolved: None,
                },
                audience,
                leeway: leeway.whole_seconds(),
                max_lifetime: self.max_lifetime,
                integer_subjects: defaults.integer_subjects,
                token_type: Some(TokenType::Auth),
                names: self.names,
                required: self.required,
            }),
            types,
            keys,
        })
    }

    /// What is wrong apart from the keys.
    fn check(&self) -> Result<(), Problem> {
        let told = |problem: &'static str| Err(Problem::new(problem));
        if self.name.is_empty() {
            return told("has no name");
        }
        match (self.audiences.is_empty(), self.any_audience) {
            (true, false) => {
                return told(
                    "has no audience: name yours with `audience(\"…\")`, or accept every one with \
                     `any_audience(true)`",
                );
            }
            (false, true) => {
                return told("has an audience, and accepts every one: say one of both");
            }
            _ => {}
        }
        if self.audiences.iter().any(String::is_empty) {
            return told("has an empty audience");
        }
        if self.types.iter().any(String::is_empty) || (self.types.is_empty() && !self.untyped) {
            return told("accepts no `typ`, or an empty one");
        }
        if let Some(fixed) = self.names.names().find(|name| FIXED_CLAIMS.contains(name)) {
            return Err(Problem::new(format!(
                "maps the claim `{fixed}`, which cannot be another one"
            )));
        }
        if !(256..=1 << 20).contains(&self.max_header_size) {
            return told("has a `max_header_size` that is not 256 to 1048576 bytes");
        }
        if let Some(name) = self.names.without_place() {
            return Err(Problem::new(format!(
                "maps the claim `{name}` to an empty list of places"
            )));
        }
        self.required.check()?;
        if self.max_lifetime.is_some_and(|limit| !limit.is_positive()) {
            return told("has a `max_lifetime` that no token can keep");
        }
        let Some(algorithms) = &self.algorithms else {
            return Ok(());
        };
        if algorithms.is_empty() {
            return told("accepts no algorithm");
        }
        let is_hmac = |algorithm: &AuthType| algorithm.family() == Family::Hmac;
        if self.keys.is_empty() && algorithms.iter().any(is_hmac) {
            return told("accepts an HMAC algorithm, and published keys are never HMAC secrets");
        }
        Ok(())
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
