//! The time unit of the stores.

use std::ops::{Add, AddAssign, Sub, SubAssign};

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

/// A point in time as stores keep it: whole milliseconds since 1970 (UTC), negative before.
///
/// Stores use this type instead of `OffsetDateTime` so that all of them count alike. A database,
/// JSON and Lua keep a moment as one integer, and nothing is lost by rounding. In JSON it is that
/// integer.
///
/// Addition and subtraction saturate at the ends of `i64` and ignore fractions of a millisecond.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::store::Moment;
/// use time::{Duration, OffsetDateTime};
///
/// let moment = Moment::from_milliseconds(1_500);
/// assert_eq!(moment + Duration::SECOND, Moment::from_milliseconds(2_500));
/// assert_eq!(moment.since(Moment::UNIX_EPOCH), Duration::milliseconds(1_500));
/// assert_eq!(OffsetDateTime::from(moment).unix_timestamp(), 1);
/// assert_eq!(Moment::from(OffsetDateTime::from(moment)), moment);
/// ```
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Moment(i64);

impl Moment {
    /// The start of 1970, UTC.
    pub const UNIX_EPOCH: Self = Self(0);
    /// The earliest moment.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest moment.
    pub const MAX: Self = Self(i64::MAX);

    /// Creates a moment from milliseconds since 1970 (UTC). Negative values are before 1970.
    #[must_use]
    pub const fn from_milliseconds(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// Milliseconds since 1970 (UTC), which is what a store writes.
    #[must_use]
    pub const fn milliseconds(self) -> i64 {
        self.0
    }

    /// The time from `earlier` to this moment. Negative if this moment is the earlier one.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::milliseconds(self.0.saturating_sub(earlier.0))
    }

    /// The whole second, rounded down, as tokens write it.
    pub(super) const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }
}

/// The whole milliseconds of a duration, saturated to the range of `i64`.
pub(super) fn whole_milliseconds(duration: Duration) -> i64 {
    let milliseconds = duration.whole_milliseconds();
    i64::try_from(milliseconds).unwrap_or(if milliseconds < 0 { i64::MIN } else { i64::MAX })
}

impl Add<Duration> for Moment {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(whole_milliseconds(duration)))
    }
}

impl Sub<Duration> for Moment {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(whole_milliseconds(duration)))
    }
}

impl AddAssign<Duration> for Moment {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl SubAssign<Duration> for Moment {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

/// Saturates at the range of `OffsetDateTime`.
impl From<Moment> for OffsetDateTime {
    fn from(moment: Moment) -> Self {
        Self::UNIX_EPOCH.saturating_add(Duration::milliseconds(moment.0))
    }
}

/// Rounds down to the millisecond.
impl From<OffsetDateTime> for Moment {
    fn from(moment: OffsetDateTime) -> Self {
        let seconds = moment.unix_timestamp().saturating_mul(1_000);
        Self(seconds.saturating_add(i64::from(moment.millisecond())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates() {
        assert_eq!(Moment::MAX + Duration::HOUR, Moment::MAX);
        assert_eq!(Moment::MIN - Duration::MAX, Moment::MIN);
        assert_eq!(Moment::UNIX_EPOCH + Duration::MAX, Moment::MAX);
        assert_eq!(Moment::UNIX_EPOCH + Duration::MIN, Moment::MIN);
        assert_eq!(
            Moment::MAX.since(Moment::MIN),
            Duration::milliseconds(i64::MAX)
        );
        let _no_panic = [Moment::MIN, Moment::MAX].map(OffsetDateTime::from);
    }

    #[test]
    fn a_time_is_rounded_down_to_the_millisecond() {
        for (nanoseconds, milliseconds) in [(1_999_999, 1), (-1, -1), (-1_000_000, -1), (0, 0)] {
            let time = OffsetDateTime::UNIX_EPOCH + Duration::nanoseconds(nanoseconds);
            assert_eq!(Moment::from(time).milliseconds(), milliseconds);
        }
    }

    #[test]
    fn a_moment_is_a_plain_number_in_json() {
        let moment = Moment::from_milliseconds(-5);
        assert_eq!(serde_json::to_string(&moment).ok().as_deref(), Some("-5"));
        assert_eq!(serde_json::from_str::<Moment>("-5").ok(), Some(moment));
    }
}
