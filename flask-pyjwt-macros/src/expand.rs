//! From a function to its protected form.

use flask_pyjwt_grammar::{Args, Errors};
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{Generics, Visibility, spanned::Spanned as _};

use crate::{
    Own,
    attributes::{conditions, has_route, hoist, take_readers, without_route},
    beside::{description, statement, untouched},
    handler::Handler,
    requirement::{remark, renamed, requirement},
    route::Routes,
};

/// Wraps the handler: authorise first, extract its arguments and run it only then.
///
/// ```ignore
/// #[get("/{user}")]                                  // route attributes and docs: on the wrapper
/// pub async fn show(incoming: ForActixOnlySeeTestingUnguarded) -> HttpResponse {
///     async fn show(user: Path<String>) -> impl Responder { … }   // what was written, untouched
///     assert_extractor::<Path<String>>();
///     protect({ static REQUIREMENT: … = …; &*REQUIREMENT }, incoming, show).await
/// }
/// ```
pub(crate) fn expand(args: TokenStream, item: TokenStream, own: &Own) -> syn::Result<TokenStream> {
    let mut errors = Errors::default();
    let written = args.clone();
    let args = Args::parse(args, &mut errors);
    let private = renamed(&args).unwrap_or_else(|| own.private.clone());
    let mut handler: syn::Result<Handler> = syn::parse2(item);
    if let Ok(handler) = &mut handler {
        // They go first, and we come again: then they see the function as it was written, and what
        // they define beside it stands outside the wrapper.
        let readers = take_readers(&mut handler.attrs);
        if let Some(error) = without_route(&readers, &handler.attrs) {
            return Err(error);
        }
        if !readers.is_empty() {
            let usual = quote!(#private::require_token);
            let attribute = own.attribute.as_ref().unwrap_or(&usual);
            return Ok(quote!(#(#readers)* #[#attribute(#written)] #handler));
        }
    }
    let routes = handler
        .as_ref()
        .ok()
        .and_then(|handler| Routes::visible(&handler.attrs));
    let requirement = requirement(&args, routes.as_ref(), &private, &mut errors);
    match handler {
        Ok(handler) => {
            handler.check(&mut errors);
            errors.finish()?;
            Ok(wrap(&requirement, remark(&args), handler, &private))
        }
        Err(error) => {
            errors.push(error.clone());
            errors.finish()?;
            Err(error)
        }
    }
}

fn wrap(
    requirement: &TokenStream,
    remark: Option<&str>,
    mut handler: Handler,
    private: &TokenStream,
) -> TokenStream {
    let mut attrs = hoist(&mut handler.attrs);
    let described = description(requirement, &handler, &attrs, private);
    let statement = statement(&handler.sig.ident, &attrs, private);
    let unguarded = untouched(&handler, &mut attrs);
    let vis = std::mem::replace(&mut handler.vis, Visibility::Inherited);

    let name = &handler.sig.ident;
    // An extractor borrows nothing, so that a lifetime among its generics can only be this one.
    let lifetimes = handler.lifetimes();
    let generics = Generics {
        params: handler.other_generics(),
        ..handler.sig.generics.clone()
    };
    let (generics, _, where_clause) = generics.split_for_impl();
    let generics = with_static(&lifetimes, generics.to_token_stream());
    let where_clause = with_static(&lifetimes, where_clause.to_token_stream());
    let arguments = handler.generic_arguments();
    let turbofish = (!arguments.is_empty()).then(|| quote!(::<#(#arguments),*>));
    let probes = handler.arguments().map(|argument| {
        let span = argument.ty.span();
        let private = located_at(private, span);
        let ty = with_static(&lifetimes, argument.ty.to_token_stream());
        let conditions = conditions(&argument.attrs);
        quote_spanned!(span=> #(#conditions)* #private::assert_extractor::<#ty>();)
    });
    let future_probe = handler.named_output().map(|output| {
        let span = output.span();
        let private = located_at(private, span);
        let ty = with_static(&lifetimes, output.to_token_stream());
        quote_spanned!(span=> #private::assert_future::<#ty>();)
    });
    // An item is found before an argument, whatever the hygiene, and the handler is an item here.
    let argument = if name == "incoming" {
        "request"
    } else {
        "incoming"
    };
    let incoming = Ident::new(argument, Span::mixed_site());
    // The function itself, or what tests call as `name::unguarded`.
    let (inside, beside, called) = match unguarded {
        Some((beside, called)) => (None, Some(beside), called),
        None => (Some(&handler), None, name.to_token_stream()),
    };
    // What the compiler says of the handler as a whole, it says at the handler's name.
    let at_name = located_at(private, name.span());
    let call = quote_spanned! {name.span().resolved_at(Span::mixed_site())=>
        #at_name::protect(
            {
                static REQUIREMENT: #private::LazyLock<#private::Requirement> =
                    #private::LazyLock::new(|| #requirement);
                &*REQUIREMENT
            },
            #incoming,
            #called #turbofish,
        )
        .await
    };
    // An item whose braces were not written by hand is generated, and the compiler tells no one that
    // it is dead. Below a route attribute it is actix-web's, which makes `pub` unreachable in it.
    let written = handler.sig.fn_token.span;
    let place = if has_route(&attrs) {
        Span::call_site()
    } else {
        written
    };
    let remark = remark.map(|text| quote!(#[doc = ""] #[doc = #text]));
    quote_spanned! {place=>
        #(#attrs)*
        #remark
        #vis async fn #name #generics(
            #incoming: #private::ForActixOnlySeeTestingUnguarded,
        ) -> #private::HttpResponse #where_clause {
            #inside
            #(#probes)*
            #future_probe
            #call
        }
        #statement
        #beside
        #described
    }
}

/// The same with `'static` in place of these lifetimes.
fn with_static(lifetimes: &[&Ident], tokens: TokenStream) -> TokenStream {
    if lifetimes.is_empty() {
        return tokens;
    }
    let mut after_apostrophe = false;
    let replace = |token: TokenTree| {
        let is_name = std::mem::replace(
            &mut after_apostrophe,
            matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '\''),
        );
        match token {
            TokenTree::Group(group) => {
                let stream = with_static(lifetimes, group.stream());
                let mut replaced = Group::new(group.delimiter(), stream);
                replaced.set_span(group.span());
                replaced.into()
            }
            TokenTree::Ident(ident) if is_name && lifetimes.contains(&&ident) => {
                Ident::new("static", ident.span()).into()
            }
            other => other,
        }
    };
    tokens.into_iter().map(replace).collect()
}

/// The same names, said to stand elsewhere: for messages about what stands there.
fn located_at(tokens: &TokenStream, place: Span) -> TokenStream {
    let relocate = |mut token: TokenTree| {
        token.set_span(token.span().located_at(place));
        token
    };
    tokens.clone().into_iter().map(relocate).collect()
}
