//! Reads the YAML of docs/monitoring/alerts.yml, and nothing that it does not use: mappings and lists by indentation, plain
//! and double-quoted texts in one line, `|` and `>-`.

use serde_json::{Map, Value};

/// A line: how far it is indented, and the rest of it.
type Line = (usize, String);

pub(super) fn parse(text: &str) -> Value {
    let mut reader = Reader {
        lines: text.lines().map(line).collect(),
        at: 0,
    };
    let value = reader.value(0);
    reader.skip();
    assert_eq!(reader.at, reader.lines.len(), "line {}", reader.at + 1);
    value
}

fn line(line: &str) -> Line {
    assert!(!line.contains('\t'), "a tab: {line}");
    let rest = line.trim_start();
    (line.len() - rest.len(), rest.trim_end().to_owned())
}

struct Reader {
    lines: Vec<Line>,
    at: usize,
}

impl Reader {
    /// Skips blank lines and comments.
    fn skip(&mut self) {
        let is_empty = |(_, rest): &Line| rest.is_empty() || rest.starts_with('#');
        while self.lines.get(self.at).is_some_and(is_empty) {
            self.at += 1;
        }
    }

    /// The next line with a content, if it is indented by this much.
    fn next(&mut self, indent: usize) -> Option<String> {
        self.skip();
        let (found, rest) = self.lines.get(self.at)?;
        assert!(*found <= indent, "line {}: indentation", self.at + 1);
        (*found == indent).then(|| rest.clone())
    }

    /// The value that begins at the next line.
    fn value(&mut self, indent: usize) -> Value {
        let first = self.next(indent).expect("a value");
        if first.starts_with("- ") {
            self.list(indent)
        } else {
            self.mapping(indent)
        }
    }

    fn list(&mut self, indent: usize) -> Value {
        let mut items = Vec::new();
        while let Some(rest) = self.next(indent) {
            let rest = rest.strip_prefix("- ").expect("an item");
            // The first member of the item stands behind its dash.
            self.lines[self.at] = (indent + 2, rest.to_owned());
            items.push(self.mapping(indent + 2));
        }
        items.into()
    }

    fn mapping(&mut self, indent: usize) -> Value {
        let mut members = Map::new();
        while let Some(rest) = self.next(indent) {
            let (name, value) = rest.split_once(':').expect("`name: value`");
            self.at += 1;
            let value = match value.trim() {
                "" => {
                    self.skip();
                    let deeper = self.lines[self.at].0;
                    assert!(deeper > indent, "line {}: no value", self.at + 1);
                    self.value(deeper)
                }
                "|" => self.block(indent).join("\n").into(),
                ">-" => self.block(indent).join(" ").into(),
                value => scalar(value).into(),
            };
            let other = members.insert(name.to_owned(), value);
            assert!(other.is_none(), "line {}: `{name}` twice", self.at);
        }
        members.into()
    }

    /// The lines of a text that are indented more than its name.
    fn block(&mut self, indent: usize) -> Vec<String> {
        let rest = &self.lines[self.at..];
        let is_inside = |(found, rest): &&Line| *found > indent && !rest.is_empty();
        let lines = rest.iter().take_while(is_inside);
        let block: Vec<_> = lines.map(|(_, rest)| rest.clone()).collect();
        assert!(!block.is_empty(), "line {}: no text", self.at + 1);
        self.at += block.len();
        block
    }
}

/// The text of a value in one line.
fn scalar(value: &str) -> String {
    if let Some(rest) = value.strip_prefix('"') {
        let inside = rest.strip_suffix('"').expect("a closing quote");
        assert!(!inside.contains(['"', '\\']), "escapes are not read");
        return inside.to_owned();
    }
    // What would mean something else in YAML.
    let is_plain = !value.contains(": ") && !value.contains(" #");
    let is_plain = is_plain && !value.starts_with(|first| "&*!|>'%@`{[#-?,".contains(first));
    assert!(is_plain, "quote {value}");
    value.to_owned()
}

#[test]
fn the_shape_of_the_alerts_is_read() {
    let text = "# comment\nlist:\n  - name: a b\n    rules:\n      - x: \"1: 2\"\n\n        # comment\n        \
                y: |\n          a\n            b\n        z: >-\n          c\n          d\n  - name: e\n";
    let expected = serde_json::json!({"list": [
        {"name": "a b", "rules": [{"x": "1: 2", "y": "a\nb", "z": "c d"}]},
        {"name": "e"},
    ]});
    assert_eq!(parse(text), expected);
}
