//! Detects that each worker has its own manager, and with it its own `MemoryStore`.

use std::sync::{Arc, Mutex, PoisonError, Weak};

#[cfg(feature = "memory-store")]
use super::MemoryStore;
use super::SessionStore;

/// The memory stores in use, each with the issuer of its manager.
static USED: Mutex<Vec<(String, Weak<()>)>> = Mutex::new(Vec::new());

/// A handle that lives as long as the store, if the store is in this process's memory.
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

/// Registers the memory store of a manager. Logs an error when another manager with the same issuer
/// uses another memory store at the same time.
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
            "a second AuthManager of this issuer has its own MemoryStore: a session opened by one of them \
             is unknown to the other, so users are logged out at random; create the AuthManager before \
             HttpServer::new and register a clone in the closure with `.app_data(auth.clone())`, or give both \
             managers one Arc<MemoryStore>"
        );
    }
}
