//! Notices that each worker of a server makes its own manager, in the closure of `HttpServer::new`.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    thread::{self, ThreadId},
};

use crate::config::Parts;

/// A manager that is alive, and the thread that has made it.
struct Made {
    issuer: String,
    thread: ThreadId,
    manager: Weak<Parts>,
}

static MADE: Mutex<Vec<Made>> = Mutex::new(Vec::new());

/// Notes that a worker of actix-web has made a manager, and logs a warning if another worker has made one of the same
/// issuer before.
///
/// What other threads make is not counted: an application may replace its manager at run time, and tests make many.
pub(super) fn note(issuer: &str, manager: &Arc<Parts>) {
    let thread = thread::current();
    if !thread.name().is_some_and(is_worker) {
        return;
    }
    let thread = thread.id();
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.retain(|other| other.manager.strong_count() > 0);
    let mut others = made.iter().filter(|other| other.issuer == issuer);
    let is_second_elsewhere =
        others.next().is_some_and(|first| first.thread != thread) && others.next().is_none();
    made.push(Made {
        issuer: issuer.to_owned(),
        thread,
        manager: Arc::downgrade(manager),
    });
    drop(made);
    if is_second_elsewhere {
        tracing::warn!(
            issuer,
            "a second worker has made an AuthManager of this issuer, as the closure of HttpServer::new does: a \
             rotation of keys reaches only one of them, and each has its own connections to stores and key sets; make \
             the AuthManager before HttpServer::new, and register a clone in the closure with \
             `.app_data(auth.clone())`"
        );
    }
}

/// Whether actix-web gives this name to the thread of a worker: in its own runtime, or in one of tokio.
fn is_worker(name: &str) -> bool {
    name.starts_with("actix-rt|") || name.starts_with("actix-server worker ")
}
