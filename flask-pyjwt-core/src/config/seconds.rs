//! Checks of configured durations, in whole seconds.

use time::Duration;

use crate::error::ConfigError;

/// The longest lifetime of a token: 100 years, in seconds. Anything longer is a mistake.
const LONGEST_AGE: i64 = 3_155_760_000;

/// The duration in seconds. Fractions of a second are an error.
pub(super) fn whole_seconds(key: &'static str, duration: Duration) -> Result<i64, ConfigError> {
    if duration.subsec_nanoseconds() == 0 {
        Ok(duration.whole_seconds())
    } else {
        Err(ConfigError::invalid(key, "must be whole seconds"))
    }
}

/// The lifetime of tokens or sessions, in seconds.
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
