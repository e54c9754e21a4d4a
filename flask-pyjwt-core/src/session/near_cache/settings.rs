//! The settings of a near cache.

use std::ops::RangeInclusive;

use time::Duration;

const DEFAULT_MAX_ENTRIES: usize = 100_000;
const DEFAULT_MAX_SILENCE: Duration = Duration::SECOND;
const ENTRIES: RangeInclusive<usize> = 2..=100_000_000;
const SILENCE: RangeInclusive<Duration> = Duration::milliseconds(50)..=Duration::MINUTE;

/// Settings for a store that keeps answers in this process while its server announces changes.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::NearCache;
/// use time::Duration;
///
/// let near_cache = NearCache::new()
///     .max_entries(20_000)
///     .max_silence(Duration::milliseconds(500));
/// # drop(near_cache);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "give the settings to the builder of a store"]
pub struct NearCache {
    max_entries: usize,
    max_silence: Duration,
}

impl Default for NearCache {
    fn default() -> Self {
        Self {
            max_entries: DEFAULT_MAX_ENTRIES,
            max_silence: DEFAULT_MAX_SILENCE,
        }
    }
}

impl NearCache {
    /// Room for 100,000 tokens, and a second of silence.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how many tokens are remembered at most: 2 to 100 million. The default is 100,000.
    ///
    /// A token takes about 350 bytes, and never more than 1,500. The tokens that were used least
    /// recently go first.
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = entries;
        self
    }

    /// Sets how old the last sign of life of the server may be for an answer to be used: 50
    /// milliseconds to 1 minute. The default is 1 second.
    ///
    /// This is the longest time for which a revocation by another process can go unnoticed: when
    /// the server hangs or the network is cut. Otherwise it is noticed within milliseconds. The
    /// server is asked for a sign of life four times in this time.
    pub fn max_silence(mut self, silence: Duration) -> Self {
        self.max_silence = silence;
        self
    }

    /// Checks the limits.
    ///
    /// # Errors
    ///
    /// A sentence that says which setting is out of range.
    #[doc(hidden)]
    pub fn checked(&self) -> Result<(usize, std::time::Duration), &'static str> {
        if !ENTRIES.contains(&self.max_entries) {
            return Err("`max_entries` of the near cache must be between 2 and 100 million");
        }
        if !SILENCE.contains(&self.max_silence) {
            return Err(
                "`max_silence` of the near cache must be between 50 milliseconds and 1 minute",
            );
        }
        Ok((self.max_entries, self.max_silence.unsigned_abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_refused() {
        assert!(NearCache::new().checked().is_ok());
        for accepted in [50, 60_000].map(Duration::milliseconds) {
            assert!(NearCache::new().max_silence(accepted).checked().is_ok());
        }
        for refused in [-1_000, 0, 49, 60_001].map(Duration::milliseconds) {
            assert!(NearCache::new().max_silence(refused).checked().is_err());
        }
        for (entries, is_accepted) in [(1, false), (2, true), (100_000_001, false)] {
            let checked = NearCache::new().max_entries(entries).checked();
            assert_eq!(checked.is_ok(), is_accepted);
        }
    }
}
