//! `#[public]`: everybody may call the handler.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote};
use syn::{
    Error, Path, Token,
    parse::{ParseStream, Parser as _},
};

use crate::{attributes::last_segment, beside::statement, handler::Handler, route::makes_a_type};

/// The handler as it is, and that it says who may enter.
pub(crate) fn expand(args: TokenStream, item: &TokenStream, private: &TokenStream) -> TokenStream {
    match said_of(args, item, private) {
        Ok(statement) => quote!(#item #statement),
        Err(error) => {
            let error = error.into_compile_error();
            quote!(#error #item)
        }
    }
}

fn said_of(
    args: TokenStream,
    item: &TokenStream,
    private: &TokenStream,
) -> syn::Result<Option<TokenStream>> {
    let renamed = if args.is_empty() {
        None
    } else {
        Some(renamed.parse2(args)?)
    };
    // As for `#[require_token]`, the body is not looked into.
    let handler: Handler = syn::parse2(item.clone()).map_err(|_| {
        Error::new(
            Span::call_site(),
            "`#[public]` goes on a handler, an `async fn`",
        )
    })?;
    let both = handler.attrs.iter().find(|attr| {
        last_segment(attr.meta.to_token_stream()).is_some_and(|name| name == "require_token")
    });
    if let Some(both) = both {
        return Err(Error::new_spanned(
            both,
            "a handler is public or requires a token: leave out one of the two",
        ));
    }
    if !makes_a_type(&handler.attrs) {
        return Err(Error::new(
            Span::call_site(),
            "write `#[public]` above the route attribute, such as `#[get(\"…\")]`; a service without one is added by \
             `protected(\"…\").public(…)`",
        ));
    }
    let private = renamed.as_ref().unwrap_or(private);
    Ok(statement(&handler.sig.ident, &handler.attrs, private))
}

/// `crate = name`, for a dependency that is called otherwise.
fn renamed(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    if !input.peek(Token![crate]) {
        return Err(input.error("`#[public]` takes nothing: everybody may call the handler"));
    }
    input.parse::<Token![crate]>()?;
    input.parse::<Token![=]>()?;
    let path = input.call(Path::parse_mod_style)?;
    Ok(quote!(#path::__private))
}
