//! The keys of the own issuer: which of them signs, and how they follow one another.

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

/// What errors call a key that is given to a running manager.
const KEY: &str = "key";

/// The keys at one moment. It never changes; [`KeyRing`] puts another one in its place.
pub(crate) struct RingState {
    pub(crate) signing: Option<Arc<SigningKey>>,
    pub(crate) set: KeySet,
    /// Whether minted headers name their key.
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

    /// The first segment of the tokens that a key signs.
    pub(crate) fn header_of<'a>(&self, signing: &'a SigningKey) -> &'a str {
        if self.carries_id {
            &signing.header_with_id
        } else {
            &signing.header
        }
    }

    fn signs_with(&self, key: &Arc<VerifyingKey>) -> bool {
        self.signing
            .as_ref()
            .is_some_and(|signing| Arc::ptr_eq(&signing.key, key))
    }
}

/// The keys of the own issuer. Readers never wait; changes wait for each other.
pub(crate) struct KeyRing {
    state: ArcSwap<RingState>,
    change: Mutex<()>,
    life: TokenLife,
    crypto: Crypto,
}

/// How long a token that was minted now can be accepted, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenLife {
    /// The longer of the two ages.
    pub(crate) age: i64,
    pub(crate) leeway: i64,
}

impl TokenLife {
    /// When the last token has expired that was minted until this second.
    fn after(self, second: i64) -> i64 {
        second.saturating_add(self.age).saturating_add(self.leeway)
    }
}

/// One key of a whole ring that takes the place of another.
pub(crate) struct Wanted {
    pub(crate) key: Prepared,
    pub(crate) role: Role,
}

/// How a ring changes with the files of its keys.
pub(crate) enum Change {
    /// To these keys.
    To(Vec<Wanted>),
    /// To those that are there of these ids, each with the role that it has.
    Only(HashSet<String>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It signs.
    Signs,
    /// It verifies for as long as it is there.
    Verifies,
    /// It signed until this second since 1970, and goes when the last of its tokens has expired.
    SignedUntil(i64),
}

impl KeyRing {
    /// A ring of its first keys, of which the first signs if it can.
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
            check_new(&all, &key)?;
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

    /// Judges a key that is given to a running manager.
    pub(crate) fn prepare(&self, key: Key) -> Result<Prepared, ConfigError> {
        key.prepare(KEY, KEY, self.crypto)
    }

    /// The keys now, without waiting for anybody.
    pub(crate) fn load(&self) -> Guard<Arc<RingState>> {
        self.state.load()
    }

    /// Makes a key the signing one. The one before it goes on verifying until the last of its tokens
    /// has expired.
    pub(crate) fn rotate(&self, key: Prepared, now: NumericDate) -> Result<String, ConfigError> {
        let _only = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.state.load_full();
        let (signer, key) = key.split();
        let signer = signer.ok_or_else(|| {
            ConfigError::invalid(KEY, "is a public key where a private key is needed")
        })?;
        let (key, mut keys) = Self::joined(&old, key, now)?;
        let id = key.id.clone();
        if old.signs_with(&key) {
            return Ok(id);
        }
        key.goes_on();
        keys.retain(|other| !Arc::ptr_eq(other, &key));
        keys.insert(0, Arc::clone(&key));
        let signing = Prepared::signing(signer, &key);
        let state = RingState::new(Some(signing), keys, true);
        self.put(&old, state);
        // After the change: who minted before it has noted when its token expires.
        if let Some(retired) = &old.signing {
            let latest = retired.latest_expiry.load(Ordering::Acquire);
            let end = latest.saturating_add(self.life.leeway);
            retired.key.ends_at(end.max(self.life.after(now.seconds())));
        }
        Ok(id)
    }

    /// Shows a key, and verifies with it, before it signs.
    pub(crate) fn prepublish(
        &self,
        key: Prepared,
        now: NumericDate,
    ) -> Result<String, ConfigError> {
        let _only = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.state.load_full();
        let (_, key) = key.split();
        let (key, keys) = Self::joined(&old, key, now)?;
        let state = RingState::new(old.signing.clone(), keys, old.carries_id);
        self.put(&old, state);
        Ok(key.id.clone())
    }

    /// Puts a state in the place of the old one. What is not in it any more ends for good: tokens that
    /// were verified before are refused, too.
    fn put(&self, old: &RingState, state: RingState) {
        let state = Arc::new(state);
        self.state.store(Arc::clone(&state));
        for key in old.set.keys() {
            if !state.set.keys().iter().any(|own| Arc::ptr_eq(own, key)) {
                key.end();
            }
        }
    }

    /// The keys that still count and this one among them, or the one that it is already.
    fn joined(
        old: &RingState,
        key: Arc<VerifyingKey>,
        now: NumericDate,
    ) -> Result<(Arc<VerifyingKey>, Vec<Arc<VerifyingKey>>), ConfigError> {
        let mut keys: Vec<_> = old.set.keys().to_vec();
        keys.retain(|key| key.is_live(now));
        let is_same = |own: &&Arc<VerifyingKey>| {
            own.fingerprint == key.fingerprint && own.auth_type == key.auth_type && own.id == key.id
        };
        if let Some(own) = keys.iter().find(is_same).map(Arc::clone) {
            own.learn_from(&key);
            return Ok((own, keys));
        }
        check_new(&keys, &key).map_err(|reason| ConfigError::invalid(KEY, reason))?;
        // Behind the signing key: a nameless token is tried with the newest keys.
        keys.insert(
            usize::from(old.signing.is_some()).min(keys.len()),
            Arc::clone(&key),
        );
        Ok((key, keys))
    }

    /// Drops a key at once: its tokens are refused from now on.
    pub(crate) fn remove(&self, id: &str, now: NumericDate) -> Result<(), ConfigError> {
        let _only = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.state.load_full();
        let mut keys = old.set.keys().to_vec();
        keys.retain(|key| key.is_live(now));
        let Some(key) = keys.iter().find(|key| key.id == id).map(Arc::clone) else {
            return Err(ConfigError::invalid(
                KEY,
                "is not there: no key has this id",
            ));
        };
        if old.signs_with(&key) {
            let reason = "signs: rotate to another key first";
            return Err(ConfigError::invalid(KEY, reason));
        }
        keys.retain(|other| !Arc::ptr_eq(other, &key));
        let state = RingState::new(old.signing.clone(), keys, old.carries_id);
        self.put(&old, state);
        Ok(())
    }

    /// Follows the files of the keys.
    pub(crate) fn change(&self, change: Change, now: NumericDate) -> Result<(), Problem> {
        match change {
            Change::To(wanted) => self.replace(wanted, now),
            Change::Only(ids) => {
                self.leave_only(&ids);
                Ok(())
            }
        }
    }

    /// Drops the keys of all other ids at once.
    fn leave_only(&self, ids: &HashSet<String>) {
        let _only = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.state.load_full();
        let mut keys = old.set.keys().to_vec();
        keys.retain(|key| ids.contains(&key.id));
        let signing = old.signing.as_ref();
        let signing = signing.filter(|signing| ids.contains(&signing.key.id));
        self.put(&old, RingState::new(signing.map(Arc::clone), keys, true));
    }

    /// Puts these keys in the place of all that there are. Those that stay, stay as they are.
    fn replace(&self, wanted: Vec<Wanted>, now: NumericDate) -> Result<(), Problem> {
        let _only = self.change.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.state.load_full();
        let mut signing = None;
        let mut keys = Vec::<Arc<VerifyingKey>>::new();
        let mut ends = Vec::new();
        for Wanted { key, role } in wanted {
            let (signer, key) = key.split();
            check_new(&keys, &key)?;
            let own = old.set.keys().iter().find(|own| {
                own.fingerprint == key.fingerprint
                    && own.auth_type == key.auth_type
                    && own.id == key.id
            });
            let is_old = own.is_some();
            if let Some(own) = own {
                own.learn_from(&key);
            }
            let key = own.map_or(key, Arc::clone);
            let end = match role {
                Role::Signs | Role::Verifies => None,
                // An end that was set stays as it is.
                Role::SignedUntil(_) if key.end_second().is_some() => key.end_second(),
                Role::SignedUntil(_) if is_old => Some(self.life.after(now.seconds())),
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
            key.goes_on();
        }
        self.put(&old, state);
        for (key, end) in ends {
            if let Some(end) = end {
                key.ends_at(end);
            }
        }
        Ok(())
    }

    /// The keys that count now, as they are shown to those who run the server.
    pub(crate) fn states(&self, now: NumericDate) -> Vec<KeyState> {
        let state = self.load();
        let keys = state.set.keys().iter().filter(|key| key.is_live(now));
        keys.map(|key| KeyState::of(key, state.signs_with(key)))
            .collect()
    }

    /// The public keys that count now, as they are published.
    pub(crate) fn published(&self, now: NumericDate) -> Arc<Published> {
        let state = self.load();
        state.published.get(state.set.keys(), now)
    }
}

/// Which key has made a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MadeBy {
    /// The one that signs.
    Signing,
    /// Another one that is still there.
    Other,
}

/// Tags for purposes of our own, by the keys that are derived from those of the ring.
impl KeyRing {
    /// Makes a tag with the signing key; nothing where no key signs.
    pub(crate) fn tag(&self, purpose: Purpose, parts: &[&[u8]]) -> Option<String> {
        let state = self.load();
        let key = state.signing.as_ref()?.key.derived(purpose)?;
        key.tag(parts)
    }

    /// Which key has made the tag of these parts. A key that has ended has made nothing.
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

    /// How many keys can check tags now.
    pub(crate) fn count_of_checking(&self, purpose: Purpose, now: NumericDate) -> usize {
        let state = self.load();
        let live = state.set.keys().iter().filter(|key| key.is_live(now));
        live.filter(|key| key.derived(purpose).is_some()).count()
    }
}

/// Whether a key can join others: its id is its own.
fn check_new(keys: &[Arc<VerifyingKey>], key: &VerifyingKey) -> Result<(), Problem> {
    if keys.iter().any(|own| own.id == key.id) {
        return Err(Problem::new(format!(
            "has the id of another key, `{}`: give it another one",
            key.id
        )));
    }
    Ok(())
}
