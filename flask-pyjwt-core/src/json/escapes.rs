//! The content of JSON strings, with escapes resolved.

use std::borrow::Cow;

use super::node::{Kind, Node};

/// A piece of the content of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text without an escape.
    Plain(&'a str),
    /// The character that an escape stands for.
    Escaped(char),
}

/// Iterates over the pieces of a string, from the text between its quotes, without allocating.
pub(super) struct Pieces<'a>(&'a str);

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    #[inline]
    fn next(&mut self) -> Option<Piece<'a>> {
        let text = self.0;
        if text.is_empty() {
            return None;
        }
        let is_escape = |byte: &u8| *byte == b'\\';
        let (piece, length) = match text.as_bytes().iter().position(is_escape) {
            Some(0) => {
                let (character, length) = escaped(text.as_bytes());
                (Piece::Escaped(character), length)
            }
            plain => {
                let length = plain.unwrap_or(text.len());
                (Piece::Plain(&text[..length]), length)
            }
        };
        self.0 = text.get(length..).unwrap_or_default();
        Some(piece)
    }
}

/// The character of the escape at the start of a text, and the length of the escape.
#[inline]
pub(super) fn escaped(text: &[u8]) -> (char, usize) {
    let unit = |at: usize| {
        let digits = text.get(at..).and_then(<[u8]>::first_chunk::<4>);
        digits.unwrap_or(&[b'0'; 4]).iter().fold(0, |unit, digit| {
            unit << 4 | (u32::from(digit & 0xF) + 9 * u32::from(digit >> 6))
        })
    };
    let plain = |character| (character, 2);
    match text.get(1).copied().unwrap_or_default() {
        b'b' => plain('\u{8}'),
        b'f' => plain('\u{c}'),
        b'n' => plain('\n'),
        b'r' => plain('\r'),
        b't' => plain('\t'),
        b'u' => match unit(2) {
            high @ 0xD800..=0xDBFF => {
                let code = 0x1_0000 + ((high - 0xD800) << 10) + (unit(8) & 0x3FF);
                (char::from_u32(code).unwrap_or_default(), 12)
            }
            code => (char::from_u32(code).unwrap_or_default(), 6),
        },
        byte => plain(char::from(byte)),
    }
}

/// The text between the quotes of a string.
pub(super) fn written(text: &str, string: Node) -> &str {
    &text[string.start as usize..string.end as usize]
}

/// The pieces of a string.
pub(super) fn pieces(text: &str, string: Node) -> Pieces<'_> {
    Pieces(written(text, string))
}

/// The content of a string.
pub(super) fn text_of(text: &str, string: Node) -> Cow<'_, str> {
    let written = written(text, string);
    if string.kind != Kind::EscapedString {
        return Cow::Borrowed(written);
    }
    let mut said = String::with_capacity(written.len());
    for piece in Pieces(written) {
        match piece {
            Piece::Plain(text) => said.push_str(text),
            Piece::Escaped(character) => said.push(character),
        }
    }
    Cow::Owned(said)
}

/// Whether the content of a string equals `expected`.
pub(super) fn content_is(text: &str, string: Node, expected: &str) -> bool {
    let rest = pieces(text, string).try_fold(expected, |rest, piece| match piece {
        Piece::Plain(text) => rest.strip_prefix(text),
        Piece::Escaped(character) => rest.strip_prefix(character),
    });
    rest == Some("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::scanner::scan;

    /// Compares with `serde_json`, an independent parser.
    #[test]
    fn escapes_are_resolved_as_in_serde_json() {
        for string in [
            r#""""#,
            r#""plain é""#,
            r#""\"\\\/\b\f\n\r\t""#,
            r#""\u0061\u00E9\u20ac\uD83D\uDE00\ufffd\u0000""#,
            r#""a\nb\u0063d\uD83D\uDE00""#,
            r#""\ud83d\ude00\ud83d\ude00x\\""#,
            r#""\uDBFF\uDFFF""#,
        ] {
            let node = scan(string).expect("valid JSON")[0];
            let expected: String = serde_json::from_str(string).expect("serde_json accepts it");
            assert_eq!(text_of(string, node), expected);
            assert!(content_is(string, node, &expected), "{string}");
            assert!(
                !content_is(string, node, &format!("{expected}x")),
                "{string}"
            );
            if let Some((at, _)) = expected.char_indices().next_back() {
                assert!(!content_is(string, node, &expected[..at]), "{string}");
            }
        }
    }
}
