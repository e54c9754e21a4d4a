//! The one strict pass over a JSON text.
//!
//! RFC 8259 without its allowances: no duplicate members at any depth (RFC 7519, section 4), no
//! lone surrogates, no number that 64 bits cannot hold or come close to. What was scanned is what
//! is read afterwards: values are looked up in the scanned text, nothing is parsed a second time.

use std::borrow::Cow;

/// Deepest nesting of arrays and objects that is accepted.
const MAX_DEPTH: usize = 64;
/// Longest literal of a number in bytes; no double needs more digits than this.
const MAX_NUMBER: usize = 400;
/// Objects with more members than this are checked for duplicates by sorting.
const FEW_MEMBERS: usize = 16;

/// The bytes at which a stretch of plain text inside a string ends.
const ENDS_PLAIN_TEXT: [bool; 256] = {
    let mut ends = [false; 256];
    let mut control = 0;
    while control < 0x20 {
        ends[control] = true;
        control += 1;
    }
    ends[b'"' as usize] = true;
    ends[b'\\' as usize] = true;
    ends
};

/// Why a text is not the JSON that is accepted here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonError {
    Syntax,
    Duplicate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    True,
    False,
    /// Fits `i64` or `u64`.
    Integer,
    /// Has a fraction or an exponent, or does not fit 64 bits; finite.
    Float,
    String,
    EscapedString,
    Array,
    Object,
}

/// One value: `start..end` of its text (a string's without the quotes), and the index after all
/// that it contains. An object's members are a string node and a value, in turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) next: u32,
}

/// Scans a whole text into its nodes, the first of which is the root.
///
/// # Errors
///
/// [`JsonError`] where the text breaks a rule. The text must be shorter than 4 GiB.
pub(crate) fn scan(text: &str) -> Result<Vec<Node>, JsonError> {
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: 0,
        nodes: Vec::with_capacity(16 + text.len() / 16),
    };
    scanner.space();
    scanner.value(0)?;
    scanner.space();
    if scanner.at == scanner.bytes.len() {
        Ok(scanner.nodes)
    } else {
        Err(JsonError::Syntax)
    }
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return Err(JsonError::Syntax);
        }
        self.at += 1;
        Ok(())
    }

    /// Adds a node without content of its own that spans `start` to here.
    fn leaf(&mut self, kind: Kind, start: usize, end: usize) -> Result<(), JsonError> {
        let index = position(self.nodes.len() + 1)?;
        self.nodes.push(Node {
            kind,
            start: position(start)?,
            end: position(end)?,
            next: index,
        });
        Ok(())
    }

    fn value(&mut self, depth: usize) -> Result<(), JsonError> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.container(Kind::Object, b'}', depth),
            Some(b'[') => self.container(Kind::Array, b']', depth),
            Some(b't') => self.literal("true", Kind::True),
            Some(b'f') => self.literal("false", Kind::False),
            Some(b'n') => self.literal("null", Kind::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(JsonError::Syntax),
        }
    }

    fn literal(&mut self, word: &str, kind: Kind) -> Result<(), JsonError> {
        let start = self.at;
        if !self.bytes[start..].starts_with(word.as_bytes()) {
            return Err(JsonError::Syntax);
        }
        self.at += word.len();
        self.leaf(kind, start, self.at)
    }

    fn container(&mut self, kind: Kind, close: u8, depth: usize) -> Result<(), JsonError> {
        if depth == MAX_DEPTH {
            return Err(JsonError::Syntax);
        }
        let index = self.nodes.len();
        self.leaf(kind, self.at, self.at)?;
        self.at += 1;
        self.space();
        let mut members = 0;
        if self.peek() == Some(close) {
            self.at += 1;
        } else {
            loop {
                if kind == Kind::Object {
                    self.string()?;
                    self.space();
                    self.expect(b':')?;
                    self.space();
                    members += 1;
                }
                self.value(depth + 1)?;
                self.space();
                match self.peek() {
                    Some(b',') => self.at += 1,
                    Some(byte) if byte == close => {
                        self.at += 1;
                        break;
                    }
                    _ => return Err(JsonError::Syntax),
                }
                self.space();
            }
        }
        self.nodes[index].end = position(self.at)?;
        self.nodes[index].next = position(self.nodes.len())?;
        if members > 1 {
            self.reject_duplicates(index, members)
        } else {
            Ok(())
        }
    }

    fn string(&mut self) -> Result<(), JsonError> {
        self.expect(b'"')?;
        let start = self.at;
        let mut kind = Kind::String;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let plain = rest
                .iter()
                .position(|byte| ENDS_PLAIN_TEXT[usize::from(*byte)]);
            self.at += plain.ok_or(JsonError::Syntax)?;
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    kind = Kind::EscapedString;
                    self.at += 1;
                    self.escape()?;
                }
                _ => return Err(JsonError::Syntax),
            }
        }
        self.leaf(kind, start, self.at)?;
        self.at += 1;
        Ok(())
    }

    /// Passes over what follows a backslash.
    fn escape(&mut self) -> Result<(), JsonError> {
        let escape = self.peek().ok_or(JsonError::Syntax)?;
        self.at += 1;
        match escape {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => match self.code_unit()? {
                0xD800..=0xDBFF => {
                    self.expect(b'\\')?;
                    self.expect(b'u')?;
                    match self.code_unit()? {
                        0xDC00..=0xDFFF => Ok(()),
                        _ => Err(JsonError::Syntax),
                    }
                }
                0xDC00..=0xDFFF => Err(JsonError::Syntax),
                _ => Ok(()),
            },
            _ => Err(JsonError::Syntax),
        }
    }

    fn code_unit(&mut self) -> Result<u16, JsonError> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            unit = unit << 4 | digit.ok_or(JsonError::Syntax)?;
            self.at += 1;
        }
        u16::try_from(unit).map_err(|_| JsonError::Syntax)
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        let mut integer = true;
        if self.peek() == Some(b'.') {
            integer = false;
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            integer = false;
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        let literal = &self.text[start..self.at];
        let short = literal.len() <= 18 && literal != "-0";
        let kind = if integer && (short || fits_64_bits(literal)) {
            Kind::Integer
        } else if literal.len() <= MAX_NUMBER && literal.parse::<f64>().is_ok_and(f64::is_finite) {
            Kind::Float
        } else {
            return Err(JsonError::Syntax);
        };
        self.leaf(kind, start, self.at)
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start {
            Err(JsonError::Syntax)
        } else {
            Ok(())
        }
    }

    fn reject_duplicates(&self, object: usize, members: usize) -> Result<(), JsonError> {
        let mut at = object + 1;
        let names = std::iter::repeat_with(|| {
            let name = self.nodes[at];
            at = self.nodes[at + 1].next as usize;
            name
        })
        .take(members);
        if members > FEW_MEMBERS {
            let mut sorted: Vec<_> = names.map(|node| text_of(self.text, node)).collect();
            sorted.sort_unstable();
            let is_twice = sorted.windows(2).any(|pair| pair[0] == pair[1]);
            return if is_twice {
                Err(JsonError::Duplicate)
            } else {
                Ok(())
            };
        }
        let mut seen = [(
            0,
            Node {
                kind: Kind::Null,
                start: 0,
                end: 0,
                next: 0,
            },
        ); FEW_MEMBERS];
        for (index, name) in names.enumerate() {
            let mark = self.mark(name);
            for (earlier_mark, earlier) in &seen[..index] {
                if may_be_equal(*earlier_mark, mark) && same_text(self.text, *earlier, name) {
                    return Err(JsonError::Duplicate);
                }
            }
            seen[index] = (mark, name);
        }
        Ok(())
    }

    /// Length, first and last byte of a name: what nearly always tells two names apart. Zero where
    /// there are escapes, which may say the same in other bytes.
    fn mark(&self, name: Node) -> u32 {
        if name.kind == Kind::EscapedString {
            return 0;
        }
        let text = &self.bytes[name.start as usize..name.end as usize];
        let byte = |byte: Option<&u8>| byte.map_or(0, |byte| u32::from(*byte));
        (name.end - name.start).wrapping_add(1) << 16 | byte(text.first()) << 8 | byte(text.last())
    }
}

/// Whether the marks leave it open that the names are equal.
fn may_be_equal(a: u32, b: u32) -> bool {
    a == b || a == 0 || b == 0
}

fn position(at: usize) -> Result<u32, JsonError> {
    u32::try_from(at).map_err(|_| JsonError::Syntax)
}

/// Whether an integer's literal is one that `i64` or `u64` holds. `-0` is not: it is no integer
/// to IEEE 754 nor to `serde_json`.
fn fits_64_bits(literal: &str) -> bool {
    literal != "-0" && (literal.parse::<i64>().is_ok() || literal.parse::<u64>().is_ok())
}

fn same_text(text: &str, a: Node, b: Node) -> bool {
    if a.kind == Kind::String && b.kind == Kind::String {
        text[a.start as usize..a.end as usize] == text[b.start as usize..b.end as usize]
    } else {
        text_of(text, a) == text_of(text, b)
    }
}

/// What a string node says, its escapes resolved.
pub(crate) fn text_of(text: &str, string: Node) -> Cow<'_, str> {
    let (start, end) = (string.start as usize, string.end as usize);
    if string.kind == Kind::EscapedString {
        // With its quotes it is a JSON text that has been scanned: this cannot fail.
        Cow::Owned(serde_json::from_str(&text[start - 1..=end]).unwrap_or_default())
    } else {
        Cow::Borrowed(&text[start..end])
    }
}
