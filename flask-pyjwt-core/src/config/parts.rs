//! From a configuration to the parts of a manager. Every invalid value is found here.

use std::sync::{Arc, Once, OnceLock};

use time::Duration;

use super::{
    Browser, Config, Proxies,
    hooks::{HttpHook, TokenCheck},
    issuers::Kind,
    key,
    seconds::{age, whole_seconds},
    sessions::Times,
};
use crate::{
    claims::{Audience, ClaimNames, ClaimRules},
    error::ConfigError,
    jose::HeaderTypes,
    keys::{AuthType, Family, KeyDirectory, MacKey, Purpose, TokenLife, Watch},
    log_limit::LogLimit,
    possession::Dpop,
    public_url::PublicUrl,
    rules::TokenLocation,
    session::Sessions,
    token::{Minting, TokenTable, Verification},
    users::Users,
};

/// The longest leeway, in seconds. More would keep expired tokens valid for too long.
const LONGEST_LEEWAY: i64 = 300;

/// The maximum number of entries of the token table. The slots alone then take 256 MiB.
const LARGEST_TABLE: usize = 1 << 24;

/// The parts of a manager.
pub(crate) struct Parts {
    pub(crate) verification: Arc<Verification>,
    pub(crate) minting: Minting,
    /// The realm of challenges: the issuer, unless another was configured.
    pub(crate) realm: String,
    /// The address of the protected resource metadata, for challenges (RFC 9728, section 5.1).
    pub(crate) resource_metadata: Option<String>,
    pub(crate) on_rejection: Option<HttpHook>,
    pub(crate) log_subjects: bool,
    pub(crate) log_limit: LogLimit,
    pub(crate) token_check: Option<TokenCheck>,
    pub(crate) users: Users,
    pub(crate) sessions: Option<Arc<Sessions>>,
    pub(crate) browser: Browser,
    /// Where guards without a location look for the token.
    pub(crate) locations: Vec<TokenLocation>,
    /// What checks DPoP proofs.
    pub(crate) dpop: Dpop,
    /// Whether every guard requires a bound token.
    pub(crate) require_bound: bool,
    /// Who may pass on a client certificate.
    pub(crate) certificate_proxies: Proxies,
    /// The key for CSRF proofs, if a secret for them is configured. Otherwise the key ring makes the proofs.
    pub(crate) csrf: Option<MacKey>,
    /// The folder of keys, and the thread that watches it.
    pub(crate) directory: Option<KeyDirectory>,
    pub(crate) watch: OnceLock<Watch>,
    /// Done once `SilentRenewal` has reported that there is no session store.
    pub(crate) renewal_reported: Once,
    /// The thread that fetches keys of other issuers.
    #[cfg(feature = "jwks")]
    pub(crate) worker: OnceLock<crate::remote::Worker>,
}

impl Config {
    /// Checks every value, prepares the keys and checks that they belong together.
    pub(crate) fn validate(mut self) -> Result<Parts, ConfigError> {
        self.first_problem()?;
        let (issuer, auth_type) = self.identity()?;
        let realm = self.realm_or(&issuer);
        let resource_metadata = self.resource_metadata.take().map(PublicUrl::parse);
        let resource_metadata = resource_metadata
            .transpose()
            .map_err(|problem| ConfigError::invalid(key::RESOURCE_METADATA, problem))?;
        non_empty(key::AUDIENCE, self.audience.as_deref())?;
        non_empty(key::KEY_ID, self.key_id.as_deref())?;
        let auth_max_age = age(key::AUTH_MAX_AGE, self.auth_max_age)?;
        let refresh_max_age = age(key::REFRESH_MAX_AGE, self.refresh_max_age)?;
        let leeway = whole_seconds(key::LEEWAY, self.leeway)?;
        if !(0..=LONGEST_LEEWAY).contains(&leeway) {
            return Err(ConfigError::invalid(
                key::LEEWAY,
                "must be 0 to 300 seconds",
            ));
        }
        self.check_limits()?;
        self.check_profile()?;
        let csrf_secret = self.browser.csrf_secret.as_ref();
        let csrf =
            csrf_secret.and_then(|secret| MacKey::derived(secret.as_bytes(), Purpose::CsrfProofs));
        let browser = self.browser.clone().validate()?;
        let locations = self.take_locations()?;
        let dpop = self.possession.dpop.clone().validate(self.keys.crypto)?;
        let sessions = self.sessions.clone().validate(&Times {
            auth_max_age,
            refresh_max_age,
            leeway,
            max_lifetime: self.max_lifetime,
        })?;
        let longest_life = sessions
            .as_ref()
            .map(|sessions| sessions.policy.longest_life);

        if auth_type.family() == Family::Hmac && self.public_key.is_some() {
            tracing::warn!("`JWT_PUBLICKEY` is ignored: {auth_type} has no public key");
        }
        let idle = sessions
            .as_ref()
            .map_or(0, |sessions| sessions.policy.idle.whole_seconds());
        let life = TokenLife {
            age: auth_max_age.max(refresh_max_age).max(idle),
            leeway,
        };
        let (keys, directory) = self.ring(auth_type, life)?;
        let issuers = self.issuers(&issuer)?;
        let issuer: Arc<str> = issuer.into();
        let has_sessions = sessions.is_some();
        Ok(Parts {
            realm,
            resource_metadata: resource_metadata.map(PublicUrl::into_text),
            on_rejection: self.on_rejection,
            log_subjects: self.log_subjects,
            log_limit: LogLimit::new(self.log_limit),
            token_check: self.token_check,
            users: Users::new(self.user_loaders, self.user_cache),
            sessions: sessions.map(Arc::new),
            browser,
            locations,
            dpop,
            require_bound: self.possession.require_bound,
            certificate_proxies: Proxies::validate(&self.possession.certificate_proxies)?,
            csrf,
            verification: Arc::new(Verification {
                keys,
                types: HeaderTypes::own().max_size(self.max_token_size / 4),
                rules: Arc::new(ClaimRules {
                    issuer,
                    origin: <_>::default(),
                    audience: self.audience.map_or(Audience::None, Audience::one),
                    leeway,
                    max_lifetime: self.max_lifetime.or(longest_life),
                    integer_subjects: self.integer_subjects,
                    token_type: None,
                    names: ClaimNames::default(),
                    required: <_>::default(),
                    has_profile: false,
                }),
                issuers,
                client_id: self.client_id,
                clock: self.clock,
                max_size: self.max_token_size,
                table: TokenTable::new(self.table),
            }),
            directory,
            watch: OnceLock::new(),
            renewal_reported: Once::new(),
            #[cfg(feature = "jwks")]
            worker: OnceLock::new(),
            minting: Minting {
                auth_type,
                auth_max_age,
                refresh_max_age,
                has_sessions,
            },
        })
    }
}

impl Config {
    /// The first variable that is invalid and that code has not set.
    fn first_problem(&mut self) -> Result<(), ConfigError> {
        match std::mem::take(&mut self.problems).into_iter().next() {
            None => Ok(()),
            Some((_, problem)) => Err(match Arc::try_unwrap(problem) {
                Ok(problem) => problem,
                Err(shared) => ConfigError::invalid(shared.key(), reason_of(&shared)),
            }),
        }
    }

    /// This server's issuer name and algorithm. The name is empty if the server only accepts tokens of other issuers.
    fn identity(&mut self) -> Result<(String, AuthType), ConfigError> {
        if self.kind == Kind::Verifier {
            self.check_without_issuer()?;
            return Ok((String::new(), AuthType::RS256));
        }
        let missing = |key| ConfigError::Missing { key };
        let issuer = self.issuer.take().ok_or_else(|| missing(key::ISSUER))?;
        non_empty(key::ISSUER, Some(&issuer))?;
        let auth_type = self.auth_type.ok_or_else(|| missing(key::AUTH_TYPE))?;
        Ok((issuer, auth_type))
    }

    /// Checks `max_lifetime`, `max_token_size`, `token_table` and `user_cache`.
    fn check_limits(&self) -> Result<(), ConfigError> {
        if self
            .max_lifetime
            .is_some_and(|limit| limit < self.auth_max_age.max(self.refresh_max_age))
        {
            let reason = "is shorter than the age of the tokens minted here";
            return Err(ConfigError::invalid(key::MAX_LIFETIME, reason));
        }
        if !(256..=1 << 20).contains(&self.max_token_size) {
            return Err(ConfigError::invalid(
                key::MAX_TOKEN_SIZE,
                "must be 256 bytes to 1 MiB",
            ));
        }

        if !(Duration::ZERO..=Duration::DAY).contains(&self.user_cache) {
            return Err(ConfigError::invalid(
                key::USER_CACHE,
                "must be zero to a day",
            ));
        }
        if self.table.entries > LARGEST_TABLE {
            return Err(ConfigError::invalid(
                key::TOKEN_TABLE,
                "must have at most 16777216 entries",
            ));
        }
        Ok(())
    }
}

/// The text of an error after the key's name, to copy an error that cannot be cloned.
fn reason_of(error: &ConfigError) -> String {
    match error {
        ConfigError::Invalid { reason, .. } => reason.clone(),
        ConfigError::Unreadable { source, .. } => {
            format!("names a file that cannot be read: {source}")
        }
        ConfigError::Missing { .. } => "is missing".to_owned(),
    }
}

fn non_empty(key: &'static str, text: Option<&str>) -> Result<(), ConfigError> {
    match text {
        Some("") => Err(ConfigError::invalid(
            key,
            "is empty: give it a value or leave it out",
        )),
        _ => Ok(()),
    }
}
