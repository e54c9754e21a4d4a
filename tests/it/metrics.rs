//! What is counted and timed, as Prometheus gets it.

#![expect(clippy::float_cmp, reason = "counts are whole numbers")]

mod decisions;
mod floods;
mod parts;
mod spans;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    future::Future,
};

use flask_pyjwt::metrics::{ALL, DURATION_BUCKETS, Kind};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

thread_local! {
    static HANDLE: RefCell<Option<PrometheusHandle>> = const { RefCell::new(None) };
}

/// Runs a test with a recorder of its own, for what happens on its thread.
pub(crate) fn recorded(test: impl Future<Output = ()>) {
    let builder = PrometheusBuilder::new();
    let suffix = Matcher::Suffix("duration_seconds".to_owned());
    let builder = builder.set_buckets_for_metric(suffix, &DURATION_BUCKETS);
    let recorder = builder.expect("there are buckets").build_recorder();
    HANDLE.set(Some(recorder.handle()));
    metrics::with_local_recorder(&recorder, || actix_web::rt::System::new().block_on(test));
}

/// The samples of Prometheus' text: each series with its value.
#[derive(Debug)]
pub(crate) struct Scraped(BTreeMap<String, f64>);

pub(crate) fn scrape() -> Scraped {
    let text = HANDLE.with_borrow(|handle| handle.as_ref().expect("within `recorded`").render());
    let mut samples = BTreeMap::new();
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let (series, value) = line.rsplit_once(' ').expect("a series and a value");
        samples.insert(series.to_owned(), value.parse().expect("a number"));
    }
    Scraped(samples)
}

impl Scraped {
    /// The sum of the series with this name and all of these labels.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has_all = |series: &&String| {
            let has =
                |(label, value): &(&str, &str)| series.contains(&format!("{label}=\"{value}\""));
            series.split('{').next() == Some(name) && labels.iter().all(has)
        };
        let found = self.0.keys().filter(has_all);
        found.map(|series| self.0[series]).sum()
    }

    /// The names of the labels of a metric.
    fn labels(&self, name: &str) -> BTreeSet<String> {
        let series = self
            .0
            .keys()
            .filter(|series| series.split('{').next() == Some(name));
        let labels = series.flat_map(|series| {
            let inside = series
                .split_once('{')
                .map_or("", |(_, rest)| rest.trim_end_matches('}'));
            let pairs = inside.split("\",").filter(|pair| !pair.is_empty());
            pairs.map(|pair| pair.split('=').next().unwrap_or("").to_owned())
        });
        labels.collect()
    }
}

/// Metrics that a test has caused have the labels and the kind of their entry.
#[track_caller]
pub(crate) fn assert_as_listed(scraped: &Scraped) {
    for metric in ALL {
        let name = match metric.kind {
            Kind::Histogram => format!("{}_count", metric.name),
            _ => metric.name.to_owned(),
        };
        let labels = scraped.labels(&name);
        if scraped.0.keys().any(|series| series.starts_with(&name)) {
            let listed: BTreeSet<_> = metric.labels.iter().map(|it| (*it).to_owned()).collect();
            assert_eq!(labels, listed, "{name}");
        }
    }
    let listed = |series: &String| ALL.iter().any(|metric| series.starts_with(metric.name));
    assert!(scraped.0.keys().all(listed), "{scraped:?}");
}

#[test]
fn names_follow_the_conventions_of_prometheus() {
    for metric in ALL {
        let name = metric.name;
        assert!(name.starts_with("flask_pyjwt_"), "{name}");
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "{name}"
        );
        assert_eq!(
            name.ends_with("_total"),
            metric.kind == Kind::Counter,
            "{name}"
        );
        let is_time = name.ends_with("_seconds");
        assert_eq!(is_time, metric.kind != Kind::Counter, "{name}");
        assert!(metric.help.ends_with('.'), "{name}");
    }
    let names: BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), ALL.len());
}
