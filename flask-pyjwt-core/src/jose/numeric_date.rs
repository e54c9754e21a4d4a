//! Dates in tokens: seconds since 1970 (`NumericDate` of RFC 7519, section 2).

use std::time::SystemTime;

use time::{Duration, OffsetDateTime};

use crate::json::Json;

/// The last second of the year 9999, which is the last that `OffsetDateTime` can show.
const LATEST: i64 = 253_402_300_799;

/// A moment between 1970 and 9999, with nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NumericDate {
    seconds: i64,
    nanoseconds: u32,
}

impl NumericDate {
    /// The moment of a JSON number in range. `None` for any other value.
    pub(crate) fn from_json(value: Json<'_>) -> Option<Self> {
        let number = value.as_number()?;
        if let Some(seconds) = number.as_i64() {
            return Self::from_seconds(seconds, 0);
        }
        let number = number.as_f64().filter(|_| number.is_f64())?;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        if !(0.0..=LATEST as f64).contains(&number) {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "in range"
        )]
        Self::from_seconds(number as i64, (number.fract() * 1e9) as u32)
    }

    /// The moment of a clock. `None` if it is out of range.
    pub(crate) fn from_clock(now: OffsetDateTime) -> Option<Self> {
        Self::from_seconds(now.unix_timestamp(), now.nanosecond())
    }

    /// The moment of the system's clock. `None` if it is out of range.
    pub(crate) fn from_system(now: SystemTime) -> Option<Self> {
        let elapsed = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        Self::from_seconds(elapsed.as_secs().try_into().ok()?, elapsed.subsec_nanos())
    }

    /// The moment at this number of seconds since 1970. `None` if it is out of range.
    pub(crate) fn at(seconds: i64) -> Option<Self> {
        Self::from_seconds(seconds, 0)
    }

    fn from_seconds(seconds: i64, nanoseconds: u32) -> Option<Self> {
        (0..=LATEST).contains(&seconds).then_some(Self {
            seconds,
            nanoseconds,
        })
    }

    /// Whole seconds since 1970.
    pub(crate) fn seconds(self) -> i64 {
        self.seconds
    }

    /// Milliseconds since 1970.
    pub(crate) fn milliseconds(self) -> i64 {
        self.seconds * 1_000 + i64::from(self.nanoseconds / 1_000_000)
    }

    /// The moment this many seconds later, which may be out of range.
    pub(crate) fn plus(self, seconds: i64) -> Self {
        Self {
            seconds: self.seconds.saturating_add(seconds),
            ..self
        }
    }

    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::seconds(self.seconds - earlier.seconds)
            + Duration::nanoseconds(i64::from(self.nanoseconds) - i64::from(earlier.nanoseconds))
    }

    pub(crate) fn to_date_time(self) -> OffsetDateTime {
        OffsetDateTime::UNIX_EPOCH
            .saturating_add(Duration::new(self.seconds, 0))
            .saturating_add(Duration::nanoseconds(self.nanoseconds.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    fn date(literal: &str) -> Option<(i64, u32)> {
        let document = Document::object(format!(r#"{{"at":{literal}}}"#)).ok()?;
        let date = NumericDate::from_json(document.root().member("at")?)?;
        Some((date.seconds, date.nanoseconds))
    }

    #[test]
    fn threat_18_only_numbers_in_range_are_dates() {
        assert_eq!(date("0"), Some((0, 0)));
        assert_eq!(date("1700000000"), Some((1_700_000_000, 0)));
        assert_eq!(date("1700000000.5"), Some((1_700_000_000, 500_000_000)));
        assert_eq!(date("1.7e9"), Some((1_700_000_000, 0)));
        assert_eq!(date("253402300799"), Some((LATEST, 0)));
        for literal in [
            "-1",
            "-0.5",
            "253402300800",
            "18446744073709551615",
            "18446744073709551616",
            "1e300",
            "\"1700000000\"",
            "true",
            "null",
            "[1700000000]",
            "{}",
        ] {
            assert_eq!(date(literal), None, "{literal}");
        }
    }
}
