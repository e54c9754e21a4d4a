//! From the arguments to the requirement that the wrapper hands to the runtime.

use flask_pyjwt_grammar::{Args, Errors, Expected, Key};
use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::LitStr;

use crate::{
    claim::expected_claim,
    route::Routes,
    value::{json, members},
};

/// The path that generated code names in place of the usual one.
pub(crate) fn renamed(args: &Args) -> Option<TokenStream> {
    let path = args.renamed.as_ref()?;
    Some(quote!(#path::__private))
}

/// What the documentation of the handler should say of it.
pub(crate) fn remark(args: &Args) -> Option<&'static str> {
    args.no_csrf.then_some(
        "**No CSRF proof**: this route accepts a token in a cookie with unsafe methods, whichever \
             page has sent the request.",
    )
}

fn place(args: &Args, location: &LitStr, private: &TokenStream) -> TokenStream {
    match (location.value().as_str(), &args.cookie_name) {
        ("cookies", Some(name)) => {
            quote!(#private::TokenLocation::Cookie(#private::json::owned(#name)))
        }
        ("cookies", None) => quote!(#private::TokenLocation::DefaultCookie),
        ("query", _) => {
            let name = args.query_name.as_deref().unwrap_or_default();
            quote!(#private::TokenLocation::Query(#private::json::owned(#name)))
        }
        ("header", _) if args.header_name.is_some() => {
            let name = args.header_name.as_deref().unwrap_or_default();
            quote!(#private::TokenLocation::NamedHeader(#private::json::owned(#name)))
        }
        ("websocket", _) => quote!(#private::TokenLocation::WebSocket),
        _ => quote!(#private::TokenLocation::Header),
    }
}

/// An expression of the type `Requirement`.
pub(crate) fn requirement(
    args: &Args,
    routes: Option<&Routes>,
    private: &TokenStream,
    errors: &mut Errors,
) -> TokenStream {
    let token_type = if args.token_type.as_deref() == Some("refresh") {
        quote!(Refresh)
    } else {
        quote!(Auth)
    };
    let mut tokens = quote!(#private::Requirement::new(#private::TokenType::#token_type));
    if !args.locations.is_empty() {
        let locations = args
            .locations
            .iter()
            .map(|location| place(args, location, private));
        quote!(.locations([#(#locations),*])).to_tokens(&mut tokens);
    }
    match args.issuers.as_deref() {
        None => {}
        Some([issuer]) => {
            quote!(.issuer(#private::json::owned(#issuer))).to_tokens(&mut tokens);
        }
        Some(issuers) => {
            quote!(.issuer(#private::json::texts([#(#issuers),*]))).to_tokens(&mut tokens);
        }
    }
    for (key, expected) in &args.claims {
        let name = &key.name;
        let expected = expected_claim(expected, key, routes, private, errors);
        quote!(.claim(#private::json::owned(#name), #expected)).to_tokens(&mut tokens);
    }
    if let Some(scope) = &args.scope {
        let scope = match scope {
            Expected::Value(value) => {
                let value = json(value, private);
                quote!(.scope(#value))
            }
            items => {
                let key = Key::unquoted("scope");
                let items = expected_claim(items, &key, routes, private, errors);
                quote!(.expect_scope(#items))
            }
        };
        scope.to_tokens(&mut tokens);
    }
    if let Some(claims) = &args.override_claims {
        let claims = members(claims, private);
        quote!(.override_claims(#private::json::members(#claims))).to_tokens(&mut tokens);
    }
    if args.no_csrf {
        quote!(.csrf(false)).to_tokens(&mut tokens);
    }
    if args.fresh {
        quote!(.fresh(true)).to_tokens(&mut tokens);
    }
    if let Some(values) = &args.acr {
        quote!(.acr(#private::json::texts([#(#values),*]))).to_tokens(&mut tokens);
    }
    if let Some(seconds) = args.max_age {
        quote!(.max_age(#seconds)).to_tokens(&mut tokens);
    }
    if args.is_bound() {
        quote!(.bound(true)).to_tokens(&mut tokens);
    }
    if args.is_optional() {
        quote!(.optional(true)).to_tokens(&mut tokens);
    }
    tokens
}

#[cfg(test)]
mod tests;
