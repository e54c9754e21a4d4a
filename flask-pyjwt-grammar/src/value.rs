//! The JSON values that claims are compared with.

use proc_macro2::Span;
use syn::{
    Ident, Lit, LitFloat, LitInt, LitStr, Token, braced, bracketed,
    ext::IdentExt as _,
    parse::{Parse, ParseStream},
    token::{Brace, Bracket, Paren},
};

use crate::errors::{Errors, given_twice};

/// The words that say how a string is meant.
pub(crate) const BINDINGS: [&str; 3] = ["path", "literal", "outer_path"];
/// Arrays and objects inside each other, at the most: a token cannot be deeper either.
const MAX_DEPTH: usize = 64;

/// `"text"`, `7`, `-1.5`, `true`, `null`, `["a", "b"]` or `{admin: true, "a-b": 1}`.
#[derive(Debug)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// An integer below zero.
    Negative(i64),
    /// Any other integer.
    Integer(u64),
    /// A number with a fraction or an exponent, finite.
    Float(f64),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Value>),
    /// An object, its names distinct.
    Object(Vec<(Key, Value)>),
}

/// The name of a claim: an identifier (a keyword too) or, for any other name, a string.
#[derive(Debug)]
pub struct Key {
    /// The name, without quotes and without `r#`.
    pub name: String,
    /// Where it was written.
    pub span: Span,
    /// Whether it was written as a string.
    pub quoted: bool,
}

impl Key {
    /// A name that the macro itself says.
    #[must_use]
    pub fn unquoted(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            span: Span::call_site(),
            quoted: false,
        }
    }
}

impl Parse for Key {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(LitStr) {
            let text = string(input)?;
            return Ok(Self {
                name: text.value(),
                span: text.span(),
                quoted: true,
            });
        }
        let ident = input.call(Ident::parse_any).map_err(|error| {
            syn::Error::new(
                error.span(),
                "expected the name of a claim: an identifier or a string",
            )
        })?;
        Ok(Self {
            name: ident.unraw().to_string(),
            span: ident.span(),
            quoted: false,
        })
    }
}

impl Parse for Value {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        value(input, MAX_DEPTH)
    }
}

/// A string literal. (Rust's grammar allows a suffix there, `"text"u8`.)
pub(crate) fn string(input: ParseStream<'_>) -> syn::Result<LitStr> {
    let text: LitStr = input.parse()?;
    no_suffix(text.suffix(), text.span())?;
    Ok(text)
}

fn value(input: ParseStream<'_>, depth: usize) -> syn::Result<Value> {
    if input.peek(Brace) || input.peek(Bracket) {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(input.error(format!(
                "nested too deeply: a token's values have at most {MAX_DEPTH} levels"
            )));
        };
        return if input.peek(Brace) {
            object(input, depth)
        } else {
            array(input, depth)
        };
    }
    if input.peek(Ident::peek_any) && !input.peek(syn::LitBool) {
        return word(input);
    }
    let minus: Option<Token![-]> = input.parse()?;
    if !input.peek(Lit) {
        return Err(input.error(
            "expected a value: a string, a number, `true`, `false`, `null`, `[…]` or `{…}`",
        ));
    }
    let literal: Lit = input.parse()?;
    match literal {
        Lit::Int(number) => integer(&number, minus.is_some()),
        Lit::Float(number) => float(&number, minus.is_some()),
        Lit::Str(text) if minus.is_none() => {
            no_suffix(text.suffix(), text.span())?;
            Ok(Value::Text(text.value()))
        }
        Lit::Bool(truth) if minus.is_none() => Ok(Value::Bool(truth.value)),
        Lit::ByteStr(_) | Lit::CStr(_) | Lit::Char(_) | Lit::Byte(_) => Err(syn::Error::new(
            literal.span(),
            "JSON has no value of this kind; write a string `\"…\"` or a number",
        )),
        other => Err(syn::Error::new(other.span(), "expected a number after `-`")),
    }
}

/// `null`, or an explanation of what was meant by another word.
fn word(input: ParseStream<'_>) -> syn::Result<Value> {
    let word = input.call(Ident::parse_any)?;
    if word == "null" {
        return Ok(Value::Null);
    }
    let message = match word.to_string().as_str() {
        "None" => "in JSON this is `null`".to_owned(),
        "True" => "in JSON this is `true`".to_owned(),
        "False" => "in JSON this is `false`".to_owned(),
        binding if input.peek(Paren) && BINDINGS.contains(&binding) => format!(
            "`{binding}(…)` can only be the whole value of a claim; strings in here are always \
             taken as they are"
        ),
        _ if input.peek(Token![::]) => {
            "the value of a constant is not known here; write it out".to_owned()
        }
        word => format!(
            "a value is written out; for the text or route variable `{word}` write `\"{word}\"`"
        ),
    };
    Err(syn::Error::new(word.span(), message))
}

fn integer(number: &LitInt, negative: bool) -> syn::Result<Value> {
    no_suffix(number.suffix(), number.span())?;
    let digits = number.base10_digits();
    let parsed = if negative {
        format!("-{digits}").parse().map(Value::Negative)
    } else {
        digits.parse().map(Value::Integer)
    };
    parsed.map_err(|_| {
        syn::Error::new(
            number.span(),
            format!("an integer is from {} to {}", i64::MIN, u64::MAX),
        )
    })
}

fn float(number: &LitFloat, negative: bool) -> syn::Result<Value> {
    no_suffix(number.suffix(), number.span())?;
    let value: f64 = number.base10_parse()?;
    if !value.is_finite() {
        return Err(syn::Error::new(
            number.span(),
            "JSON has no infinite numbers",
        ));
    }
    Ok(Value::Float(if negative { -value } else { value }))
}

fn no_suffix(suffix: &str, span: Span) -> syn::Result<()> {
    if suffix.is_empty() {
        return Ok(());
    }
    Err(syn::Error::new(
        span,
        format!("JSON has no Rust types; leave out the suffix `{suffix}`"),
    ))
}

fn array(input: ParseStream<'_>, depth: usize) -> syn::Result<Value> {
    let content;
    bracketed!(content in input);
    let mut errors = Errors::default();
    let items = errors.comma_separated(&content, |input| value(input, depth));
    errors.finish()?;
    Ok(Value::Array(items))
}

fn object(input: ParseStream<'_>, depth: usize) -> syn::Result<Value> {
    let content;
    braced!(content in input);
    let mut errors = Errors::default();
    let mut members = Vec::<(Key, Value)>::new();
    errors.comma_separated(&content, |input| {
        let key: Key = input.parse()?;
        if input.peek(Token![=]) {
            return Err(input.error(format!("inside braces write `{}: …`", key.name)));
        }
        input.parse::<Token![:]>()?;
        let value = value(input, depth)?;
        if let Some((first, _)) = members.iter().find(|(first, _)| first.name == key.name) {
            return Err(given_twice(&key.name, key.span, first.span));
        }
        members.push((key, value));
        Ok(())
    });
    errors.finish()?;
    Ok(Value::Object(members))
}
