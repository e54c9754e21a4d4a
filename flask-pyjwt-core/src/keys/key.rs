//! A key as it is given to a manager.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    AuthType, Family, Material, PublicKey, Secret, Serves, Signer, SigningKey, VerifyingKey,
    derived::DerivedKeys, pair,
};
use crate::error::ConfigError;

/// A key for [`AuthManager::rotate`](crate::AuthManager::rotate),
/// [`Config::verification_key`](crate::Config::verification_key) and
/// [`Issuer::key`](crate::Issuer::key): an algorithm and the secret or PEM that belongs to it.
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
    secret: Option<Secret>,
    public: Option<Secret>,
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
        Self::of(auth_type, Some(Secret::new(secret)), None)
    }

    /// A key that only verifies: the public key in PEM. Not for HMAC, which has none.
    pub fn verify_only(auth_type: AuthType, public_key: impl AsRef<[u8]>) -> Self {
        Self::of(auth_type, None, Some(Secret::new(public_key)))
    }

    pub(crate) fn of(auth_type: AuthType, secret: Option<Secret>, public: Option<Secret>) -> Self {
        Self {
            auth_type,
            secret,
            public,
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

    pub(crate) fn allow_weak(mut self, allow: bool) -> Self {
        self.allow_weak = allow;
        self
    }

    /// Judges the key. `secret` and `public` are what errors call its two parts.
    pub(crate) fn prepare(
        self,
        secret: &'static str,
        public: &'static str,
    ) -> Result<Prepared, ConfigError> {
        let auth_type = self.auth_type;
        if self.id.as_deref() == Some("") {
            return Err(ConfigError::invalid(secret, "has an empty id"));
        }
        let names = pair::Names { secret, public };
        let (signer, verifier, public, fingerprint) = if auth_type.family() == Family::Hmac {
            if self.public.is_some() && self.secret.is_none() {
                return Err(ConfigError::Missing { key: secret });
            }
            let (signer, verifier) =
                pair::hmac(auth_type, self.secret.as_ref(), self.allow_weak, names)?;
            let fingerprint = derived_id(&signer);
            (Some(signer), verifier, None, fingerprint)
        } else {
            let (signer, verifier) =
                pair::asymmetric(auth_type, self.secret.as_ref(), self.public.as_ref(), names)?;
            let (numbers, fingerprint) = numbers(signer.as_ref(), self.public.as_ref());
            (signer, verifier, numbers, fingerprint)
        };
        let serves = match (&self.id, self.serves_nameless) {
            (_, Some(false)) => Serves::Named,
            (None, _) => Serves::Any,
            (Some(_), None) => Serves::NamedOrOnly,
            (Some(_), Some(true)) => Serves::Nameless,
        };
        let id = self.id.unwrap_or_else(|| fingerprint.clone());
        let verifying = VerifyingKey::new(auth_type, id, fingerprint, serves, verifier, public);
        let derived = self.secret.as_ref();
        if let Some(derived) = derived.and_then(|secret| DerivedKeys::of(auth_type, secret)) {
            verifying.set_derived(derived);
        }
        Ok(Prepared { signer, verifying })
    }
}

/// A name for an HMAC secret that tells no more of it than any token does. (The thumbprint of
/// RFC 7638 would be a plain hash of the secret, which its section 7 warns of.)
fn derived_id(signer: &Signer) -> String {
    // No dot: this is no token's signing input.
    let mac = signer.sign(b"flask-pyjwt key id").unwrap_or_default();
    URL_SAFE_NO_PAD.encode(&mac[..mac.len().min(16)])
}

/// The public numbers and the thumbprint of a key that was accepted.
fn numbers(signer: Option<&Signer>, public: Option<&Secret>) -> (Option<PublicKey>, String) {
    let material = public.and_then(|public| Material::public(public.as_bytes()).ok());
    let spki = signer.and_then(Signer::spki);
    let public = spki
        .as_deref()
        .and_then(PublicKey::from_spki)
        .or_else(|| PublicKey::of(material.as_ref()?));
    if let Some(public) = public {
        let thumbprint = public.thumbprint();
        return (Some(public), thumbprint);
    }
    tracing::warn!(
        "a public key has an unusual form and is not published: `openssl pkey -pubin \
         -ec_conv_form uncompressed` writes it as usual"
    );
    let der = spki.unwrap_or_else(|| material.map(|key| key.der.to_vec()).unwrap_or_default());
    (None, URL_SAFE_NO_PAD.encode(super::backend::sha256(&der)))
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("auth_type", &self.auth_type)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
