//! Tells of a manager that is made anew in each worker: each has sessions of its own then.

use std::sync::{Arc, Mutex, PoisonError, Weak};

#[cfg(feature = "memory-store")]
use super::MemoryStore;
use super::SessionStore;

/// The memory stores that managers use, with the issuers of these.
static USED: Mutex<Vec<(String, Weak<()>)>> = Mutex::new(Vec::new());

/// What lives as long as a store in this process's memory. Nothing for another store.
pub(crate) fn memory_of<S: SessionStore>(store: &S) -> Option<Arc<()>> {
    #[cfg(feature = "memory-store")]
    {
        let store: &dyn std::any::Any = store;
        let shared = || store.downcast_ref::<Arc<MemoryStore>>().map(|it| &**it);
        let memory = store.downcast_ref::<MemoryStore>().or_else(shared)?;
        Some(Arc::clone(&memory.alive))
    }
    #[cfg(not(feature = "memory-store"))]
    {
        let _ = store;
        None
    }
}

/// Notes that a manager of this issuer uses this memory, and says so where another one of the same
/// issuer uses another memory at the same time.
pub(crate) fn note(issuer: &str, memory: &Arc<()>) {
    let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
    used.retain(|(_, other)| other.strong_count() > 0);
    let mut others = used.iter().filter(|(known, _)| known == issuer);
    let is_memory =
        |(_, other): &(String, Weak<()>)| std::ptr::eq(other.as_ptr(), &raw const **memory);
    let is_another = others.clone().any(|other| !is_memory(other));
    if !others.any(is_memory) {
        used.push((issuer.to_owned(), Arc::downgrade(memory)));
    }
    drop(used);
    if is_another {
        tracing::error!(
            issuer,
            "a second AuthManager of this issuer has another MemoryStore: a session that one of them has opened is \
             unknown to the other, so that users are logged out at random; make the AuthManager before \
             HttpServer::new, and register a clone in the closure with `.app_data(auth.clone())`, or give the \
             managers one Arc<MemoryStore>"
        );
    }
}
