//! Nothing is counted without the feature `metrics`.

use std::future::Future;

use super::{StoreCall, UserLoad};
use crate::{jose::TokenType, keys::AuthType};

/// Counts the tokens that one thread finds in the table of verified tokens.
pub(crate) struct HitMeter;

impl HitMeter {
    pub(crate) fn new() -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "the same signature as with the feature")]
    #[inline]
    pub(crate) fn hit(&self) {}

    #[expect(clippy::unused_self, reason = "the same signature as with the feature")]
    #[inline]
    pub(crate) fn report(&self) {}
}

/// Counts the tokens that are not in the table of verified tokens.
pub(crate) struct MissMeter;

impl MissMeter {
    pub(crate) fn new() -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "the same signature as with the feature")]
    #[inline]
    pub(crate) fn miss(&self) {}
}

/// Counts and times the calls of a session store.
pub(crate) struct StoreMeter;

impl StoreMeter {
    pub(crate) fn new() -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "the same signature as with the feature")]
    #[inline]
    pub(crate) fn time<T, E>(
        &self,
        _: StoreCall,
        call: impl Future<Output = Result<T, E>>,
        _: fn(&E) -> &'static str,
    ) -> impl Future<Output = Result<T, E>> {
        call
    }
}

#[inline]
pub(crate) fn describe() {}

#[inline]
pub(crate) fn minted(_: TokenType, _: AuthType) {}

#[inline]
pub(crate) fn begin_remote_signatures() {}

/// Makes a signature.
#[inline]
pub(crate) fn remote_signature<T, E>(
    attempt: impl Future<Output = Result<T, E>>,
    _: fn(&E) -> &'static str,
) -> impl Future<Output = Result<T, E>> {
    attempt
}

#[inline]
pub(crate) fn begin_session_events(_: &[&'static str]) {}

#[inline]
pub(crate) fn session_event(_: &'static str) {}

#[cfg(feature = "jwks")]
#[inline]
pub(crate) fn key_fetch(_: &str, _: Option<i64>) {}

#[inline]
pub(crate) fn logged_less(_: u64) {}

#[inline]
pub(crate) fn begin_users() {}

#[inline]
pub(crate) fn user_cached() {}

/// Loads a user.
#[inline]
pub(crate) fn user_load<T>(
    load: impl Future<Output = T>,
    _: fn(&T) -> UserLoad,
) -> impl Future<Output = T> {
    load
}
