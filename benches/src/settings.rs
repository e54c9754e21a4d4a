//! The options of a run.

use std::{path::PathBuf, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

/// The options of a run, and the paths it uses.
pub(crate) struct Settings {
    /// Everything in less than a minute, to see that it works. The results mean little.
    pub(crate) quick: bool,
    /// The program that counts allocations.
    pub(crate) allocations: PathBuf,
    bar: ProgressBar,
}

impl Settings {
    pub(crate) fn new(quick: bool, allocations: PathBuf) -> Self {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} [{elapsed_precise}] {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(500));
        Self {
            quick,
            allocations,
            bar,
        }
    }

    /// The duration of a measurement that takes so many seconds in a full run.
    pub(crate) fn budget(&self, seconds: f64) -> Duration {
        Duration::from_secs_f64(if self.quick { seconds / 20.0 } else { seconds })
    }

    /// Prints what is being measured.
    pub(crate) fn progress(&self, what: &str) {
        if self.bar.is_hidden() {
            println!("[{:4.0} s] {what}", self.bar.elapsed().as_secs_f64());
        } else {
            self.bar.set_message(what.to_owned());
        }
    }

    /// Ends the progress line.
    pub(crate) fn done(&self) {
        self.bar.finish_and_clear();
    }
}
