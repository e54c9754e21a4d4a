//! Key rotation while requests are served.

use std::sync::{Arc, Weak};

use jsonwebtoken::jwk::JwkSet;

use super::AuthManager;
use crate::{
    config::{Parts, key},
    error::ConfigError,
    keys::{
        Key, KeyDirectory, KeyState, Look, Next, Occasion, Published, Watch, check_local_secret,
        until_complete,
    },
    meters,
    token::NumericDate,
};

/// The name of the key argument in errors.
const KEY: &str = "key";

impl AuthManager {
    /// Signs with this key from now on. Returns its key ID (`kid`).
    ///
    /// The previous key verifies until the last of its tokens has expired. Then it is dropped. Until then its CSRF proofs
    /// and the seals of session records stay valid too; each refresh seals a record with the new key. Requests and
    /// minting do not wait for a rotation.
    ///
    /// Other servers that verify these tokens have to know the key before it signs. Give it to them with
    /// [`prepublish`](Self::prepublish), or let them fetch it from [`jwks`](Self::jwks).
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Key};
    ///
    /// let auth = AuthManager::new(Config::new(
    ///     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
    /// ))?;
    /// let old = auth.auth_token("alice").sign()?;
    /// let id = auth.rotate(Key::new(AuthType::HS256, "the next secret, of at least 32 bytes"))?;
    /// assert_eq!(auth.auth_token("alice").sign()?.header()["kid"], *id);
    /// assert!(auth.verify_token(old.signed()).is_ok());
    ///
    /// // A key that is too weak changes nothing.
    /// assert!(auth.rotate(Key::new(AuthType::HS256, "short")).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`], and nothing changes, if the key cannot be used, has no private part, or has the ID of another
    /// key. Also if the keys come from `JWT_KEYS_DIR`, if the manager signs nothing
    /// ([`Config::for_issuers`](crate::Config::for_issuers)), or if it has a session store and the key is a
    /// [remote](Key::remote) one without a [local secret](Key::local_secret).
    #[doc(alias = "key rotation")]
    pub fn rotate(&self, key: Key) -> Result<String, ConfigError> {
        self.check_changeable()?;
        if self.0.sessions.is_some() {
            check_local_secret(&key)?;
        }
        let is_remote = key.is_remote();
        let id = self
            .ring()
            .rotate(self.ring().prepare(key)?, self.now_or(KEY)?)?;
        if is_remote {
            meters::begin_remote_signatures();
        }
        tracing::info!(kid = id, "tokens are signed with a new key from now on");
        Ok(id)
    }

    /// Verifies with this key from now on and publishes it, but does not sign with it yet. Returns its key ID (`kid`).
    ///
    /// [`rotate`](Self::rotate) with the same key makes it the signing key.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], and nothing changes, if the key cannot be used or has the ID of another key. Also if the keys come
    /// from `JWT_KEYS_DIR`, or the manager signs nothing.
    pub fn prepublish(&self, key: Key) -> Result<String, ConfigError> {
        self.check_changeable()?;
        let id = self
            .ring()
            .prepublish(self.ring().prepare(key)?, self.now_or(KEY)?)?;
        tracing::info!(kid = id, "a new key is published, and does not sign yet");
        Ok(id)
    }

    /// Drops a key at once, for instance because it leaked.
    ///
    /// All its tokens are refused from now on, including those that were accepted before. Its CSRF proofs become invalid,
    /// and sessions that were sealed with it cannot be refreshed.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if no key has this ID, if it is the signing key (rotate first), or if the keys come from
    /// `JWT_KEYS_DIR` (delete the file).
    pub fn remove_key(&self, id: &str) -> Result<(), ConfigError> {
        self.check_changeable()?;
        self.ring().remove(id, self.now_or(KEY)?)?;
        tracing::warn!(kid = id, "a key was removed: its tokens are refused");
        Ok(())
    }

    /// The keys in use now, the signing key first.
    #[must_use]
    pub fn keys(&self) -> Vec<KeyState> {
        let now = self.0.verification.clock.now();
        now.map_or_else(|_| Vec::new(), |now| self.ring().states(now))
    }

    /// The public keys in use now, as a `JwkSet` of `jsonwebtoken`: the set that [`jwks`](Self::jwks) serves. Empty if the
    /// clock is out of range.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Issuer};
    /// # const PRIVATE_KEY: &str = "-----BEGIN PRIVATE KEY-----
    /// # MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
    /// # -----END PRIVATE KEY-----";
    ///
    /// let auth = AuthManager::new(Config::new("example", AuthType::EdDSA, PRIVATE_KEY).audience("our-api"))?;
    /// let issuer = Issuer::new("example").jwks(auth.jwk_set()).audience("our-api");
    /// let other = AuthManager::new(Config::for_issuers([issuer]))?;
    /// assert!(other.verify_token(auth.auth_token("alice").sign()?.signed()).is_ok());
    ///
    /// // An HMAC secret is never in it.
    /// let auth = AuthManager::new(Config::new(
    ///     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
    /// ))?;
    /// assert!(auth.jwk_set().keys.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// ES512 keys have no `alg` in it, because `jsonwebtoken` does not know that algorithm.
    #[must_use]
    #[doc(alias = "JwkSet")]
    pub fn jwk_set(&self) -> JwkSet {
        let published = self.published();
        published.map_or_else(JwkSet::default, |published| published.set.clone())
    }

    /// The public keys in use now, or `None` if the clock is out of range.
    pub(crate) fn published(&self) -> Option<Arc<Published>> {
        let now = self.0.verification.clock.now().ok()?;
        Some(self.ring().published(now))
    }

    /// Reads `JWT_KEYS_DIR` now, in addition to every 5 seconds and on `SIGHUP`. Does nothing without such a folder.
    ///
    /// Keys whose files were deleted are dropped at once, even if no signing key is left. A file that was changed within
    /// the last 2 seconds may be incomplete: this blocks until it stays the same for a second, for at most 3 seconds.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first file that is not in use, because it is not a valid key or is still being written.
    /// The key that the file held before stays in use, and so do all others.
    pub fn reload_keys(&self) -> Result<(), ConfigError> {
        match &self.0.directory {
            Some(directory) => until_complete(|| self.look(directory))?.result(),
            None => Ok(()),
        }
    }

    /// Reads the folder, applies the changes and logs them.
    fn look(&self, directory: &KeyDirectory) -> Result<Look, ConfigError> {
        let could_sign = self.ring().load().signing.is_some();
        let now = self.now_or(key::KEYS_DIR)?;
        let look = directory.look(|change| self.ring().change(change, now))?;
        if look.is_changed {
            tracing::info!("the keys of `JWT_KEYS_DIR` have changed");
        }
        if could_sign && self.ring().load().signing.is_none() {
            tracing::error!("`JWT_KEYS_DIR` has no signing key left: no token can be minted");
        }
        Ok(look)
    }

    /// Starts the thread that watches `JWT_KEYS_DIR`, if that is set.
    pub(super) fn watch_keys(&self) -> Result<(), ConfigError> {
        if self.0.directory.is_none() {
            return Ok(());
        }
        let parts = self.downgrade();
        let mut reported = String::new();
        let watch = Watch::start(move |occasion| look(&parts, occasion, &mut reported));
        let watch = watch.map_err(|error| {
            ConfigError::invalid(key::KEYS_DIR, format!("cannot be watched: {error}"))
        })?;
        drop(self.0.watch.set(watch));
        Ok(())
    }

    fn ring(&self) -> &crate::keys::KeyRing {
        &self.0.verification.keys
    }

    fn now_or(&self, key: &'static str) -> Result<NumericDate, ConfigError> {
        let now = self.0.verification.clock.now();
        now.map_err(|error| ConfigError::invalid(key, format!("cannot be used: {error}")))
    }

    /// Refuses changes in code if the keys come from a folder, or if the manager signs nothing.
    fn check_changeable(&self) -> Result<(), ConfigError> {
        let reason = if self.0.directory.is_some() {
            "cannot be changed in code: the keys come from `JWT_KEYS_DIR`"
        } else if self.issuer().is_empty() {
            "is for signing, and a manager with `Config::for_issuers` signs nothing: start from `Config::new` or \
             `Config::from_env`"
        } else {
            return Ok(());
        };
        Err(ConfigError::invalid(KEY, reason))
    }
}

/// Reads the folder. Logs a problem if it is new or a `SIGHUP` asked for the reading.
fn look(parts: &Weak<Parts>, occasion: Occasion, reported: &mut String) -> Next {
    let Some(manager) = parts.upgrade().map(AuthManager::of) else {
        return Next::Stop;
    };
    let Some(directory) = &manager.0.directory else {
        return Next::Stop;
    };
    let (problems, is_incomplete) = match manager.look(directory) {
        Ok(look) => {
            let problems: Vec<String> = look.problems.into_iter().map(Into::into).collect();
            (problems.join("; "), !look.incomplete.is_empty())
        }
        Err(error) => (reason(&error), false),
    };
    if !problems.is_empty() && (*reported != problems || occasion == Occasion::Hangup) {
        tracing::error!(
            "`JWT_KEYS_DIR` {problems}. Keys whose files were deleted are dropped; all others stay in use"
        );
    }
    *reported = problems;
    if is_incomplete {
        Next::Soon
    } else {
        Next::Later
    }
}

/// The text of an error about the folder itself, with its cause.
fn reason(error: &ConfigError) -> String {
    match error {
        ConfigError::Unreadable { source, .. } => format!("cannot be read: {source}"),
        ConfigError::Invalid { reason, .. } => reason.clone(),
        other => other.to_string(),
    }
}
