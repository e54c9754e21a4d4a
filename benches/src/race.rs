//! Interleaved measurement: all candidates in turn, in short batches.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

/// The duration of a batch: shorter than a time slice, much longer than reading the clock.
const BATCH: Duration = Duration::from_micros(400);

/// An operation that is timed.
pub(crate) struct Candidate<'a> {
    pub(crate) name: String,
    run: Box<dyn FnMut(u32) + 'a>,
}

impl<'a> Candidate<'a> {
    /// A candidate that runs `operation`. Dropping its result is included in the time.
    pub(crate) fn new<T>(name: impl Into<String>, mut operation: impl FnMut() -> T + 'a) -> Self {
        Self {
            name: name.into(),
            run: Box::new(move |times| {
                for _ in 0..times {
                    black_box(operation());
                }
            }),
        }
    }

    /// Runs the operation so many times.
    pub(crate) fn run(&mut self, times: u32) {
        (self.run)(times);
    }
}

/// Nanoseconds per operation of every candidate, in order: the tenth percentile of the means of all batches,
/// which excludes disturbances.
pub(crate) fn race(candidates: &mut [Candidate<'_>], budget: Duration) -> Vec<f64> {
    let times: Vec<u32> = candidates.iter_mut().map(batch_size).collect();
    let mut means = vec![Vec::new(); candidates.len()];
    let began = Instant::now();
    while began.elapsed() < budget || means.first().is_some_and(|means| means.len() < 5) {
        for ((candidate, times), means) in candidates.iter_mut().zip(&times).zip(&mut means) {
            means.push(nanoseconds(candidate, *times));
        }
    }
    means.into_iter().map(decile).collect()
}

fn nanoseconds(candidate: &mut Candidate<'_>, times: u32) -> f64 {
    let began = Instant::now();
    candidate.run(times);
    began.elapsed().as_secs_f64() * 1e9 / f64::from(times)
}

/// The number of operations in a batch. Warms up as well.
fn batch_size(candidate: &mut Candidate<'_>) -> u32 {
    let mut times = 1;
    loop {
        // The fastest of several: one that was interrupted would make all batches too short.
        let samples = (0..5).map(|_| nanoseconds(candidate, times));
        let each = samples.fold(f64::INFINITY, f64::min);
        let batch = BATCH.as_secs_f64() * 1e9;
        if each * f64::from(times) > batch / 4.0 {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a small positive number"
            )]
            let fitting = (batch / each) as u32;
            return fitting.max(1);
        }
        times *= 2;
    }
}

/// The tenth percentile.
pub(crate) fn decile(samples: Vec<f64>) -> f64 {
    percentile(samples, 10)
}

/// The value below which this percentage of the samples lies.
pub(crate) fn percentile(mut samples: Vec<f64>, percent: usize) -> f64 {
    samples.sort_unstable_by(f64::total_cmp);
    let index = (samples.len() * percent / 100).min(samples.len().saturating_sub(1));
    samples.get(index).copied().unwrap_or(f64::NAN)
}
