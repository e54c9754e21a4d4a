//! The code for what one claim has to be.

use flask_pyjwt_grammar::{Errors, Expected, Key, nearest};
use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

use crate::{
    route::{Found, Routes},
    value::json,
};

/// An expression of the type `ExpectedClaim`, or errors.
pub(crate) fn expected_claim(
    own: &Expected,
    claim: &Key,
    routes: Option<&Routes>,
    private: &TokenStream,
    errors: &mut Errors,
) -> TokenStream {
    if let Err(error) = own.check_not_empty(claim) {
        errors.push(error);
        return TokenStream::new();
    }
    let expected = quote!(#private::ExpectedClaim);
    let path = |name: &LitStr| {
        let name = name.value();
        quote!(#expected::Path(#private::json::owned(#name)))
    };
    match own {
        Expected::Value(value) => {
            let value = json(value, private);
            quote!(#expected::Value(#value))
        }
        Expected::Literal(text) => {
            let text = text.value();
            quote!(#expected::Value(#private::json::text(#text)))
        }
        Expected::All(items) | Expected::Any(items) => {
            let variant = if matches!(own, Expected::All(_)) {
                quote!(All)
            } else {
                quote!(Any)
            };
            quote!(#expected::#variant(#private::json::texts([#(#items),*])))
        }
        Expected::OuterPath(name) => path(name),
        Expected::Path(name) => {
            if let Some(routes) = routes {
                require_variable(name, routes, errors);
            }
            path(name)
        }
        Expected::Bare(text) if claim.name == "sub" => {
            require_subject(text, routes, errors);
            path(text)
        }
        Expected::Bare(text) => {
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
