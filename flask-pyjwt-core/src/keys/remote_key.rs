//! Keys that sign elsewhere: how an application makes one.

use std::sync::Arc;

use time::Duration;

use super::{
    Key, RemoteSigner, Secret,
    given_remote::{GivenRemote, REMOTE},
};
use crate::error::ConfigError;

/// Keys in a KMS or an HSM.
impl Key {
    /// Creates a key that signs elsewhere and verifies here. The private key is never in this process.
    ///
    /// Mint with [`sign_async`](crate::AuthTokenBuilder::sign_async). [`AuthManager::login`](crate::AuthManager::login),
    /// [`refresh`](crate::AuthManager::refresh) and [`SilentRenewal`](crate::SilentRenewal) wait for the signatures
    /// themselves. Sessions and CSRF proofs also need a [local secret](Self::local_secret).
    ///
    /// The key can also be given to [`AuthManager::rotate`](crate::AuthManager::rotate) and
    /// [`prepublish`](crate::AuthManager::prepublish), and it can replace or be replaced by a key in this process. The
    /// public key is checked like any other. That it belongs to the private key is checked with each signature: a wrong
    /// one is [`SignerFailure::WrongSignature`](crate::SignerFailure::WrongSignature). To find out before the first request, mint a token at start.
    ///
    /// [`RemoteSigner`] has an example.
    #[doc(alias = "KMS")]
    #[doc(alias = "HSM")]
    #[doc(alias = "PKCS#11")]
    pub fn remote(signer: impl RemoteSigner) -> Self {
        let mut key = Self::of(signer.auth_type(), None, None);
        key.id = signer.key_id();
        key.remote = Some(GivenRemote {
            public: signer.public_key(),
            signer: Arc::new(signer),
            timeout: Duration::seconds(2),
            retries: 1,
            concurrency: 32,
            local_secret: None,
        });
        key
    }

    /// Sets how long one attempt of a [remote key](Self::remote) to sign may take, from 1 millisecond to a minute. The
    /// default is 2 seconds. The wait for [one of the places](Self::concurrency) before it has the same limit.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with_remote("timeout", |remote| remote.timeout = timeout)
    }

    /// Sets how often a [remote key](Self::remote) tries again after a
    /// [temporary](crate::signer::SignerError::temporary) error, from 0 to 10. The default is 1.
    ///
    /// It pauses for 50 milliseconds before it tries again, and twice as long before each further time. An attempt that
    /// took too long is not repeated.
    pub fn retries(self, retries: u32) -> Self {
        self.with_remote("retries", |remote| remote.retries = retries)
    }

    /// Sets how many signatures a [remote key](Self::remote) makes at once, from 1 to 10,000. The default is 32.
    ///
    /// Further ones wait. If no place becomes free within the [time limit](Self::timeout), minting fails with
    /// [`SignerFailure::Busy`](crate::SignerFailure::Busy).
    pub fn concurrency(self, concurrency: usize) -> Self {
        self.with_remote("concurrency", |remote| remote.concurrency = concurrency)
    }

    /// Sets a secret in this process from which a [remote key](Self::remote) derives the keys for CSRF proofs, for the
    /// seals of session records and for the nonces of DPoP proofs. It signs no tokens.
    ///
    /// With other keys, these are derived from the private key. A remote key without a local secret cannot be used with
    /// a session store. All processes need the same secret, of at least 32 bytes: `openssl rand -hex 32`. Whoever knows it can
    /// make CSRF proofs, and can change the claims of sessions if they can also write to the session store.
    pub fn local_secret(self, secret: impl AsRef<[u8]>) -> Self {
        let secret = Secret::new(secret);
        self.with_remote("local_secret", |remote| remote.local_secret = Some(secret))
    }

    fn with_remote(mut self, setting: &'static str, set: impl FnOnce(&mut GivenRemote)) -> Self {
        match &mut self.remote {
            Some(remote) => set(remote),
            None => self.misplaced = Some(setting),
        }
        self
    }

    /// Whether the key signs elsewhere.
    pub(crate) fn is_remote(&self) -> bool {
        self.remote.is_some()
    }
}

/// Refuses a key with which no sessions could be opened: a remote one without a local secret.
pub(crate) fn check_local_secret(key: &Key) -> Result<(), ConfigError> {
    let remote = key.remote.as_ref();
    if remote.is_some_and(|remote| remote.local_secret.is_none()) {
        let reason = "has no `local_secret`, which the session store needs: generate one with `openssl rand -hex 32`, \
                      and add `.local_secret(…)`";
        return Err(ConfigError::invalid(REMOTE, reason));
    }
    Ok(())
}
