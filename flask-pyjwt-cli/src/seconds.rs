//! Numbers of seconds in variables.

use time::Duration;

/// A whole number of seconds as the server reads it, which is as Python's `int` does.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_plain = digits
        .split('_')
        .all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    let number = is_plain.then(|| text.replace('_', "").parse().ok());
    number.flatten().map(Duration::seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_the_server_reads_them() {
        for (text, expected) in [
            ("60", Some(60)),
            (" +3_600 ", Some(3_600)),
            ("-1", Some(-1)),
            ("1h", None),
            ("", None),
            ("_1", None),
        ] {
            assert_eq!(parse(text), expected.map(Duration::seconds), "{text}");
        }
    }
}
