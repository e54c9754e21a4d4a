//! Reads queries in Prometheus' language as far as these tests need it: names, selectors and lists of labels.

use flask_pyjwt::metrics::{ALL, Kind, Metric};

use crate::guide::values_of_label;

/// The labels that Prometheus adds to every series.
const ADDED: [&str; 2] = ["job", "instance"];
const SUFFIXES: [&str; 3] = ["_bucket", "_sum", "_count"];
/// What else a query may contain. A misspelt function is none of these.
const WORDS: &[&str] = &[
    "and",
    "by",
    "group_left",
    "histogram_quantile",
    "ignoring",
    "increase",
    "label_values",
    "offset",
    "on",
    "or",
    "rate",
    "sum",
    "time",
    "topk",
    "unless",
];

/// The metric with a series of this name.
pub(super) fn metric_of(series: &str) -> Option<&'static Metric> {
    static METRICS: &[Metric] = &ALL;
    METRICS.iter().find(|metric| match metric.kind {
        Kind::Histogram => SUFFIXES
            .iter()
            .any(|suffix| series.strip_suffix(suffix) == Some(metric.name)),
        _ => series == metric.name,
    })
}

/// A query, in tokens.
pub(super) struct Query<'a> {
    text: &'a str,
    tokens: Vec<&'a str>,
}

/// What an open parenthesis belongs to.
#[derive(Clone, Debug)]
struct Call<'a> {
    function: &'a str,
    /// The labels of an aggregation.
    by: Vec<&'a str>,
}

/// A series that is asked for, with the calls around it.
struct Asked<'a> {
    name: &'a str,
    matchers: Vec<[&'a str; 3]>,
    range: &'a str,
    calls: Vec<Call<'a>>,
}

impl<'a> Query<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut tokens = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let length = length_of_token(rest);
            tokens.push(&rest[..length]);
            rest = rest[length..].trim_start();
        }
        Self { text, tokens }
    }

    pub(super) fn metrics(&self) -> impl Iterator<Item = &'static Metric> {
        let names = self.tokens.iter().filter(|token| is_series(token));
        names.filter_map(|name| metric_of(name))
    }

    /// Whether an aggregation keeps a label, or there is no aggregation.
    pub(super) fn keeps(&self, label: &str) -> bool {
        let aggregates = self.tokens.contains(&"by");
        let lists = self.label_lists();
        !aggregates || lists.iter().any(|(_, list)| list.contains(&label))
    }

    /// What is wrong with the query, for each mistake a sentence.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !self.is_balanced() {
            problems.push("a bracket has no counterpart".to_owned());
        }
        for token in &self.tokens {
            let is_name = token.starts_with(|first: char| first.is_ascii_alphabetic());
            let is_known = is_series(token) || WORDS.contains(token) || is_label(token);
            if is_name && !is_known {
                problems.push(format!("`{token}` is not known"));
            }
        }
        for (word, list) in self.label_lists() {
            // The lists of aggregations are compared with the series inside.
            let of_any = |label: &str| self.metrics().any(|metric| has_label(metric, label));
            for label in list.into_iter().filter(|_| word != "by") {
                if !of_any(label) {
                    problems.push(format!("`{word} ({label})` is a label of no series"));
                }
            }
        }
        for asked in self.asked() {
            problems.extend(asked.problems());
        }
        let text = self.text.trim();
        problems
            .iter()
            .map(|problem| format!("{problem}: {text}"))
            .collect()
    }

    /// What is wrong with a query of the dashboard besides: it has to use the variables and Grafana's intervals.
    pub(super) fn problems_in_dashboard(&self, legend: &str) -> Vec<String> {
        let mut problems = Vec::new();
        for asked in self.asked() {
            let has = |label, variable| {
                let matcher = [label, "=~", variable];
                asked.matchers.contains(&matcher)
            };
            let has_route = metric_of(asked.name).is_some_and(|it| it.labels.contains(&"route"));
            if !has("job", "$job") || has_route && !has("route", "$route") {
                problems.push(format!("{} lacks a variable: {}", asked.name, self.text));
            }
            if !["", "$__rate_interval", "$__range"].contains(&asked.range) {
                problems.push(format!("a fixed range: {}", self.text));
            }
            let is_rate = asked.is_in("rate") || asked.is_in("increase");
            let is_gauge = metric_of(asked.name).is_some_and(|it| it.kind == Kind::Gauge);
            if is_rate == is_gauge {
                problems.push(format!(
                    "a counter as a gauge, or the reverse: {}",
                    self.text
                ));
            }
        }
        for label in legend.split("{{").skip(1) {
            let label = label.split("}}").next().unwrap_or_default();
            if !self.keeps(label) {
                problems.push(format!("no `{label}` for the legend: {}", self.text));
            }
        }
        problems
    }

    fn is_balanced(&self) -> bool {
        let mut open = Vec::new();
        for token in &self.tokens {
            match *token {
                "(" | "[" | "{" => open.push(*token),
                ")" | "]" | "}" if open.pop().is_none_or(|it| closing(it) != *token) => {
                    return false;
                }
                _ => {}
            }
        }
        open.is_empty()
    }

    /// The lists of labels, each with the word before it.
    fn label_lists(&self) -> Vec<(&'a str, Vec<&'a str>)> {
        let words = self.tokens.iter().enumerate();
        let words = words.filter(|(_, word)| ["by", "on", "ignoring"].contains(word));
        words
            .map(|(at, word)| (*word, list(&self.tokens[at + 1..])))
            .collect()
    }

    fn asked(&self) -> Vec<Asked<'a>> {
        let mut calls: Vec<Call<'a>> = Vec::new();
        let mut asked = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            match *token {
                "(" => calls.push(self.call(at)),
                ")" => drop(calls.pop()),
                name if is_series(name) => asked.push(self.selector(at, calls.clone())),
                _ => {}
            }
        }
        asked
    }

    /// What the parenthesis at this place belongs to: `rate (`, or `sum by (a, b) (`.
    fn call(&self, at: usize) -> Call<'a> {
        let before = &self.tokens[..at];
        let Some((&")", rest)) = before.split_last() else {
            let function = before.last().copied().unwrap_or_default();
            let by = Vec::new();
            return Call { function, by };
        };
        let open = rest.iter().rposition(|token| *token == "(").unwrap_or(0);
        match self.tokens[..open] {
            [.., function, "by"] => Call {
                function,
                by: list(&self.tokens[open..]),
            },
            _ => Call {
                function: "",
                by: Vec::new(),
            },
        }
    }

    fn selector(&self, at: usize, calls: Vec<Call<'a>>) -> Asked<'a> {
        let mut rest = &self.tokens[at + 1..];
        let mut matchers = Vec::new();
        if rest.first() == Some(&"{") {
            let end = rest.iter().position(|token| *token == "}");
            let end = end.unwrap_or(rest.len() - 1);
            for matcher in rest[1..end].split(|token| *token == ",") {
                if let [label, operator, value] = *matcher {
                    matchers.push([label, operator, value.trim_matches('"')]);
                } else {
                    matchers.push(["", "", ""]);
                }
            }
            rest = &rest[end + 1..];
        }
        let range = match *rest {
            ["[", range, "]", ..] => range,
            _ => "",
        };
        Asked {
            name: self.tokens[at],
            matchers,
            range,
            calls,
        }
    }
}

impl Asked<'_> {
    fn is_in(&self, function: &str) -> bool {
        self.calls.iter().any(|call| call.function == function)
    }

    fn problems(&self) -> Vec<String> {
        let name = self.name;
        let Some(metric) = metric_of(name) else {
            return vec![format!("there is no metric `{name}`")];
        };
        let mut problems = Vec::new();
        let is_bucket = name.ends_with("_bucket");
        let mut lists = self.calls.iter().map(|call| &call.by);
        if is_bucket && !(self.is_in("histogram_quantile") && lists.any(|by| by.contains(&"le"))) {
            problems.push(format!("`{name}` needs `histogram_quantile` and `by (le)`"));
        }
        for label in self.calls.iter().flat_map(|call| &call.by) {
            let is_le = is_bucket && *label == "le";
            if !is_le && !has_label(metric, label) {
                problems.push(format!("`{name}` has no label `{label}`"));
            }
        }
        for [label, operator, value] in &self.matchers {
            if !has_label(metric, label) || !["=", "!=", "=~", "!~"].contains(operator) {
                problems.push(format!("`{label}{operator}` is no matcher of `{name}`"));
                continue;
            }
            if value.starts_with('$') || ADDED.contains(label) {
                continue;
            }
            let values = values_of_label(metric.name, label);
            let is_pattern = operator.ends_with('~');
            for value in value.split(|character| is_pattern && character == '|') {
                if !values.contains(value) {
                    problems.push(format!("`{label}` of `{name}` is never `{value}`"));
                }
            }
        }
        problems
    }
}

fn is_series(token: &str) -> bool {
    token.starts_with("flask_pyjwt_")
}

fn is_label(token: &str) -> bool {
    token == "le" || ALL.iter().any(|metric| has_label(metric, token))
}

fn has_label(metric: &Metric, label: &str) -> bool {
    metric.labels.contains(&label) || ADDED.contains(&label)
}

fn closing(open: &str) -> &'static str {
    match open {
        "(" => ")",
        "[" => "]",
        _ => "}",
    }
}

/// The labels between the parentheses at the start.
fn list<'a>(tokens: &[&'a str]) -> Vec<&'a str> {
    let labels = tokens.iter().skip(1).take_while(|token| **token != ")");
    labels.copied().filter(|token| *token != ",").collect()
}

fn length_of_token(rest: &str) -> usize {
    let is_of_name =
        |character: char| character.is_ascii_alphanumeric() || "_.$".contains(character);
    if let Some(inside) = rest.strip_prefix('"') {
        return inside.find('"').map_or(rest.len(), |end| end + 2);
    }
    let name = rest.find(|character| !is_of_name(character));
    match name.unwrap_or(rest.len()) {
        0 if ["=~", "!~", "!=", "<=", ">=", "=="]
            .iter()
            .any(|operator| rest.starts_with(operator)) =>
        {
            2
        }
        0 => rest.chars().next().map_or(1, char::len_utf8),
        length => length,
    }
}

#[test]
fn mistakes_are_found() {
    let calls = "flask_pyjwt_store_calls_total";
    let bucket = "flask_pyjwt_store_call_duration_seconds_bucket";
    for (query, mistakes) in [
        (
            format!("sum by (job, result) (rate({calls}{{result=\"ok\"}}[5m])) > 0.5"),
            0,
        ),
        (format!("sum by (route) (rate({calls}[5m]))"), 1),
        (
            format!("sum by (result) (rate({calls}{{result=~\"ok|late\"}}[5m]))"),
            1,
        ),
        (format!("rate({calls}{{reason=\"none\"}}[5m])"), 1),
        (format!("sum(rate({calls}[5m])"), 1),
        (format!("summ(rate({calls}[5m]))"), 1),
        (format!("rate({calls}x[5m])"), 1),
        (
            format!("rate({calls}[5m]) / on (event) rate({calls}[5m])"),
            1,
        ),
        (
            format!("histogram_quantile(0.9, sum by (le, operation) (rate({bucket}[5m])))"),
            0,
        ),
        (
            format!("histogram_quantile(0.9, sum by (operation) (rate({bucket}[5m])))"),
            1,
        ),
        (format!("sum by (le) (rate({bucket}[5m]))"), 1),
        (
            "rate(flask_pyjwt_decisions_total{reason=\"token_expired\"}[1m])".to_owned(),
            0,
        ),
        (
            "rate(flask_pyjwt_decisions_total{reason=\"expired\"}[1m])".to_owned(),
            1,
        ),
    ] {
        let problems = Query::new(&query).problems();
        assert_eq!(problems.len(), mistakes, "{query}: {problems:?}");
    }
    let query = format!("sum by (result) (rate({calls}{{job=~\"$job\"}}[5m]))");
    let problems = Query::new(&query).problems_in_dashboard("{{operation}}");
    assert_eq!(problems.len(), 2, "{problems:?}");
}
