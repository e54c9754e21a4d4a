//! A key as an application gives it to a manager.

use std::{fmt, sync::Arc};

use jsonwebtoken::{AlgorithmFamily, DecodingKey, EncodingKey, jwk::Jwk};

use super::{
    AuthType, Crypto, Family, KeyProblem, PrivatePart, PublicPart, Serves, Signer, SigningKey,
    VerifyingKey,
    given_remote::GivenRemote,
    jwk::{self, JwkKey},
    pair,
};
use crate::error::ConfigError;

/// Holds a key that signs or verifies tokens: an HMAC secret, a private key or a public key, with its algorithm and key
/// ID.
///
/// Pass it to [`Config::with_key`](crate::Config::with_key),
/// [`Config::verification_key`](crate::Config::verification_key), [`Issuer::key`](crate::Issuer::key),
/// [`AuthManager::rotate`](crate::AuthManager::rotate) or [`AuthManager::prepublish`](crate::AuthManager::prepublish).
/// The key is checked there: the constructors accept any bytes.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, Key};
///
/// let auth = AuthManager::new(Config::new(
///     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
/// ))?;
/// let before = auth.auth_token("alice").sign()?;
///
/// auth.rotate(Key::new(AuthType::HS256, "change-me too: the next secret of 32 bytes").id("2026-02"))?;
/// assert_eq!(auth.auth_token("alice").sign()?.header()["kid"], "2026-02");
/// assert!(auth.verify_token(before.signed()).is_ok());
///
/// // A key that is too short is refused, and the manager keeps its keys.
/// assert!(auth.rotate(Key::new(AuthType::HS256, "too short")).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[doc(alias = "kid")]
#[doc(alias = "signing key")]
#[doc(alias = "secret")]
#[doc(alias = "PEM")]
#[doc(alias = "JWK")]
#[must_use = "a key does nothing until a manager or configuration takes it"]
pub struct Key {
    auth_type: AuthType,
    secret: Option<PrivatePart>,
    public: Option<PublicPart>,
    /// Whether the key must not sign although its secret is known.
    only_verifies: bool,
    pub(super) id: Option<String>,
    accepts_without_id: Option<bool>,
    allow_weak: bool,
    /// The signer of a key whose private part is elsewhere.
    pub(super) remote: Option<GivenRemote>,
    /// A setting that is for remote keys, and was called for another one.
    pub(super) misplaced: Option<&'static str>,
}

/// A checked key. It has a signer unless only the public key is known.
pub(crate) struct Prepared {
    pub(crate) signer: Option<Signer>,
    pub(crate) verifying: VerifyingKey,
}

impl Prepared {
    /// Splits the key into its two parts.
    pub(crate) fn split(self) -> (Option<Signer>, Arc<VerifyingKey>) {
        (self.signer, Arc::new(self.verifying))
    }

    pub(crate) fn signing(signer: Signer, key: &Arc<VerifyingKey>) -> Arc<SigningKey> {
        Arc::new(SigningKey::new(signer, Arc::clone(key)))
    }
}

impl Key {
    /// Creates a key that signs and verifies, from an HMAC secret or a private key in PEM.
    ///
    /// PEM can have the forms PKCS#8, PKCS#1 (RSA) and SEC 1 (elliptic curves).
    pub fn new(auth_type: AuthType, secret: impl AsRef<[u8]>) -> Self {
        Self::of(auth_type, Some(PrivatePart::text(secret)), None)
    }

    /// Creates a key that only verifies, from a public key in PEM. HMAC has no public keys.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, Key};
    ///
    /// // RFC 8410, section 10.1
    /// let pem = "-----BEGIN PUBLIC KEY-----\n\
    ///     MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
    ///     -----END PUBLIC KEY-----\n";
    /// let trusting = |key| {
    ///     let issuer = Issuer::new("https://accounts.example").key(key).audience("our-api");
    ///     AuthManager::new(Config::for_issuers([issuer]))
    /// };
    /// assert!(trusting(Key::verify_only(AuthType::EdDSA, pem)).is_ok());
    /// assert!(trusting(Key::verify_only(AuthType::RS256, pem)).is_err()); // not an RSA key
    /// ```
    #[doc(alias = "public key")]
    pub fn verify_only(auth_type: AuthType, public_key: impl AsRef<[u8]>) -> Self {
        Self::of(auth_type, None, Some(PublicPart::text(public_key)))
    }

    /// Creates a key that signs and verifies, from an `EncodingKey` of `jsonwebtoken`: an HMAC secret or a private key.
    ///
    /// Its kind and strength are checked as for any other key. With a
    /// [crypto provider](crate::Config::crypto_provider), the private key can be something that only the provider
    /// understands, such as the name of a key in an HSM. In this case, add the [public key](Self::public_key).
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Key, jsonwebtoken::EncodingKey};
    ///
    /// let secret = EncodingKey::from_secret(b"change-me: at least 32 bytes of secret");
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

    /// Creates a key that only verifies, from a `DecodingKey` of `jsonwebtoken`: a public key, or an HMAC secret that
    /// must not sign.
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
    /// assert!(trusting(Key::from_decoding_key(AuthType::ES256, &key)).is_err()); // another kind of key
    ///
    /// // A point of small order: anybody could forge signatures.
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

    /// Creates a key from a JWK (RFC 7517) that `jsonwebtoken` has parsed. The JWK's `kid` becomes the key ID.
    ///
    /// A public key only verifies; a secret (`oct`) signs as well. The algorithm is the one in `alg`. A public key
    /// without `alg` is used with RS256, ES256, ES384, ES512 or EdDSA, depending on its type and curve.
    ///
    /// `jsonwebtoken` drops private members (`d`) when it parses a JWK. It also parses the algorithms ES512 and
    /// `Ed25519` as `UNKNOWN_ALGORITHM`, which this function refuses. For such keys, set `common.key_algorithm` to
    /// `None`.
    ///
    /// # Errors
    ///
    /// Returns a [`ConfigError`] if the key's type, curve or algorithm is not supported, if a number is malformed, if
    /// `use` or `key_ops` say that the key is for something else, or if a secret has no `alg`. All other checks run
    /// when a manager or configuration takes the key.
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
        let given = jwk::key_of(jwk);
        let given = given.map_err(|problem| ConfigError::invalid("jwk", problem.to_string()))?;
        let key = match given.key {
            JwkKey::Public(public) => {
                Self::of(given.algorithm, None, Some(PublicPart::Numbers(public)))
            }
            JwkKey::Secret(secret) => {
                Self::of(given.algorithm, Some(PrivatePart::Text(secret)), None)
            }
        };
        Ok(Self {
            id: given.id,
            ..key
        })
    }

    /// Sets the public key of a private key that only a [crypto provider](crate::Config::crypto_provider) can read. For
    /// all other private keys, the public key is computed.
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
            accepts_without_id: None,
            allow_weak: false,
            remote: None,
            misplaced: None,
        }
    }

    /// Sets the key ID: `kid` in the header of tokens (RFC 7515, section 4.1.4).
    ///
    /// The default is the key's thumbprint (RFC 7638 with SHA-256). For an HMAC secret, it is a value derived from the
    /// secret.
    #[doc(alias = "kid")]
    #[doc(alias = "JWT_KEYID")]
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets whether this key is tried for tokens that have no `kid`.
    ///
    /// By default, it is tried if [`id`](Self::id) was not called, or if no other key has the token's algorithm. A key
    /// without an explicit ID is also tried for tokens whose `kid` belongs to no key.
    ///
    /// With `false`, a token must name this key: by its ID, or by its thumbprint if `id` was not called.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, Key};
    /// # let shared = "change-me: at least 32 bytes of secret";
    ///
    /// // This service signs tokens without a `kid`.
    /// let partner = AuthManager::new(
    ///     Config::new("https://partner.example", AuthType::HS256, shared).audience("our-api"),
    /// )?;
    /// let token = partner.auth_token("alice").sign()?;
    ///
    /// let trusting = |accept| {
    ///     let key = Key::new(AuthType::HS256, shared).accept_without_id(accept);
    ///     let issuer = Issuer::new("https://partner.example").key(key).audience("our-api");
    ///     AuthManager::new(Config::for_issuers([issuer]))
    /// };
    /// assert!(trusting(true)?.verify_token(token.signed()).is_ok());
    /// assert!(trusting(false)?.verify_token(token.signed()).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn accept_without_id(mut self, accept: bool) -> Self {
        self.accepts_without_id = Some(accept);
        self
    }

    /// Accepts tokens without a `kid`, unless [`accept_without_id`](Self::accept_without_id) was called.
    pub(crate) fn or_accept_without_id(mut self) -> Self {
        self.accepts_without_id.get_or_insert(true);
        self
    }

    pub(crate) fn allow_weak(mut self, allow: bool) -> Self {
        self.allow_weak = allow;
        self
    }

    pub(crate) fn has_id(&self) -> bool {
        self.id.is_some()
    }

    /// Returns the key's algorithm.
    pub(crate) fn auth_type(&self) -> AuthType {
        self.auth_type
    }

    /// Checks the key and prepares it for use. `secret` and `public` are the names of its two parts in errors.
    pub(crate) fn prepare(
        self,
        secret: &'static str,
        public: &'static str,
        crypto: Crypto,
    ) -> Result<Prepared, ConfigError> {
        let auth_type = self.auth_type;
        if self.id.as_deref() == Some("") {
            return Err(ConfigError::invalid(secret, "has an empty key ID"));
        }
        if let Some(setting) = self.misplaced {
            let reason = format!("has the setting `{setting}`, which only `Key::remote` has");
            return Err(ConfigError::invalid(secret, reason));
        }
        let names = pair::Names { secret, public };
        let private = self.secret.as_ref();
        let pair = if let Some(remote) = &self.remote {
            if self.public.is_some() {
                let reason =
                    "is remote, and its signer says the public key: leave out `public_key`";
                return Err(ConfigError::invalid(public, reason));
            }
            remote.prepare(auth_type, crypto)?
        } else if auth_type.family() == Family::Hmac {
            if let Some(PublicPart::Decoding(_)) = self.public {
                return Err(pair::unusable(auth_type, public)(KeyProblem::OtherKind));
            }
            pair::hmac(auth_type, private, self.allow_weak, crypto, names)?
        } else {
            pair::asymmetric(auth_type, private, self.public.as_ref(), crypto, names)?
        };
        let serves = match (&self.id, self.accepts_without_id) {
            (_, Some(false)) => Serves::Named,
            (None, _) => Serves::Any,
            (Some(_), None) => Serves::NamedOrOnly,
            (Some(_), Some(true)) => Serves::WithoutId,
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
