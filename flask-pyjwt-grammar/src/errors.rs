//! Collects errors, so that a user sees all of them at once.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::{Token, parse::ParseStream};

/// Errors found so far.
#[derive(Debug, Default)]
pub struct Errors(Option<syn::Error>);

impl Errors {
    /// Adds an error.
    pub fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    /// Adds an error at this place.
    pub fn at(&mut self, place: Span, message: impl Display) {
        self.push(syn::Error::new(place, message));
    }

    /// All of them as one, if there are any.
    ///
    /// # Errors
    ///
    /// There are some.
    pub fn finish(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }

    /// Parses items separated by commas. A bad one is reported and skipped, not the end.
    pub(crate) fn comma_separated<T>(
        &mut self,
        input: ParseStream<'_>,
        mut parse: impl FnMut(ParseStream<'_>) -> syn::Result<T>,
    ) -> Vec<T> {
        let mut items = Vec::new();
        while !input.is_empty() {
            match parse(input) {
                Ok(item) => {
                    items.push(item);
                    if !input.is_empty() && !input.peek(Token![,]) {
                        self.push(input.error("expected `,`"));
                    }
                }
                Err(error) => self.push(error),
            }
            skip_past_comma(input);
        }
        items
    }
}

/// One error in two places: where a name is given again, and where it was given first.
pub(crate) fn given_twice(name: &str, again: Span, first: Span) -> syn::Error {
    let mut error = syn::Error::new(again, format!("`{name}` is given twice"));
    error.combine(syn::Error::new(
        first,
        format!("`{name}` is first given here"),
    ));
    error
}

fn skip_past_comma(input: ParseStream<'_>) {
    while !input.is_empty() {
        if let Ok(Some(_)) = input.parse::<Option<Token![,]>>() {
            break;
        }
        if input.parse::<TokenTree>().is_err() {
            drop(input.parse::<TokenStream>());
        }
    }
}
