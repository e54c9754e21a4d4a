//! From a configuration to what a manager is made of. Every mistake is found here.

use std::sync::Arc;

use time::Duration;

use super::{Browser, Config, Secret, key, sessions::Times};
use crate::{
    error::ConfigError,
    keys::{
        AuthType, Family, KeyProblem, KeyRing, Material, Signer, SigningKey, Verifier,
        VerifyingKey, looks_like_a_public_secret,
    },
    session::Sessions,
    token::{ClaimRules, Minting, TokenTable, Verification},
    web::{Answers, CsrfKey, TokenCheck},
};

/// The longest age of a token: a hundred years, in seconds. Longer ones are typing mistakes.
const LONGEST_AGE: i64 = 3_155_760_000;
/// The largest difference of clocks, in seconds, that is no attack surface.
const LONGEST_LEEWAY: i64 = 300;

/// The most tokens that a table remembers: their places alone take 256 MiB.
const LARGEST_TABLE: usize = 1 << 24;

/// A configuration without a mistake, in the parts that use it.
pub(crate) struct Validated {
    pub(crate) verification: Verification,
    pub(crate) minting: Minting,
    pub(crate) answers: Answers,
    pub(crate) token_check: Option<TokenCheck>,
    pub(crate) sessions: Option<Sessions>,
    pub(crate) browser: Browser,
    /// None where there is no secret.
    pub(crate) csrf: Option<CsrfKey>,
}

impl Config {
    /// Checks every value, prepares the keys and proves that they belong together.
    pub(crate) fn validate(self) -> Result<Validated, ConfigError> {
        if let Some((_, problem)) = self.problems.into_iter().next() {
            return Err(match Arc::try_unwrap(problem) {
                Ok(problem) => problem,
                Err(shared) => ConfigError::invalid(shared.key(), reason_of(&shared)),
            });
        }
        let issuer = self
            .issuer
            .ok_or(ConfigError::Missing { key: key::ISSUER })?;
        non_empty(key::ISSUER, Some(&issuer))?;
        non_empty(key::AUDIENCE, self.audience.as_deref())?;
        non_empty(key::KEY_ID, self.key_id.as_deref())?;
        let auth_type = self.auth_type.ok_or(ConfigError::Missing {
            key: key::AUTH_TYPE,
        })?;
        let auth_max_age = age(key::AUTH_MAX_AGE, self.auth_max_age)?;
        let refresh_max_age = age(key::REFRESH_MAX_AGE, self.refresh_max_age)?;
        let leeway = whole_seconds(key::LEEWAY, self.leeway)?;
        if !(0..=LONGEST_LEEWAY).contains(&leeway) {
            return Err(ConfigError::invalid(
                key::LEEWAY,
                "must be 0 to 300 seconds",
            ));
        }
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

        if self.table.entries > LARGEST_TABLE {
            return Err(ConfigError::invalid(
                key::TOKEN_TABLE,
                "must have at most 16777216 entries",
            ));
        }

        let csrf = csrf_key(
            self.browser.csrf_secret.as_ref(),
            self.secret.as_ref(),
            auth_type,
        );
        let browser = self.browser.validate()?;
        let sessions = self.sessions.validate(&Times {
            auth_max_age,
            refresh_max_age,
            leeway,
            max_lifetime: self.max_lifetime,
        })?;
        let longest_life = sessions
            .as_ref()
            .map(|sessions| Duration::milliseconds(sessions.policy.longest_life));

        let id = self.key_id.as_deref();
        let (signer, verifier) = if auth_type.family() == Family::Hmac {
            if self.public_key.is_some() {
                tracing::warn!("`JWT_PUBLICKEY` is ignored: {auth_type} has no public key");
            }
            let (signer, verifier) = hmac(auth_type, self.secret.as_ref(), self.allow_weak_secret)?;
            (Some(signer), verifier)
        } else {
            key_pair(auth_type, self.secret.as_ref(), self.public_key.as_ref())?
        };
        let keys = KeyRing {
            signing: signer.map(|signer| SigningKey::new(auth_type, id, signer)),
            verifying: VerifyingKey::new(auth_type, self.key_id.clone(), verifier),
        };
        let issuer: Arc<str> = issuer.into();
        Ok(Validated {
            answers: Answers::new(&issuer, self.on_rejection),
            token_check: self.token_check,
            sessions,
            browser,
            csrf,
            verification: Verification {
                keys,
                rules: ClaimRules {
                    issuer,
                    audience: self.audience,
                    leeway,
                    max_lifetime: self.max_lifetime.or(longest_life),
                    integer_subjects: self.integer_subjects,
                },
                clock: self.clock,
                max_size: self.max_token_size,
                table: TokenTable::new(self.table),
            },
            minting: Minting {
                auth_type,
                auth_max_age,
                refresh_max_age,
            },
        })
    }
}

/// The key of CSRF proofs: of a secret of its own, or of the one that signs. A private key's bytes are the
/// same however its PEM is written.
fn csrf_key(own: Option<&Secret>, secret: Option<&Secret>, auth_type: AuthType) -> Option<CsrfKey> {
    if let Some(own) = own {
        return CsrfKey::derived(own.as_bytes());
    }
    let secret = secret?.as_bytes();
    if auth_type.family() == Family::Hmac {
        return CsrfKey::derived(secret);
    }
    CsrfKey::derived(&Material::private(secret).ok()?.der)
}

/// What a problem says after the key's name: for a copy of an error that cannot be cloned.
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

pub(super) fn whole_seconds(key: &'static str, duration: Duration) -> Result<i64, ConfigError> {
    if duration.subsec_nanoseconds() == 0 {
        Ok(duration.whole_seconds())
    } else {
        Err(ConfigError::invalid(key, "must be whole seconds"))
    }
}

pub(super) fn age(key: &'static str, age: Duration) -> Result<i64, ConfigError> {
    match whole_seconds(key, age)? {
        ..=0 => Err(ConfigError::invalid(key, "must be at least 1 second")),
        seconds @ ..=LONGEST_AGE => Ok(seconds),
        _ => Err(ConfigError::invalid(
            key,
            "must be at most 3155760000 seconds (100 years)",
        )),
    }
}

fn hmac(
    auth_type: AuthType,
    secret: Option<&Secret>,
    allow_weak: bool,
) -> Result<(Signer, Verifier), ConfigError> {
    let secret = secret
        .ok_or(ConfigError::Missing { key: key::SECRET })?
        .as_bytes();
    let invalid = |reason: String| ConfigError::invalid(key::SECRET, reason);
    let least = auth_type.least_secret();
    if secret.is_empty() {
        return Err(invalid("is empty".to_owned()));
    }
    if looks_like_a_public_secret(secret) {
        return Err(invalid(format!(
            "is a key in PEM, SSH or JWK form, and {auth_type} takes a random secret: whoever has \
             the public key could sign. Set `JWT_AUTHTYPE` to the key's algorithm, or make a secret"
        )));
    }
    if secret.len() < least {
        let length = secret.len();
        if !allow_weak {
            return Err(invalid(format!(
                "has {length} bytes, and {auth_type} needs {least} or more (RFC 7518, section 3.2): \
                 make a new one, for instance with `openssl rand -hex {least}`, or allow this one \
                 with `JWT_ALLOW_WEAK_SECRET=true`"
            )));
        }
        tracing::warn!(
            "`JWT_SECRET` has {length} bytes, and {auth_type} needs {least}: it can be guessed from \
             any token"
        );
    }
    Ok((
        Signer::hmac(auth_type, secret),
        Verifier::hmac(auth_type, secret),
    ))
}

/// Signs and verifies once: a pair that does not belong together is found here, and not when
/// the first user is refused.
fn key_pair(
    auth_type: AuthType,
    private: Option<&Secret>,
    public: Option<&Secret>,
) -> Result<(Option<Signer>, Verifier), ConfigError> {
    const PROOF: &[u8] = b"the keys belong together";
    let unusable = |key| {
        move |problem: KeyProblem| {
            ConfigError::invalid(key, format!("{problem} ({auth_type} is configured)"))
        }
    };
    let signer = private
        .map(|text| Signer::private(auth_type, &Material::private(text.as_bytes())?))
        .transpose()
        .map_err(unusable(key::SECRET))?;
    let verifier = public
        .map(|text| Verifier::public(auth_type, &Material::public(text.as_bytes())?))
        .transpose()
        .map_err(unusable(key::PUBLIC_KEY))?;
    let (verifier, key) = match (&signer, verifier) {
        (_, Some(verifier)) => (verifier, key::PUBLIC_KEY),
        (Some(signer), None) => (
            signer.verifier(auth_type).map_err(unusable(key::SECRET))?,
            key::SECRET,
        ),
        (None, None) => return Err(ConfigError::Missing { key: key::SECRET }),
    };
    if let Some(signer) = &signer {
        let signature = signer
            .sign(PROOF)
            .ok_or_else(|| unusable(key::SECRET)(KeyProblem::Unfit))?;
        if !verifier.verify(PROOF, &signature) {
            let reason = "does not belong to the private key in `JWT_SECRET`: derive it with \
                          `openssl pkey -pubout`, or leave it out";
            return Err(ConfigError::invalid(key, reason));
        }
    }
    Ok((signer, verifier))
}
