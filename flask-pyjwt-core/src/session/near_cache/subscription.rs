//! A connection on which a server announces changes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// One connection on which a server announces changes, as long as it lasts.
///
/// Answers that were read under a subscription are used while it is alive: for `max_silence` after
/// the last sign of life, counted from when the server was *asked* for it, because the server had
/// announced everything until then. A subscription that has ended or was silent for too long stays
/// dead, so that no old answer comes back to life with it.
#[derive(Debug)]
pub struct Subscription {
    /// Instants are counted from here.
    origin: Instant,
    max_silence: Duration,
    /// Alive before this many nanoseconds. [`ENDED`] forever.
    alive_until: AtomicU64,
    /// Answers of earlier epochs are not used.
    epoch: AtomicU64,
    /// Counts how often all answers were discarded, for all subscriptions of a cache.
    emptied: Arc<AtomicU64>,
}

const ENDED: u64 = 0;

/// The longest time for which an answer is used. A server that announces changes as it should needs
/// no such limit. It bounds the harm of a server that fails to announce one.
const MAX_AGE: Duration = Duration::from_secs(600);

/// Under what a question was sent: the subscription, its epoch, and when.
#[derive(Debug, Clone)]
pub(super) struct Under {
    subscription: Arc<Subscription>,
    epoch: u64,
    asked: Instant,
}

impl Under {
    /// To be called before the question is sent.
    pub(super) fn new(subscription: Arc<Subscription>, asked: Instant) -> Self {
        let epoch = subscription.epoch.load(Ordering::Acquire);
        Self {
            subscription,
            epoch,
            asked,
        }
    }

    /// Whether the answer may be used.
    pub(super) fn holds(&self, now: Instant) -> bool {
        self.subscription.is_alive(now)
            && self.subscription.epoch.load(Ordering::Acquire) == self.epoch
            && now.saturating_duration_since(self.asked) < MAX_AGE
    }
}

impl Subscription {
    /// A subscription whose server was asked for the first sign of life at `asked`, and has given it.
    #[must_use]
    pub(super) fn new(
        origin: Instant,
        max_silence: Duration,
        asked: Instant,
        emptied: Arc<AtomicU64>,
    ) -> Self {
        let this = Self {
            origin,
            max_silence,
            alive_until: AtomicU64::new(ENDED),
            epoch: AtomicU64::new(0),
            emptied,
        };
        this.alive_until
            .store(this.end_of_life(asked), Ordering::Release);
        this
    }

    /// Notes a sign of life for which the server was asked at `asked`, and which has come by `now`.
    /// The announcements that came before it must have been handled.
    ///
    /// Returns whether the subscription is alive. If not, it is dead for good: the owner has to
    /// make a new one, with a new connection.
    #[must_use]
    pub fn confirm(&self, asked: Instant, now: Instant) -> bool {
        let now = self.nanoseconds(now);
        let until = self.end_of_life(asked);
        let extend = |alive_until: u64| (now < alive_until).then(|| alive_until.max(until));
        let (set, read) = (Ordering::AcqRel, Ordering::Acquire);
        let is_alive = self.alive_until.fetch_update(set, read, extend).is_ok();
        if !is_alive {
            self.end();
        }
        is_alive
    }

    /// Ends the subscription: its answers are not used any more.
    pub fn end(&self) {
        if self.alive_until.swap(ENDED, Ordering::AcqRel) != ENDED {
            self.emptied.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The server cannot say which subjects have changed: discards all answers that were read until
    /// now and those that are being read. The subscription goes on.
    pub fn forget_all(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
        self.emptied.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether its answers may be used.
    #[must_use]
    pub fn is_alive(&self, now: Instant) -> bool {
        self.nanoseconds(now) < self.alive_until.load(Ordering::Acquire)
    }

    fn end_of_life(&self, asked: Instant) -> u64 {
        self.nanoseconds(asked + self.max_silence)
    }

    fn nanoseconds(&self, at: Instant) -> u64 {
        let nanoseconds = at.saturating_duration_since(self.origin).as_nanos();
        u64::try_from(nanoseconds).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX_SILENCE: Duration = Duration::from_secs(1);

    fn subscription(emptied: &Arc<AtomicU64>) -> (Subscription, impl Fn(u64) -> Instant) {
        let origin = Instant::now();
        let subscription = Subscription::new(origin, MAX_SILENCE, origin, Arc::clone(emptied));
        (subscription, move |at| origin + Duration::from_millis(at))
    }

    #[test]
    fn a_sign_of_life_counts_from_when_it_was_asked_for() {
        let emptied = Arc::default();
        let (subscription, at) = subscription(&emptied);
        assert!(subscription.is_alive(at(999)) && !subscription.is_alive(at(1_000)));
        assert!(subscription.confirm(at(300), at(900)));
        assert!(subscription.is_alive(at(1_299)) && !subscription.is_alive(at(1_300)));
        // An answer that was asked for earlier shortens nothing.
        assert!(subscription.confirm(at(100), at(950)));
        assert!(subscription.is_alive(at(1_299)));
        assert_eq!(emptied.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_subscription_that_was_silent_for_too_long_stays_dead() {
        let emptied = Arc::default();
        let (subscription, at) = subscription(&emptied);
        assert!(!subscription.confirm(at(500), at(1_000)));
        assert!(!subscription.is_alive(at(1_000)) && !subscription.is_alive(at(0)));
        assert!(!subscription.confirm(at(1_100), at(1_101)));
        assert_eq!(emptied.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn an_answer_is_used_for_ten_minutes_at_most() {
        let emptied = Arc::default();
        let (subscription, at) = subscription(&emptied);
        let subscription = Arc::new(subscription);
        let under = Under::new(Arc::clone(&subscription), at(100));
        for half_second in 1..1_200 {
            let now = at(half_second * 500);
            assert!(subscription.confirm(now, now));
        }
        assert!(subscription.is_alive(at(600_100)));
        assert!(under.holds(at(600_099)) && !under.holds(at(600_100)));
    }

    #[test]
    fn a_subscription_that_has_ended_stays_dead() {
        let emptied = Arc::default();
        let (subscription, at) = subscription(&emptied);
        subscription.end();
        subscription.end();
        assert!(!subscription.is_alive(at(0)));
        assert!(!subscription.confirm(at(1), at(1)));
        assert_eq!(emptied.load(Ordering::Relaxed), 1);
    }
}
