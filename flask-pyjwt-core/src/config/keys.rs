//! Configuration of this server's keys: `JWT_SECRET`, keys in code, or a folder.

use std::path::PathBuf;

use jsonwebtoken::crypto::CryptoProvider;

use super::{Config, issuers::Kind, key};
use crate::{
    error::{ConfigError, Problem},
    keys::{
        AuthType, Crypto, Family, Key, KeyDirectory, KeyRing, Place, PrivatePart, PublicPart,
        TokenLife, check_local_secret,
    },
};

/// Keys other than `JWT_SECRET`, `JWT_PUBLICKEY` and `JWT_KEYID`.
#[derive(Debug, Clone, Default)]
pub(super) struct MoreKeys {
    verifying: Vec<Key>,
    always_id: bool,
    pub(super) directory: Option<Place>,
    /// The key of [`Config::with_key`].
    pub(super) own: Option<Key>,
    pub(super) crypto: Crypto,
}

impl MoreKeys {
    pub(super) fn has_verifying(&self) -> bool {
        !self.verifying.is_empty()
    }
}

impl Config {
    /// A configuration with the keys in a folder: see [`keys_dir`](Self::keys_dir). It does not read the environment.
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

    /// A configuration with this key, which signs if it has a private part. It does not read the environment.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Key, jsonwebtoken::EncodingKey};
    ///
    /// let with_secret = |secret: &[u8]| {
    ///     let key = Key::from_encoding_key(AuthType::HS256, &EncodingKey::from_secret(secret));
    ///     AuthManager::new(Config::with_key("example", key))
    /// };
    /// assert!(with_secret(b"change-me: at least 32 bytes of secret").is_ok());
    /// assert!(with_secret(b"short").is_err());
    /// ```
    pub fn with_key(issuer: impl Into<String>, key: Key) -> Self {
        let mut config = Self::empty().issuer(issuer).auth_type(key.auth_type());
        config.keys.own = Some(key);
        config
    }

    /// Signs and verifies tokens with a `CryptoProvider` of `jsonwebtoken`, such as a FIPS module or an HSM.
    ///
    /// The provider gets every key: this server's, those of the keys folder, and those of other issuers, including fetched
    /// ones. This crate checks each key first: its kind, its strength, and that its parts belong together. If the provider
    /// refuses a key, that is an error; in a set of another issuer, the key is left out. There is no fallback to this
    /// crate's cryptography. A provider that wants one calls [`CRYPTO_PROVIDER`](crate::CRYPTO_PROVIDER) itself. ES512 is
    /// refused, because `jsonwebtoken` does not support it. Key IDs, CSRF proofs and the seals of session records are
    /// always made by this crate.
    ///
    /// Signers and verifiers belong to one thread. Each thread makes its own on first use, and one is made to check the key
    /// at start. They run on the thread that serves the request, so a provider that blocks delays the other requests of
    /// that thread. If a provider cannot verify, the signature counts as wrong. A signature with a wrong length or a value
    /// that no signer produces is refused before the provider sees it, and is never sent.
    ///
    /// For a private key that only the provider can read, such as a key in an HSM, give an `EncodingKey` that names it,
    /// together with its public key: [`Key::public_key`]. Nothing can be derived from such a key: CSRF proofs then need
    /// [`csrf_secret`](Self::csrf_secret), and sessions cannot be opened, because their records could not be sealed.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, CRYPTO_PROVIDER, Config};
    /// use flask_pyjwt::jsonwebtoken::{
    ///     Algorithm,
    ///     crypto::{CryptoProvider, KeyUtils},
    ///     errors::ErrorKind,
    /// };
    ///
    /// // It supports ES256 only. A provider for an HSM would call its driver here.
    /// static MODULE: CryptoProvider = CryptoProvider {
    ///     signer_factory: |algorithm, key| match algorithm {
    ///         Algorithm::ES256 => (CRYPTO_PROVIDER.signer_factory)(algorithm, key),
    ///         _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    ///     },
    ///     verifier_factory: |algorithm, key| match algorithm {
    ///         Algorithm::ES256 => (CRYPTO_PROVIDER.verifier_factory)(algorithm, key),
    ///         _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
    ///     },
    ///     key_utils: KeyUtils::new_unimplemented(), // never called here
    /// };
    /// # const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----
    /// # MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjJhwNshKmI66TcPM
    /// # 9A/hBevfSndF6t2XjWlAHUvxi/6hRANCAAQQOI6+kv4Wtjz+3NLvZxkkuRtYCmQ9
    /// # KaudPIDtctiqEmjZ6vdst4BHINwxYkWG/HwDBT5l1KgdHgwgZndkWM+Y
    /// # -----END PRIVATE KEY-----";
    ///
    /// let config = Config::new("example", AuthType::ES256, PRIVATE_KEY).crypto_provider(&MODULE);
    /// let auth = AuthManager::new(config)?;
    /// let token = auth.auth_token("alice").sign()?;
    /// assert!(auth.verify_token(token.signed()).is_ok());
    ///
    /// let secret = "change-me: at least 32 bytes of secret";
    /// let config = Config::new("example", AuthType::HS256, secret).crypto_provider(&MODULE);
    /// assert!(AuthManager::new(config).is_err()); // the provider refuses the key
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "HSM")]
    #[doc(alias = "FIPS")]
    pub fn crypto_provider(mut self, provider: &'static CryptoProvider) -> Self {
        self.keys.crypto = Crypto::provided(provider);
        self
    }

    /// Adds a key that verifies tokens and does not sign them: a former signing key, or the key of another server.
    ///
    /// It verifies only its own algorithm. Can be called repeatedly. For a former signing key, give the secret or private
    /// part. Without it, CSRF proofs made with that key are invalid, and sessions sealed with it end at their next refresh.
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

    /// `true` writes `kid` into the header of every signed token.
    ///
    /// By default it is written if a [`key_id`](Self::key_id) is set or there is more than one key.
    pub fn always_key_id(mut self, always: bool) -> Self {
        self.keys.always_id = always;
        self
    }

    /// Reads the keys from a folder with one file for each key. The newest private key signs.
    ///
    /// A file's name ends with `.pem` or `.key`. Before that it may name an algorithm, and `next` for a key that does not
    /// sign yet: `2026-02.EdDSA.pem`, `2026-03.next.pem`. `JWT_AUTHTYPE` is the algorithm of files that name none.
    /// `JWT_SECRET`, `JWT_PUBLICKEY` and `JWT_KEYID` must not be set as well.
    ///
    /// The folder is read every 5 seconds and on `SIGHUP`. Deleting a file drops its key at once. A new key is used when
    /// its file is complete: unchanged for 2 seconds, or the same in two readings a second apart. An invalid file is an
    /// error at start. Later it changes nothing, and the log names it.
    #[doc(alias = "JWT_KEYS_DIR")]
    pub fn keys_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.keys.directory = Some(Place::in_code(path.into()));
        self.settled(&[key::KEYS_DIR])
    }

    /// Builds the key ring.
    pub(super) fn ring(
        &mut self,
        auth_type: AuthType,
        life: TokenLife,
    ) -> Result<(KeyRing, Option<KeyDirectory>), ConfigError> {
        let invalid = |problem: Problem| ConfigError::invalid(key::VERIFICATION_KEY, problem);
        if self.kind == Kind::Verifier {
            return Ok((
                KeyRing::new([], false, life, self.keys.crypto).map_err(invalid)?,
                None,
            ));
        }
        let crypto = self.keys.crypto;
        let more = std::mem::take(&mut self.keys);
        self.keys.crypto = crypto;
        let verifying = more.verifying.into_iter().map(|key| {
            key.allow_weak(self.allow_weak_secret).prepare(
                key::VERIFICATION_KEY,
                key::VERIFICATION_KEY,
                crypto,
            )
        });
        let verifying = verifying.collect::<Result<Vec<_>, _>>()?;
        let Some(place) = more.directory else {
            let public = self.public_key.take();
            let public = public.filter(|_| auth_type.family() != Family::Hmac);
            let secret = self.secret.take();
            let own = match more.own {
                Some(_) if secret.is_some() || public.is_some() => {
                    let reason = "is set, and so is a key in code: keep one of them";
                    return Err(ConfigError::invalid(key::SECRET, reason));
                }
                Some(own) if own.auth_type() != auth_type => {
                    let reason = "is not the algorithm of the key";
                    return Err(ConfigError::invalid(key::AUTH_TYPE, reason));
                }
                Some(own) => own,
                None => Key::of(
                    auth_type,
                    secret.map(PrivatePart::Text),
                    public.map(PublicPart::Text),
                ),
            };
            let mut own = own
                .or_accept_without_id()
                .allow_weak(self.allow_weak_secret);
            let always_id = more.always_id || self.key_id.is_some() || own.has_id();
            if let Some(id) = self.key_id.take() {
                own = own.id(id);
            }
            if self.sessions.has_store() {
                check_local_secret(&own)?;
            }
            let own = own.prepare(key::SECRET, key::PUBLIC_KEY, crypto)?;
            let keys = std::iter::once(own).chain(verifying);
            let ring = KeyRing::new(keys, always_id, life, crypto).map_err(invalid)?;
            return Ok((ring, None));
        };
        for (is_set, key) in [
            (self.secret.is_some() || more.own.is_some(), key::SECRET),
            (self.public_key.is_some(), key::PUBLIC_KEY),
            (self.key_id.is_some(), key::KEY_ID),
            (!verifying.is_empty(), key::VERIFICATION_KEY),
        ] {
            if is_set {
                let reason = "is set, and so is `JWT_KEYS_DIR`: put the key into a file there";
                return Err(ConfigError::invalid(key, reason));
            }
        }
        let ring = KeyRing::new([], true, life, crypto).map_err(invalid)?;
        let now = self
            .clock
            .now()
            .map_err(|error| ConfigError::invalid(key::KEYS_DIR, error.to_string()))?;
        let change = |change| ring.change(change, now);
        let directory =
            KeyDirectory::open(place, auth_type, self.allow_weak_secret, crypto, change)?;
        if ring.load().signing.is_none() {
            tracing::warn!("`JWT_KEYS_DIR` has no signing key: no token can be minted");
        }
        Ok((ring, Some(directory)))
    }
}
