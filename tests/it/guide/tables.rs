//! The tables of the guide that repeat the source: settings, reasons of refusals, and messages.

use std::{collections::BTreeSet, fs, path::Path};

use flask_pyjwt::metrics::{ALL, Kind};

use super::{Page, page::code_spans, read, root};

fn page(name: &str) -> Page {
    Page::new(&read(format!("docs/guide/{name}")), name.to_owned())
}

/// The text of all Rust files below a folder, with every blank and every line break as one blank.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            text.push_str(&sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            // A text over several lines has a backslash at the end of each.
            let source = fs::read_to_string(&path)
                .expect("a source file")
                .replace("\\\n", " ");
            text.extend(source.split_whitespace().flat_map(|word| [word, " "]));
        }
    }
    text
}

/// The texts between double quotes.
fn literals(source: &str) -> impl Iterator<Item = &str> {
    let lines = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| line.split('"').skip(1).step_by(2))
}

#[test]
fn every_variable_and_method_of_the_configuration_is_listed() {
    let page = page("configuration.md");
    let listed: BTreeSet<_> = page
        .lines
        .iter()
        .flat_map(|line| code_spans(line))
        .collect();

    let source = read("flask-pyjwt-core/src/config/mod.rs");
    let variables: Vec<_> = literals(&source)
        .filter(|text| text.starts_with("JWT_"))
        .collect();
    assert!(variables.len() > 10, "{variables:?}");
    for variable in variables.into_iter().chain(["JWT_KEYS_DIR"]) {
        assert!(
            listed.contains(variable),
            "configuration.md lacks `{variable}`"
        );
    }

    let interface = read("docs/public-api.txt");
    let methods: BTreeSet<_> = interface
        .lines()
        .filter_map(|line| line.strip_prefix("pub fn flask_pyjwt_core::Config::"))
        .filter_map(|line| line.split(['(', '<']).next())
        .filter(|name| *name != "fmt")
        .collect();
    assert!(methods.len() > 40, "{methods:?}");
    for method in methods {
        let call = format!("{method}(");
        let is_listed = listed.iter().any(|span| span.contains(&call));
        assert!(is_listed, "configuration.md lacks `{method}`");
    }
}

#[test]
fn every_reason_of_a_refusal_is_explained() {
    let page = page("answers.md");
    let rows = page.rows("A request is refused");
    let explained: BTreeSet<_> = rows.iter().flat_map(|row| code_spans(&row[0])).collect();

    let mut source = read("flask-pyjwt-core/src/jose/error.rs");
    source.push_str(&read("flask-pyjwt-core/src/possession/error.rs"));
    let rows = read("flask-pyjwt-core/src/web/row.rs");
    // The methods that follow return the parameters of challenges.
    source.extend(rows.split("impl Rejection {").take(1));
    // The codes for clients are not reasons.
    let codes = rows_of_codes(&page);
    let is_reason = |text: &&str| {
        let is_name = |character: char| character.is_ascii_lowercase() || character == '_';
        text.chars().all(is_name) && !text.is_empty() && !codes.contains(*text)
    };
    let reasons: BTreeSet<_> = literals(&source)
        .filter(is_reason)
        .map(str::to_owned)
        .collect();
    for reason in &explained {
        if reason != "reason" {
            assert!(
                reasons.contains(reason),
                "no refusal has the reason `{reason}`"
            );
        }
    }
    for reason in reasons {
        // The key of an issuer cannot be fetched: the request gets 503 `unavailable`.
        let is_inside = ["keys_unavailable"].contains(&reason.as_str());
        assert!(
            is_inside || explained.contains(&reason),
            "answers.md lacks `{reason}`"
        );
    }
}

/// The column `error` of the table of responses.
fn rows_of_codes(page: &Page) -> BTreeSet<String> {
    let rows = page.rows("Answers");
    rows.iter().flat_map(|row| code_spans(&row[2])).collect()
}

#[test]
fn every_metric_and_its_labels_are_listed() {
    let page = page("operating.md");
    let rows = page.rows("Metrics");
    let rows = rows.iter().filter(|row| row[0].starts_with("`flask_"));
    let listed: Vec<_> = rows
        .map(|row| {
            let kind = row[1].split(',').next().unwrap_or_default().to_owned();
            (code_spans(&row[0]).remove(0), kind, code_spans(&row[2]))
        })
        .collect();
    let expected = ALL.map(|metric| {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            _ => "histogram",
        };
        let labels = metric.labels.iter().map(|label| (*label).to_owned());
        (metric.name.to_owned(), kind.to_owned(), labels.collect())
    });
    assert_eq!(listed, expected);
}

/// The values of these labels depend on the application.
const FREE_LABELS: [&str; 3] = ["route", "issuer", "algorithm"];

#[test]
fn every_value_of_a_label_is_listed() {
    let whole = |path| (path, "", "#[cfg(test)]");
    let mut written = BTreeSet::from(["auth".to_owned(), "refresh".to_owned()]);
    for (path, start, end) in [
        whole("meters/on.rs"),
        whole("web/decided/counted.rs"),
        ("session/policy.rs", "fn kind_of(", "\n}"),
        ("session/event.rs", "const NAMES", "];"),
    ] {
        let source = read(format!("flask-pyjwt-core/src/{path}"));
        let (_, rest) = source.split_once(start).expect("the place of the values");
        let code = rest.split(end).next().unwrap_or_default();
        let lines = code.lines().filter(|line| !line.trim().starts_with("#["));
        written.extend(lines.flat_map(literals).map(str::to_owned));
    }

    let mut listed = BTreeSet::new();
    for metric in ALL {
        for label in metric.labels {
            written.remove(*label);
            if *label != "reason" && !FREE_LABELS.contains(label) {
                listed.extend(values_of_label(metric.name, label));
            }
        }
    }
    assert_eq!(listed, written);
}

/// The values that a label of a metric can have, by the page about operating and by the reasons of refusals.
pub(crate) fn values_of_label(metric: &str, label: &str) -> BTreeSet<String> {
    let page = page("operating.md");
    let row = page.rows("Metrics").into_iter().find(|row| {
        let of = code_spans(&row[1]);
        code_spans(&row[0]) == [label] && (of.is_empty() || of == [metric])
    });
    let row = row.unwrap_or_else(|| panic!("no row for `{label}` of `{metric}`"));
    let mut values: BTreeSet<_> = code_spans(&row[2]).into_iter().collect();
    if label == "reason" {
        let reasons = self::page("answers.md").rows("A request is refused");
        values.extend(reasons.iter().flat_map(|row| code_spans(&row[0])));
    }
    values
}

/// Messages of the compiler, and a description of one.
const OF_RUSTC: [&str; 2] = ["is not satisfied", "in the crate root"];

#[test]
fn every_message_in_the_tables_is_in_the_source() {
    let mut source = sources(&root().join("flask-pyjwt-core/src"));
    for package in ["flask-pyjwt-grammar/src", "flask-pyjwt-macros/src"] {
        source.push_str(&sources(&root().join(package)));
    }
    let mut problems = Vec::new();
    for (name, heading) in [
        ("configuration.md", "The server does not start"),
        ("minting.md", "Minting fails"),
        ("guarding.md", "The attribute does not compile"),
    ] {
        for row in page(name).rows(heading) {
            for message in code_spans(&row[0]) {
                let is_of_rustc = OF_RUSTC.iter().any(|part| message.contains(part));
                for part in fixed_parts(&message) {
                    if !is_of_rustc && !source.contains(&part) {
                        problems.push(format!("{name}: no message has `{part}` of `{message}`"));
                    }
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The parts of a message that are the same for every value, of two words or more.
fn fixed_parts(message: &str) -> Vec<String> {
    let is_value = |word: &&str| {
        let is_marked = word.contains(['`', '…', '"', '/', '-', '_']);
        let is_capital = word.chars().all(|letter| !letter.is_lowercase());
        is_marked || is_capital || word.contains(|letter: char| letter.is_ascii_digit())
    };
    let words: Vec<_> = message.split(' ').collect();
    let parts = words.split(|word| is_value(word));
    let parts = parts.filter(|part| part.len() > 1);
    parts.map(|part| part.join(" ")).collect()
}

#[test]
fn values_are_cut_out_of_messages() {
    for (message, fixed) in [
        (
            "has N bytes, and HS256 needs 32 or more …",
            &["bytes, and", "or more"] as &[_],
        ),
        ("is set, and so is `JWT_KEYS_DIR` …", &["is set, and so is"]),
        (
            "is an RSA key of more than 8192 bits …",
            &["is an", "key of more than"],
        ),
    ] {
        assert_eq!(fixed_parts(message), fixed);
    }
}
