//! Durations that are configured, in whole seconds.

use time::Duration;

use crate::error::ConfigError;

/// The longest age of a token: a hundred years, in seconds. Longer ones are typing mistakes.
const LONGEST_AGE: i64 = 3_155_760_000;

/// The seconds of a duration without fractions of one.
pub(super) fn whole_seconds(key: &'static str, duration: Duration) -> Result<i64, ConfigError> {
    if duration.subsec_nanoseconds() == 0 {
        Ok(duration.whole_seconds())
    } else {
        Err(ConfigError::invalid(key, "must be whole seconds"))
    }
}

/// The seconds of an age of tokens or sessions.
pub(super) fn age(key: &'static str, age: Duration) -> Result<i64, ConfigError> {
    match whole_seconds(key, age)? {
        ..=0 => Err(ConfigError::invalid(key, "must be at least 1 second")),
        seconds @ ..=LONGEST_AGE => Ok(seconds),
        _ => Err(ConfigError::invalid(
            key,
            "must be at most 3155760000 seconds (100 years)",
        )),
    }
}
