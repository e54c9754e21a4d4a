//! `quick_cache` in place of the table, as a manager would use it.

use std::{
    hash::{Hash, Hasher},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use flask_pyjwt::{AuthManager, Token};
use quick_cache::{Equivalent, sync::Cache};

/// A manager without a table, with a cache in front.
pub(super) struct QuickCache {
    /// Tokens, and their expiry in seconds since 1970.
    cache: Cache<ByText, (Token, Duration)>,
    auth: AuthManager,
}

/// A token that is looked up by its text.
struct ByText(Token);

/// A text to look up.
struct Text<'a>(&'a str);

/// The last 16 characters, which are part of the signature, as in the table.
fn hash_end<H: Hasher>(text: &str, state: &mut H) {
    let last = text.as_bytes().last_chunk().copied().unwrap_or([0; 16]);
    state.write_u128(u128::from_ne_bytes(last));
}

impl Hash for ByText {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_end(self.0.signed(), state);
    }
}

impl Hash for Text<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_end(self.0, state);
    }
}

impl PartialEq for ByText {
    fn eq(&self, other: &Self) -> bool {
        self.0.signed() == other.0.signed()
    }
}

impl Eq for ByText {}

impl Equivalent<ByText> for Text<'_> {
    fn equivalent(&self, key: &ByText) -> bool {
        self.0 == key.0.signed()
    }
}

impl QuickCache {
    /// A cache for so many tokens. It has one limit: a limit in bytes would replace this one.
    pub(super) fn new(auth: AuthManager, entries: usize) -> Self {
        Self {
            cache: Cache::new(entries),
            auth,
        }
    }

    pub(super) fn verify_token(&self, text: &str) -> Option<Token> {
        if let Some((token, expires)) = self.cache.get(&Text(text)) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
            if now < expires {
                return Some(token);
            }
            self.cache.remove(&Text(text));
        }
        let token = self.auth.verify_token(text).ok()?;
        let expires = u64::try_from(token.exp().unix_timestamp()).ok()?;
        let value = (token.clone(), Duration::from_secs(expires));
        self.cache.insert(ByText(token.clone()), value);
        Some(token)
    }
}
