//! The one strict pass over a JSON text.
//!
//! RFC 8259 without its allowances: no duplicate members at any depth (RFC 7519, section 4), no
//! lone surrogates, no number that 64 bits cannot hold or come close to. What was scanned is what
//! is read afterwards: values are looked up in the scanned text, nothing is parsed a second time.

use super::duplicates::has_duplicates;

/// Deepest nesting of arrays and objects that is accepted.
const MAX_DEPTH: usize = 64;
/// Longest literal of a number in bytes; no double needs more digits than this.
const MAX_NUMBER: usize = 400;

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
    // No position is beyond the text's end, and no text has more nodes than bytes.
    if u32::try_from(text.len()).is_err() {
        return Err(JsonError::Syntax);
    }
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

    fn expect(&mut self, byte: u8) -> Result<(), JsonError> {
        if self.peek() != Some(byte) {
            return Err(JsonError::Syntax);
        }
        self.at += 1;
        Ok(())
    }

    /// Adds a node without content of its own that spans `start` to `end`.
    #[inline]
    fn leaf(&mut self, kind: Kind, start: usize, end: usize) {
        self.nodes.push(Node {
            kind,
            start: position(start),
            end: position(end),
            next: position(self.nodes.len() + 1),
        });
    }

    fn value(&mut self, depth: usize) -> Result<(), JsonError> {
        match self.peek() {
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

    fn string(&mut self) -> Result<(), JsonError> {
        self.expect(b'"')?;
        let start = self.at;
        if self.peek() == Some(b'"') {
            self.leaf(Kind::String, start, start);
            self.at += 1;
            return Ok(());
        }
        let mut kind = Kind::String;
        self.at += plain_length(&self.bytes[self.at..]);
        loop {
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    kind = Kind::EscapedString;
                    self.at += 1;
                    self.escape()?;
                    if self.peek() != Some(b'\\') {
                        self.at += plain_length(&self.bytes[self.at..]);
                    }
                }
                _ => return Err(JsonError::Syntax),
            }
        }
        self.leaf(kind, start, self.at);
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
            let digit = match self.peek() {
                Some(digit @ b'0'..=b'9') => digit - b'0',
                Some(letter @ (b'a'..=b'f' | b'A'..=b'F')) => (letter & 0xF) + 9,
                _ => return Err(JsonError::Syntax),
            };
            unit = unit << 4 | u16::from(digit);
            self.at += 1;
        }
        Ok(unit)
    }

    fn number(&mut self) -> Result<(), JsonError> {
        let (bytes, start) = (self.bytes, self.at);
        let negative = bytes[start] == b'-';
        // Most numbers are integers of a few digits.
        let whole = start + usize::from(negative);
        let mut end = whole;
        while end < bytes.len() && bytes[end].is_ascii_digit() {
            end += 1;
        }
        let goes_on = end < bytes.len() && matches!(bytes[end], b'.' | b'e' | b'E');
        let is_simple = end > whole && (bytes[whole] != b'0' || (end == whole + 1 && !negative));
        if is_simple && !goes_on && end - start <= 18 {
            self.at = end;
            self.leaf(Kind::Integer, start, end);
            return Ok(());
        }
        self.at = whole;
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        let mut integer = true;
        let mut exponent = None;
        if self.peek() == Some(b'.') {
            integer = false;
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            integer = false;
            self.at += 1;
            exponent = Some(self.at);
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            self.digits()?;
        }
        // A short mantissa with an exponent of two digits is far from infinite.
        let length = self.at - start;
        let is_small = length <= 200 && self.at - exponent.unwrap_or(self.at) <= 2;
        let kind = if integer && fits_64_bits(self.literal(start)) {
            Kind::Integer
        } else if is_small || length <= MAX_NUMBER && is_finite(self.literal(start)) {
            Kind::Float
        } else {
            return Err(JsonError::Syntax);
        };
        self.leaf(kind, start, self.at);
        Ok(())
    }

    fn literal(&self, start: usize) -> &str {
        &self.text[start..self.at]
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
}

/// How many bytes a string's text goes on before a quote, a backslash or a control character: eight
/// at a time where there are so many.
fn plain_length(text: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let is_end = |byte: u8| matches!(byte, b'"' | b'\\' | ..0x20);
    // The high bit of each byte that is less than so much. Bytes above such a one may have it wrongly:
    // the lowest one counts. Bytes of 0x80 and more never have it.
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

/// A position in a text that [`scan`] has found to be short enough.
#[expect(clippy::cast_possible_truncation, reason = "the text is short enough")]
fn position(at: usize) -> u32 {
    at as u32
}

/// The digits of 2^1024 - 2^970, the least number that rounds to infinity. Its first digit counts
/// 10^308.
const INFINITE: &[u8] = b"\
    179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017\
    977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273\
    854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704\
    342711559699508093042880177904174497792";

/// Whether the double next to a number is finite. Parsing it would say so, too, but costs the more the
/// nastier its digits are.
fn is_finite(literal: &str) -> bool {
    let magnitude = literal.strip_prefix('-').unwrap_or(literal);
    let (digits, exponent) = match magnitude.split_once(['e', 'E']) {
        // A longer one than 64 bits hold is as good as the most that they hold.
        Some((digits, exponent)) => (
            digits,
            match exponent.parse::<i64>() {
                Ok(exponent) => exponent,
                Err(_) if exponent.starts_with('-') => return true,
                Err(_) => i64::MAX,
            },
        ),
        None => (magnitude, 0),
    };
    let whole = digits.find('.').unwrap_or(digits.len());
    let significant = || digits.bytes().filter(|byte| *byte != b'.');
    let Some(zeros) = significant().position(|digit| digit != b'0') else {
        return true;
    };
    #[expect(clippy::cast_possible_wrap, reason = "both are short")]
    let power = exponent.saturating_add(whole as i64 - 1 - zeros as i64);
    power < 308 || power == 308 && significant().skip(zeros).lt(INFINITE.iter().copied())
}

/// Whether an integer's literal is one that `i64` or `u64` holds. `-0` is not: it is no integer
/// to IEEE 754 nor to `serde_json`.
fn fits_64_bits(literal: &str) -> bool {
    literal != "-0" && (literal.parse::<i64>().is_ok() || literal.parse::<u64>().is_ok())
}
