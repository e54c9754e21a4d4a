//! A map whose keys are hashes already.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

/// Values by the hash of their subject. The hash has to be keyed, so that nobody can choose
/// subjects that collide.
pub(super) type ByHash<T> = HashMap<u64, T, BuildHasherDefault<Unhashed>>;

/// Returns the key of the map as its hash.
#[derive(Default)]
pub(super) struct Unhashed(u64);

impl Hasher for Unhashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
