//! Detects that each worker has its own manager, and with it its own `MemoryStore`.

use std::{
    any::Any,
    sync::{Arc, Mutex, PoisonError, Weak},
};

#[cfg(feature = "memory-store")]
use super::MemoryStore;
use super::SessionStore;

/// A manager that uses a memory store.
struct Use {
    issuer: String,
    memory: Weak<()>,
    /// The use ends with the manager, not with the store: an application may keep a store, and make and drop managers
    /// without end.
    manager: Weak<dyn Any + Send + Sync>,
}

static USES: Mutex<Vec<Use>> = Mutex::new(Vec::new());

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
pub(crate) fn note<M: Any + Send + Sync>(issuer: &str, memory: &Arc<()>, manager: &Arc<M>) {
    let this = Use {
        issuer: issuer.to_owned(),
        memory: Arc::downgrade(memory),
        manager: Arc::<M>::downgrade(manager),
    };
    let mut uses = USES.lock().unwrap_or_else(PoisonError::into_inner);
    uses.retain(|other| other.manager.strong_count() > 0);
    let is_another = uses
        .iter()
        .any(|other| other.issuer == issuer && !other.memory.ptr_eq(&this.memory));
    uses.push(this);
    drop(uses);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn managers_that_are_gone_leave_nothing() {
        let memory = Arc::new(());
        for number in 0..1_000 {
            let manager = Arc::new(());
            note(&format!("gone-{number}"), &memory, &manager);
        }
        let uses = USES.lock().expect("not poisoned");
        let left = uses.iter().filter(|it| it.issuer.starts_with("gone-"));
        assert!(left.count() <= 1);
    }
}
