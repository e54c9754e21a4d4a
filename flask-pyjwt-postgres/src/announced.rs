//! Knows whether PostgreSQL announces changes, and tells those who wait for it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use flask_pyjwt_core::__private::near_cache::Subscription;
use tokio::sync::{Notify, watch};

use crate::problem::Problem;

/// The subscription, and the identity of the server to which it belongs.
pub(crate) type Line = (Arc<Subscription>, Arc<str>);

/// The result of the latest attempt to connect.
#[derive(Debug)]
pub(crate) struct State {
    /// Its number. Before the first one, 0.
    pub(crate) attempt: u64,
    pub(crate) result: Result<Line, Problem>,
}

/// Knows whether the changes are announced.
#[derive(Debug)]
pub(crate) struct Follower {
    pub(crate) state: watch::Sender<State>,
    /// The number of the attempt that was begun last.
    pub(crate) attempts: AtomicU64,
    /// Somebody waits for the next attempt.
    pub(crate) awaited: Notify,
    pub(crate) lost: Notify,
}

impl Follower {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: watch::Sender::new(State {
                attempt: 0,
                result: Err(Problem::NoNotifications),
            }),
            attempts: AtomicU64::new(0),
            awaited: Notify::new(),
            lost: Notify::new(),
        })
    }

    /// The subscription, if the server is known to announce changes now.
    pub(crate) fn line(&self) -> Option<Line> {
        let state = self.state.borrow();
        let (subscription, identity) = state.result.as_ref().ok()?;
        let is_alive = subscription.is_alive(Instant::now());
        is_alive.then(|| (Arc::clone(subscription), Arc::clone(identity)))
    }

    /// The server is not the right one any more.
    pub(crate) fn lose(&self) {
        if let Ok((subscription, _)) = &self.state.borrow().result {
            subscription.end();
        }
        self.lost.notify_one();
    }

    /// Waits until the server announces changes, or for the reason of the next attempt that fails.
    pub(crate) async fn ready(&self) -> Result<(), Problem> {
        let mut state = self.state.subscribe();
        let begun = self.attempts.load(Ordering::SeqCst);
        self.awaited.notify_one();
        let is_told = |it: &State| it.result.is_ok() || it.attempt > begun;
        match state.wait_for(is_told).await.as_deref() {
            Ok(State {
                result: Err(problem),
                ..
            }) => Err(problem.clone()),
            Ok(_) => Ok(()),
            Err(_) => Err(Problem::Ended),
        }
    }
}

/// Says that nobody listens any more when it is dropped, even by a panic in a hook of the application.
pub(crate) struct Gone<'a>(pub(crate) &'a Follower);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        let result = Err(Problem::Ended);
        let attempt = u64::MAX;
        self.0.state.send_replace(State { attempt, result });
    }
}
