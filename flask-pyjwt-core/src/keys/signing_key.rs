//! A key that signs.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use super::{Signer, VerifyingKey, key_set::header_segment};

/// A key that signs, with the header segments of its tokens.
pub(crate) struct SigningKey {
    pub(crate) signer: Signer,
    pub(crate) key: Arc<VerifyingKey>,
    pub(super) header: String,
    pub(super) header_with_id: String,
    /// The header segments of access tokens by RFC 9068.
    pub(super) access_header: String,
    pub(super) access_header_with_id: String,
    /// The latest `exp` of the tokens minted with it, in seconds since 1970.
    pub(super) latest_expiry: AtomicI64,
}

impl SigningKey {
    pub(crate) fn new(signer: Signer, key: Arc<VerifyingKey>) -> Self {
        Self {
            header: header_segment(key.auth_type, "JWT", None),
            header_with_id: header_segment(key.auth_type, "JWT", Some(&key.id)),
            access_header: header_segment(key.auth_type, "at+jwt", None),
            access_header_with_id: header_segment(key.auth_type, "at+jwt", Some(&key.id)),
            latest_expiry: AtomicI64::new(i64::MIN),
            signer,
            key,
        }
    }

    /// Records that a token was minted with this expiry, in seconds since 1970.
    pub(crate) fn minted(&self, expires_at: i64) {
        self.latest_expiry.fetch_max(expires_at, Ordering::AcqRel);
    }
}
