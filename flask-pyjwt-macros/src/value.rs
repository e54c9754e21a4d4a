//! The code for JSON values.

use flask_pyjwt_grammar::{Key, Value};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// An expression of the type `serde_json::Value`.
pub(crate) fn json(value: &Value, private: &TokenStream) -> TokenStream {
    let path = quote!(#private::json);
    match value {
        Value::Null => quote!(#path::null()),
        Value::Bool(value) => quote!(#path::boolean(#value)),
        // The minus is a token of its own: a literal token is never negative in Rust.
        Value::Negative(value) => {
            let digits = Literal::u64_unsuffixed(value.unsigned_abs());
            quote!(#path::int(-#digits))
        }
        Value::Integer(value) => quote!(#path::uint(#value)),
        Value::Float(value) => {
            let minus = value.is_sign_negative().then(|| quote!(-));
            let digits = value.abs();
            quote!(#path::float(#minus #digits))
        }
        Value::Text(text) => quote!(#path::text(#text)),
        Value::Array(items) => {
            let items = items.iter().map(|item| json(item, private));
            quote!(#path::array([#(#items),*]))
        }
        Value::Object(object) => {
            let members = members(object, private);
            quote!(#path::object(#members))
        }
    }
}

/// `[("name", …), …]`
pub(crate) fn members(members: &[(Key, Value)], private: &TokenStream) -> TokenStream {
    let members = members.iter().map(|(key, value)| {
        let (name, value) = (&key.name, json(value, private));
        quote!((#name, #value))
    });
    quote!([#(#members),*])
}
