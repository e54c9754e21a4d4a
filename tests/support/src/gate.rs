//! Pausing a future at a chosen point, without a clock.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Poll, Waker},
};

/// Lets every caller pass except the one at the chosen point, until it is opened.
#[derive(Debug)]
pub struct Gate {
    passed: AtomicUsize,
    pauses_at: AtomicUsize,
    is_paused: AtomicBool,
    is_open: AtomicBool,
    waiting: Mutex<Vec<Waker>>,
}

impl Default for Gate {
    /// A gate that pauses no caller.
    fn default() -> Self {
        Self {
            passed: AtomicUsize::new(0),
            pauses_at: AtomicUsize::new(usize::MAX),
            is_paused: AtomicBool::new(false),
            is_open: AtomicBool::new(false),
            waiting: Mutex::default(),
        }
    }
}

impl Gate {
    /// Pauses the caller that reaches this point, counted from now.
    pub fn pause_at(&self, point: usize) {
        self.passed.store(0, Ordering::SeqCst);
        self.is_paused.store(false, Ordering::SeqCst);
        self.is_open.store(false, Ordering::SeqCst);
        self.pauses_at.store(point, Ordering::SeqCst);
    }

    /// Pauses no further caller.
    pub fn pause_no_more(&self) {
        self.pauses_at.store(usize::MAX, Ordering::SeqCst);
    }

    /// A point at which a caller can be paused.
    pub async fn point(&self) {
        let point = self.passed.fetch_add(1, Ordering::SeqCst);
        if point != self.pauses_at.load(Ordering::SeqCst) {
            return;
        }
        self.is_paused.store(true, Ordering::SeqCst);
        poll_fn(|context| {
            let mut waiting = self.waiting.lock().expect("not poisoned");
            if self.is_open.load(Ordering::SeqCst) {
                return Poll::Ready(());
            }
            waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    pub fn is_paused(&self) -> bool {
        self.is_paused.load(Ordering::SeqCst)
    }

    pub fn open(&self) {
        let mut waiting = self.waiting.lock().expect("not poisoned");
        self.is_open.store(true, Ordering::SeqCst);
        waiting.drain(..).for_each(Waker::wake);
    }

    /// Polls a future until it is done, or until a caller is paused here.
    pub async fn drive<T>(&self, future: &mut Pin<Box<dyn Future<Output = T> + '_>>) -> Option<T> {
        loop {
            let polled = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
            match polled {
                Poll::Ready(done) => return Some(done),
                Poll::Pending if self.is_paused() => return None,
                Poll::Pending => actix_web::rt::task::yield_now().await,
            }
        }
    }
}
