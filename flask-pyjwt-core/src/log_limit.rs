//! Keeps a flood of requests from flooding the log: events of one kind are sampled beyond a limit for each second.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

/// The default number of events of each kind that are logged in a second.
pub(crate) const DEFAULT: u32 = 100;
/// Beyond the limit, one event in so many is logged.
const SAMPLE: u64 = 1_000;

/// Counts the events of each kind.
pub(crate) struct LogLimit {
    /// For each second and kind.
    limit: u32,
    /// By kind and route.
    kinds: Mutex<HashMap<(&'static str, Box<str>), Counts>>,
}

#[derive(Default)]
struct Counts {
    second: i64,
    /// In this second.
    logged: u32,
    /// Since the last event that was logged.
    left_out: u64,
}

impl LogLimit {
    pub(crate) fn new(limit: u32) -> Self {
        Self {
            limit,
            kinds: Mutex::default(),
        }
    }

    /// The limit of events that no manager has a limit for.
    pub(crate) fn of_process() -> &'static Self {
        use std::sync::LazyLock;

        static LIMIT: LazyLock<LogLimit> = LazyLock::new(|| LogLimit::new(DEFAULT));
        &LIMIT
    }

    /// Whether an event of this kind is logged in this second, in seconds since 1970. Returns how many before it were not.
    ///
    /// Kinds and routes are limited one by one: a flood hides no event of another kind, or of another route. `route` is a
    /// pattern, of which an application has so many.
    pub(crate) fn admit(&self, kind: &'static str, route: &str, second: i64) -> Option<u64> {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let counts = kinds.entry((kind, route.into())).or_default();
        // A clock that was set back begins a second, too.
        if counts.second != second {
            (counts.second, counts.logged) = (second, 0);
        }
        let is_sample = counts.left_out + 1 >= SAMPLE;
        if counts.logged < self.limit || is_sample {
            counts.logged = counts.logged.saturating_add(1);
            return Some(std::mem::take(&mut counts.left_out));
        }
        counts.left_out += 1;
        None
    }
}

/// Whether an event that no manager has a limit for is logged now.
pub(crate) fn admits(kind: &'static str) -> bool {
    LogLimit::of_process()
        .admit(kind, "", this_second())
        .is_some()
}

/// The current second of the system's clock, for events without a manager. Only the limit depends on it.
pub(crate) fn this_second() -> i64 {
    let elapsed = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    elapsed.map_or(0, |elapsed| i64::try_from(elapsed.as_secs()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beyond_the_limit_events_are_sampled_and_counted() {
        let limit = LogLimit::new(3);
        let logged = |kind, second, times| -> Vec<u64> {
            let admit = |_| limit.admit(kind, "/", second);
            (0..times).filter_map(admit).collect()
        };
        assert_eq!(logged("a", 1, 3), [0, 0, 0]);
        assert_eq!(logged("a", 1, 999), [0_u64; 0]);
        assert_eq!(logged("a", 1, 1), [999], "a sample");
        assert_eq!(logged("a", 1, 10), [0_u64; 0]);
        assert_eq!(logged("b", 1, 2), [0, 0], "another kind");
        assert_eq!(limit.admit("a", "/other", 1), Some(0), "another route");
        assert_eq!(logged("a", 2, 5), [10, 0, 0], "the next second");
        assert_eq!(logged("a", 1, 4), [2, 0, 0], "a clock that was set back");
    }

    #[test]
    fn a_limit_of_zero_logs_samples_only() {
        let limit = LogLimit::new(0);
        let logged: Vec<_> = (0..2_500)
            .filter_map(|_| limit.admit("a", "/", 1))
            .collect();
        assert_eq!(logged, [999, 999]);
    }
}
