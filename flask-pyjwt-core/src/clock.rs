//! The source of the current time.

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

/// Provides the current time for everything that depends on it: token lifetimes, sessions and keys.
///
/// The default is the clock of the system. Tests use a [`FrozenClock`], set with
/// [`Config::clock`](crate::Config::clock).
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::testing::Clock;
/// use time::{Duration, OffsetDateTime};
///
/// /// Tests against another system whose clock is five seconds late.
/// struct Late;
///
/// impl Clock for Late {
///     fn now(&self) -> OffsetDateTime {
///         OffsetDateTime::now_utc() - Duration::seconds(5)
///     }
/// }
/// # let _ = Late.now();
/// ```
pub trait Clock: Send + Sync + 'static {
    /// Returns the current time. Before 1970 and after 9999, every token is refused and none is
    /// minted.
    fn now(&self) -> OffsetDateTime;
}

/// The clock of the operating system, which is the default.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> OffsetDateTime {
        OffsetDateTime::now_utc()
    }
}

/// The configured clock. The system's clock is called without dynamic dispatch.
#[derive(Clone)]
pub(crate) enum TimeSource {
    System,
    Other(Arc<dyn Clock>),
}

impl TimeSource {
    /// The current time, in the form in which tokens store it.
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
    /// Whether this thread is calling a clock of the application. If that clock calls something
    /// that needs the time, such as token verification, the result is an error.
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// A clock for tests that stands still until it is moved. Clones share one time.
///
/// With it, a test can check expiry without sleeping, as `freezegun` does in Python.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, TokenError, testing::FrozenClock};
/// use time::{Duration, OffsetDateTime};
///
/// let clock = FrozenClock::new(OffsetDateTime::UNIX_EPOCH + Duration::days(20_000));
/// let config = Config::new("shop", AuthType::HS256, "change-me: at least 32 bytes of secret")
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
#[doc(alias = "freezegun")]
#[doc(alias = "freeze_time")]
#[derive(Clone)]
pub struct FrozenClock(Arc<Mutex<OffsetDateTime>>);

impl FrozenClock {
    /// Creates a clock that shows this time.
    #[must_use]
    pub fn new(now: OffsetDateTime) -> Self {
        Self(Arc::new(Mutex::new(now)))
    }

    /// Sets the clock to another time, later or earlier.
    pub fn set(&self, now: OffsetDateTime) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }

    /// Moves the clock forward, or back if the duration is negative. Saturates at the range of
    /// `OffsetDateTime`.
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
