//! The rules of a session store, for the one in memory.

mod room;

use flask_pyjwt::{MemoryStore, store_conformance};

store_conformance!(memory_store, || async { MemoryStore::default() });
