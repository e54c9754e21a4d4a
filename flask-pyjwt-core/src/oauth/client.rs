//! A client as an application describes it.

use std::fmt;

use crate::keys::{Key, Secret};

/// Describes a client of the OAuth endpoints: its id, and how it authenticates. Pass it to
/// [`OAuthClients::new`](crate::OAuthClients::new), which checks it.
///
/// | constructor | authentication | methods (RFC 8414, section 2) |
/// | --- | --- | --- |
/// | [`with_secret`](Self::with_secret) | a shared secret (RFC 6749, section 2.3.1) | `client_secret_basic`, `client_secret_post` |
/// | [`with_key`](Self::with_key) | a JWT that it has signed (RFC 7523, section 3) | `private_key_jwt` |
/// | [`public`](Self::public) | none: it only names itself | `none` |
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{OAuthClient, OAuthClients};
///
/// let api = OAuthClient::with_secret("api", "change-me: at least 32 bytes of secret");
/// assert!(OAuthClients::new([api, OAuthClient::public("spa")]).is_ok());
///
/// let short = OAuthClient::with_secret("api", "too short");
/// assert!(OAuthClients::new([short]).is_err());
/// ```
#[derive(Clone)]
#[must_use = "a client does nothing until `OAuthClients::new` takes it"]
pub struct OAuthClient {
    pub(super) id: String,
    pub(super) credential: Credential,
    pub(super) allow_weak: bool,
}

/// How a client authenticates.
#[derive(Clone)]
pub(super) enum Credential {
    Public,
    Secret(Secret),
    Keys(Vec<Key>),
}

impl OAuthClient {
    /// Creates a client that shares a secret with this server. The secret needs at least 32 bytes.
    ///
    /// The client sends it in `Authorization: Basic` or as the parameter `client_secret`. This process keeps only its
    /// SHA-256 digest, so the secret has to be random and not a password.
    pub fn with_secret(id: impl Into<String>, secret: impl AsRef<[u8]>) -> Self {
        Self::of(id, Credential::Secret(Secret::new(secret)))
    }

    /// Creates a client that signs a JWT for each request with its private key (`private_key_jwt`). The key is its public
    /// key, as of [`Key::verify_only`] or [`Key::from_jwk`]. HMAC keys are refused.
    ///
    /// The JWT is valid for at most one hour, names this server as its audience, and works once (RFC 7523, section 3): in the
    /// whole fleet if the session store keeps what was used, else in each process.
    #[doc(alias = "private_key_jwt")]
    pub fn with_key(id: impl Into<String>, key: Key) -> Self {
        Self::of(id, Credential::Keys(vec![key]))
    }

    /// Creates a client that cannot keep a secret, such as an application in a browser (RFC 6749, section 2.1). It sends
    /// the parameter `client_id`. It can refresh tokens that are bound to its key or certificate, and revoke its tokens. The
    /// introspection endpoint refuses it.
    pub fn public(id: impl Into<String>) -> Self {
        Self::of(id, Credential::Public)
    }

    /// Adds a further key of a client of [`with_key`](Self::with_key), for the time of a key rotation. It has no effect on
    /// other clients.
    pub fn key(mut self, key: Key) -> Self {
        if let Credential::Keys(keys) = &mut self.credential {
            keys.push(key);
        }
        self
    }

    /// Accepts a secret of less than 32 bytes, with a warning in the log. An empty secret stays an error.
    ///
    /// A short secret can be guessed by sending many requests, which this package does not limit.
    pub fn allow_weak_secret(mut self, allow: bool) -> Self {
        self.allow_weak = allow;
        self
    }

    fn of(id: impl Into<String>, credential: Credential) -> Self {
        Self {
            id: id.into(),
            credential,
            allow_weak: false,
        }
    }
}

impl fmt::Debug for OAuthClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OAuthClient")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}
