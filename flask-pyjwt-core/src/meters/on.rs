//! Counts and times for the recorder of the `metrics` facade.
//!
//! What is on the path of each request keeps its handle. A recorder has to be installed before the manager is made: the
//! handles are those of the recorder at that time.

use std::{
    future::Future,
    sync::{
        Once,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use metrics::{
    Counter, Histogram, counter, describe_counter, describe_gauge, describe_histogram, histogram,
};

use super::{StoreCall, UserLoad, names, names::Kind};
use crate::{jose::TokenType, keys::AuthType};

/// Tells the recorder the units and descriptions of all metrics, once.
pub(crate) fn describe() {
    static DESCRIBED: Once = Once::new();
    DESCRIBED.call_once(|| {
        for metric in names::ALL {
            match metric.kind {
                Kind::Counter => describe_counter!(metric.name, metric.unit, metric.help),
                Kind::Gauge => describe_gauge!(metric.name, metric.unit, metric.help),
                Kind::Histogram => describe_histogram!(metric.name, metric.unit, metric.help),
            }
        }
    });
}

/// How many hits are collected at most.
const MOST_COLLECTED: u64 = 8;

/// Counts the tokens that one thread finds in the table of verified tokens.
///
/// A hit costs so little that a call of the recorder would be much of it: a few are collected.
pub(crate) struct HitMeter {
    collected: AtomicU64,
    hits: Counter,
}

impl HitMeter {
    pub(crate) fn new() -> Self {
        Self {
            collected: AtomicU64::new(0),
            hits: counter!(names::TABLE_LOOKUPS, "result" => "hit"),
        }
    }

    #[inline]
    pub(crate) fn hit(&self) {
        if self.collected.fetch_add(1, Ordering::Relaxed) + 1 == MOST_COLLECTED {
            self.report();
        }
    }

    /// Gives the recorder the hits that were collected. Guards do so at the end of each decision.
    #[cold]
    pub(crate) fn report(&self) {
        let hits = self.collected.swap(0, Ordering::Relaxed);
        if hits > 0 {
            self.hits.increment(hits);
        }
    }
}

/// Counts the tokens that are not in the table of verified tokens.
pub(crate) struct MissMeter(Counter);

impl MissMeter {
    pub(crate) fn new() -> Self {
        Self(counter!(names::TABLE_LOOKUPS, "result" => "miss"))
    }

    pub(crate) fn miss(&self) {
        self.0.increment(1);
    }
}

/// Counts and times the calls of a session store.
pub(crate) struct StoreMeter([(Counter, Histogram); 7]);

impl StoreMeter {
    pub(crate) fn new() -> Self {
        let calls = [
            StoreCall::Standing,
            StoreCall::MarkUsed,
            StoreCall::Open,
            StoreCall::Rotate,
            StoreCall::Revoke,
            StoreCall::Sessions,
            StoreCall::FirstUse,
        ];
        Self(calls.map(|call| {
            let operation = call.name();
            // From zero on, so that Prometheus sees the first failure as an increase.
            for result in ["timeout", "full", "error"] {
                counter!(names::STORE_CALLS, "operation" => operation, "result" => result)
                    .increment(0);
            }
            (
                counter!(names::STORE_CALLS, "operation" => operation, "result" => "ok"),
                histogram!(names::STORE_CALL_DURATION, "operation" => operation),
            )
        }))
    }

    /// Times a call, and counts it with what `failure` says of its error. A call that is dropped is counted as such.
    pub(crate) async fn time<T, E>(
        &self,
        call: StoreCall,
        work: impl Future<Output = Result<T, E>>,
        failure: fn(&E) -> &'static str,
    ) -> Result<T, E> {
        let (successes, durations) = &self.0[call as usize];
        let mut running = Running {
            call,
            began: Instant::now(),
            is_done: false,
        };
        let answer = work.await;
        running.is_done = true;
        durations.record(running.began.elapsed());
        match &answer {
            Ok(_) => successes.increment(1),
            Err(error) => count_call(call, failure(error)),
        }
        answer
    }
}

impl StoreCall {
    fn name(self) -> &'static str {
        match self {
            Self::Standing => "check",
            Self::MarkUsed => "mark_used",
            Self::Open => "open",
            Self::Rotate => "rotate",
            Self::Revoke => "revoke",
            Self::Sessions => "list",
            Self::FirstUse => "first_use",
        }
    }
}

/// A call that has not ended.
struct Running {
    call: StoreCall,
    began: Instant,
    is_done: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_done {
            count_call(self.call, "dropped");
        }
    }
}

fn count_call(call: StoreCall, result: &'static str) {
    counter!(names::STORE_CALLS, "operation" => call.name(), "result" => result).increment(1);
}

pub(crate) fn minted(token_type: TokenType, algorithm: AuthType) {
    counter!(names::MINTED, "token_type" => token_type.name(), "algorithm" => algorithm.name())
        .increment(1);
}

/// Lets the counters of remote signatures begin, so that Prometheus sees the first failure as an increase.
pub(crate) fn begin_remote_signatures() {
    for result in [
        "ok",
        "timeout",
        "busy",
        "temporary",
        "error",
        "panic",
        "wrong_signature",
        "dropped",
    ] {
        counter!(names::REMOTE_SIGNATURES, "result" => result).increment(0);
    }
}

/// A remote signature that is being made.
struct Signing {
    began: Instant,
    result: &'static str,
}

impl Drop for Signing {
    fn drop(&mut self) {
        histogram!(names::REMOTE_SIGNATURE_DURATION).record(self.began.elapsed());
        counter!(names::REMOTE_SIGNATURES, "result" => self.result).increment(1);
    }
}

/// Times an attempt to sign, and counts it with what `failure` says of its error. An attempt that is dropped is counted
/// as such.
pub(crate) async fn remote_signature<T, E>(
    attempt: impl Future<Output = Result<T, E>>,
    failure: fn(&E) -> &'static str,
) -> Result<T, E> {
    let mut signing = Signing {
        began: Instant::now(),
        result: "dropped",
    };
    let answer = attempt.await;
    signing.result = answer.as_ref().map_or_else(failure, |_| "ok");
    answer
}

/// Counts no event of each kind. A counter that begins with the first event hides it from Prometheus, which counts the
/// increase from one scrape to the next.
pub(crate) fn begin_session_events(events: &[&'static str]) {
    for event in events {
        counter!(names::SESSION_EVENTS, "event" => *event).increment(0);
    }
}

pub(crate) fn session_event(event: &'static str) {
    counter!(names::SESSION_EVENTS, "event" => event).increment(1);
}

/// Counts a fetch, which has succeeded at `fetched_at` (seconds since 1970) or has failed.
#[cfg(feature = "jwks")]
pub(crate) fn key_fetch(issuer: &str, fetched_at: Option<i64>) {
    let result = if fetched_at.is_some() { "ok" } else { "error" };
    counter!(names::KEY_FETCHES, "issuer" => issuer.to_owned(), "result" => result).increment(1);
    if let Some(fetched_at) = fetched_at {
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        metrics::gauge!(names::KEYS_FETCHED_AT, "issuer" => issuer.to_owned())
            .set(fetched_at as f64);
    }
}

/// Counts refusals that were left out of the log.
pub(crate) fn logged_less(count: u64) {
    counter!(names::NOT_LOGGED).increment(count);
}

/// Lets the counters of users begin, for a manager that loads some: then Prometheus sees the first failure as an increase.
pub(crate) fn begin_users() {
    for result in ["cached", "found", "gone", "error"] {
        counter!(names::USER_LOADS, "result" => result).increment(0);
    }
}

/// Counts a user who was loaded before.
pub(crate) fn user_cached() {
    counter!(names::USER_LOADS, "result" => "cached").increment(1);
}

/// Times the loading of a user, and counts it.
pub(crate) async fn user_load<T>(load: impl Future<Output = T>, outcome: fn(&T) -> UserLoad) -> T {
    let began = Instant::now();
    let answer = load.await;
    let outcome = outcome(&answer);
    histogram!(names::USER_LOAD_DURATION).record(began.elapsed());
    let result = match outcome {
        UserLoad::Found => "found",
        UserLoad::Gone => "gone",
        UserLoad::Failed => "error",
    };
    counter!(names::USER_LOADS, "result" => result).increment(1);
    answer
}

/// What a decision is counted by.
pub(crate) struct Decision<'a> {
    pub(crate) outcome: &'static str,
    pub(crate) reason: &'static str,
    /// The pattern of the route.
    pub(crate) route: &'a str,
    pub(crate) token_type: Option<TokenType>,
    pub(crate) issuer: &'a str,
}

/// The counter of such decisions.
pub(crate) fn decisions(decision: &Decision<'_>) -> Counter {
    counter!(
        names::DECISIONS,
        "outcome" => decision.outcome,
        "reason" => decision.reason,
        "route" => decision.route.to_owned(),
        "token_type" => decision.token_type.map_or("none", TokenType::name),
        "issuer" => decision.issuer.to_owned(),
    )
}
