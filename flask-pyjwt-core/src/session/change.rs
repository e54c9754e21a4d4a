//! A change of the store that is made to its end, whoever stops waiting for it.
//!
//! A handler's future is dropped when its client hangs up, at any await. The store may have changed by then,
//! and what follows from that must not be lost: answers that were remembered are forgotten, and the
//! application hears of a theft.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use tokio::runtime::Handle;

use super::{
    policy::Sessions,
    unsettled::{Revocations, Unsettled},
};

type Rest<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A change that goes on in tokio's runtime when it is dropped half-done. One that was never polled has not
/// begun, and is just dropped.
pub(super) struct Change<T: Send + 'static> {
    revocations: Arc<Revocations>,
    has_begun: bool,
    rest: Option<Rest<T>>,
}

impl<T: Send + 'static> Future for Change<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        self.has_begun = true;
        let Some(rest) = &mut self.rest else {
            return Poll::Pending;
        };
        let polled = rest.as_mut().poll(context);
        if polled.is_ready() {
            self.rest = None;
        }
        polled
    }
}

impl<T: Send + 'static> Drop for Change<T> {
    fn drop(&mut self) {
        let Some(rest) = self.rest.take().filter(|_| self.has_begun) else {
            return;
        };
        let unsettled = Unsettled::begin(&self.revocations);
        // Without a runtime the change ends here: what is remembered is forgotten all the same.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                rest.await;
                drop(unsettled);
            });
        }
    }
}

impl Sessions {
    /// Makes a change to its end.
    pub(super) fn change<T: Send + 'static>(
        self: &Arc<Self>,
        change: impl Future<Output = T> + Send + 'static,
    ) -> Change<T> {
        Change {
            revocations: Arc::clone(&self.revocations),
            has_begun: false,
            rest: Some(Box::pin(change)),
        }
    }

    /// What the store has said before is not believed any more.
    pub(super) fn forget_answers(self: &Arc<Self>) {
        drop(Unsettled::begin(&self.revocations));
    }

    pub(super) fn epoch(&self) -> Option<u64> {
        self.revocations.epoch()
    }
}
