//! The dashboard and the alerts in docs/monitoring ask for metrics, labels and values that the package gives.

mod promql;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

use flask_pyjwt::metrics::ALL;
use serde_json::Value;

use self::promql::{Query, metric_of};
use crate::guide::{Page, read};

const REPOSITORY: &str = "https://github.com/flask-pyjwt/flask-pyjwt-rs/blob/main/";

fn dashboard() -> Value {
    let text = read("docs/monitoring/dashboard.json");
    serde_json::from_str(&text).expect("JSON")
}

fn panels(dashboard: &Value) -> &[Value] {
    dashboard["panels"].as_array().expect("panels")
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    let text = value[name].as_str();
    text.unwrap_or_else(|| panic!("no text `{name}` in {value:#}"))
}

fn number(value: &Value, name: &str) -> usize {
    let number = value[name].as_u64().expect("a number");
    usize::try_from(number).expect("a small number")
}

/// The rules of all groups.
fn rules() -> Vec<Value> {
    let alerts = yaml::parse(&read("docs/monitoring/alerts.yml"));
    let groups = alerts["groups"].as_array().expect("groups");
    let names: BTreeSet<_> = groups.iter().map(|group| text(group, "name")).collect();
    assert_eq!(names.len(), groups.len(), "a group's name is used twice");
    let rules = groups
        .iter()
        .map(|group| group["rules"].as_array().expect("rules"));
    rules.flatten().cloned().collect()
}

#[test]
fn every_query_asks_for_metrics_labels_and_values_that_exist() {
    let dashboard = dashboard();
    let mut asked = BTreeSet::new();
    let mut problems = Vec::new();
    for panel in panels(&dashboard) {
        let targets = panel["targets"].as_array().map_or(&[][..], Vec::as_slice);
        for target in targets {
            let query = Query::new(text(target, "expr"));
            problems.extend(query.problems());
            problems.extend(query.problems_in_dashboard(text(target, "legendFormat")));
            asked.extend(query.metrics().map(|metric| metric.name));
        }
    }
    for metric in ALL {
        let name = metric.name;
        if !asked.contains(name) {
            problems.push(format!("the dashboard does not show {name}"));
        }
    }
    for variable in dashboard["templating"]["list"]
        .as_array()
        .expect("variables")
    {
        problems.extend(Query::new(text(variable, "definition")).problems());
        assert_eq!(variable["definition"], variable["query"]["query"]);
    }
    for rule in rules() {
        problems.extend(Query::new(text(&rule, "expr")).problems());
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_panel_has_a_title_a_description_a_unit_and_its_place() {
    let dashboard = dashboard();
    let mut ids = BTreeSet::new();
    let mut cells = BTreeMap::new();
    for panel in panels(&dashboard) {
        let title = text(panel, "title");
        assert!(ids.insert(number(panel, "id")), "{title}: its id is taken");
        let place = &panel["gridPos"];
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|name| number(place, name));
        for cell in (y..y + h).flat_map(|y| (x..x + w).map(move |x| (y, x))) {
            let other = cells.insert(cell, title);
            assert_eq!(other, None, "{title} covers it");
        }
        if text(panel, "type") == "row" {
            assert_eq!((x, w, h), (0, 24, 1), "{title}");
            continue;
        }
        let defaults = &panel["fieldConfig"]["defaults"];
        assert!(!text(defaults, "unit").is_empty(), "{title}");
        let description = text(panel, "description");
        assert!(
            description.len() > 80 && description.ends_with('.'),
            "{title}: say what to do if it looks wrong"
        );
        assert_eq!(text(&panel["datasource"], "uid"), "${DS_PROMETHEUS}");
    }
    let height = cells.keys().map(|(y, _)| y + 1).max().unwrap_or(0);
    assert_eq!(cells.len(), height * 24, "there are gaps");
    let input = &dashboard["__inputs"][0];
    assert_eq!(text(input, "name"), "DS_PROMETHEUS");
    assert_eq!(dashboard["id"], Value::Null, "Grafana chooses it");
}

#[test]
fn every_alert_says_what_to_do_and_leads_to_the_guide() {
    let mut names = BTreeSet::new();
    for rule in rules() {
        let name = text(&rule, "alert").to_owned();
        let severity = text(&rule["labels"], "severity");
        assert!(["critical", "warning"].contains(&severity), "{name}");
        let annotations = &rule["annotations"];
        let summary = text(annotations, "summary");
        assert!(summary.ends_with('.') && summary.len() < 160, "{name}");
        let description = text(annotations, "description");
        assert!(
            description.len() > 80 && description.ends_with('.'),
            "{name}"
        );
        for label in summary.split("$labels.").skip(1) {
            let label = label.split(' ').next().unwrap_or_default();
            let query = Query::new(text(&rule, "expr"));
            assert!(query.keeps(label), "{name}: no label `{label}`");
        }
        let link = text(annotations, "runbook_url");
        let path = link
            .strip_prefix(REPOSITORY)
            .expect("a page of the repository");
        let (path, anchor) = path.split_once('#').expect("a heading");
        let page = Page::new(&read(path), path.to_owned());
        assert!(
            page.anchors.iter().any(|it| it == anchor),
            "{name}: {path} has no heading `#{anchor}`"
        );
        assert!(names.insert(name), "two alerts have one name");
    }
    // The guide's table has a row for each.
    let page = Page::new(&read("docs/guide/operating.md"), "operating.md".to_owned());
    let rows = page.rows("What to alarm on");
    let cells = rows.iter().skip(1).map(|row| row[1].as_str());
    let listed: BTreeSet<_> = cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .map(str::to_owned)
        .collect();
    assert_eq!(names, listed);
}

#[test]
fn names_of_histograms_have_a_suffix_and_others_have_none() {
    for (name, found) in [
        (
            "flask_pyjwt_decisions_total",
            Some("flask_pyjwt_decisions_total"),
        ),
        ("flask_pyjwt_decisions_total_count", None),
        ("flask_pyjwt_store_call_duration_seconds", None),
        (
            "flask_pyjwt_store_call_duration_seconds_sum",
            Some("flask_pyjwt_store_call_duration_seconds"),
        ),
        ("flask_pyjwt_unknown_total", None),
    ] {
        assert_eq!(metric_of(name).map(|metric| metric.name), found);
    }
}
