//! From the arguments to the requirement that the wrapper hands to the runtime.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};
use syn::LitStr;

use super::Args;
use crate::{
    claim::Expected,
    errors::Errors,
    route::Routes,
    value::{Key, members},
};

impl Args {
    /// What the documentation of the handler should say of it.
    pub(crate) fn remark(&self) -> Option<&'static str> {
        self.no_csrf.then_some(
            "**No CSRF proof**: this route accepts a token in a cookie with unsafe methods, whichever \
             page has sent the request.",
        )
    }

    fn location(&self, location: &LitStr, private: &TokenStream) -> TokenStream {
        match (location.value().as_str(), &self.cookie_name) {
            ("cookies", Some(name)) => {
                quote!(#private::TokenLocation::Cookie(#private::json::owned(#name)))
            }
            ("cookies", None) => quote!(#private::TokenLocation::DefaultCookie),
            ("query", _) => {
                let name = self.query_name.as_deref().unwrap_or_default();
                quote!(#private::TokenLocation::Query(#private::json::owned(#name)))
            }
            ("header", _) if self.header_name.is_some() => {
                let name = self.header_name.as_deref().unwrap_or_default();
                quote!(#private::TokenLocation::NamedHeader(#private::json::owned(#name)))
            }
            ("websocket", _) => quote!(#private::TokenLocation::WebSocket),
            _ => quote!(#private::TokenLocation::Header),
        }
    }

    /// An expression of the type `Requirement`.
    pub(crate) fn to_requirement(
        &self,
        routes: Option<&Routes>,
        private: &TokenStream,
        errors: &mut Errors,
    ) -> TokenStream {
        let token_type = if self.token_type.as_deref() == Some("refresh") {
            quote!(Refresh)
        } else {
            quote!(Auth)
        };
        let mut tokens = quote!(#private::Requirement::new(#private::TokenType::#token_type));
        if !self.locations.is_empty() {
            let locations = self
                .locations
                .iter()
                .map(|location| self.location(location, private));
            quote!(.locations([#(#locations),*])).to_tokens(&mut tokens);
        }
        match self.issuers.as_deref() {
            None => {}
            Some([issuer]) => {
                quote!(.issuer(#private::json::owned(#issuer))).to_tokens(&mut tokens);
            }
            Some(issuers) => {
                quote!(.issuer(#private::json::texts([#(#issuers),*]))).to_tokens(&mut tokens);
            }
        }
        for (key, expected) in &self.claims {
            let name = &key.name;
            let expected = expected.to_tokens(key, routes, private, errors);
            quote!(.claim(#private::json::owned(#name), #expected)).to_tokens(&mut tokens);
        }
        if let Some(scope) = &self.scope {
            let scope = match scope {
                Expected::Value(value) => {
                    let value = value.to_tokens(private);
                    quote!(.scope(#value))
                }
                items => {
                    let key = Key::unquoted("scope");
                    let items = items.to_tokens(&key, routes, private, errors);
                    quote!(.expect_scope(#items))
                }
            };
            scope.to_tokens(&mut tokens);
        }
        if let Some(claims) = &self.override_claims {
            let claims = members(claims, private);
            quote!(.override_claims(#private::json::members(#claims))).to_tokens(&mut tokens);
        }
        if self.no_csrf {
            quote!(.csrf(false)).to_tokens(&mut tokens);
        }
        if self.fresh {
            quote!(.fresh(true)).to_tokens(&mut tokens);
        }
        if let Some(seconds) = self.max_age {
            quote!(.max_age(#seconds)).to_tokens(&mut tokens);
        }
        if self.is_given("optional") {
            quote!(.optional(true)).to_tokens(&mut tokens);
        }
        tokens
    }
}
