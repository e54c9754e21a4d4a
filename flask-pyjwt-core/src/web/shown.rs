//! Untrusted text in a log.

/// Makes untrusted text safe for a log: escapes control characters, and cuts it after about 200 bytes.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 200;
    let mut shown = String::new();
    for character in text.chars() {
        if shown.len() >= LONGEST {
            shown.push('…');
            break;
        }
        if character.is_control()
            || matches!(character, '\u{200b}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn untrusted_text_is_escaped_and_truncated() {
        for (text, expected) in [
            ("https://shop.example:8443", "https://shop.example:8443"),
            ("a\r\nreason=none", r"a\u{d}\u{a}reason=none"),
            ("\u{1b}[2Ja\u{202e}b", r"\u{1b}[2Ja\u{202e}b"),
            ("é", "é"),
        ] {
            assert_eq!(shown(text), expected);
        }
        assert!(shown(&"\n".repeat(10_000)).len() < 220);
    }
}
