//! Reads the arguments of `#[require_token]`, and shows where they are wrong.

use std::fmt::Write as _;

use flask_pyjwt_grammar::{Args, Errors};
use proc_macro2::{LineColumn, Span, TokenStream};

use crate::{failure::Failure, terminal};

/// More brackets than any requirement has. The parser calls itself for each that is inside another.
const MOST_BRACKETS: usize = 1_000;

/// Reads the text of `--require`.
pub(super) fn read(text: &str) -> Result<Args, Failure> {
    if text.matches(['(', '[', '{']).count() > MOST_BRACKETS {
        return Err(Failure::usage("`--require` has too many brackets"));
    }
    let tokens: TokenStream = text.parse().map_err(|error: proc_macro2::LexError| {
        let message = "from here on this cannot be read: is a quote or a bracket not closed?";
        failure(text, syn::Error::new(error.span(), message))
    })?;
    let mut errors = Errors::default();
    let args = Args::parse(tokens, &mut errors);
    errors.finish().map_err(|errors| failure(text, errors))?;
    Ok(args)
}

/// All mistakes, each with the line in which it is, and its place marked under that.
pub(super) fn failure(text: &str, errors: syn::Error) -> Failure {
    let mut shown = "the arguments of `--require` are wrong".to_owned();
    for error in errors {
        let (line, from, to) = place(text, error.span());
        let line = text.lines().nth(line).unwrap_or_default();
        // Characters that are escaped are as wide as their escapes.
        let width = |from: usize, to: usize| {
            let part: String = line.chars().skip(from).take(to - from).collect();
            terminal::escaped_line(&part).chars().count()
        };
        let marks = "^".repeat(width(from, to).max(1));
        let indent = width(0, from);
        // Writing to a string cannot fail.
        let _ = write!(
            shown,
            "\n\n  {}\n  {:indent$}{marks} {error}",
            terminal::escaped_line(line),
            "",
        );
    }
    Failure::usage(shown)
}

/// The line of a place, counted from 0, and its first and last column.
fn place(text: &str, span: Span) -> (usize, usize, usize) {
    let (start, end): (LineColumn, LineColumn) = (span.start(), span.end());
    let Some(line) = start
        .line
        .checked_sub(1)
        .filter(|_| span.byte_range().end > 0)
    else {
        // Something is missing at the end of the text.
        let line = text.lines().count().saturating_sub(1);
        let column = text.lines().last().map_or(0, |line| line.chars().count());
        return (line, column, column);
    };
    let length = text.lines().nth(line).map_or(0, |it| it.chars().count());
    let last = if end.line == start.line {
        end.column
    } else {
        length
    };
    (line, start.column, last.max(start.column))
}
