//! A key as it is given to a manager.

use std::{fmt, sync::Arc};

use jsonwebtoken::{AlgorithmFamily, DecodingKey, EncodingKey, jwk::Jwk};

use super::{
    AuthType, Crypto, Family, KeyProblem, PrivatePart, PublicPart, Serves, Signer, SigningKey,
    VerifyingKey,
    jwk::{self, JwkKey},
    pair,
};
use crate::error::ConfigError;

/// A key for [`AuthManager::rotate`](crate::AuthManager::rotate),
/// [`Config::verification_key`](crate::Config::verification_key) and
/// [`Issuer::key`](crate::Issuer::key): an algorithm and the secret or PEM that belongs to it, or a
/// key of `jsonwebtoken`.
///
/// Nothing is judged before it is used.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, Key};
///
/// let auth = AuthManager::new(Config::new(
///     "example", AuthType::HS256, "a secret of 32 bytes, at the least",
/// ))?;
/// let before = auth.auth_token("alice").sign()?;
///
/// auth.rotate(Key::new(AuthType::HS256, "another secret, of as many bytes as that").id("2026-02"))?;
/// assert_eq!(auth.auth_token("alice").sign()?.header()["kid"], "2026-02");
/// assert!(auth.verify_token(before.signed()).is_ok());
///
/// assert!(auth.rotate(Key::new(AuthType::HS256, "too short")).is_err()); // nothing changes
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a key does nothing until a manager gets it"]
pub struct Key {
    auth_type: AuthType,
    secret: Option<PrivatePart>,
    public: Option<PublicPart>,
    /// Whether it never signs although its secret is known.
    only_verifies: bool,
    id: Option<String>,
    serves_nameless: Option<bool>,
    allow_weak: bool,
}

/// A key that was judged: what signs with it, if it can, and what verifies.
pub(crate) struct Prepared {
    pub(crate) signer: Option<Signer>,
    pub(crate) verifying: VerifyingKey,
}

impl Prepared {
    /// The key that signs, and nothing where there is only a public key.
    pub(crate) fn split(self) -> (Option<Signer>, Arc<VerifyingKey>) {
        (self.signer, Arc::new(self.verifying))
    }

    pub(crate) fn signing(signer: Signer, key: &Arc<VerifyingKey>) -> Arc<SigningKey> {
        Arc::new(SigningKey::new(signer, Arc::clone(key)))
    }
}

impl Key {
    /// A key that signs and verifies: the HMAC secret, or the private key in PEM.
    pub fn new(auth_type: AuthType, secret: impl AsRef<[u8]>) -> Self {
        Self::of(auth_type, Some(PrivatePart::text(secret)), None)
    }

    /// A key that only verifies: the public key in PEM. Not for HMAC, which has none.
    pub fn verify_only(auth_type: AuthType, public_key: impl AsRef<[u8]>) -> Self {
        Self::of(auth_type, None, Some(PublicPart::text(public_key)))
    }

    /// A key that signs and verifies, of `jsonwebtoken`: the HMAC secret, or the private key.
    ///
    /// Its kind and its strength are judged as those of any other key. Where a
    /// [crypto provider](crate::Config::crypto_provider) is configured and the private key is one that only
    /// the provider can read, such as the name of a key in an HSM, give the [public key](Self::public_key) too.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Key, jsonwebtoken::EncodingKey};
    ///
    /// let secret = EncodingKey::from_secret(b"a secret of 32 bytes, at the least");
    /// let key = Key::from_encoding_key(AuthType::HS256, &secret);
    /// let auth = AuthManager::new(Config::with_key("example", key))?;
    /// assert!(auth.auth_token("alice").sign().is_ok());
    ///
    /// let short = Key::from_encoding_key(AuthType::HS256, &EncodingKey::from_secret(b"short"));
    /// assert!(auth.rotate(short).is_err());
    /// let other = Key::from_encoding_key(AuthType::RS256, &secret); // RS256 takes no HMAC secret
    /// assert!(auth.rotate(other).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_encoding_key(auth_type: AuthType, key: &EncodingKey) -> Self {
        Self::of(auth_type, Some(PrivatePart::Encoding(key.clone())), None)
    }

    /// A key that only verifies, of `jsonwebtoken`: the public key, or an HMAC secret that signs nothing here.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, Key, jsonwebtoken::DecodingKey};
    ///
    /// // RFC 8037, appendix A.2
    /// let key = DecodingKey::from_ed_components("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")?;
    /// let trusting = |key| {
    ///     let issuer = Issuer::new("https://accounts.example").key(key).audience("our-api");
    ///     AuthManager::new(Config::for_issuers([issuer]))
    /// };
    /// assert!(trusting(Key::from_decoding_key(AuthType::EdDSA, &key)).is_ok());
    /// assert!(trusting(Key::from_decoding_key(AuthType::ES256, &key)).is_err()); // of another kind
    ///
    /// // A point of small order: anybody could sign.
    /// let weak = DecodingKey::from_ed_der(&[0; 32]);
    /// assert!(trusting(Key::from_decoding_key(AuthType::EdDSA, &weak)).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_decoding_key(auth_type: AuthType, key: &DecodingKey) -> Self {
        match (key.family(), key.try_get_as_bytes()) {
            (AlgorithmFamily::Hmac, Ok(secret)) => {
                let secret = EncodingKey::from_secret(secret);
                let key = Self::of(auth_type, Some(PrivatePart::Encoding(secret)), None);
                Self {
                    only_verifies: true,
                    ..key
                }
            }
            _ => Self::of(auth_type, None, Some(PublicPart::Decoding(key.clone()))),
        }
    }

    /// A key of a JWK (RFC 7517) that was read with `jsonwebtoken`, with the id that its `kid` says. A public
    /// key only verifies; a secret (`oct`) signs as well.
    ///
    /// The algorithm is that of its `alg`, or else RS256, ES256, ES384, ES512 or EdDSA after its kind.
    ///
    /// `jsonwebtoken` drops private members (`d`) when it reads a JWK, and knows neither ES512 nor the name
    /// `Ed25519`: it reads both as `UNKNOWN_ALGORITHM`, which is refused here. Set `common.key_algorithm` to
    /// `None` for such keys.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when its kind, curve or algorithm is not supported, when a number is malformed, when
    /// `use` or `key_ops` say that it is for something else, or when a secret has no `alg`. What else is
    /// wrong with it is found when a manager gets it.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{Key, jsonwebtoken::jwk::Jwk};
    ///
    /// let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// let mut jwk: Jwk = serde_json::from_str(jwk)?;
    /// assert!(Key::from_jwk(&jwk).is_ok());
    ///
    /// jwk.common.public_key_use = Some(flask_pyjwt::jsonwebtoken::jwk::PublicKeyUse::Encryption);
    /// assert!(Key::from_jwk(&jwk).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_jwk(jwk: &Jwk) -> Result<Self, ConfigError> {
        let judged = jwk::key_of(jwk);
        let judged = judged.map_err(|problem| ConfigError::invalid("jwk", problem.to_string()))?;
        let key = match judged.key {
            JwkKey::Public(public) => {
                Self::of(judged.algorithm, None, Some(PublicPart::Numbers(public)))
            }
            JwkKey::Secret(secret) => {
                Self::of(judged.algorithm, Some(PrivatePart::Text(secret)), None)
            }
        };
        Ok(Self {
            id: judged.id,
            ..key
        })
    }

    /// Gives the public key that belongs to the private one. It need not be given where it can be computed:
    /// for every private key but one that only a [crypto provider](crate::Config::crypto_provider) can read.
    pub fn public_key(mut self, key: &DecodingKey) -> Self {
        self.public = Some(PublicPart::Decoding(key.clone()));
        self
    }

    pub(crate) fn of(
        auth_type: AuthType,
        secret: Option<PrivatePart>,
        public: Option<PublicPart>,
    ) -> Self {
        Self {
            auth_type,
            secret,
            public,
            only_verifies: false,
            id: None,
            serves_nameless: None,
            allow_weak: false,
        }
    }

    /// Names the key: the header's `kid`. By default it is the key's thumbprint (RFC 7638 with
    /// SHA-256), and for an HMAC secret a value that is derived from it.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Says whether tokens without a `kid` may be of this key. By default they may where the key was
    /// given no id, and where no other key is for their algorithm.
    ///
    /// `false` means that tokens have to name this key: by its thumbprint if it was given no id.
    /// Otherwise a key without a given id also accepts tokens whose `kid` no key has.
    pub fn accept_without_id(mut self, accept: bool) -> Self {
        self.serves_nameless = Some(accept);
        self
    }

    /// Lets tokens without a `kid` be of this key, unless that was said already.
    pub(crate) fn or_accept_without_id(mut self) -> Self {
        self.serves_nameless.get_or_insert(true);
        self
    }

    pub(crate) fn allow_weak(mut self, allow: bool) -> Self {
        self.allow_weak = allow;
        self
    }

    pub(crate) fn has_id(&self) -> bool {
        self.id.is_some()
    }

    /// The algorithm that it is for.
    pub(crate) fn auth_type(&self) -> AuthType {
        self.auth_type
    }

    /// Judges the key. `secret` and `public` are what errors call its two parts.
    pub(crate) fn prepare(
        self,
        secret: &'static str,
        public: &'static str,
        crypto: Crypto,
    ) -> Result<Prepared, ConfigError> {
        let auth_type = self.auth_type;
        if self.id.as_deref() == Some("") {
            return Err(ConfigError::invalid(secret, "has an empty id"));
        }
        let names = pair::Names { secret, public };
        let private = self.secret.as_ref();
        let pair = if auth_type.family() == Family::Hmac {
            if let Some(PublicPart::Decoding(_)) = self.public {
                return Err(pair::unusable(auth_type, public)(KeyProblem::OtherKind));
            }
            pair::hmac(auth_type, private, self.allow_weak, crypto, names)?
        } else {
            pair::asymmetric(auth_type, private, self.public.as_ref(), crypto, names)?
        };
        let serves = match (&self.id, self.serves_nameless) {
            (_, Some(false)) => Serves::Named,
            (None, _) => Serves::Any,
            (Some(_), None) => Serves::NamedOrOnly,
            (Some(_), Some(true)) => Serves::Nameless,
        };
        let (fingerprint, public) = (pair.fingerprint, pair.public);
        let id = self.id.unwrap_or_else(|| fingerprint.clone());
        let verifying =
            VerifyingKey::new(auth_type, id, fingerprint, serves, pair.verifier, public);
        if let Some(derived) = pair.derived {
            verifying.set_derived(derived);
        }
        Ok(Prepared {
            signer: pair.signer.filter(|_| !self.only_verifies),
            verifying,
        })
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("auth_type", &self.auth_type)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
