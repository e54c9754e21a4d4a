//! Times for people and for programs.

use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

/// The units, the largest first.
const UNITS: [(i64, &str); 5] = [
    (31_557_600, "year"),
    (86_400, "day"),
    (3_600, "hour"),
    (60, "minute"),
    (1, "second"),
];

/// A length of time in words, such as `3 minutes`: the nearest number of the largest unit that it has two of, or just one
/// of. So 59 minutes and 59 seconds are one hour, and an hour and a half is 90 minutes.
pub(crate) fn words(duration: Duration) -> String {
    let seconds = nearest_second(duration).saturating_abs();
    let smaller = UNITS.iter().skip(1).map(|(size, _)| *size).chain([1]);
    let fits = |(size, _): (i64, _), smaller| {
        let one_less = size - smaller / 2;
        seconds >= one_less + size || (one_less..=size + smaller / 2).contains(&seconds)
    };
    let (size, unit) = UNITS
        .into_iter()
        .zip(smaller)
        .find(|(unit, smaller)| fits(*unit, *smaller))
        .map_or((1, "second"), |(unit, _)| unit);
    let count = seconds.saturating_add(size / 2) / size;
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

/// The nearest whole number of seconds.
fn nearest_second(duration: Duration) -> i64 {
    let more = i64::from(duration.subsec_milliseconds() / 500);
    duration.whole_seconds().saturating_add(more)
}

/// A moment as seen from now: `in 3 minutes`, `2 hours ago`.
pub(crate) fn relative(moment: OffsetDateTime, now: OffsetDateTime) -> String {
    let difference = moment - now;
    if difference.is_positive() {
        // Until then, it is not now: a token is still valid.
        format!("in {}", words(difference.max(Duration::SECOND)))
    } else if nearest_second(difference) == 0 {
        "now".to_owned()
    } else {
        format!("{} ago", words(difference))
    }
}

/// A moment in whole seconds, such as `2026-11-27T12:00:00Z`.
pub(crate) fn exact(moment: OffsetDateTime) -> String {
    let moment = moment.truncate_to_second();
    moment
        .format(&Rfc3339)
        .unwrap_or_else(|_| moment.to_string())
}

/// The moment of a number of seconds since 1970.
pub(crate) fn of_seconds(seconds: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_in_words() {
        let now = OffsetDateTime::UNIX_EPOCH + Duration::days(20_000);
        for (seconds, expected) in [
            (3_599, "in 1 hour"),
            (3_540, "in 59 minutes"),
            (3_660, "in 61 minutes"),
            (5_400, "in 90 minutes"),
            (7_199, "in 2 hours"),
            (299, "in 5 minutes"),
            (61, "in 61 seconds"),
            (120, "in 2 minutes"),
            (604_799, "in 7 days"),
            (86_401, "in 1 day"),
            (-3_601, "1 hour ago"),
            (0, "now"),
            (1, "in 1 second"),
            (59, "in 59 seconds"),
            (180, "in 3 minutes"),
            (-7_300, "2 hours ago"),
            (-86_400, "1 day ago"),
            (40 * 31_557_600, "in 40 years"),
        ] {
            assert_eq!(relative(now + Duration::seconds(seconds), now), expected);
        }
        for (milliseconds, expected) in [
            (3_599_500, "in 1 hour"),
            (59_700, "in 1 minute"),
            (299_001, "in 5 minutes"),
            (1, "in 1 second"),
            (900, "in 1 second"),
            (-499, "now"),
            (-900, "1 second ago"),
        ] {
            let moment = now + Duration::milliseconds(milliseconds);
            assert_eq!(relative(moment, now), expected, "{milliseconds}");
        }
        assert_eq!(exact(now), "2024-10-04T00:00:00Z");
    }
}
