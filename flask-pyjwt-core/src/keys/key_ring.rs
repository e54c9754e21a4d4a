//! This server's keys: the signing key, the keys that verify, and key rotation.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};

use arc_swap::{ArcSwap, Guard};

use super::{
    Crypto, Key, KeySet, KeyState, Prepared, Published, Purpose, SigningKey, Tag, VerifyingKey,
    published::PublishedCache,
};
use crate::{
    error::{ConfigError, Problem},
    jose::{HeaderTypes, NumericDate},
};

/// The name in errors of a key that is given to a running manager.
const KEY: &str = "key";

/// The keys at one moment. A state never changes; [`KeyRing`] replaces it as a whole.
pub(crate) struct RingState {
    pub(crate) signing: Option<Arc<SigningKey>>,
    pub(crate) set: KeySet,
    /// Whether the headers of minted tokens have a `kid`.
    carries_id: bool,
    published: PublishedCache,
}

impl RingState {
    fn new(
        signing: Option<Arc<SigningKey>>,
        keys: Vec<Arc<VerifyingKey>>,
        carries_id: bool,
    ) -> Self {
        Self {
            carries_id: carries_id || keys.len() > 1,
            set: KeySet::new(keys, &HeaderTypes::own()),
            signing,
            published: PublishedCache::default(),
        }
    }

    /// Returns the header segment of the tokens that a key signs.
    pub(crate) fn header_of<'a>(&self, signing: &'a SigningKey) -> &'a str {
        if self.carries_id {
            &signing.header_with_id
        } else {
            &signing.header
        }
    }

    /// Returns the header segment of the access tokens by RFC 9068 that a key signs.
    pub(crate) fn access_header_of<'a>(&self, signing: &'a SigningKey) -> &'a str {
        if self.carries_id {
            &signing.access_header_with_id
        } else {
            &signing.access_header
        }
    }

    fn signs_with(&self, key: &Arc<VerifyingKey>) -> bool {
        self.signing
            .as_ref()
            .is_some_and(|signing| Arc::ptr_eq(&signing.key, key))
    }
}

/// This server's keys. Readers never wait; changes wait for each other.
pub(crate) struct KeyRing {
    state: ArcSwap<RingState>,
    change: Mutex<()>,
    life: TokenLife,
    crypto: Crypto,
}

/// How long a token can be accepted after it was minted, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenLife {
    /// The longer one of the lifetimes of auth and refresh tokens.
    pub(crate) age: i64,
    pub(crate) leeway: i64,
}

impl TokenLife {
    /// Returns when all tokens minted until this second have expired.
    fn after(self, second: i64) -> i64 {
        second.saturating_add(self.age).saturating_add(self.leeway)
    }
}

/// One key of a ring that replaces the current one.
pub(crate) struct Wanted {
    pub(crate) key: Prepared,
    pub(crate) role: Role,
}

/// How the ring changes when key files change.
pub(crate) enum Change {
    /// Replaces all keys with these.
    To(Vec<Wanted>),
    /// Drops all keys except those with these IDs. They keep their roles.
    Only(HashSet<String>),
}

/// What a key in a ring does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Signs and verifies.
    Signs,
    /// Verifies until it is removed.
    Verifies,
    /// Signed until this second since 1970. It verifies until the last of its tokens has expired.
    SignedUntil(i64),
}

impl KeyRing {
    /// Creates a ring. The first key signs, unless it is a public key.
    pub(crate) fn new(
        keys: impl IntoIterator<Item = Prepared>,
        carries_id: bool,
        life: TokenLife,
        crypto: Crypto,
    ) -> Result<Self, Problem> {
        let mut signing = None;
        let mut all = Vec::<Arc<VerifyingKey>>::new();
        for (position, key) in keys.into_iter().enumerate() {
            let (signer, key) = key.split();
            check_id(&all, &key)?;
            if let (0, Some(signer)) = (position, signer) {
                signing = Some(Prepared::signing(signer, &key));
            }
            all.push(key);
        }
        Ok(Self {
            state: ArcSwap::from_pointee(RingState::new(signing, all, carries_id)),
            change: Mutex::new(()),
            life,
            crypto,
        })
    }

    /// Checks a key that is given to a running manager.
    pub(crate) fn prepare(&self, key: Key) -> Result<Prepared, ConfigError> {
        key.prepare(KEY, KEY, self.crypto)
    }

    /// Returns the current keys without waiting.
    pub(crate) fn load(&self) -> Guard<Arc<RingState>> {
        self.state.load()
    }

    /// Makes a key the signing key. The previous one verifies until the last of its tokens has expired.
    pub(crate) fn rotate(&self, key: Prepared, now: NumericDate) -> Result<String, ConfigError> {
        let _guard = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.state.load_full();
        let (signer, key) = key.split();
        let signer = signer.ok_or_else(|| {
            ConfigError::invalid(KEY, "is a public key where a private key is needed")
        })?;
        let (key, mut keys) = Self::with_key(&old, key, now)?;
        let id = key.id.clone();
        if old.signs_with(&key) {
            return Ok(id);
        }
        key.clear_end();
        keys.retain(|other| !Arc::ptr_eq(other, &key));
        keys.insert(0, Arc::clone(&key));
        let signing = Prepared::signing(signer, &key);
        let state = RingState::new(Some(signing), keys, true);
        self.install(&old, state);
        // Read `latest_expiry` only after the change: tokens that were minted before are recorded in it by then.
        if let Some(retired) = &old.signing {
            let latest = retired.latest_expiry.load(Ordering::Acquire);
            let end = latest.saturating_add(self.life.leeway);
            retired.key.set_end(end.max(self.life.after(now.seconds())));
        }
        Ok(id)
    }

    /// Publishes a key, and verifies with it, before it signs.
    pub(crate) fn prepublish(
        &self,
        key: Prepared,
        now: NumericDate,
    ) -> Result<String, ConfigError> {
        let _guard = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.state.load_full();
        let (_, key) = key.split();
        let (key, keys) = Self::with_key(&old, key, now)?;
        let state = RingState::new(old.signing.clone(), keys, old.carries_id);
        self.install(&old, state);
        Ok(key.id.clone())
    }

    /// Replaces the old state. Keys that are not in the new one end: even tokens that were verified before are refused.
    fn install(&self, old: &RingState, state: RingState) {
        let state = Arc::new(state);
        self.state.store(Arc::clone(&state));
        for key in old.set.keys() {
            if !state.set.keys().iter().any(|kept| Arc::ptr_eq(kept, key)) {
                key.end();
            }
        }
    }

    /// Adds a key to the live keys of a state. If the ring has the same key already, that one is returned instead.
    fn with_key(
        old: &RingState,
        key: Arc<VerifyingKey>,
        now: NumericDate,
    ) -> Result<(Arc<VerifyingKey>, Vec<Arc<VerifyingKey>>), ConfigError> {
        let mut keys: Vec<_> = old.set.keys().to_vec();
        keys.retain(|key| key.is_live(now));
        let same = keys.iter().find(|known| known.is_same_key(&key));
        if let Some(known) = same.map(Arc::clone) {
            known.copy_derived_from(&key);
            return Ok((known, keys));
        }
        check_id(&keys, &key).map_err(|reason| ConfigError::invalid(KEY, reason))?;
        // Insert right after the signing key: a token without a `kid` is tried with the newest keys.
        keys.insert(
            usize::from(old.signing.is_some()).min(keys.len()),
            Arc::clone(&key),
        );
        Ok((key, keys))
    }

    /// Removes a key at once. Its tokens are refused from now on.
    pub(crate) fn remove(&self, id: &str, now: NumericDate) -> Result<(), ConfigError> {
        let _guard = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.state.load_full();
        let mut keys = old.set.keys().to_vec();
        keys.retain(|key| key.is_live(now));
        let Some(key) = keys.iter().find(|key| key.id == id).map(Arc::clone) else {
            return Err(ConfigError::invalid(KEY, "is unknown: no key has this ID"));
        };
        if old.signs_with(&key) {
            let reason = "is the signing key: rotate to another key first";
            return Err(ConfigError::invalid(KEY, reason));
        }
        keys.retain(|other| !Arc::ptr_eq(other, &key));
        let state = RingState::new(old.signing.clone(), keys, old.carries_id);
        self.install(&old, state);
        Ok(())
    }

    /// Applies a change of the key files.
    pub(crate) fn change(&self, change: Change, now: NumericDate) -> Result<(), Problem> {
        match change {
            Change::To(wanted) => self.replace(wanted, now),
            Change::Only(ids) => {
                self.keep_only(&ids);
                Ok(())
            }
        }
    }

    /// Removes all keys except those with these IDs at once.
    fn keep_only(&self, ids: &HashSet<String>) {
        let _guard = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.state.load_full();
        let mut keys = old.set.keys().to_vec();
        keys.retain(|key| ids.contains(&key.id));
        let signing = old.signing.as_ref();
        let signing = signing.filter(|signing| ids.contains(&signing.key.id));
        self.install(&old, RingState::new(signing.map(Arc::clone), keys, true));
    }

    /// Replaces all keys. A key that is in the old and the new ring keeps its state.
    fn replace(&self, wanted: Vec<Wanted>, now: NumericDate) -> Result<(), Problem> {
        let _guard = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.state.load_full();
        let mut signing = None;
        let mut keys = Vec::<Arc<VerifyingKey>>::new();
        let mut ends = Vec::new();
        for Wanted { key, role } in wanted {
            let (signer, key) = key.split();
            check_id(&keys, &key)?;
            let known = old.set.keys();
            let known = known.iter().find(|known| known.is_same_key(&key));
            let is_known = known.is_some();
            if let Some(known) = known {
                known.copy_derived_from(&key);
            }
            let key = known.map_or(key, Arc::clone);
            let end = match role {
                Role::Signs | Role::Verifies => None,
                // An end that is already set does not change.
                Role::SignedUntil(_) if key.end_second().is_some() => key.end_second(),
                Role::SignedUntil(_) if is_known => Some(self.life.after(now.seconds())),
                Role::SignedUntil(second) => Some(self.life.after(second)),
            };
            if end.is_some_and(|end| end <= now.seconds()) {
                continue;
            }
            if let (Role::Signs, Some(signer)) = (role, signer) {
                signing = Some(Prepared::signing(signer, &key));
            }
            ends.push((Arc::clone(&key), end));
            keys.push(key);
        }
        let state = RingState::new(signing, keys, true);
        for (key, _) in ends.iter().filter(|(_, end)| end.is_none()) {
            key.clear_end();
        }
        self.install(&old, state);
        for (key, end) in ends {
            if let Some(end) = end {
                key.set_end(end);
            }
        }
        Ok(())
    }

    /// Returns the live keys as shown to operators.
    pub(crate) fn states(&self, now: NumericDate) -> Vec<KeyState> {
        let state = self.load();
        let keys = state.set.keys().iter().filter(|key| key.is_live(now));
        keys.map(|key| KeyState::of(key, state.signs_with(key)))
            .collect()
    }

    /// Returns the JWK set of the live public keys.
    pub(crate) fn published(&self, now: NumericDate) -> Arc<Published> {
        let state = self.load();
        state.published.get(state.set.keys(), now)
    }
}

/// The key that made a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MadeBy {
    /// The current signing key.
    Signing,
    /// Another live key.
    Other,
}

/// Tags for internal purposes, made with keys that are derived from those of the ring.
impl KeyRing {
    /// Makes a tag with the signing key, or returns `None` if there is no signing key.
    pub(crate) fn tag(&self, purpose: Purpose, parts: &[&[u8]]) -> Option<String> {
        let state = self.load();
        let key = state.signing.as_ref()?.key.derived(purpose)?;
        key.tag(parts)
    }

    /// Returns which live key made the tag over these parts, if any did.
    pub(crate) fn made_by(
        &self,
        purpose: Purpose,
        parts: &[&[u8]],
        tag: &Tag,
        now: NumericDate,
    ) -> Option<MadeBy> {
        let state = self.load();
        let mut live = state.set.keys().iter().filter(|key| key.is_live(now));
        let key = live.find(|key| {
            let derived = key.derived(purpose);
            derived.is_some_and(|derived| derived.verify(parts, tag))
        })?;
        Some(if state.signs_with(key) {
            MadeBy::Signing
        } else {
            MadeBy::Other
        })
    }

    /// Returns how many live keys can check tags.
    pub(crate) fn count_of_checking(&self, purpose: Purpose, now: NumericDate) -> usize {
        let state = self.load();
        let live = state.set.keys().iter().filter(|key| key.is_live(now));
        live.filter(|key| key.derived(purpose).is_some()).count()
    }
}

/// Checks that no other key has the ID of a new key.
fn check_id(keys: &[Arc<VerifyingKey>], key: &VerifyingKey) -> Result<(), Problem> {
    if keys.iter().any(|other| other.id == key.id) {
        return Err(Problem::new(format!(
            "has the same key ID as another key, `{}`: give it another one",
            key.id
        )));
    }
    Ok(())
}
