//! The function that the attribute stands on.

use flask_pyjwt_grammar::Errors;
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{
    Attribute, FnArg, GenericParam, PatType, ReturnType, Safety, Signature, Token, Type,
    TypeParamBound, Visibility,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
    spanned::Spanned as _,
    token::Brace,
};

use crate::attributes::{OF_A_TRAIT, conditions, describes_another, is_public, misplaced};

/// A function whose body is not looked into, so that it may be half typed or newer than our parser.
#[derive(Clone)]
pub(crate) struct Handler {
    /// All attributes below ours.
    pub(crate) attrs: Vec<Attribute>,
    /// `pub`, or nothing.
    pub(crate) vis: Visibility,
    /// From `async` to the `where` clause.
    pub(crate) sig: Signature,
    body: TokenStream,
}

impl Parse for Handler {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        if !is_function(input) {
            return Err(input.error(
                "`#[require_token]` goes on a handler, which is an `async fn`; a scope is guarded by \
                 `.wrap(RequireToken::auth())`",
            ));
        }
        let sig = input.parse()?;
        if !input.peek(Brace) {
            return Err(input.error("a handler has a body: `{ … }`; on a trait's method, `#[require_token]` cannot stand"));
        }
        let body = input.parse()?;
        Ok(Self {
            attrs,
            vis,
            sig,
            body,
        })
    }
}

impl ToTokens for Handler {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for attr in &self.attrs {
            attr.to_tokens(tokens);
        }
        self.vis.to_tokens(tokens);
        self.sig.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}

fn is_function(input: ParseStream<'_>) -> bool {
    input.peek(Token![fn])
        || input.peek(Token![async])
        || input.peek(Token![unsafe])
        || input.peek(Token![extern])
        || input.peek(Token![const]) && !(input.peek3(Token![:]))
}

impl Handler {
    /// The arguments that have a type: all but `self`.
    pub(crate) fn arguments(&self) -> impl Iterator<Item = &PatType> {
        self.sig
            .inputs
            .iter()
            .filter_map(|argument| match argument {
                FnArg::Typed(argument) => Some(argument),
                FnArg::Receiver(_) => None,
            })
    }

    /// The names of the generic types and constants. Lifetimes are always inferred: naming one
    /// that is bound late is an error.
    pub(crate) fn generic_arguments(&self) -> Vec<&Ident> {
        let arguments = self
            .sig
            .generics
            .params
            .iter()
            .filter_map(|param| match param {
                GenericParam::Type(param) => Some(&param.ident),
                GenericParam::Const(param) => Some(&param.ident),
                GenericParam::Lifetime(_) => None,
            });
        arguments.collect()
    }

    /// The names of the generic lifetimes, without the apostrophe.
    pub(crate) fn lifetimes(&self) -> Vec<&Ident> {
        let lifetimes = self
            .sig
            .generics
            .lifetimes()
            .map(|param| &param.lifetime.ident);
        lifetimes.collect()
    }

    /// The generics that are no lifetimes.
    pub(crate) fn other_generics(&self) -> Punctuated<GenericParam, Token![,]> {
        let params = self.sig.generics.params.iter();
        params
            .filter(|param| !matches!(param, GenericParam::Lifetime(_)))
            .cloned()
            .collect()
    }

    /// What a function that is not `async` returns, where the type can be named: it has to be a future.
    pub(crate) fn named_output(&self) -> Option<&Type> {
        match (&self.sig.asyncness, &self.sig.output) {
            (None, ReturnType::Type(_, output)) if !has_impl(output.to_token_stream()) => {
                Some(output)
            }
            _ => None,
        }
    }

    /// The attributes that cannot stand on a protected handler, below ours or above it.
    fn check_attributes(&self, errors: &mut Errors) {
        for attr in &self.attrs {
            if is_public(attr.path()) {
                let message = "a handler is public or requires a token: leave out one of the two";
                errors.push(syn::Error::new_spanned(attr, message));
            }
            if let Some(message) = misplaced(attr.meta.to_token_stream()) {
                errors.push(syn::Error::new_spanned(attr.path(), message));
            }
        }
        if let ReturnType::Type(_, output) = &self.sig.output
            && let Some(attribute) = rewritten_by(output)
        {
            errors.at(self.sig.ident.span(), describes_another(attribute));
        }
    }

    /// What no handler can be, said where it is written.
    pub(crate) fn check(&self, errors: &mut Errors) {
        self.check_attributes(errors);
        let sig = &self.sig;
        if let Some(receiver) = sig.receiver() {
            errors.push(syn::Error::new_spanned(
                receiver,
                "a handler is a function without `self`: move it out of the `impl`, and take what it \
                 needs as arguments, such as `web::Data<…>`",
            ));
        }
        if sig
            .generics
            .lifetimes()
            .any(|it| it.lifetime.ident == "async_trait")
        {
            errors.at(sig.ident.span(), OF_A_TRAIT);
        }
        if let Some(constness) = sig.constness {
            errors.at(constness.span, "a handler cannot be `const`");
        }
        if let Safety::Unsafe(keyword) = &sig.safety {
            errors.at(
                keyword.span,
                "a handler cannot be `unsafe`: actix-web calls it",
            );
        }
        if let Some(abi) = &sig.abi {
            errors.at(abi.span(), "a handler cannot be `extern`");
        }
        if let Some(variadic) = &sig.variadic {
            errors.at(variadic.span(), "a handler has a fixed number of arguments");
        }
        let types = self.arguments().map(|argument| &*argument.ty);
        for ty in types.filter(|ty| is_impl_trait(ty)) {
            errors.push(syn::Error::new_spanned(
                ty,
                "an argument of a handler needs a type with a name: actix-web finds the extractor \
                 by it",
            ));
        }
        let mut certain = self
            .arguments()
            .filter(|argument| conditions(&argument.attrs).is_empty());
        if let Some(seventeenth) = certain.nth(16) {
            errors.push(syn::Error::new_spanned(
                seventeenth,
                "a handler has at most 16 arguments; several extractors fit into one as a tuple",
            ));
        }
        if let (None, ReturnType::Type(_, output)) = (sig.asyncness, &sig.output)
            && is_impl_responder(output)
        {
            errors.at(
                sig.fn_token.span,
                "a handler is an `async fn`, or returns a future: write `async fn`",
            );
        }
        if matches!(sig.output, ReturnType::Default) {
            errors.at(
                sig.ident.span(),
                format!(
                    "`{}` returns nothing; a handler returns an answer, such as `impl Responder` or \
                     `HttpResponse`",
                    sig.ident
                ),
            );
        }
    }
}

/// The attribute that has made this output: those of apistos and paperclip add a trait of theirs.
fn rewritten_by(output: &Type) -> Option<&'static str> {
    let Type::ImplTrait(ty) = output else {
        return None;
    };
    ty.bounds.iter().find_map(|bound| match bound {
        TypeParamBound::Trait(bound) => match &*bound.path.segments.last()?.ident.to_string() {
            "PathItemDefinition" => Some("api_operation"),
            "Apiv2Operation" => Some("api_v2_operation"),
            _ => None,
        },
        _ => None,
    })
}

/// Whether a type has an `impl Trait` in it.
fn has_impl(ty: TokenStream) -> bool {
    ty.into_iter().any(|token| match token {
        TokenTree::Group(group) => has_impl(group.stream()),
        TokenTree::Ident(ident) => ident == "impl",
        _ => false,
    })
}

fn is_impl_trait(ty: &Type) -> bool {
    match ty {
        Type::ImplTrait(_) => true,
        // What a `macro_rules!` fragment comes in.
        Type::Group(group) => is_impl_trait(&group.elem),
        Type::Paren(paren) => is_impl_trait(&paren.elem),
        _ => false,
    }
}

/// Whether this is `impl Responder` and nothing else, which is no future.
fn is_impl_responder(ty: &Type) -> bool {
    let Type::ImplTrait(ty) = ty else {
        return false;
    };
    ty.bounds.iter().all(|bound| match bound {
        TypeParamBound::Trait(bound) => bound
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident == "Responder"),
        _ => true,
    })
}
