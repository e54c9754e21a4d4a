//! A move from one store to another: nobody is logged out, and nothing that has ended comes back.

mod failures;
mod history;
mod records;

use flask_pyjwt::{MemoryStore, MigratingStore, store_conformance};

// Without anything in the old store, the store is one like any other.
store_conformance!(of_new_users, || async {
    MigratingStore::new(MemoryStore::default(), MemoryStore::default())
});
