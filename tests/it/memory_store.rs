//! The laws of a session store, for the one in memory.

#![cfg(all(feature = "memory-store", feature = "store-conformance"))]

mod room;

use flask_pyjwt::{MemoryStore, store_conformance};

store_conformance!(memory_store, || async { MemoryStore::default() });
