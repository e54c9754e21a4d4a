//! The results of the runs: every way, compared with "no authentication" in the same round.

use super::{apps::Way, load::Load};
use crate::race::percentile;

/// One run of the load generator against one server.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Run {
    /// Requests per second.
    rate: f64,
    /// Microseconds.
    p50: f64,
    p99: f64,
    /// CPU of the server process per request, in microseconds.
    cpu: f64,
}

/// One run of every way, shortly after each other, in the order of [`Way::ALL`].
pub(super) type Round = [Run; Way::ALL.len()];

/// The reported results of one way.
pub(super) struct Figures {
    /// The undisturbed decile of each.
    pub(super) best: Run,
    /// The median of the ratios to "no authentication" in the same round: a disturbance that is longer than a
    /// round affects both.
    pub(super) ratio: Run,
    /// The median of the cost above "no authentication" in the same round, in microseconds.
    pub(super) cpu_above: f64,
}

impl Run {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    pub(super) fn new(load: Load, cpu: u64) -> Self {
        let requests = load.latencies.len() as f64;
        Self {
            rate: requests / load.seconds,
            p50: percentile(load.latencies.clone(), 50) / 1e3,
            p99: percentile(load.latencies, 99) / 1e3,
            cpu: cpu as f64 / requests / 1e3,
        }
    }

    pub(super) fn numbers(self) -> [f64; 4] {
        [self.rate, self.p50, self.p99, self.cpu]
    }

    /// Applies `of` to each of the four numbers, with the rate first.
    fn each(of: impl Fn(fn(&Run) -> f64) -> f64, rate: impl Fn(fn(&Run) -> f64) -> f64) -> Self {
        Self {
            rate: rate(|run| run.rate),
            p50: of(|run| run.p50),
            p99: of(|run| run.p99),
            cpu: of(|run| run.cpu),
        }
    }
}

impl Figures {
    /// The results of the way at this index of [`Way::ALL`].
    pub(super) fn of(place: usize, rounds: &[Round]) -> Self {
        let all = |number: fn(&Run) -> f64, percent| {
            let own = rounds.iter().map(|round| number(&round[place]));
            percentile(own.collect(), percent)
        };
        let ratio = |number: fn(&Run) -> f64| {
            let own = rounds
                .iter()
                .map(|round| number(&round[place]) / number(&round[0]));
            percentile(own.collect(), 50)
        };
        let above = rounds.iter().map(|round| round[place].cpu - round[0].cpu);
        Self {
            best: Run::each(|number| all(number, 10), |number| all(number, 90)),
            ratio: Run::each(ratio, ratio),
            cpu_above: percentile(above.collect(), 50),
        }
    }
}
