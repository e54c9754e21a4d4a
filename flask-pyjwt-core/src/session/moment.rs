//! A moment as stores keep it.

use std::ops::{Add, AddAssign, Sub, SubAssign};

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

/// A moment as stores keep it: whole milliseconds since 1970 (UTC), negative before.
///
/// It is no `OffsetDateTime`, so that every store counts alike: a database, JSON and Lua keep it as one
/// integer, and no part of a millisecond is lost on the way there and back. In JSON it is that integer.
///
/// Adding and subtracting stops at the ends of `i64`, and leaves out parts of a millisecond.
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
    /// The first moment of 1970, UTC.
    pub const UNIX_EPOCH: Self = Self(0);
    /// The earliest moment there is.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest moment there is.
    pub const MAX: Self = Self(i64::MAX);

    /// The moment so many milliseconds after the beginning of 1970, or before it.
    #[must_use]
    pub const fn from_milliseconds(milliseconds: i64) -> Self {
        Self(milliseconds)
    }

    /// How many milliseconds it is after the beginning of 1970: what a store writes.
    #[must_use]
    pub const fn milliseconds(self) -> i64 {
        self.0
    }

    /// How much later it is than another moment; negative where it is earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::milliseconds(self.0.saturating_sub(earlier.0))
    }

    /// The whole second in which it lies, as tokens write it.
    pub(super) const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }
}

/// The whole milliseconds of a duration; the nearest where it is longer than `i64` can say.
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

/// The nearest moment that a calendar can show.
impl From<Moment> for OffsetDateTime {
    fn from(moment: Moment) -> Self {
        Self::UNIX_EPOCH.saturating_add(Duration::milliseconds(moment.0))
    }
}

/// The millisecond in which it lies.
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
    fn arithmetic_stops_at_the_ends() {
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
    fn a_moment_is_the_millisecond_in_which_a_time_lies() {
        for (nanoseconds, milliseconds) in [(1_999_999, 1), (-1, -1), (-1_000_000, -1), (0, 0)] {
            let time = OffsetDateTime::UNIX_EPOCH + Duration::nanoseconds(nanoseconds);
            assert_eq!(Moment::from(time).milliseconds(), milliseconds);
        }
    }

    #[test]
    fn json_has_the_number_alone() {
        let moment = Moment::from_milliseconds(-5);
        assert_eq!(serde_json::to_string(&moment).ok().as_deref(), Some("-5"));
        assert_eq!(serde_json::from_str::<Moment>("-5").ok(), Some(moment));
    }
}
