//! Tests of messages that may be used once. A store with the default of
//! [`SessionStore::first_use`](crate::store::SessionStore::first_use) passes them: it keeps none.

use std::sync::Arc;

use actix_web::rt::spawn;

use super::{
    Store,
    fixture::{HOUR, NOW, SECOND, answered, listed, opened, session},
};
use crate::session::Moment;

/// What stores get: 43 characters of base64url.
const ID: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";
const OTHER: &str = "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo";

async fn first(store: &Store, id: &str, now: Moment) -> Option<bool> {
    answered(store.first_use(id, NOW + SECOND * 60, now)).await
}

/// The second use of a message is told from the first, until the message ends.
pub async fn a_message_is_used_once(store: Store) {
    let Some(is_first) = first(&store, ID, NOW).await else {
        return;
    };
    assert!(is_first);
    for now in [NOW, NOW + SECOND * 59, NOW - HOUR] {
        assert_eq!(first(&store, ID, now).await, Some(false));
    }
    assert_eq!(first(&store, OTHER, NOW).await, Some(true));
    // They are no sessions.
    for subject in ["", ID, "alice"] {
        assert!(listed(&store, subject, NOW).await.is_empty(), "{subject}");
    }
    opened(&store, &session("alice", "s", NOW), 1, NOW).await;
    assert_eq!(first(&store, ID, NOW).await, Some(false));
}

/// Of concurrent uses of one message, one is the first.
pub async fn one_of_fifty_concurrent_uses_is_the_first(store: Store) {
    if first(&store, OTHER, NOW).await.is_none() {
        return;
    }
    let using = |_| {
        let store = Arc::clone(&store);
        spawn(async move { first(&store, ID, NOW).await })
    };
    let running: Vec<_> = (0..50).map(using).collect();
    let mut uses = 0;
    for running in running {
        uses += usize::from(running.await.expect("it ends") == Some(true));
    }
    assert_eq!(uses, 1);
}
