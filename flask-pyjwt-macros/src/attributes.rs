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

/// For handlers that are methods of a trait.
pub(crate) const OF_A_TRAIT: &str = "`#[async_trait]` goes on a trait or an `impl`; a handler is a free \
     `async fn`: move `#[require_token]` to one, and call the trait's method from it";

/// What describes the handler to others by its signature, and defines something beside it:
/// `#[utoipa::path]`, `#[oasgen]`.
///
/// `#[path]` alone is never utoipa's: the compiler has a `path` of its own.
fn is_reader(path: &Path) -> bool {
    match last_of(path).as_deref() {
        Some("path") => path.segments.len() > 1,
        name => name == Some("oasgen"),
    }
}

/// Whether this is our `#[public]`, and not one of another package.
pub(crate) fn is_public(path: &Path) -> bool {
    let names = path
        .segments
        .iter()
        .map(|segment| segment.ident.to_string());
    let names: Vec<_> = names.collect();
    names == ["public"] || names == ["flask_pyjwt", "public"]
}

/// Takes out the attributes that have to see the function as it was written.
pub(crate) fn take_readers(attrs: &mut Vec<Attribute>) -> Vec<Attribute> {
    take(attrs, &is_reader)
}

/// Why `#[utoipa::path]` cannot find the method and the path, if it cannot: it looks for the route attribute below it.
pub(crate) fn without_route(readers: &[Attribute], others: &[Attribute]) -> Option<syn::Error> {
    const METHODS: [&str; 9] = [
        "delete", "get", "head", "method", "options", "patch", "post", "put", "trace",
    ];
    if has_route(others) {
        return None;
    }
    let reader = readers.iter().find(|attr| {
        let is_method = |token| match token {
            TokenTree::Ident(ident) => METHODS.iter().any(|method| ident == method),
            _ => false,
        };
        let tokens = match &attr.meta {
            Meta::List(list) => list.tokens.clone(),
            _ => TokenStream::new(),
        };
        let path = attr.path();
        let is_utoipa = path
            .segments
            .first()
            .is_some_and(|first| first.ident == "utoipa");
        is_utoipa && last_of(path).as_deref() == Some("path") && !tokens.into_iter().any(is_method)
    })?;
    Some(syn::Error::new_spanned(
        reader.path(),
        "write `#[utoipa::path]` above the route attribute, such as `#[get(\"…\")]`, where it finds the method \
         and the path; without a route attribute, name them in it: `get, path = \"…\"`",
    ))
}

/// Takes out the attributes that belong on the outer function; what is left (`#[instrument]`, …)
/// is the handler's own.
///
/// When in doubt, out: an attribute that registers the function must never see the inner one.
pub(crate) fn hoist(attrs: &mut Vec<Attribute>) -> Vec<Attribute> {
    take(attrs, &|path| {
        let mut known = OF_THE_ITEM.iter().chain(&WITH_PATH).chain(&LINTS);
        let name = last_of(path);
        known.any(|known| name.as_deref() == Some(known))
    })
}

/// Takes out the attributes whose name is wanted.
fn take(attrs: &mut Vec<Attribute>, is_wanted: &dyn Fn(&Path) -> bool) -> Vec<Attribute> {
    let mut taken = Vec::new();
    for attr in std::mem::take(attrs) {
        match split(attr.meta.to_token_stream(), is_wanted) {
            (Some(_), None) => taken.push(attr),
            (None, _) => attrs.push(attr),
            (Some(out), Some(own)) => {
                taken.extend(with_meta(&attr, out));
                attrs.extend(with_meta(&attr, own));
            }
        }
    }
    taken
}

fn with_meta(attr: &Attribute, meta: TokenStream) -> Option<Attribute> {
    let meta = syn::parse2::<Meta>(meta).ok()?;
    Some(Attribute {
        meta,
        ..attr.clone()
    })
}

/// The part of an attribute that is wanted, and the rest: `cfg_attr` may have both.
fn split(
    attr: TokenStream,
    is_wanted: &dyn Fn(&Path) -> bool,
) -> (Option<TokenStream>, Option<TokenStream>) {
    let Some(path) = path_of(attr.clone()) else {
        return (None, Some(attr));
    };
    if is_wanted(&path) {
        return (Some(attr), None);
    }
    if last_of(&path).as_deref() != Some("cfg_attr") {
        return (None, Some(attr));
    }
    let Ok(list) = syn::parse2::<syn::MetaList>(attr.clone()) else {
        return (None, Some(attr));
    };
    let mut parts = split_at_commas(list.tokens).into_iter();
    let condition = parts.next().unwrap_or_default();
    let (outer, own): (Vec<_>, Vec<_>) = parts.map(|part| split(part, is_wanted)).unzip();
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

/// Why an attribute cannot stand on a protected handler, if it cannot.
///
/// `cfg_attr` is looked into: whichever way the condition turns out, the place is wrong.
pub(crate) fn misplaced(attr: TokenStream) -> Option<String> {
    let name = last_segment(attr.clone())?;
    match name.as_str() {
        "require_token" => Some(
            "`#[require_token]` is given twice; write one with all that is required".to_owned(),
        ),
        "api_operation" | "api_v2_operation" => Some(describes_another(&name)),
        "async_trait" => Some(OF_A_TRAIT.to_owned()),
        "main" | "test" => Some(format!(
            "`#[{name}]` goes on a function that the program or the test harness calls, not on a \
             handler"
        )),
        "cfg_attr" => {
            let list = syn::parse2::<syn::MetaList>(attr).ok()?;
            split_at_commas(list.tokens)
                .into_iter()
                .skip(1)
                .find_map(misplaced)
        }
        _ => None,
    }
}

/// For attributes that replace the handler by one that describes itself: wrapped, it would not.
pub(crate) fn describes_another(attribute: &str) -> String {
    format!(
        "`#[{attribute}]` cannot describe a handler that `#[require_token]` wraps; leave out \
         `#[require_token]` and guard the scope or resource: `.wrap(RequireToken::auth())`"
    )
}

/// Whether there is an attribute of actix-web with a path.
pub(crate) fn has_route(attrs: &[Attribute]) -> bool {
    attrs
        .iter()
        .any(|attr| names_route(attr.meta.to_token_stream()))
}

/// Whether one of these is surely a route attribute, and not only under a condition.
pub(crate) fn has_sure_route(attrs: &[Attribute]) -> bool {
    attrs
        .iter()
        .any(|attr| !attr.path().is_ident("cfg_attr") && names_route(attr.meta.to_token_stream()))
}

/// Turns `#[expect(…)]` into `#[allow(…)]`: on the two halves of a handler, one would expect in vain.
pub(crate) fn allow_in_place_of_expect(attrs: &mut [Attribute]) {
    for attr in attrs {
        if let Meta::List(list) = &mut attr.meta
            && list.path.is_ident("expect")
        {
            list.path = syn::Ident::new("allow", proc_macro2::Span::call_site()).into();
        }
    }
}

/// The lint levels among these.
pub(crate) fn lint_levels(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs
        .iter()
        .filter(|attr| LINTS.iter().any(|level| attr.path().is_ident(level)))
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
    last_of(&path_of(attr)?)
}

fn last_of(path: &Path) -> Option<String> {
    Some(path.segments.last()?.ident.to_string())
}

/// The `a::b::c` of an attribute `a::b::c(…)`.
fn path_of(attr: TokenStream) -> Option<Path> {
    (|input: ParseStream<'_>| {
        let path = input.call(Path::parse_mod_style)?;
        input.parse::<TokenStream>()?;
        Ok(path)
    })
    .parse2(attr)
    .ok()
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
