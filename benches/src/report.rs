//! The results: tables for the terminal, for RESULTS.md and as JSON, and the targets.

use std::fmt::Write as _;

use serde_json::{Value, json};

/// A cell of a table.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    Text(String),
    /// A number, and how many decimals are shown.
    Number(f64, usize),
}

impl Cell {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number, _) if number.is_nan() => "–".to_owned(),
            Self::Number(number, decimals) => format!("{number:.decimals$}"),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Text(text) => json!(text),
            Self::Number(number, _) => json!(number),
        }
    }
}

/// A group of results.
pub(crate) struct Table {
    title: String,
    columns: Vec<String>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(crate) fn new(title: impl Into<String>, columns: &[&str]) -> Self {
        Self {
            title: title.into(),
            columns: columns.iter().map(|&column| column.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, name: &str, cells: impl IntoIterator<Item = Cell>) {
        let name = Cell::Text(name.to_owned());
        self.rows.push([name].into_iter().chain(cells).collect());
    }

    /// As Markdown with aligned columns, which is also readable on a terminal.
    pub(crate) fn markdown(&self) -> String {
        let texts: Vec<Vec<String>> = self
            .rows
            .iter()
            .map(|row| row.iter().map(Cell::text).collect())
            .collect();
        let widths: Vec<usize> = (0..self.columns.len())
            .map(|column| {
                let cells = texts.iter().filter_map(|row| row.get(column));
                cells
                    .chain([&self.columns[column]])
                    .map(|text| text.chars().count())
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        let line = |cells: &[String]| {
            let mut line = String::from("|");
            for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
                let _ = if column == 0 {
                    write!(line, " {cell:<width$} |")
                } else {
                    write!(line, " {cell:>width$} |")
                };
            }
            line + "\n"
        };
        let rule: Vec<String> = widths
            .iter()
            .enumerate()
            .map(|(column, width)| match column {
                0 => "-".repeat(*width),
                _ => "-".repeat(width.saturating_sub(1)) + ":",
            })
            .collect();
        let mut markdown = format!("### {}\n\n", self.title);
        markdown += &line(&self.columns);
        markdown += &line(&rule);
        for row in &texts {
            markdown += &line(row);
        }
        markdown
    }

    fn json(&self) -> Value {
        let rows = self.rows.iter().map(|row| {
            let cells = row.iter().map(Cell::json);
            self.columns.iter().cloned().zip(cells).collect::<Value>()
        });
        json!({ "title": self.title, "rows": rows.collect::<Value>() })
    }
}

/// A target that must be reached.
pub(crate) struct Target {
    what: String,
    limit: f64,
    /// Whether the limit is a minimum rather than a maximum.
    at_least: bool,
    measured: f64,
}

/// A bar chart's content: groups of bars, each with a name and a value.
pub(crate) struct Chart {
    pub(crate) title: String,
    pub(crate) bars: Vec<(String, f64)>,
}

/// All results of one run.
#[derive(Default)]
pub(crate) struct Report {
    tables: Vec<Table>,
    targets: Vec<Target>,
    pub(crate) charts: Vec<Chart>,
}

impl Report {
    /// Prints a table and keeps it.
    pub(crate) fn table(&mut self, table: Table) {
        println!("\n{}", table.markdown());
        self.tables.push(table);
    }

    /// Records a result that must be at most the limit.
    pub(crate) fn at_most(&mut self, what: impl Into<String>, limit: f64, measured: f64) {
        self.targets.push(Target {
            what: what.into(),
            limit,
            at_least: false,
            measured,
        });
    }

    /// Records a result that must be at least the limit.
    pub(crate) fn at_least(&mut self, what: impl Into<String>, limit: f64, measured: f64) {
        self.targets.push(Target {
            what: what.into(),
            limit,
            at_least: true,
            measured,
        });
    }

    /// The targets as a table.
    pub(crate) fn conclude(&mut self) {
        if self.targets.is_empty() {
            return;
        }
        let columns = ["must reach", "limit", "measured", "reached"];
        let mut table = Table::new("Targets", &columns);
        for target in &self.targets {
            let (sign, reached) = if target.at_least {
                ("≥", target.measured >= target.limit)
            } else {
                ("≤", target.measured <= target.limit)
            };
            let cells = [
                Cell::Text(format!("{sign} {}", target.limit)),
                Cell::Number(target.measured, 3),
                Cell::Text(if reached { "yes" } else { "NO" }.to_owned()),
            ];
            table.row(&target.what, cells);
        }
        self.table(table);
    }

    pub(crate) fn markdown(&self) -> String {
        let tables: Vec<String> = self.tables.iter().map(Table::markdown).collect();
        tables.join("\n")
    }

    pub(crate) fn json(&self) -> Value {
        self.tables.iter().map(Table::json).collect()
    }
}
