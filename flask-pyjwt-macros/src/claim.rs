//! What one claim has to be: a value, or a variable of the route.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Ident, LitStr, parenthesized,
    parse::{Parse, ParseStream},
    token::Paren,
};

use crate::{
    errors::Errors,
    nearest::nearest,
    route::{Found, Routes},
    value::{BINDINGS, Key, Value, string},
};

/// The words that ask for items of a claim.
pub(crate) const ITEMS: [&str; 3] = ["contains", "all", "any"];

/// The right side of `claim = …`.
pub(crate) enum Expected {
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
    /// An expression of the type `Expected`, or errors.
    pub(crate) fn to_tokens(
        &self,
        claim: &Key,
        routes: Option<&Routes>,
        private: &TokenStream,
        errors: &mut Errors,
    ) -> TokenStream {
        let expected = quote!(#private::ExpectedClaim);
        let path = |name: &LitStr| {
            let name = name.value();
            quote!(#expected::Path(#private::json::owned(#name)))
        };
        match self {
            Self::Value(value) => {
                let value = value.to_tokens(private);
                quote!(#expected::Value(#value))
            }
            Self::Literal(text) => {
                let text = text.value();
                quote!(#expected::Value(#private::json::text(#text)))
            }
            Self::Path(name) | Self::OuterPath(name) if name.value().is_empty() => {
                errors.at(name.span(), "a variable of a route has a name");
                TokenStream::new()
            }
            Self::All(items) | Self::Any(items) => {
                let variant = if matches!(self, Self::All(_)) {
                    quote!(All)
                } else {
                    quote!(Any)
                };
                quote!(#expected::#variant(#private::json::texts([#(#items),*])))
            }
            Self::OuterPath(name) => path(name),
            Self::Path(name) => {
                if let Some(routes) = routes {
                    require_variable(name, routes, errors);
                }
                path(name)
            }
            Self::Bare(text) if claim.name == "sub" => {
                require_subject(text, routes, errors);
                path(text)
            }
            Self::Bare(text) => {
                let name = text.value();
                match routes {
                    // No variable has an empty name.
                    _ if name.is_empty() => quote!(#expected::Value(#private::json::text(#name))),
                    None => quote!(#expected::PathOrText(#private::json::owned(#name))),
                    Some(routes) if is_variable(text, routes, errors) => path(text),
                    Some(_) => quote!(#expected::Value(#private::json::text(#name))),
                }
            }
        }
    }
}

/// `path("x")`: `x` is a variable of every path.
fn require_variable(name: &LitStr, routes: &Routes, errors: &mut Errors) {
    let text = name.value();
    match routes.find(&text) {
        Found::Everywhere => {}
        Found::NotIn(lacking) => errors.at(name.span(), not_in(&text, &lacking.path)),
        Found::Nowhere => errors.at(
            name.span(),
            format!(
                "{}; a variable of an enclosing scope is `outer_path(\"{text}\")`",
                no_variable(&text, routes)
            ),
        ),
    }
}

/// `sub = "x"`: the same, and a subject is never a constant by accident.
fn require_subject(subject: &LitStr, routes: Option<&Routes>, errors: &mut Errors) {
    let text = subject.value();
    if text.is_empty() {
        errors.at(
            subject.span(),
            "a subject is never empty; write the name of a variable of the route",
        );
        return;
    }
    let Some(routes) = routes else { return };
    match routes.find(&text) {
        Found::Everywhere => {}
        Found::NotIn(lacking) => errors.at(subject.span(), not_in(&text, &lacking.path)),
        Found::Nowhere => errors.at(
            subject.span(),
            format!(
                "`sub` is compared with a variable of the route, and {}; a variable of an \
                 enclosing scope is `outer_path(\"{text}\")`, this very subject \
                 `literal(\"{text}\")`",
                no_variable(&text, routes)
            ),
        ),
    }
}

/// `claim = "x"`: whether that is a variable. A slip of the finger must not make it a constant.
fn is_variable(name: &LitStr, routes: &Routes, errors: &mut Errors) -> bool {
    let text = name.value();
    match routes.find(&text) {
        Found::Everywhere => return true,
        Found::NotIn(lacking) => errors.at(
            name.span(),
            format!(
                "{}, so that this would be a variable here and a text there; write \
                 `literal(\"{text}\")` for the text",
                not_in(&text, &lacking.path)
            ),
        ),
        Found::Nowhere => {
            if let Some(variable) = nearest(&text, routes.variables()) {
                errors.at(
                    name.span(),
                    format!(
                        "did you mean the route's variable `{variable}`? for the text write \
                         `literal(\"{text}\")`"
                    ),
                );
            }
        }
    }
    false
}

fn not_in(name: &str, path: &str) -> String {
    format!("the path `{path}` has no variable `{name}`, another path of this handler has")
}

fn no_variable(name: &str, routes: &Routes) -> String {
    let guess = nearest(name, routes.variables())
        .map(|variable| format!(" (did you mean `{variable}`?)"))
        .unwrap_or_default();
    format!(
        "there is no variable `{name}` in {}{guess}",
        routes.describe()
    )
}
