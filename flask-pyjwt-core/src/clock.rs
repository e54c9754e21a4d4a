//! The one source of the time.

use std::{
    cell::Cell,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use time::{Duration, OffsetDateTime};

use crate::{
    jose::{NumericDate, TokenError},
    reentry::Calling,
};

/// Tells the time to everything that asks whether a token is valid.
///
/// The default is the system's clock. Tests set a [`FrozenClock`] with
/// [`Config::clock`](crate::Config::clock).
pub trait Clock: Send + Sync + 'static {
    /// The moment that counts as now. Before 1970, every token is refused and none is minted.
    fn now(&self) -> OffsetDateTime;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// Where the time comes from. The system's is asked directly.
#[derive(Clone)]
pub(crate) enum TimeSource {
    System,
    Other(Arc<dyn Clock>),
}

impl TimeSource {
    /// Now, as tokens write it.
    pub(crate) fn now(&self) -> Result<NumericDate, TokenError> {
        match self {
            Self::System => NumericDate::from_system(SystemTime::now()),
            Self::Other(clock) => {
                let _asking = Calling::begin(&ASKING).ok_or(TokenError::Clock)?;
                NumericDate::from_clock(clock.now())
            }
        }
        .ok_or(TokenError::Clock)
    }
}

thread_local! {
    /// Whether this thread asks a clock of the application. Should that ask us for what needs the time, such
    /// as whether a token is valid, the answer is an error.
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// A clock that stands still until it is set: for tests of what expires. Clones share one time.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, TokenError, testing::FrozenClock};
/// use time::{Duration, OffsetDateTime};
///
/// let clock = FrozenClock::new(OffsetDateTime::UNIX_EPOCH + Duration::days(20_000));
/// let config = Config::new("example", AuthType::HS256, "a secret of 32 bytes, at the least")
///     .clock(clock.clone());
/// let auth = AuthManager::new(config)?;
/// let token = auth.auth_token("alice").sign()?;
///
/// clock.advance(Duration::seconds(3_599));
/// assert!(auth.verify_token(token.signed()).is_ok());
/// clock.advance(Duration::seconds(1));
/// assert_eq!(auth.verify_token(token.signed()).unwrap_err(), TokenError::Expired);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FrozenClock(Arc<Mutex<OffsetDateTime>>);

impl FrozenClock {
    /// A clock that shows this moment.
    #[must_use]
    pub fn new(now: OffsetDateTime) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// Shows another moment, later or earlier.
    pub fn set(&self, now: OffsetDateTime) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves on by this much; back, when it is negative. Stops at the ends of the calendar.
    pub fn advance(&self, by: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = now.saturating_add(by);
    }
}

impl Clock for FrozenClock {
    fn now(&self) -> OffsetDateTime {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for FrozenClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FrozenClock").field(&self.now()).finish()
    }
}
