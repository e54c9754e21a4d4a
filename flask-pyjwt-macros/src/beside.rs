//! What stands beside a protected handler: that it says who may enter, and, with a feature each, the untouched function
//! for tests and the description for utoipa.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::{Attribute, Ident};

use crate::{
    attributes::{allow_in_place_of_expect, conditions, has_sure_route, lint_levels},
    handler::Handler,
    route::makes_a_type,
};

/// The function as it was written, as the associated function `unguarded` of the type that the route attribute makes,
/// and how the wrapper calls it.
///
/// Without a route attribute above or below ours that we see, there is no such type: `testing::unguarded` is for those.
pub(crate) fn untouched(
    handler: &Handler,
    hoisted: &mut [Attribute],
) -> Option<(TokenStream, TokenStream)> {
    if !cfg!(feature = "test-kit") || !has_sure_route(hoisted) {
        return None;
    }
    allow_in_place_of_expect(hoisted);
    let hoisted = &*hoisted;
    let levels = lint_levels(hoisted);
    let name = handler.sig.ident.clone();
    let conditions = conditions(hoisted);
    let mut function = handler.clone();
    function.sig.ident = Ident::new("unguarded", name.span());
    let beside = quote! {
        #(#conditions)*
        #[allow(
            clippy::unused_async,
            dead_code,
            missing_docs,
            non_local_definitions,
            private_bounds,
            private_interfaces,
            unreachable_pub,
        )]
        const _: () = {
            // Below the type of this name, a variable of the same name would not compile.
            fn #name() {}
            impl #name {
                #[doc(hidden)]
                #(#levels)*
                #function
            }
        };
    };
    Some((beside, quote!(#name::unguarded)))
}

/// Says that the handler says who may enter: it has `#[require_token]` or `#[public]`. `protected` asks for that.
///
/// Without a route attribute above or below ours that we see, there is no type to say it of.
pub(crate) fn statement(
    name: &Ident,
    hoisted: &[Attribute],
    private: &TokenStream,
) -> Option<TokenStream> {
    let conditions = conditions(hoisted);
    makes_a_type(hoisted).then(|| {
        quote_spanned! {Span::call_site()=>
            #(#conditions)*
            #[doc(hidden)]
            impl #private::SaysWhoMayEnter for #name {}
        }
    })
}

/// Lets the operation that `#[utoipa::path]` describes say what the guard requires.
///
/// utoipa makes the type `__path_name`, and calls `__path_name::operation()`: an associated function of the type goes
/// before the one of utoipa's trait. Whether the type exists cannot be seen here. So the inner block takes all names of the
/// module, and the outer one has a type for handlers without a description.
pub(crate) fn description(
    requirement: &TokenStream,
    handler: &Handler,
    hoisted: &[Attribute],
    private: &TokenStream,
) -> TokenStream {
    if !cfg!(feature = "utoipa") {
        return TokenStream::new();
    }
    let conditions = conditions(hoisted);
    let name = handler.sig.ident.to_token_stream().to_string();
    let described = format_ident!(
        "__path_{}",
        name.trim_start_matches("r#"),
        span = handler.sig.ident.span()
    );
    quote_spanned! {Span::call_site()=>
        #(#conditions)*
        #[allow(
            dead_code,
            missing_docs,
            non_camel_case_types,
            non_local_definitions,
            unreachable_pub,
            unused_imports,
            clippy::all,
            clippy::pedantic,
        )]
        const _: () = {
            mod undescribed {
                pub struct #described;
            }
            use undescribed::*;
            impl #private::openapi::Undescribed for undescribed::#described {}
            const _: () = {
                use self::*;
                impl #described {
                    #[doc(hidden)]
                    pub fn operation() -> #private::openapi::Operation {
                        use #private::openapi::{OfNone as _, OfUtoipa as _};
                        let operation = #private::openapi::Described::<Self>::new().operation();
                        #private::openapi::described(operation, &#requirement)
                    }
                }
            };
        };
    }
}
