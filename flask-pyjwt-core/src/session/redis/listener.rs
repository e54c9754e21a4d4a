//! Handles what a server says without being asked.

use std::sync::{Arc, OnceLock};

use redis::{
    PushInfo, PushKind, Value,
    aio::{AsyncPushSender, SendError},
};
use tokio::sync::Notify;

use super::super::near_cache::{Cache, Subscription};

/// Handles the announcements on one connection, in the order in which they arrive.
pub(super) struct Listener {
    cache: Arc<Cache>,
    /// `None` before the connection is used.
    subscription: OnceLock<Arc<Subscription>>,
    lost: Arc<Notify>,
}

impl Listener {
    pub(super) fn new(cache: Arc<Cache>) -> Self {
        Self {
            cache,
            subscription: OnceLock::new(),
            lost: Arc::default(),
        }
    }

    /// Announcements are about this subscription from now on. Returns what says that the connection
    /// was closed.
    pub(super) fn listen(&self, subscription: Arc<Subscription>) -> Arc<Notify> {
        drop(self.subscription.set(subscription));
        Arc::clone(&self.lost)
    }

    fn change(&self, key: &Value) {
        match key {
            Value::BulkString(key) => self.cache.forget(key),
            _ => self.forget_all(),
        }
    }

    fn forget_all(&self) {
        if let Some(subscription) = self.subscription.get() {
            subscription.forget_all();
        }
    }
}

impl AsyncPushSender for Listener {
    fn send(&self, push: PushInfo) -> Result<(), SendError> {
        match push.kind {
            PushKind::Invalidate => match &push.data[..] {
                [Value::Array(keys)] => keys.iter().for_each(|key| self.change(key)),
                // The server has removed everything.
                _ => self.forget_all(),
            },
            PushKind::Disconnection => {
                if let Some(subscription) = self.subscription.get() {
                    subscription.end();
                }
                self.lost.notify_one();
            }
            // Nothing else is expected, and so it may mean anything.
            _ => self.forget_all(),
        }
        Ok(())
    }
}
