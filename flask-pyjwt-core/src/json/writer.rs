//! Writes JSON, and notes the positions of its values, so that the text need not be scanned.

use std::ops::Range;

use serde_json::{Number, Value};

use super::{
    document::Document,
    duplicates::has_duplicates,
    node::{Kind, Node},
    scanner::{JsonError, MAX_DEPTH, MAX_NODES, plain_length, position},
};

/// JSON that is being written, with the nodes that the scanner would find in it.
#[derive(Default)]
pub(super) struct Writer {
    text: String,
    nodes: Vec<Node>,
    /// The number of arrays and objects that are open.
    depth: usize,
    /// Whether the scanner has to find the nodes: the text has something whose limits only the scanner knows.
    must_scan: bool,
}

/// A part of what a writer has written.
#[derive(Clone, Copy)]
pub(super) struct Part {
    text: (usize, usize),
    nodes: (usize, usize),
}

impl Part {
    pub(super) fn text(self) -> Range<usize> {
        self.text.0..self.text.1
    }

    fn nodes(self) -> Range<usize> {
        self.nodes.0..self.nodes.1
    }
}

impl Writer {
    pub(super) fn with_capacity(text: usize, nodes: usize) -> Self {
        Self {
            text: String::with_capacity(text),
            nodes: Vec::with_capacity(nodes),
            ..Self::default()
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// The nodes, unless the scanner has to find them.
    #[cfg(test)]
    pub(super) fn known_nodes(&self) -> Option<&[Node]> {
        (!self.must_scan).then_some(&self.nodes)
    }

    /// The end of what is written, for [`since`](Self::since) and [`cut`](Self::cut).
    pub(super) fn end(&self) -> (usize, usize) {
        (self.text.len(), self.nodes.len())
    }

    /// What was written since this end.
    pub(super) fn since(&self, end: (usize, usize)) -> Part {
        Part {
            text: (end.0, self.text.len()),
            nodes: (end.1, self.nodes.len()),
        }
    }

    /// Removes what was written since this end.
    pub(super) fn cut(&mut self, end: (usize, usize), depth: usize) {
        self.text.truncate(end.0);
        self.nodes.truncate(end.1);
        self.depth = depth;
    }

    /// How many arrays and objects have begun and not ended.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Writes a copy of a part of another writer's text.
    pub(super) fn copy(&mut self, from: &Self, part: Part) {
        let text = position(self.text.len()).wrapping_sub(position(part.text.0));
        let nodes = position(self.nodes.len()).wrapping_sub(position(part.nodes.0));
        self.text.push_str(&from.text[part.text()]);
        self.nodes
            .extend(from.nodes[part.nodes()].iter().map(|node| Node {
                kind: node.kind,
                start: node.start.wrapping_add(text),
                end: node.end.wrapping_add(text),
                next: node.next.wrapping_add(nodes),
            }));
        self.must_scan |= from.must_scan;
    }

    fn leaf(&mut self, kind: Kind, start: usize, end: usize) {
        self.nodes.push(Node {
            kind,
            start: position(start),
            end: position(end),
            next: position(self.nodes.len() + 1),
        });
    }

    /// Writes a value whose text is known.
    fn word(&mut self, word: &str, kind: Kind) {
        let start = self.text.len();
        self.text.push_str(word);
        self.leaf(kind, start, self.text.len());
    }

    pub(super) fn null(&mut self) {
        self.word("null", Kind::Null);
    }

    pub(super) fn bool(&mut self, value: bool) {
        if value {
            self.word("true", Kind::True);
        } else {
            self.word("false", Kind::False);
        }
    }

    /// Writes an integer, in fewer steps than `write!`.
    pub(super) fn unsigned(&mut self, value: u64) {
        let start = self.text.len();
        let mut digits = [0; 20]; // of `u64::MAX`
        let mut first = digits.len();
        let mut rest = value;
        loop {
            first -= 1;
            digits[first] = b"0123456789"[(rest % 10) as usize];
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        let digits = std::str::from_utf8(&digits[first..]).expect("digits are ASCII");
        self.text.push_str(digits);
        self.leaf(Kind::Integer, start, self.text.len());
    }

    pub(super) fn signed(&mut self, value: i64) {
        if value >= 0 {
            return self.unsigned(value.unsigned_abs());
        }
        self.text.push('-');
        self.unsigned(value.unsigned_abs());
        if let Some(number) = self.nodes.last_mut() {
            number.start -= 1;
        }
    }

    fn number(&mut self, number: &Number) {
        let negative = || number.as_i64().filter(|number| *number < 0);
        if let Some(unsigned) = number.as_u64() {
            self.unsigned(unsigned);
        } else if let Some(negative) = negative() {
            self.signed(negative);
        } else {
            // A float, or any literal if the feature `arbitrary_precision` of `serde_json` is on.
            self.must_scan = true;
            self.word(&number.to_string(), Kind::Float);
        }
    }

    pub(super) fn string(&mut self, content: &str) {
        if is_plain(content.as_bytes()) {
            self.text.push('"');
            let start = self.text.len();
            self.text.push_str(content);
            self.leaf(Kind::String, start, self.text.len());
            self.text.push('"');
        } else {
            self.escaped(content);
        }
    }

    #[inline(never)]
    fn escaped(&mut self, content: &str) {
        let written = serde_json::to_string(content).expect("a string can be serialized");
        let start = self.text.len() + 1;
        self.text.push_str(&written);
        self.leaf(Kind::EscapedString, start, self.text.len() - 1);
    }

    /// Begins an array or object, and returns its index for [`close`](Self::close).
    pub(super) fn open(&mut self, kind: Kind) -> usize {
        self.depth += 1;
        // What is written may be copied into another object, which is one level more.
        self.must_scan |= self.depth >= MAX_DEPTH;
        let index = self.nodes.len();
        let start = self.text.len();
        self.text.push(if kind == Kind::Object { '{' } else { '[' });
        self.leaf(kind, start, start);
        index
    }

    /// Ends the array or object with this index.
    pub(super) fn close(&mut self, index: usize) {
        self.depth = self.depth.saturating_sub(1);
        let next = position(self.nodes.len());
        if let Some(node) = self.nodes.get_mut(index) {
            self.text
                .push(if node.kind == Kind::Object { '}' } else { ']' });
            node.end = position(self.text.len());
            node.next = next;
        }
    }

    /// Writes the comma before an element, except the first one of the array or object with this index.
    pub(super) fn separate(&mut self, index: usize) {
        if self.nodes.len() > index + 1 {
            self.text.push(',');
        }
    }

    /// Writes the name of a member of the object with this index. Its value has to follow.
    pub(super) fn name(&mut self, index: usize, name: &str) {
        self.separate(index);
        self.string(name);
        // The scanner counts such a name twice.
        self.must_scan |= self
            .nodes
            .last()
            .is_some_and(|name| name.kind == Kind::EscapedString);
        self.text.push(':');
    }

    /// Writes a name that has nothing to escape. Its value has to follow.
    pub(super) fn plain_name(&mut self, index: usize, name: &'static str) {
        debug_assert!(is_plain(name.as_bytes()), "{name}");
        self.separate(index);
        self.text.push('"');
        let start = self.text.len();
        self.text.push_str(name);
        self.leaf(Kind::String, start, self.text.len());
        self.text.push_str("\":");
    }

    pub(super) fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.null(),
            Value::Bool(value) => self.bool(*value),
            Value::Number(number) => self.number(number),
            Value::String(content) => self.string(content),
            Value::Array(elements) => {
                let array = self.open(Kind::Array);
                for element in elements {
                    self.separate(array);
                    self.value(element);
                }
                self.close(array);
            }
            Value::Object(members) => {
                let object = self.open(Kind::Object);
                for (name, value) in members {
                    self.name(object, name);
                    self.value(value);
                }
                self.close(object);
            }
        }
    }

    /// Returns the document that the scanner makes of the text, which is one object with `members` members. The
    /// objects in it have no duplicate members.
    ///
    /// # Errors
    ///
    /// The error of the scanner.
    pub(super) fn into_document(self, members: usize) -> Result<Document, JsonError> {
        if self.must_scan || self.nodes.len() > MAX_NODES || u32::try_from(self.text.len()).is_err()
        {
            return Document::object(self.text);
        }
        if has_duplicates(&self.text, &self.nodes, 0, members) {
            return Err(JsonError::Duplicate);
        }
        Ok(Document::written(self.text, self.nodes))
    }
}

/// Whether a string needs no escape.
fn is_plain(text: &[u8]) -> bool {
    match text.last_chunk::<8>() {
        // The last eight bytes first: nothing is then compared byte by byte.
        Some(last) => {
            plain_length(last) == 8 && {
                let whole = text.len() - text.len() % 8;
                plain_length(&text[..whole]) == whole
            }
        }
        None => text
            .iter()
            .all(|byte| !matches!(byte, b'"' | b'\\' | ..0x20)),
    }
}
