//! The strict pass over a JSON text.
//!
//! It accepts RFC 8259 with restrictions: no duplicate members at any depth (RFC 7519, section 4),
//! no lone surrogates, and no number beyond the range of a double. Values are later read from the
//! scanned text, and nothing is parsed a second time.

use super::{
    duplicates::has_duplicates,
    node::{Kind, Node},
    numbers::{fits_64_bits, is_finite},
};

/// The maximum nesting of arrays and objects.
pub(super) const MAX_DEPTH: usize = 64;
/// The maximum length of a number literal, in bytes. No double needs more digits.
const MAX_NUMBER: usize = 400;
/// The maximum number of nodes below the root (names and values) in a text that is not longer than
/// [`SHORT`]. Names with escapes and numbers that are not integers count twice, because they take
/// longer to read.
pub(super) const MAX_NODES: usize = 840;
/// The largest payload of a token with the default maximum size, in bytes.
const SHORT: usize = 6_144;
/// For a text longer than this, in bytes, space for all nodes is reserved at once, so that none is
/// moved. Unused space is freed afterwards.
const LONG: usize = 2_048;
/// A text longer than [`SHORT`] may have one more node for each of this many bytes.
const BYTES_PER_NODE: usize = 4;

/// Why a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonError {
    Syntax,
    Duplicate,
    /// It has too many nodes. See [`MAX_NODES`].
    TooMany,
}

/// Scans a text into its nodes. The first node is the root.
///
/// # Errors
///
/// [`JsonError`] if the text breaks a rule or is longer than 4 GiB.
pub(super) fn scan(text: &str) -> Result<Vec<Node>, JsonError> {
    // Positions and node counts fit 32 bits, because no text has more nodes than bytes.
    if u32::try_from(text.len()).is_err() {
        return Err(JsonError::Syntax);
    }
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: 0,
        nodes: Vec::with_capacity(if text.len() > LONG {
            MAX_NODES
        } else {
            16 + text.len() / 16
        }),
        max_nodes: 1 + MAX_NODES + text.len().saturating_sub(SHORT) / BYTES_PER_NODE,
    };
    scanner.space();
    scanner.value(0)?;
    scanner.space();
    if scanner.at == scanner.bytes.len() {
        if text.len() > LONG {
            scanner.nodes.shrink_to_fit();
        }
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
    /// The maximum number of nodes.
    max_nodes: usize,
}

impl Scanner<'_> {
    #[inline]
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    fn space(&mut self) {
        if self.peek().is_some_and(|byte| byte <= b' ') {
            while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
                self.at += 1;
            }
        }
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return Err(JsonError::Syntax);
        }
        self.at += 1;
        Ok(())
    }

    /// Adds a node without content that spans `start` to `end`.
    #[inline]
    fn leaf(&mut self, kind: Kind, start: usize, end: usize) {
        self.nodes.push(Node {
            kind,
            start: position(start),
            end: position(end),
            next: position(self.nodes.len() + 1),
        });
    }

    #[inline]
    fn value(&mut self, depth: usize) -> Result<(), JsonError> {
        if self.nodes.len() >= self.max_nodes {
            return Err(JsonError::TooMany);
        }
        match self.peek() {
            Some(b'0'..=b'9') if self.short_integer() => Ok(()),
            Some(b'"') => self.string(),
            Some(b'{') => self.container(Kind::Object, b'}', depth),
            Some(b'[') => self.container(Kind::Array, b']', depth),
            Some(b't') => self.word("true", Kind::True),
            Some(b'f') => self.word("false", Kind::False),
            Some(b'n') => self.word("null", Kind::Null),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(JsonError::Syntax),
        }
    }

    fn word(&mut self, word: &str, kind: Kind) -> Result<(), JsonError> {
        let start = self.at;
        if !self.bytes[start..].starts_with(word.as_bytes()) {
            return Err(JsonError::Syntax);
        }
        self.at += word.len();
        self.leaf(kind, start, self.at);
        Ok(())
    }

    #[inline(never)]
    fn container(&mut self, kind: Kind, close: u8, depth: usize) -> Result<(), JsonError> {
        if depth == MAX_DEPTH {
            return Err(JsonError::Syntax);
        }
        if self.bytes.get(self.at + 1) == Some(&close) {
            self.leaf(kind, self.at, self.at + 2);
            self.at += 2;
            return Ok(());
        }
        let index = self.nodes.len();
        self.leaf(kind, self.at, self.at);
        self.at += 1;
        self.space();
        let mut members = 0;
        if self.peek() == Some(close) {
            self.at += 1;
        } else {
            loop {
                if kind == Kind::Object {
                    self.string()?;
                    let name = self.nodes.last();
                    if name.is_some_and(|name| name.kind == Kind::EscapedString) {
                        self.max_nodes = self.max_nodes.saturating_sub(1);
                    }
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
        self.nodes[index].end = position(self.at);
        self.nodes[index].next = position(self.nodes.len());
        if members > 1 && has_duplicates(self.text, &self.nodes, index, members) {
            Err(JsonError::Duplicate)
        } else {
            Ok(())
        }
    }

    #[inline]
    fn string(&mut self) -> Result<(), JsonError> {
        self.expect(b'"')?;
        let start = self.at;
        if self.peek() == Some(b'\\') {
            return self.escaped_string(start, start);
        }
        let end = start + plain_length(&self.bytes[start..]);
        if self.bytes.get(end) != Some(&b'"') {
            return self.escaped_string(start, end);
        }
        self.leaf(Kind::String, start, end);
        self.at = end + 1;
        Ok(())
    }

    /// Scans the rest of a string that has no escape before `plain`.
    #[inline(never)]
    fn escaped_string(&mut self, start: usize, plain: usize) -> Result<(), JsonError> {
        let bytes = self.bytes;
        self.at = plain;
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => match bytes.get(self.at + 1) {
                    Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
                    Some(b'u') => self.coded()?,
                    _ => return Err(JsonError::Syntax),
                },
                Some(0x20..) => self.at += 1,
                _ => return Err(JsonError::Syntax),
            }
        }
        self.leaf(Kind::EscapedString, start, self.at);
        self.at += 1;
        Ok(())
    }

    /// Scans a character that is escaped as one or two UTF-16 code units.
    fn coded(&mut self) -> Result<(), JsonError> {
        match self.code_unit()? {
            0xD800..=0xDBFF => match self.code_unit()? {
                0xDC00..=0xDFFF => Ok(()),
                _ => Err(JsonError::Syntax),
            },
            0xDC00..=0xDFFF => Err(JsonError::Syntax),
            _ => Ok(()),
        }
    }

    #[inline]
    fn code_unit(&mut self) -> Result<u16, JsonError> {
        let rest = &self.bytes[self.at..];
        let Some([b'\\', b'u', digits @ ..]) = rest.first_chunk::<6>() else {
            return Err(JsonError::Syntax);
        };
        let mut unit = 0;
        for digit in digits {
            if !digit.is_ascii_hexdigit() {
                return Err(JsonError::Syntax);
            }
            unit = unit << 4 | u16::from((digit & 0xF) + 9 * (digit >> 6));
        }
        self.at += 6;
        Ok(unit)
    }

    /// Scans a short integer without a sign, which most numbers are. Returns whether there is one.
    #[inline]
    fn short_integer(&mut self) -> bool {
        let (bytes, start) = (self.bytes, self.at);
        let mut end = start + 1;
        if bytes[start] != b'0' {
            while end < bytes.len() && bytes[end].is_ascii_digit() {
                end += 1;
            }
        }
        let is_one = end - start <= 18 && matches!(bytes.get(end), Some(b',' | b'}' | b']'));
        if is_one {
            self.at = end;
            self.leaf(Kind::Integer, start, end);
        }
        is_one
    }

    #[inline(never)]
    fn number(&mut self) -> Result<(), JsonError> {
        let (bytes, start) = (self.bytes, self.at);
        let negative = bytes[start] == b'-';
        let whole = start + usize::from(negative);
        let mut end = whole;
        while end < bytes.len() && bytes[end].is_ascii_digit() {
            end += 1;
        }
        self.at = end;
        // No digit, or a leading zero.
        if end == whole || bytes[whole] == b'0' && end > whole + 1 {
            return Err(JsonError::Syntax);
        }
        let goes_on = end < bytes.len() && matches!(bytes[end], b'.' | b'e' | b'E');
        if !goes_on && fits_64_bits(negative, &bytes[whole..end]) {
            self.leaf(Kind::Integer, start, end);
            return Ok(());
        }
        let mut exponent = None;
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            exponent = Some(self.at);
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        // A short mantissa with an exponent of two digits is always finite.
        let length = self.at - start;
        let is_small = length <= 200 && self.at - exponent.unwrap_or(self.at) <= 2;
        if !is_small && (length > MAX_NUMBER || !is_finite(&self.text[whole..self.at])) {
            return Err(JsonError::Syntax);
        }
        self.max_nodes = self.max_nodes.saturating_sub(1);
        self.leaf(Kind::Float, start, self.at);
        Ok(())
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|byte| !byte.is_ascii_digit());
        let length = end.unwrap_or(rest.len());
        self.at += length;
        if length == 0 {
            Err(JsonError::Syntax)
        } else {
            Ok(())
        }
    }
}

/// The length of a string's text up to a quote, a backslash or a control character. Reads eight
/// bytes at a time where possible.
#[inline]
pub(super) fn plain_length(text: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let is_end = |byte: u8| matches!(byte, b'"' | b'\\' | ..0x20);
    // Sets the high bit of each byte below the limit. Bytes above such a byte may be set wrongly,
    // so only the lowest one counts. Bytes of 0x80 and more are never set.
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGH;
    let (words, rest) = text.as_chunks();
    for (index, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let quotes = below(word ^ (ONES * u64::from(b'"')), 1);
        let backslashes = below(word ^ (ONES * u64::from(b'\\')), 1);
        let ends = quotes | backslashes | below(word, 0x20);
        if ends != 0 {
            return 8 * index + ends.trailing_zeros() as usize / 8;
        }
    }
    let plain = rest.iter().position(|byte| is_end(*byte));
    text.len() - rest.len() + plain.unwrap_or(rest.len())
}

/// A position in a text, whose length [`scan`] has checked.
#[expect(clippy::cast_possible_truncation, reason = "the text is short enough")]
pub(super) fn position(at: usize) -> u32 {
    at as u32
}
