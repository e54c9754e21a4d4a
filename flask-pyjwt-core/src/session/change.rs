//! A change of the store that runs to completion even when its caller goes away.
//!
//! A handler's future is dropped at any await when its client disconnects. The store may have
//! changed by then. The rest of the change must still happen: cached answers are discarded, and the
//! application is notified of a theft.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::runtime::Handle;

use super::{
    policy::Sessions,
    revocation_epoch::{PendingRevocation, Revocations},
};

type Rest<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A future that continues on the tokio runtime when it is dropped before completion. A future that
/// was never polled has changed nothing and is simply dropped.
pub(super) struct Change<T: Send + 'static> {
    revocations: Arc<Revocations>,
    has_begun: bool,
    has_ended: bool,
    /// `None` after completion or a panic.
    rest: Option<Rest<T>>,
}

impl<T: Send + 'static> Future for Change<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        self.has_begun = true;
        // Taken out while polled: a future that has panicked must not be polled again.
        let Some(mut rest) = self.rest.take() else {
            return Poll::Pending;
        };
        let polled = rest.as_mut().poll(context);
        self.has_ended = polled.is_ready();
        if polled.is_pending() {
            self.rest = Some(rest);
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Change<T> {
    fn drop(&mut self) {
        if !self.has_begun || self.has_ended {
            return;
        }
        let pending = PendingRevocation::begin(&self.revocations);
        // A store that panicked may have made its change, so cached answers are discarded.
        let Some(rest) = self.rest.take() else {
            return;
        };
        // Without a runtime the change stops here. Cached answers are discarded all the same.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                rest.await;
                drop(pending);
            });
        }
    }
}

impl Sessions {
    /// Runs a change to completion.
    pub(super) fn change<T: Send + 'static>(
        self: &Arc<Self>,
        change: impl Future<Output = T> + Send + 'static,
    ) -> Change<T> {
        Change {
            revocations: Arc::clone(&self.revocations),
            has_begun: false,
            has_ended: false,
            rest: Some(Box::pin(change)),
        }
    }

    /// Discards all cached answers of the store.
    pub(super) fn forget_answers(self: &Arc<Self>) {
        drop(PendingRevocation::begin(&self.revocations));
    }

    pub(super) fn epoch(&self) -> Option<u64> {
        self.revocations.epoch()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    /// `docs/threats.md` 45: the store's code panics in the middle of a change.
    #[actix_web::test]
    async fn a_panicked_change_is_not_polled_again_and_discards_cached_answers() {
        let revocations = Revocations::new();
        let before = revocations.epoch();
        let polls = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&polls);
        let panicking = poll_fn(move |_| -> Poll<()> {
            counted.fetch_add(1, Ordering::SeqCst);
            panic!("the store panics")
        });
        let change = Change {
            revocations: Arc::clone(&revocations),
            has_begun: false,
            has_ended: false,
            rest: Some(Box::pin(panicking)),
        };
        let ended = tokio::spawn(change).await;
        assert!(ended.is_err_and(|error| error.is_panic()));
        tokio::task::yield_now().await;
        assert_eq!(polls.load(Ordering::SeqCst), 1);
        let after = revocations.epoch();
        assert!(after.is_some_and(|after| Some(after) != before));
    }
}
