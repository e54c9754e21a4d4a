//! `issuer = "…"`, or a list of them.

use syn::{LitStr, Token, bracketed, parse::ParseStream, punctuated::Punctuated, token::Bracket};

use super::literals::text_of;
use crate::value::{Key, string};

/// The issuers of a route: one text or a list of texts.
pub(super) fn parse(key: &Key, input: ParseStream<'_>) -> syn::Result<Vec<String>> {
    if !input.peek(Bracket) {
        return Ok(vec![name(&text_of(key, input)?)?]);
    }
    let content;
    let bracket = bracketed!(content in input);
    let texts = Punctuated::<LitStr, Token![,]>::parse_terminated_with(&content, string)?;
    if texts.is_empty() {
        let message = "no token is of one of no issuers: name one, or leave `issuer` out";
        return Err(syn::Error::new(bracket.span.join(), message));
    }
    let mut names = Vec::new();
    for text in &texts {
        let name = name(text)?;
        if names.contains(&name) {
            return Err(syn::Error::new(text.span(), "this issuer is named twice"));
        }
        names.push(name);
    }
    Ok(names)
}

fn name(text: &LitStr) -> syn::Result<String> {
    let name = text.value();
    if name.is_empty() {
        return Err(syn::Error::new(text.span(), "an issuer has a name"));
    }
    Ok(name)
}
