//! `#[require_token]`, the attribute of [flask-pyjwt](https://docs.rs/flask-pyjwt). Use that package.

mod args;
mod attributes;
mod claim;
mod errors;
mod expand;
mod handler;
mod names;
mod nearest;
mod route;
mod value;

use proc_macro::TokenStream;
use quote::quote;

#[doc = include_str!("require_token.md")]
#[proc_macro_attribute]
pub fn require_token(args: TokenStream, item: TokenStream) -> TokenStream {
    expand_or_report(args, item, &quote!(::flask_pyjwt_core::__private))
}

#[doc = include_str!("require_token.md")]
#[proc_macro_attribute]
pub fn __require_token_facade(args: TokenStream, item: TokenStream) -> TokenStream {
    expand_or_report(args, item, &quote!(::flask_pyjwt::__private))
}

fn expand_or_report(
    args: TokenStream,
    item: TokenStream,
    private: &proc_macro2::TokenStream,
) -> TokenStream {
    let original = proc_macro2::TokenStream::from(item.clone());
    let expansion = expand::expand(args.into(), item.into(), private);
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
