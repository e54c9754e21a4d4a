//! What one claim has to be: a value, or a variable of the route.

use proc_macro2::TokenStream;
use syn::{
    Ident, LitStr, parenthesized,
    parse::{Parse, ParseStream},
    token::Paren,
};

use crate::{
    errors::Errors,
    nearest::nearest,
    value::{BINDINGS, Key, Value, string},
};

/// The words that ask for items of a claim.
pub(crate) const ITEMS: [&str; 3] = ["contains", "all", "any"];

/// The right side of `claim = …`.
#[expect(
    missing_debug_implementations,
    reason = "syn's literals have none without its feature `extra-traits`"
)]
pub enum Expected {
    /// `"x"`: a variable of the route, else a text.
    Bare(LitStr),
    /// `path("x")`: a variable of the route.
    Path(LitStr),
    /// `outer_path("x")`: a variable of an enclosing scope, which no attribute can see.
    OuterPath(LitStr),
    /// `literal("x")`: this text.
    Literal(LitStr),
    /// `all("x", "y")`, `contains("x")`: these items of a list of words.
    All(Vec<LitStr>),
    /// `any("x", "y")`: one of these items.
    Any(Vec<LitStr>),
    /// Any other JSON value.
    Value(Value),
}

/// The right side of `scope = …`: items, or a JSON value.
pub(crate) fn scope(input: ParseStream<'_>) -> syn::Result<Expected> {
    if input.peek(Ident) && input.peek2(Paren) {
        let word: Ident = input.fork().parse()?;
        if nearest(&word.to_string(), ITEMS).is_some() || ITEMS.iter().any(|known| word == known) {
            return input.parse();
        }
    }
    input.parse().map(Expected::Value)
}

/// `("x", "y")` after `all`, `any` or `contains`.
fn items(word: &Ident, argument: ParseStream<'_>) -> syn::Result<Expected> {
    let mut errors = Errors::default();
    let items = errors.comma_separated(argument, |input| {
        if !input.peek(LitStr) {
            return Err(input.error(format!("`{word}(…)` takes strings: `{word}(\"…\")`")));
        }
        let item = string(input)?;
        if item.value().is_empty() {
            return Err(syn::Error::new(item.span(), "an item is never empty"));
        }
        Ok(item)
    });
    errors.finish()?;
    match (word == "contains", items.len()) {
        (_, 0) => Err(syn::Error::new(
            word.span(),
            format!("`{word}` takes at least one string: `{word}(\"…\")`"),
        )),
        (true, 2..) => Err(syn::Error::new(
            word.span(),
            "`contains` takes one string; for more write `all(…)` or `any(…)`",
        )),
        _ if word == "any" => Ok(Expected::Any(items)),
        _ => Ok(Expected::All(items)),
    }
}

impl Parse for Expected {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            return string(input).map(Self::Bare);
        }
        if !(input.peek(Ident) && input.peek2(Paren)) {
            return input.parse().map(Self::Value);
        }
        let word: Ident = input.parse()?;
        let argument;
        parenthesized!(argument in input);
        if ITEMS.iter().any(|known| word == known) {
            let items = items(&word, &argument);
            drop(argument.parse::<TokenStream>());
            return items;
        }
        let text = argument
            .peek(LitStr)
            .then(|| string(&argument))
            .transpose()?;
        // Emptied in any case: what is left over here would be reported in place of this.
        let rest: TokenStream = argument.parse()?;
        let binding = match word.to_string().as_str() {
            "path" => Self::Path,
            "literal" => Self::Literal,
            "outer_path" => Self::OuterPath,
            other => return Err(syn::Error::new(word.span(), unknown_binding(other))),
        };
        match text {
            Some(text) if rest.is_empty() => Ok(binding(text)),
            _ => Err(syn::Error::new(
                word.span(),
                format!("`{word}` takes one string: `{word}(\"…\")`"),
            )),
        }
    }
}

fn unknown_binding(word: &str) -> String {
    match nearest(word, BINDINGS.into_iter().chain(ITEMS)) {
        Some(known) => format!("unknown `{word}(…)`; did you mean `{known}(…)`?"),
        None => format!(
            "unknown `{word}(…)`; a claim is compared with a value, `path(\"…\")`, \
             `outer_path(\"…\")`, `literal(\"…\")`, `contains(\"…\")`, `all(…)` or `any(…)`"
        ),
    }
}

impl Expected {
    /// Refuses empty names of variables, and an empty subject.
    ///
    /// # Errors
    ///
    /// One of these is empty.
    pub fn check_not_empty(&self, claim: &Key) -> syn::Result<()> {
        match self {
            Self::Path(name) | Self::OuterPath(name) if name.value().is_empty() => Err(
                syn::Error::new(name.span(), "a variable of a route has a name"),
            ),
            Self::Bare(text) if claim.name == "sub" && text.value().is_empty() => {
                Err(syn::Error::new(
                    text.span(),
                    "a subject is never empty; write the name of a variable of the route",
                ))
            }
            _ => Ok(()),
        }
    }
}
