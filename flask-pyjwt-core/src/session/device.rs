//! What a client says about itself at the login, in a form that is safe to store and to show.
//!
//! Clients choose these texts. Nothing is decided by them. They are short, so that a session stays
//! small, and of one line without control and direction characters, so that they cannot fake a line
//! of a log or reorder a page.

use std::fmt::{self, Write as _};

/// The most bytes of an address that are kept. An IPv6 address has at most 45.
pub(crate) const LONGEST_ADDRESS: usize = 64;
/// The most bytes of a `User-Agent` that are kept. Those of browsers have 80 to 200.
pub(crate) const LONGEST_USER_AGENT: usize = 256;

/// The beginning of a text, in at most this many bytes of UTF-8. A character that is not seen
/// becomes a space. `None` if nothing is left.
pub(crate) fn shortened(text: impl fmt::Display, most: usize) -> Option<String> {
    let mut beginning = Beginning {
        kept: String::new(),
        most,
    };
    // An error means that there is no room for the rest.
    let _ = write!(beginning, "{text}");
    let kept = beginning.kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}

struct Beginning {
    kept: String,
    most: usize,
}

impl fmt::Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            let character = if is_seen(character) { character } else { ' ' };
            if self.kept.len() + character.len_utf8() > self.most {
                return Err(fmt::Error);
            }
            self.kept.push(character);
        }
        Ok(())
    }
}

/// Whether a character is neither a control character, nor ends a line, nor changes the direction
/// or the place of others.
fn is_seen(character: char) -> bool {
    !character.is_control()
        && !matches!(
            character,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_at_a_character_and_keeps_only_what_is_seen() {
        for (text, most, expected) in [
            ("", 9, None),
            (" \t\r\n\u{7f}\u{85}\u{202e}", 9, None),
            ("Firefox", 7, Some("Firefox")),
            ("Firefox", 6, Some("Firefo")),
            ("\u{e9}\u{e9}", 3, Some("\u{e9}")),
            ("\u{1f600}", 3, None),
            ("a\r\nb\0c", 9, Some("a  b c")),
            ("a\u{202e}b\u{2028}c", 9, Some("a b c")),
            ("  a b  ", 9, Some("a b")),
        ] {
            assert_eq!(shortened(text, most).as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_text_without_end_is_read_only_as_far_as_it_is_kept() {
        struct Endless;
        impl fmt::Display for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("ab")?;
                }
            }
        }
        assert_eq!(shortened(Endless, 5).as_deref(), Some("ababa"));
    }
}
