//! Output: results on standard output, everything else on standard error.

use std::{
    env,
    fmt::Write as _,
    io::{self, ErrorKind, IsTerminal as _, Write as _},
};

use crate::failure::Failure;

/// Prints a result. A reader that has closed the pipe, such as `head`, is no error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    print_bytes(text.as_bytes())
}

/// Prints a result and a line break.
pub(crate) fn print_line(text: &str) -> Result<(), Failure> {
    print(&format!("{text}\n"))
}

pub(crate) fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut output = io::stdout().lock();
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::wrong(format!(
            "standard output cannot be written: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Says why the command fails, unless its result says that already.
pub(crate) fn error(failure: &Failure) {
    if !failure.text().is_empty() {
        say("error:", Colour::Red, failure.text());
    }
}

/// Passes a warning of the library on.
pub(crate) fn warning(text: &str) {
    say("warning:", Colour::Yellow, text);
}

/// Says something that is not part of the result.
pub(crate) fn note(text: &str) {
    say("note:", Colour::Cyan, text);
}

/// Says what a command is waiting for, to a person only.
pub(crate) fn progress(text: &str) {
    if io::stderr().is_terminal() {
        say("…", Colour::Cyan, text);
    }
}

fn say(label: &str, colour: Colour, text: &str) {
    let label = painted(label, colour, io::stderr().is_terminal());
    // If nobody can read it, nothing can be said about that either.
    let _ = writeln!(io::stderr().lock(), "{label} {}", escaped(text));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colour {
    Red,
    Green,
    Yellow,
    Cyan,
}

/// A text for standard output in a colour, if that is a terminal.
pub(crate) fn coloured(text: &str, colour: Colour) -> String {
    painted(text, colour, io::stdout().is_terminal())
}

fn painted(text: &str, colour: Colour, is_terminal: bool) -> String {
    // <https://no-color.org>: any value that is not empty.
    let is_refused = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = env::var_os("TERM").is_some_and(|value| value == "dumb");
    if !is_terminal || is_refused || is_dumb {
        return text.to_owned();
    }
    let code = match colour {
        Colour::Red => 31,
        Colour::Green => 32,
        Colour::Yellow => 33,
        Colour::Cyan => 36,
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// Escapes characters that change the terminal or the direction of the text. Line breaks stay.
///
/// Inside a JSON string, the result is the same string: the escapes are those of JSON.
pub(crate) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character != '\n' && is_unsafe(character) {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                // Writing to a string cannot fail.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The same for a text that has to stay on its line.
pub(crate) fn escaped_line(text: &str) -> String {
    escaped(text).replace('\n', "\\n")
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_change_a_terminal_are_escaped() {
        for (text, expected) in [
            ("plain ünï \u{1f600}", "plain ünï \u{1f600}"),
            ("a\nb", "a\nb"),
            ("\u{1b}[2J\u{7f}\u{9b}", "\\u001b[2J\\u007f\\u009b"),
            ("\r\t\0", "\\u000d\\u0009\\u0000"),
            ("\u{202e}txt", "\\u202etxt"),
            ("\u{e0041}", "\\udb40\\udc41"),
        ] {
            assert_eq!(escaped(text), expected);
        }
        assert_eq!(escaped_line("a\nb"), "a\\nb");
    }
}
