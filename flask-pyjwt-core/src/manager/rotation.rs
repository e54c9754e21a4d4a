//! What a running manager does with its keys.

use std::sync::{Arc, Weak};

use jsonwebtoken::jwk::JwkSet;

use super::AuthManager;
use crate::{
    config::{Parts, key},
    error::ConfigError,
    keys::{Key, KeyDirectory, KeyState, Look, Next, Occasion, Published, Watch, until_complete},
    token::NumericDate,
};

/// What errors call the key that is given.
const KEY: &str = "key";

impl AuthManager {
    /// Signs with this key from now on, while requests are served. Gives its id.
    ///
    /// The key that signed before goes on verifying until the last of its tokens has expired; then it
    /// is dropped. So do the CSRF proofs and the seals of sessions that it made; sessions are sealed anew with
    /// each refresh. A key that was [prepublished](Self::prepublish) is known already. Nobody waits:
    /// neither requests nor minting.
    ///
    /// Managers that verify elsewhere have to know the key first. Give it to all of them with
    /// `prepublish`, or publish it there ([`jwks`](Self::jwks)), before one of them signs with it.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], and nothing changes, when the key cannot be used, has no private part, or has
    /// the id of another one; or when the keys come from `JWT_KEYS_DIR`, or there is no issuer of this
    /// server's own ([`Config::for_issuers`](crate::Config::for_issuers)).
    pub fn rotate(&self, key: Key) -> Result<String, ConfigError> {
        self.check_changeable()?;
        let id = self
            .ring()
            .rotate(self.ring().prepare(key)?, self.now_or(KEY)?)?;
        tracing::info!(kid = id, "tokens are signed with another key from now on");
        Ok(id)
    }

    /// Verifies with this key from now on, and publishes it, without signing with it yet. Gives its
    /// id. [`rotate`](Self::rotate) with the same key makes it the signing one.
    ///
    /// # Errors
    ///
    /// [`ConfigError`], and nothing changes, when the key cannot be used or has the id of another one;
    /// or when the keys come from `JWT_KEYS_DIR`, or there is no issuer of this server's own.
    pub fn prepublish(&self, key: Key) -> Result<String, ConfigError> {
        self.check_changeable()?;
        let id = self
            .ring()
            .prepublish(self.ring().prepare(key)?, self.now_or(KEY)?)?;
        tracing::info!(kid = id, "another key is published");
        Ok(id)
    }

    /// Drops a key at once: for one that somebody else may know. Every token of it is refused from now
    /// on, those too that were accepted before; its CSRF proofs are wrong, and the sessions that it sealed
    /// cannot be refreshed.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] when no key has this id, when it is the one that signs (rotate first), or when
    /// the keys come from `JWT_KEYS_DIR` (delete the file).
    pub fn remove_key(&self, id: &str) -> Result<(), ConfigError> {
        self.check_changeable()?;
        self.ring().remove(id, self.now_or(KEY)?)?;
        tracing::warn!(kid = id, "a key was dropped: its tokens are refused");
        Ok(())
    }

    /// The keys that count now; the signing one comes first.
    #[must_use]
    pub fn keys(&self) -> Vec<KeyState> {
        let now = self.0.verification.clock.now();
        now.map_or_else(|_| Vec::new(), |now| self.ring().states(now))
    }

    /// The public keys that count now, in the types of `jsonwebtoken`: what [`jwks`](Self::jwks) serves. Empty
    /// where the clock is out of range.
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
    ///     "example", AuthType::HS256, "a secret of 32 bytes, at the least",
    /// ))?;
    /// assert!(auth.jwk_set().keys.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Keys of ES512 say no `alg` there: `jsonwebtoken` does not have it.
    #[must_use]
    #[doc(alias = "JwkSet")]
    pub fn jwk_set(&self) -> JwkSet {
        let published = self.published();
        published.map_or_else(JwkSet::default, |published| published.set.clone())
    }

    /// The public keys that count now; nothing where the clock is out of range.
    pub(crate) fn published(&self) -> Option<Arc<Published>> {
        let now = self.0.verification.clock.now().ok()?;
        Some(self.ring().published(now))
    }

    /// Reads `JWT_KEYS_DIR` now. That happens by itself every 5 seconds and on `SIGHUP`. Without such a
    /// folder nothing happens.
    ///
    /// Keys whose files were deleted are dropped at once and in any case, also where that leaves no key that
    /// signs. A file that was changed within the last 2 seconds may not be complete: this blocks until it is
    /// the same a second later, for 3 seconds at the most.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the first file that is not in use: it is no good key, or is still being written.
    /// The key that it held before stays, and so do the others.
    pub fn reload_keys(&self) -> Result<(), ConfigError> {
        match &self.0.directory {
            Some(directory) => until_complete(|| self.look(directory))?.result(),
            None => Ok(()),
        }
    }

    /// Reads the folder, uses what is in it, and logs what changed.
    fn look(&self, directory: &KeyDirectory) -> Result<Look, ConfigError> {
        let could_sign = self.ring().load().signing.is_some();
        let now = self.now_or(key::KEYS_DIR)?;
        let look = directory.look(|change| self.ring().change(change, now))?;
        if look.is_changed {
            tracing::info!("the keys of `JWT_KEYS_DIR` have changed");
        }
        if could_sign && self.ring().load().signing.is_none() {
            tracing::error!("no key is left in `JWT_KEYS_DIR` that signs: nothing can be minted");
        }
        Ok(look)
    }

    /// Starts the thread that looks at `JWT_KEYS_DIR`, if that is set.
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

    /// Whether keys can be changed in code: not those of a folder, and not where there is no issuer whose
    /// tokens they would sign.
    fn check_changeable(&self) -> Result<(), ConfigError> {
        let reason = if self.0.directory.is_some() {
            "cannot be changed in code: the keys come from `JWT_KEYS_DIR`"
        } else if self.issuer().is_empty() {
            "is for tokens of this server's own, and `Config::for_issuers` has none: begin with `Config::new` \
             or `Config::from_env`"
        } else {
            return Ok(());
        };
        Err(ConfigError::invalid(KEY, reason))
    }
}

/// Reads the folder. A problem is logged when it is new, and whenever somebody asks.
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

/// What an error of the folder itself says, with its cause.
fn reason(error: &ConfigError) -> String {
    match error {
        ConfigError::Unreadable { source, .. } => format!("cannot be read: {source}"),
        ConfigError::Invalid { reason, .. } => reason.clone(),
        other => other.to_string(),
    }
}
