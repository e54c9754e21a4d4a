//! Which attributes of a handler go where.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens as _, quote};
use syn::{
    Attribute, Meta, Path,
    parse::{ParseStream, Parser as _},
};

use crate::route::{WITH_PATH, names_route};

/// What the router, the documentation and the compiler look for on the item itself.
const OF_THE_ITEM: [&str; 6] = ["cfg", "deprecated", "doc", "must_use", "path", "routes"];
/// Lint levels. On the outer function they hold for all that is inside, the user's function too.
const LINTS: [&str; 5] = ["allow", "deny", "expect", "forbid", "warn"];

/// Takes out the attributes that belong on the outer function; what is left (`#[instrument]`, …)
/// is the handler's own.
///
/// When in doubt, out: an attribute that registers the function must never see the inner one.
pub(crate) fn hoist(attrs: &mut Vec<Attribute>) -> Vec<Attribute> {
    let mut outer = Vec::new();
    for attr in std::mem::take(attrs) {
        match split(attr.meta.to_token_stream()) {
            (Some(_), None) => outer.push(attr),
            (None, _) => attrs.push(attr),
            (Some(out), Some(own)) => {
                outer.extend(with_meta(&attr, out));
                attrs.extend(with_meta(&attr, own));
            }
        }
    }
    outer
}

fn with_meta(attr: &Attribute, meta: TokenStream) -> Option<Attribute> {
    let meta = syn::parse2::<Meta>(meta).ok()?;
    Some(Attribute {
        meta,
        ..attr.clone()
    })
}

/// The part of an attribute for the outer function, and the part for the handler: `cfg_attr` may
/// have both.
fn split(attr: TokenStream) -> (Option<TokenStream>, Option<TokenStream>) {
    let Some(name) = last_segment(attr.clone()) else {
        return (None, Some(attr));
    };
    let known = |names: &[&str]| names.contains(&name.as_str());
    if known(&OF_THE_ITEM) || known(&WITH_PATH) || known(&LINTS) {
        return (Some(attr), None);
    }
    if name != "cfg_attr" {
        return (None, Some(attr));
    }
    let Ok(list) = syn::parse2::<syn::MetaList>(attr.clone()) else {
        return (None, Some(attr));
    };
    let mut parts = split_at_commas(list.tokens).into_iter();
    let condition = parts.next().unwrap_or_default();
    let (outer, own): (Vec<_>, Vec<_>) = parts.map(split).unzip();
    let path = &list.path;
    let rebuild = |attrs: Vec<Option<TokenStream>>| {
        let attrs = attrs.into_iter().flatten().collect::<Vec<_>>();
        (!attrs.is_empty()).then(|| quote!(#path(#condition, #(#attrs),*)))
    };
    match (rebuild(outer), rebuild(own)) {
        (None, None) => (None, Some(attr)),
        parts => parts,
    }
}

/// Whether there is an attribute of actix-web with a path.
pub(crate) fn has_route(attrs: &[Attribute]) -> bool {
    attrs
        .iter()
        .any(|attr| names_route(attr.meta.to_token_stream()))
}

/// The `#[cfg(…)]` among these.
pub(crate) fn conditions(attrs: &[Attribute]) -> Vec<&Attribute> {
    attrs
        .iter()
        .filter(|attr| attr.path().is_ident("cfg"))
        .collect()
}

/// The `c` of an attribute `a::b::c(…)`.
pub(crate) fn last_segment(attr: TokenStream) -> Option<String> {
    let path = (|input: ParseStream<'_>| {
        let path = input.call(Path::parse_mod_style)?;
        input.parse::<TokenStream>()?;
        Ok(path)
    })
    .parse2(attr)
    .ok()?;
    Some(path.segments.last()?.ident.to_string())
}

fn split_at_commas(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![TokenStream::new()];
    for token in tokens {
        match (&token, parts.last_mut()) {
            (TokenTree::Punct(punct), _) if punct.as_char() == ',' => {
                parts.push(TokenStream::new());
            }
            (_, Some(part)) => part.extend([token]),
            (_, None) => {}
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}
