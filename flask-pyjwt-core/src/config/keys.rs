//! The keys of a manager: the one of `JWT_SECRET`, more of them in code, or a folder of them.

use std::path::PathBuf;

use super::{Config, issuers::Kind, key};
use crate::{
    error::{ConfigError, Problem},
    keys::{AuthType, Family, Key, KeyDirectory, KeyRing, TokenLife},
};

/// What is configured of keys beside `JWT_SECRET`, `JWT_PUBLICKEY` and `JWT_KEYID`.
#[derive(Debug, Clone, Default)]
pub(super) struct MoreKeys {
    verifying: Vec<Key>,
    always_id: bool,
    pub(super) directory: Option<PathBuf>,
}

impl MoreKeys {
    pub(super) fn has_verifying(&self) -> bool {
        !self.verifying.is_empty()
    }
}

impl Config {
    /// A configuration whose keys are files in a folder: [`keys_dir`](Self::keys_dir). Nothing is read
    /// from the environment.
    pub fn with_keys_dir(
        issuer: impl Into<String>,
        auth_type: AuthType,
        path: impl Into<PathBuf>,
    ) -> Self {
        Self::empty()
            .issuer(issuer)
            .auth_type(auth_type)
            .keys_dir(path)
    }

    /// Adds a key that verifies tokens and does not sign: one that signed before, or that of another
    /// server. It verifies its own algorithm only. Can be called repeatedly.
    ///
    /// For a key that signed before, give its secret or private part: without that, the CSRF proofs that it
    /// made are wrong, and the sessions whose records it sealed end with their next refresh.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Key};
    ///
    /// let old = AuthManager::new(Config::new(
    ///     "example", AuthType::HS256, "the secret of last year, of many bytes",
    /// ))?;
    /// let new = Config::new("example", AuthType::HS256, "the secret of this year, of many bytes");
    /// let token = old.auth_token("alice").sign()?;
    /// assert!(AuthManager::new(new.clone())?.verify_token(token.signed()).is_err());
    ///
    /// let both = new.verification_key(Key::new(
    ///     AuthType::HS256, "the secret of last year, of many bytes",
    /// ));
    /// assert!(AuthManager::new(both)?.verify_token(token.signed()).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verification_key(mut self, key: Key) -> Self {
        self.keys.verifying.push(key);
        self
    }

    /// Writes `kid` into the header of every minted token. Without this it is there where a
    /// [`key_id`](Self::key_id) is set or where there is more than one key.
    pub fn always_key_id(mut self, always: bool) -> Self {
        self.keys.always_id = always;
        self
    }

    /// Takes the keys from a folder with one file for each: the newest one signs. `JWT_SECRET`,
    /// `JWT_PUBLICKEY` and `JWT_KEYID` must not be set beside it; `JWT_AUTHTYPE` is the algorithm
    /// of the files whose names say none.
    ///
    /// A file's name ends with `.pem` or `.key`; before that it may say an algorithm, and that the
    /// key does not sign yet: `2026-02.EdDSA.pem`, `2026-03.next.pem`.
    ///
    /// The folder is read every 5 seconds, and on `SIGHUP`. Deleting a file drops its key at once. A
    /// new key counts when its file is complete: when it was not changed for 2 seconds, or is the same
    /// a second later. A file that is no good key is an error at the start; later it changes nothing,
    /// and the log names it.
    #[doc(alias = "JWT_KEYS_DIR")]
    pub fn keys_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.keys.directory = Some(path.into());
        self.settled(&[key::KEYS_DIR])
    }

    /// Makes the ring of what is configured.
    pub(super) fn ring(
        &mut self,
        auth_type: AuthType,
        life: TokenLife,
    ) -> Result<(KeyRing, Option<KeyDirectory>), ConfigError> {
        let invalid = |problem: Problem| ConfigError::invalid(key::VERIFICATION_KEY, problem);
        if self.kind == Kind::Verifier {
            return Ok((KeyRing::new([], false, life).map_err(invalid)?, None));
        }
        let more = std::mem::take(&mut self.keys);
        let verifying = more.verifying.into_iter().map(|key| {
            key.allow_weak(self.allow_weak_secret)
                .prepare(key::VERIFICATION_KEY, key::VERIFICATION_KEY)
        });
        let verifying = verifying.collect::<Result<Vec<_>, _>>()?;
        let Some(path) = more.directory else {
            let public = self.public_key.take();
            let mut own = Key::of(
                auth_type,
                self.secret.take(),
                public.filter(|_| auth_type.family() != Family::Hmac),
            )
            .accept_without_id(true)
            .allow_weak(self.allow_weak_secret);
            let always_id = more.always_id || self.key_id.is_some();
            if let Some(id) = self.key_id.take() {
                own = own.id(id);
            }
            let own = own.prepare(key::SECRET, key::PUBLIC_KEY)?;
            let keys = std::iter::once(own).chain(verifying);
            let ring = KeyRing::new(keys, always_id, life).map_err(invalid)?;
            return Ok((ring, None));
        };
        for (is_set, key) in [
            (self.secret.is_some(), key::SECRET),
            (self.public_key.is_some(), key::PUBLIC_KEY),
            (self.key_id.is_some(), key::KEY_ID),
            (!verifying.is_empty(), key::VERIFICATION_KEY),
        ] {
            if is_set {
                let reason = "is given beside `JWT_KEYS_DIR`: put the key into a file there";
                return Err(ConfigError::invalid(key, reason));
            }
        }
        let ring = KeyRing::new([], true, life).map_err(invalid)?;
        let now = self
            .clock
            .now()
            .map_err(|error| ConfigError::invalid(key::KEYS_DIR, error.to_string()))?;
        let replace = |keys| ring.replace(keys, now);
        let directory = KeyDirectory::open(path, auth_type, self.allow_weak_secret, replace)?;
        if ring.load().signing.is_none() {
            tracing::warn!("`JWT_KEYS_DIR` has no private key that signs: nothing can be minted");
        }
        Ok((ring, Some(directory)))
    }
}
