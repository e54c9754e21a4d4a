//! The parts of a page that the tests of the guide check.

use std::mem;

/// A code block with a fence.
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) lines: Vec<String>,
}

/// A page of the guide, or any text in Markdown.
pub(crate) struct Page {
    /// The path below docs/guide.
    pub(crate) name: String,
    /// The anchors of the headings.
    pub(crate) anchors: Vec<String>,
    /// How many headings are of the first level.
    pub(crate) titles: usize,
    pub(crate) blocks: Vec<Block>,
    /// The text without code blocks, code spans and definitions, in one line.
    pub(crate) prose: String,
    /// The definitions of links: label and target.
    pub(crate) definitions: Vec<(String, String)>,
    /// The lines outside of code blocks.
    pub(crate) lines: Vec<String>,
}

impl Page {
    pub(crate) fn new(text: &str, name: String) -> Self {
        let mut page = Self {
            name,
            anchors: Vec::new(),
            titles: 0,
            blocks: Vec::new(),
            prose: String::new(),
            definitions: Vec::new(),
            lines: Vec::new(),
        };
        let mut open: Option<Block> = None;
        for line in text.lines() {
            match (&mut open, line.strip_prefix("```")) {
                (Some(_), Some(_)) => page.blocks.extend(open.take()),
                (Some(block), None) => block.lines.push(line.to_owned()),
                (None, Some(language)) => {
                    open = Some(Block {
                        language: language.trim().to_owned(),
                        lines: Vec::new(),
                    });
                }
                (None, None) => page.take(line),
            }
        }
        assert!(open.is_none(), "{}: a code block has no end", page.name);
        page
    }

    /// A line outside of code blocks.
    fn take(&mut self, line: &str) {
        self.lines.push(line.to_owned());
        if let Some((label, target)) = definition(line) {
            self.definitions.push((label.to_owned(), target.to_owned()));
            return;
        }
        if let Some(heading) = heading(line) {
            self.anchors.push(anchor(heading));
            self.titles += usize::from(line.starts_with("# "));
        }
        self.prose.push_str(&without_code(line));
        self.prose.push(' ');
    }

    /// The rows of the tables below a heading, each with its cells.
    pub(crate) fn rows(&self, wanted: &str) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        let mut is_below = false;
        for line in &self.lines {
            if let Some(heading) = heading(line) {
                is_below = heading == wanted;
            } else if is_below && line.starts_with("| ") && !line.starts_with("| ---") {
                // Twice, since a cell between two empty ones shares its bars with both.
                let line = line.replace("| |", "|  |").replace("| |", "|  |");
                let cells = line.trim_matches('|').split(" | ");
                rows.push(cells.map(|cell| cell.trim().to_owned()).collect());
            }
        }
        assert!(!rows.is_empty(), "{}: no table below `{wanted}`", self.name);
        rows
    }
}

fn definition(line: &str) -> Option<(&str, &str)> {
    let (label, target) = line.strip_prefix('[')?.split_once("]: ")?;
    // A line of prose may begin with `[text][label]: `.
    (!label.contains(']')).then_some((label, target))
}

fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    (1..=6).contains(&level).then(|| text.strip_prefix(' '))?
}

/// The anchor that code hosts, mdBook and rustdoc make of a plain heading.
fn anchor(heading: &str) -> String {
    let kept = |character: &char| character.is_alphanumeric() || " -_".contains(*character);
    let text = heading.to_lowercase();
    text.chars()
        .filter(kept)
        .collect::<String>()
        .replace(' ', "-")
}

/// The text of the code spans of a line.
pub(super) fn code_spans(line: &str) -> Vec<String> {
    split(line).1
}

fn without_code(line: &str) -> String {
    split(line).0
}

/// A line without its code spans, and the code spans.
fn split(line: &str) -> (String, Vec<String>) {
    let (mut outside, mut spans) = (String::new(), Vec::new());
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        outside.push_str(&rest[..start]);
        let inside = rest[start..].trim_start_matches('`');
        let fence = &rest[start..rest.len() - inside.len()];
        let Some(end) = end_of_span(inside, fence.len()) else {
            break;
        };
        spans.push(inside[..end].trim().to_owned());
        rest = &inside[end + fence.len()..];
        outside.push_str("code");
    }
    outside.push_str(mem::take(&mut rest));
    (outside, spans)
}

/// The start of the run of exactly this many backticks that ends a code span.
fn end_of_span(text: &str, length: usize) -> Option<usize> {
    let mut from = 0;
    loop {
        let start = from + text[from..].find('`')?;
        let run = text[start..].len() - text[start..].trim_start_matches('`').len();
        if run == length {
            return Some(start);
        }
        from = start + run;
    }
}

#[test]
fn code_spans_are_found() {
    let line = "``cannot find `x` in`` and `[a][b]`, see [`C`][C]";
    assert_eq!(code_spans(line), ["cannot find `x` in", "[a][b]", "C"]);
    assert_eq!(without_code(line), "code and code, see [code][C]");
    assert_eq!(
        anchor("Methods of `Token`, and more"),
        "methods-of-token-and-more"
    );
}
