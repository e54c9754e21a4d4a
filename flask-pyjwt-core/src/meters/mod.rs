//! What is counted and timed, for the recorder that the application installs (feature `metrics`).
//!
//! Without the feature, every type here is empty and every function does nothing, so that callers need no condition.

#[cfg(feature = "metrics")]
pub(crate) mod names;
#[cfg(not(feature = "metrics"))]
mod off;
#[cfg(feature = "metrics")]
mod on;

#[cfg(all(not(feature = "metrics"), feature = "jwks"))]
pub(crate) use self::off::key_fetch;
#[cfg(not(feature = "metrics"))]
pub(crate) use self::off::{
    HitMeter, MissMeter, StoreMeter, begin_remote_signatures, begin_session_events, begin_users,
    describe, logged_less, minted, remote_signature, session_event, user_cached, user_load,
};
#[cfg(all(feature = "metrics", feature = "jwks"))]
pub(crate) use self::on::key_fetch;
#[cfg(feature = "metrics")]
pub(crate) use self::on::{
    Decision, HitMeter, MissMeter, StoreMeter, begin_remote_signatures, begin_session_events,
    begin_users, decisions, describe, logged_less, minted, remote_signature, session_event,
    user_cached, user_load,
};

/// A call of a session store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreCall {
    Standing,
    MarkUsed,
    Open,
    Rotate,
    Revoke,
    Sessions,
    FirstUse,
}

/// How a user was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UserLoad {
    Found,
    Gone,
    Failed,
}
