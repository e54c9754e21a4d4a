//! The words of a Rust file, without comments and without code that only tests compile.

/// A name, a sign or a string in quotes, and its line.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) line: usize,
}

/// The text of the word at a position. It is empty after the last word.
pub(super) fn text(words: &[Word], at: usize) -> &str {
    words.get(at).map_or("", |word| &word.text)
}

/// Splits a source into words and leaves out what `#[cfg(test)]` covers.
pub(super) fn words(source: &str) -> Vec<Word> {
    without_tests(&all(source))
}

fn all(source: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < source.len() {
        let rest = &source[at..];
        let ignored = ignored(rest);
        let name = rest.bytes().take_while(|&byte| is_of_name(byte)).count();
        let length = match ignored {
            Some(length) => length,
            None if name > 0 => name,
            None if rest.starts_with("::") => 2,
            None => rest.chars().next().map_or(1, char::len_utf8),
        };
        let text = &rest[..length];
        if text.starts_with('"') || ignored.is_none() && !text.trim().is_empty() {
            let text = text.to_owned();
            words.push(Word { text, line });
        }
        line += text.matches('\n').count();
        at += length;
    }
    words
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The length of the comment, string or character literal at the start of a text, if there is one.
fn ignored(rest: &str) -> Option<usize> {
    match *rest.as_bytes() {
        [b'/', b'/', ..] => return Some(rest.find('\n').unwrap_or(rest.len())),
        [b'/', b'*', ..] => return Some(block_comment(rest)),
        [b'"' | b'\'' | b'b' | b'c' | b'r', ..] => {}
        _ => return None,
    }
    let prefix = rest
        .bytes()
        .take_while(|byte| b"bcr".contains(byte))
        .count();
    let hashes = rest[prefix..]
        .bytes()
        .take_while(|&byte| byte == b'#')
        .count();
    let start = prefix + hashes;
    let is_raw = rest[..prefix].ends_with('r');
    match rest.as_bytes().get(start) {
        Some(b'"') if is_raw => {
            let end = format!("\"{}", "#".repeat(hashes));
            let length = rest[start + 1..].find(&end);
            Some(length.map_or(rest.len(), |length| start + 1 + length + end.len()))
        }
        Some(b'"') if hashes == 0 => Some(until_quote(rest, start + 1, b'"')),
        Some(b'\'') if hashes == 0 && prefix < 2 => {
            // A lifetime has no quote after its first letter.
            let mut inside = rest[start + 1..].chars();
            let is_character = inside.next() == Some('\\') || inside.next() == Some('\'');
            is_character.then(|| until_quote(rest, start + 1, b'\''))
        }
        _ => None,
    }
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest.as_bytes()[at..] {
            [b'/', b'*', ..] => depth += 1,
            [b'*', b'/', ..] => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            break;
        }
    }
    at
}

/// The position after the quote that ends the literal which begins at `start`.
fn until_quote(rest: &str, start: usize, quote: u8) -> usize {
    let mut at = start;
    while let Some(&byte) = rest.as_bytes().get(at) {
        at += 1 + usize::from(byte == b'\\');
        if byte == quote {
            return at;
        }
    }
    rest.len()
}

fn without_tests(words: &[Word]) -> Vec<Word> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let is = |offset: usize, wanted: &str| text(words, at + offset) == wanted;
        let is_cfg = is(0, "#") && is(1, "[") && is(2, "cfg") && is(3, "(");
        if is_cfg && (is(4, "test") || is(4, "all") && is(6, "test")) {
            at = after_item(words, at);
        } else {
            kept.push(words[at].clone());
            at += 1;
        }
    }
    kept
}

/// The position after the item that begins with the attribute at `start`.
fn after_item(words: &[Word], start: usize) -> usize {
    let mut depth = 0_usize;
    for (at, word) in words.iter().enumerate().skip(start) {
        match &*word.text {
            "{" | "(" | "[" => depth += 1,
            // The end of the block around the item.
            "}" | ")" | "]" if depth == 0 => return at,
            "}" | ")" | "]" => {
                depth -= 1;
                if depth == 0 && word.text == "}" {
                    return at + 1;
                }
            }
            ";" | "," if depth == 0 => return at + 1,
            _ => {}
        }
    }
    words.len()
}
