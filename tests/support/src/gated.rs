//! A store that can be paused before and after each operation of another one.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use flask_pyjwt::store::{
    Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
    StoreFuture, TokenIdentity,
};

use super::gate::Gate;

/// Passes operations on to another store, with a point of the gate before and after each of them. Clones share
/// everything.
#[derive(Debug)]
pub struct Gated<S> {
    pub inner: Arc<S>,
    pub gate: Arc<Gate>,
    /// How many operations have been started and are neither done nor dropped.
    running: Arc<AtomicUsize>,
    /// How often the standing of a token was asked for.
    pub looks: Arc<AtomicUsize>,
}

impl<S> Clone for Gated<S> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            gate: Arc::clone(&self.gate),
            running: Arc::clone(&self.running),
            looks: Arc::clone(&self.looks),
        }
    }
}

/// Counts an operation while it runs.
struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl<S: SessionStore> Gated<S> {
    pub fn new(inner: S) -> Self {
        Self {
            inner: Arc::new(inner),
            gate: Arc::default(),
            running: Arc::default(),
            looks: Arc::default(),
        }
    }

    /// Waits until no operation runs.
    pub async fn settled(&self) {
        // A task that was spawned starts at the next turn of the runtime.
        actix_web::rt::task::yield_now().await;
        while self.running.load(Ordering::SeqCst) > 0 {
            actix_web::rt::task::yield_now().await;
        }
        actix_web::rt::task::yield_now().await;
    }

    fn step<'a, T: Send + 'a>(&'a self, step: StoreFuture<'a, T>) -> StoreFuture<'a, T> {
        Box::pin(async move {
            self.running.fetch_add(1, Ordering::SeqCst);
            let _running = Running(&self.running);
            self.gate.point().await;
            let answer = step.await;
            self.gate.point().await;
            answer
        })
    }
}

impl<S: SessionStore> SessionStore for Gated<S> {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        self.step(Box::pin(async move { self.inner.open(opening, now).await }))
    }

    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        self.step(Box::pin(async move { self.inner.rotate(rotation).await }))
    }

    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        self.step(Box::pin(
            async move { self.inner.standing(token, now).await },
        ))
    }

    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        self.step(Box::pin(
            async move { self.inner.mark_used(token, now).await },
        ))
    }

    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>> {
        self.step(Box::pin(
            async move { self.inner.revoke(revocation, now).await },
        ))
    }

    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        self.step(Box::pin(async move {
            self.inner.sessions(subject, most, now).await
        }))
    }

    fn adopt<'a>(
        &'a self,
        subject: &'a str,
        sessions: &'a [SessionRecord],
        now: Moment,
    ) -> StoreFuture<'a, bool> {
        self.step(Box::pin(async move {
            self.inner.adopt(subject, sessions, now).await
        }))
    }
}
