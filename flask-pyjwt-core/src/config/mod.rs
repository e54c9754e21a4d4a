//! The configuration of a manager, from code, environment variables and a `.env` file.

mod browser;
mod certificates;
mod cookies;
pub(crate) mod dotenv;
mod environment;
mod hooks;
mod issuers;
mod keys;
mod locations;
mod parts;
mod possession;
mod profile;
#[cfg(feature = "jwks")]
mod resolve;
mod seconds;
mod sessions;
mod unread;

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc};

use time::Duration;

pub(crate) use self::{browser::Browser, certificates::Proxies, parts::Parts};
use self::{
    browser::BrowserConfig,
    hooks::{HttpHook, TokenCheck},
    possession::PossessionConfig,
    sessions::SessionConfig,
};
pub use self::{cookies::Cookies, hooks::TokenCheckError};
use crate::{
    clock::TimeSource,
    error::ConfigError,
    issuers::Issuer,
    keys::{AuthType, Secret},
    log_limit,
    rules::TokenLocation,
    token::TableLimits,
    users::Loaders,
};

/// The names of environment variables, which errors use as well.
pub(crate) mod key {
    pub(crate) const ISSUER: &str = "JWT_ISSUER";
    pub(crate) const AUTH_TYPE: &str = "JWT_AUTHTYPE";
    pub(crate) const SECRET: &str = "JWT_SECRET";
    pub(crate) const SECRET_FILE: &str = "JWT_SECRET_FILE";
    pub(crate) const PUBLIC_KEY: &str = "JWT_PUBLICKEY";
    pub(crate) const PUBLIC_KEY_FILE: &str = "JWT_PUBLICKEY_FILE";
    pub(crate) const AUTH_MAX_AGE: &str = "JWT_AUTHMAXAGE";
    pub(crate) const REFRESH_MAX_AGE: &str = "JWT_REFRESHMAXAGE";
    pub(crate) const AUDIENCE: &str = "JWT_AUDIENCE";
    pub(crate) const LEEWAY: &str = "JWT_LEEWAY";
    pub(crate) const KEY_ID: &str = "JWT_KEYID";
    pub(crate) const KEYS_DIR: &str = crate::keys::KEYS_DIR;
    pub(crate) const ALLOW_WEAK_SECRET: &str = "JWT_ALLOW_WEAK_SECRET";
    pub(crate) const SESSION_MAX_AGE: &str = "JWT_SESSIONMAXAGE";
    pub(crate) const SESSION_IDLE: &str = "JWT_SESSIONIDLE";
    pub(crate) const REFRESH_GRACE: &str = "JWT_REFRESHGRACE";
    pub(crate) const LOST_ANSWER_WINDOW: &str = "JWT_LOSTANSWERWINDOW";
    pub(crate) const CSRF_SECRET: &str = "JWT_CSRFSECRET";
    // Values that only code can set have the name of their method.
    pub(crate) const MAX_LIFETIME: &str = "max_lifetime";
    pub(crate) const MAX_TOKEN_SIZE: &str = "max_token_size";
    pub(crate) use crate::issuers::ISSUERS;
    pub(crate) const VERIFICATION_KEY: &str = "verification_key";
    pub(crate) const TOKEN_TABLE: &str = "token_table";
    pub(crate) const REVOCATION_STALENESS: &str = "revocation_staleness";
    pub(crate) const COOKIES: &str = "cookies";
    pub(crate) const ALLOWED_ORIGINS: &str = "allowed_origins";
    pub(crate) const STORE_TIMEOUT: &str = "store_timeout";
    pub(crate) const MAX_SESSIONS: &str = "max_sessions";
    pub(crate) const RESOURCE_METADATA: &str = "resource_metadata";
    pub(crate) const LOCATIONS: &str = "locations";
    pub(crate) const USER_CACHE: &str = "user_cache";
}

/// Configures an [`AuthManager`](crate::AuthManager), in code, by environment variables and by a `.env` file.
///
/// Code wins over the environment, and the environment over the file. Nothing is checked before `AuthManager::new`, so
/// code can replace an invalid variable. It reports the first value that is missing or invalid.
///
/// | variable | method | default |
/// | --- | --- | --- |
/// | `JWT_ISSUER` | [`issuer`](Self::issuer) | required |
/// | `JWT_AUTHTYPE` | [`auth_type`](Self::auth_type) | required |
/// | `JWT_SECRET`, `JWT_SECRET_FILE` | [`secret`](Self::secret) | required to mint |
/// | `JWT_PUBLICKEY`, `JWT_PUBLICKEY_FILE` | [`public_key`](Self::public_key) | derived from the private key |
/// | `JWT_AUTHMAXAGE` | [`auth_max_age`](Self::auth_max_age) | 3600 seconds |
/// | `JWT_REFRESHMAXAGE` | [`refresh_max_age`](Self::refresh_max_age) | 604800 seconds |
/// | `JWT_AUDIENCE` | [`audience`](Self::audience) | none: tokens with `aud` are refused |
/// | `JWT_LEEWAY` | [`leeway`](Self::leeway) | 0 seconds |
/// | `JWT_KEYID` | [`key_id`](Self::key_id) | none |
/// | `JWT_KEYS_DIR` | [`keys_dir`](Self::keys_dir) | none: the key is `JWT_SECRET` |
/// | `JWT_ALLOW_WEAK_SECRET` | [`allow_weak_secret`](Self::allow_weak_secret) | `false` |
/// | `JWT_SESSIONMAXAGE` | [`session_lifetime`](Self::session_lifetime) | 30 days |
/// | `JWT_SESSIONIDLE` | [`session_idle`](Self::session_idle) | `JWT_REFRESHMAXAGE` |
/// | `JWT_CSRFSECRET` | [`csrf_secret`](Self::csrf_secret) | derived from the signing keys |
/// | `JWT_REFRESHGRACE` | [`refresh_grace`](Self::refresh_grace) | 10 seconds |
/// | `JWT_LOSTANSWERWINDOW` | [`lost_answer_window`](Self::lost_answer_window) | 3600 seconds |
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config};
/// use time::Duration;
///
/// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret")
///     .auth_max_age(Duration::minutes(5));
/// assert!(AuthManager::new(config).is_ok());
///
/// let error = AuthManager::new(Config::new("example", AuthType::HS256, "short")).unwrap_err();
/// assert_eq!(error.key(), "JWT_SECRET");
/// ```
///
/// Durations are `time::Duration`, here and everywhere in this crate. A negative one is an error.
#[doc(alias = "AuthData")]
#[derive(Clone)]
#[must_use = "a configuration does nothing until it is given to `AuthManager::new`"]
pub struct Config {
    issuer: Option<String>,
    auth_type: Option<AuthType>,
    secret: Option<Secret>,
    public_key: Option<Secret>,
    auth_max_age: Duration,
    refresh_max_age: Duration,
    audience: Option<String>,
    /// The default `client_id` of access tokens by RFC 9068.
    client_id: Option<String>,
    leeway: Duration,
    key_id: Option<String>,
    keys: keys::MoreKeys,
    trusted: Vec<Issuer>,
    #[cfg(feature = "jwks")]
    resolves: Vec<crate::issuers::Resolve>,
    kind: issuers::Kind,
    realm: Option<String>,
    resource_metadata: Option<String>,
    allow_weak_secret: bool,
    integer_subjects: bool,
    max_token_size: usize,
    max_lifetime: Option<Duration>,
    clock: TimeSource,
    table: TableLimits,
    pub(crate) on_rejection: Option<HttpHook>,
    log_subjects: bool,
    log_limit: u32,
    token_check: Option<TokenCheck>,
    pub(crate) user_loaders: Loaders,
    user_cache: Duration,
    sessions: SessionConfig,
    browser: BrowserConfig,
    locations: Vec<TokenLocation>,
    possession: Box<PossessionConfig>,
    /// Invalid variables, until code sets the value.
    problems: BTreeMap<&'static str, Arc<ConfigError>>,
}

/// The default lifetimes of auth and refresh tokens.
const DEFAULT_AUTH_MAX_AGE: Duration = Duration::seconds(3_600);
const DEFAULT_REFRESH_MAX_AGE: Duration = Duration::seconds(604_800);
/// The default limit for the length of a token, in bytes.
const DEFAULT_MAX_TOKEN_SIZE: usize = 8 * 1024;
/// The default limits of the table of verified tokens, for all threads together.
const DEFAULT_TABLE: TableLimits = TableLimits {
    entries: 32 * 1024,
    bytes: 64 << 20,
};

impl Config {
    /// A configuration with everything that is required. It does not read the environment.
    ///
    /// For HMAC, `secret` is the key itself. For every other algorithm it is the private key in PEM.
    pub fn new(issuer: impl Into<String>, auth_type: AuthType, secret: impl AsRef<[u8]>) -> Self {
        Self::empty()
            .issuer(issuer)
            .auth_type(auth_type)
            .secret(secret)
    }

    /// A configuration for a server that verifies tokens and cannot sign any: it has only the public key, in PEM.
    ///
    /// HMAC algorithms have no public key and cannot be used here. It does not read the environment.
    pub fn verify_only(
        issuer: impl Into<String>,
        auth_type: AuthType,
        public_key: impl AsRef<[u8]>,
    ) -> Self {
        Self::empty()
            .issuer(issuer)
            .auth_type(auth_type)
            .public_key(public_key)
    }

    /// Reads environment variables and the `.env` file of the working directory, or of the nearest parent that has one.
    ///
    /// The environment wins over the file. The file may be missing. It is read with the rules of python-dotenv 0.21, and
    /// the log says which file it was, or that there is none, at level `INFO`.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the file cannot be read, or if every user of the machine can write to it. Invalid values are
    /// errors of `AuthManager::new`, because code can still replace them.
    #[doc(alias = "dotenv")]
    pub fn from_env() -> Result<Self, ConfigError> {
        let file = environment::find_dotenv();
        environment::read(file.as_deref(), environment::FOUND)
    }

    /// Reads environment variables and this `.env` file, which has to exist. The environment wins.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if the file is missing or cannot be read, or if every user of the machine can write to it.
    #[doc(alias = "dotenv_path")]
    pub fn from_dotenv(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        environment::read(Some(path.as_ref()), "path")
    }

    fn empty() -> Self {
        Self {
            issuer: None,
            auth_type: None,
            secret: None,
            public_key: None,
            auth_max_age: DEFAULT_AUTH_MAX_AGE,
            refresh_max_age: DEFAULT_REFRESH_MAX_AGE,
            audience: None,
            client_id: None,
            leeway: Duration::ZERO,
            key_id: None,
            keys: keys::MoreKeys::default(),
            trusted: Vec::new(),
            #[cfg(feature = "jwks")]
            resolves: Vec::new(),
            kind: issuers::Kind::Issuer,
            realm: None,
            resource_metadata: None,
            allow_weak_secret: false,
            integer_subjects: false,
            max_token_size: DEFAULT_MAX_TOKEN_SIZE,
            max_lifetime: None,
            clock: TimeSource::System,
            table: DEFAULT_TABLE,
            on_rejection: None,
            log_subjects: false,
            log_limit: log_limit::DEFAULT,
            token_check: None,
            user_loaders: Loaders::new(),
            user_cache: Duration::ZERO,
            sessions: SessionConfig::default(),
            browser: BrowserConfig::default(),
            locations: vec![TokenLocation::Header],
            possession: Box::default(),
            problems: BTreeMap::new(),
        }
    }

    /// Forgets the invalid variables of these keys, because code sets the value now.
    fn settled(mut self, keys: &[&str]) -> Self {
        self.problems.retain(|key, _| !keys.contains(key));
        self
    }

    /// Sets the issuer: the claim `iss` (RFC 7519, section 4.1.1), which is compared exactly, and the realm of challenges.
    #[doc(alias = "JWT_ISSUER")]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self.settled(&[key::ISSUER])
    }

    /// Sets the algorithm that signs and verifies this server's tokens.
    #[doc(alias = "JWT_AUTHTYPE")]
    pub fn auth_type(mut self, auth_type: AuthType) -> Self {
        self.auth_type = Some(auth_type);
        self.settled(&[key::AUTH_TYPE])
    }

    /// Sets the HMAC secret, or the private key in PEM (PKCS#8, PKCS#1 or SEC1).
    ///
    /// An HMAC secret needs at least 32 bytes for HS256, 48 for HS384 and 64 for HS512 (RFC 7518, section 3.2).
    #[doc(alias = "JWT_SECRET")]
    pub fn secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.secret = Some(Secret::new(secret));
        self.settled(&[key::SECRET, key::SECRET_FILE])
    }

    /// Sets the public key in PEM (SPKI or PKCS#1).
    ///
    /// It is derived from the private key if there is one. Without a private key, the manager can verify tokens and not
    /// sign them.
    #[doc(alias = "JWT_PUBLICKEY")]
    pub fn public_key(mut self, public_key: impl AsRef<[u8]>) -> Self {
        self.public_key = Some(Secret::new(public_key));
        self.settled(&[key::PUBLIC_KEY, key::PUBLIC_KEY_FILE])
    }

    /// Sets the lifetime of auth tokens: whole seconds, 1 to 3,155,760,000 (100 years). The default is one hour.
    #[doc(alias = "JWT_AUTHMAXAGE")]
    pub fn auth_max_age(mut self, age: Duration) -> Self {
        self.auth_max_age = age;
        self.settled(&[key::AUTH_MAX_AGE])
    }

    /// Sets the lifetime of refresh tokens: whole seconds, 1 to 3,155,760,000 (100 years). The default is 7 days.
    #[doc(alias = "JWT_REFRESHMAXAGE")]
    pub fn refresh_max_age(mut self, age: Duration) -> Self {
        self.refresh_max_age = age;
        self.settled(&[key::REFRESH_MAX_AGE])
    }

    /// Sets the audience: the claim `aud` of signed tokens, which verified tokens have to contain (RFC 7519, section
    /// 4.1.3). Without it, tokens with an `aud` are refused.
    #[doc(alias = "JWT_AUDIENCE")]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self.settled(&[key::AUDIENCE])
    }

    /// Sets the tolerated difference between the clocks of issuer and verifier: whole seconds, 0 to 300. The default is 0.
    #[doc(alias = "JWT_LEEWAY")]
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self.settled(&[key::LEEWAY])
    }

    /// Sets the key ID: the header's `kid` in signed tokens (RFC 7515, section 4.1.4).
    ///
    /// Verified tokens with a `kid` have to have this one, and tokens without a `kid` are accepted. If no ID is set, the
    /// key verifies tokens with any `kid`.
    #[doc(alias = "JWT_KEYID")]
    #[doc(alias = "kid")]
    pub fn key_id(mut self, id: impl Into<String>) -> Self {
        self.key_id = Some(id.into());
        self.settled(&[key::KEY_ID])
    }

    /// Accepts an HMAC secret that is too short, with a warning in the log.
    ///
    /// For existing fleets only: anyone who has one token can guess such a secret offline. An empty secret stays an error.
    #[doc(alias = "JWT_ALLOW_WEAK_SECRET")]
    pub fn allow_weak_secret(mut self, allow: bool) -> Self {
        self.allow_weak_secret = allow;
        self.settled(&[key::ALLOW_WEAK_SECRET])
    }

    /// Accepts tokens whose `sub` is a JSON integer, as PyJWT before 2.10 writes them.
    pub fn integer_subjects(mut self, accept: bool) -> Self {
        self.integer_subjects = accept;
        self
    }

    /// Sets the maximum length of a token, in bytes: 256 to 1,048,576 (1 MiB). The default is 8,192. Longer tokens are
    /// refused unread.
    pub fn max_token_size(mut self, bytes: usize) -> Self {
        self.max_token_size = bytes;
        self
    }

    /// Sets the maximum lifetime of a token, from `iat` to `exp`. Longer-lived tokens are refused.
    ///
    /// By default there is no limit; with a session store it is the longest lifetime that this manager signs. It must not
    /// be shorter than that.
    pub fn max_lifetime(mut self, limit: Duration) -> Self {
        self.max_lifetime = Some(limit);
        self
    }

    /// Limits the table of verified tokens: entries (up to 16,777,216) and bytes, for all threads together.
    ///
    /// A token that was verified before is found by its whole text and not verified again. Its times, its session, your
    /// `token_check` and the route's requirements are still checked every time. Refused tokens are not stored. An entry
    /// takes about 1.4 KiB for a token of 400 bytes. The default is 32,768 entries and 64 MiB. Zero disables the table.
    #[doc(alias = "cache")]
    pub fn token_table(mut self, entries: usize, bytes: usize) -> Self {
        self.table = TableLimits { entries, bytes };
        self
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("issuer", &self.issuer)
            .field("auth_type", &self.auth_type)
            .field("secret", &self.secret)
            .field("public_key", &self.public_key)
            .field("auth_max_age", &self.auth_max_age)
            .field("refresh_max_age", &self.refresh_max_age)
            .field("audience", &self.audience)
            .field("leeway", &self.leeway)
            .field("key_id", &self.key_id)
            .finish_non_exhaustive()
    }
}
