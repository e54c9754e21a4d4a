//! The names of all metrics.

use metrics::Unit;

/// What [`Metric::name`] stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A number that only grows.
    Counter,
    /// A number that goes up and down.
    Gauge,
    /// Many measured values.
    Histogram,
}

/// One metric: its name, kind, unit and labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// The name, in the form of Prometheus: counters end with `_total`, times with `_seconds`.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// The unit of its values.
    pub unit: Unit,
    /// The names of its labels. None of them has values that a client chooses.
    pub labels: &'static [&'static str],
    /// What it says, in one sentence.
    pub help: &'static str,
}

/// Decisions of guards, and refusals by extractors and handlers.
pub const DECISIONS: &str = "flask_pyjwt_decisions_total";
/// Tokens that were looked up among those that were verified before.
pub const TABLE_LOOKUPS: &str = "flask_pyjwt_token_table_lookups_total";
/// Tokens that were signed.
pub const MINTED: &str = "flask_pyjwt_tokens_minted_total";
/// Attempts to sign with a remote key.
pub const REMOTE_SIGNATURES: &str = "flask_pyjwt_remote_signatures_total";
/// How long an attempt to sign with a remote key takes.
pub const REMOTE_SIGNATURE_DURATION: &str = "flask_pyjwt_remote_signature_duration_seconds";
/// Calls of the session store.
pub const STORE_CALLS: &str = "flask_pyjwt_store_calls_total";
/// How long a call of the session store takes.
pub const STORE_CALL_DURATION: &str = "flask_pyjwt_store_call_duration_seconds";
/// What happens to sessions.
pub const SESSION_EVENTS: &str = "flask_pyjwt_session_events_total";
/// Fetches of other issuers' keys.
pub const KEY_FETCHES: &str = "flask_pyjwt_key_fetches_total";
/// When the keys of another issuer were last fetched.
pub const KEYS_FETCHED_AT: &str = "flask_pyjwt_keys_fetched_timestamp_seconds";
/// Users that were asked for.
pub const USER_LOADS: &str = "flask_pyjwt_user_loads_total";
/// How long it takes to load a user.
pub const USER_LOAD_DURATION: &str = "flask_pyjwt_user_load_duration_seconds";
/// Refusals that were left out of the log.
pub const NOT_LOGGED: &str = "flask_pyjwt_refusals_not_logged_total";

/// Limits of buckets for the histograms, in seconds: from a store in memory to one that does not answer.
pub const DURATION_BUCKETS: [f64; 12] = [
    0.000_01, 0.000_1, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0,
];

/// All metrics.
pub const ALL: [Metric; 13] = [
    Metric {
        name: DECISIONS,
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["outcome", "reason", "route", "token_type", "issuer"],
        help: "Decisions of guards, and refusals by extractors and handlers.",
    },
    Metric {
        name: TABLE_LOOKUPS,
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["result"],
        help: "Tokens that were looked up among those that were verified before.",
    },
    Metric {
        name: MINTED,
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["token_type", "algorithm"],
        help: "Tokens that were signed.",
    },
    Metric {
        name: REMOTE_SIGNATURES,
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["result"],
        help: "Attempts to sign with a remote key.",
    },
    Metric {
        name: REMOTE_SIGNATURE_DURATION,
        kind: Kind::Histogram,
        unit: Unit::Seconds,
        labels: &[],
        help: "How long an attempt to sign with a remote key takes, with the wait for its turn.",
    },
    Metric {
        name: STORE_CALLS,
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["operation", "result"],
        help: "Calls of the session store.",
    },
    Metric {
        name: STORE_CALL_DURATION,
        kind: Kind::Histogram,
        unit: Unit::Seconds,
        labels: &["operation"],
        help: "How long a call of the session store takes.",
    },
    Metric {
        name: SESSION_EVENTS,
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["event"],
        help: "What happens to sessions.",
    },
    Metric {
        name: KEY_FETCHES,
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["issuer", "result"],
        help: "Fetches of other issuers' keys.",
    },
    Metric {
        name: KEYS_FETCHED_AT,
        kind: Kind::Gauge,
        unit: Unit::Seconds,
        labels: &["issuer"],
        help: "When the keys of another issuer were last fetched, in seconds since 1970.",
    },
    Metric {
        name: USER_LOADS,
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &["result"],
        help: "Users that were asked for.",
    },
    Metric {
        name: USER_LOAD_DURATION,
        kind: Kind::Histogram,
        unit: Unit::Seconds,
        labels: &[],
        help: "How long it takes to load a user.",
    },
    Metric {
        name: NOT_LOGGED,
        kind: Kind::Counter,
        unit: Unit::Count,
        labels: &[],
        help: "Refusals that were left out of the log, because there were too many for the same reason and route.",
    },
];
