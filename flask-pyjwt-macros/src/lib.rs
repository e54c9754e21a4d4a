//! The attribute `#[require_token]` of [flask-pyjwt](https://docs.rs/flask-pyjwt). Use that package.

mod attributes;
mod beside;
mod claim;
mod expand;
mod handler;
mod public;
mod requirement;
mod route;
mod value;

use proc_macro::TokenStream;
use quote::quote;

#[doc = include_str!("require_token.md")]
#[doc(alias = "jwt_required")]
#[doc(alias = "login_required")]
#[doc(alias = "guard")]
#[doc(alias = "protect")]
#[proc_macro_attribute]
pub fn require_token(args: TokenStream, item: TokenStream) -> TokenStream {
    let own = Own {
        private: quote!(::flask_pyjwt_core::__private),
        attribute: Some(quote!(::flask_pyjwt_macros::require_token)),
    };
    expand_or_report(args, item, &own)
}

#[doc = include_str!("require_token.md")]
#[doc(alias = "jwt_required")]
#[doc(alias = "login_required")]
#[doc(alias = "guard")]
#[doc(alias = "protect")]
#[proc_macro_attribute]
pub fn __require_token_facade(args: TokenStream, item: TokenStream) -> TokenStream {
    let own = Own {
        private: quote!(::flask_pyjwt::__private),
        attribute: None,
    };
    expand_or_report(args, item, &own)
}

#[doc = include_str!("public.md")]
#[proc_macro_attribute]
pub fn public(args: TokenStream, item: TokenStream) -> TokenStream {
    public::expand(
        args.into(),
        &item.into(),
        &quote!(::flask_pyjwt_core::__private),
    )
    .into()
}

#[doc = include_str!("public.md")]
#[proc_macro_attribute]
pub fn __public_facade(args: TokenStream, item: TokenStream) -> TokenStream {
    public::expand(args.into(), &item.into(), &quote!(::flask_pyjwt::__private)).into()
}

/// The paths that generated code names.
struct Own {
    /// What it calls.
    private: proc_macro2::TokenStream,
    /// This attribute, where it is not in there.
    attribute: Option<proc_macro2::TokenStream>,
}

fn expand_or_report(args: TokenStream, item: TokenStream, own: &Own) -> TokenStream {
    let original = proc_macro2::TokenStream::from(item.clone());
    let expansion = expand::expand(args.into(), item.into(), own);
    expansion
        .unwrap_or_else(|error| {
            // The function goes out as it came in, so that the only complaint is ours and an
            // editor keeps completing inside the body. Nothing unprotected can run: it does not
            // compile.
            let error = error.into_compile_error();
            quote!(#error #original)
        })
        .into()
}
