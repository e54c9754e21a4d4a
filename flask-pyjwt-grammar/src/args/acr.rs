//! `acr = "…"`, or `acr = any("…", "…")`.

use syn::{LitStr, parse::ParseStream};

use crate::{claim::Expected, value::Key};

/// The accepted values of the claim `acr`, in the order in which they were written.
pub(super) fn parse(key: &Key, input: ParseStream<'_>) -> syn::Result<Vec<String>> {
    let place = input.span();
    let texts = match input.parse()? {
        Expected::Bare(text) | Expected::Literal(text) => vec![text],
        Expected::Any(texts) => texts,
        _ => {
            let name = &key.name;
            return Err(syn::Error::new(
                place,
                format!(
                    "`{name}` takes a string, or `any(\"…\", \"…\")`; for another rule about the claim write \
                     `\"{name}\" = …`"
                ),
            ));
        }
    };
    let mut values = Vec::new();
    for text in &texts {
        let value = value(text)?;
        if values.contains(&value) {
            return Err(syn::Error::new(text.span(), "this value is named twice"));
        }
        values.push(value);
    }
    Ok(values)
}

/// What can stand in the challenge: `scope-token` of RFC 6749, section 3.3, which has no quotes and no blanks.
fn value(text: &LitStr) -> syn::Result<String> {
    let value = text.value();
    let is_plain = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    if value.is_empty() || !value.bytes().all(is_plain) {
        return Err(syn::Error::new(
            text.span(),
            "a value of `acr` has at least one character, all of them printable ASCII, without blanks, `\"` and `\\` \
             (RFC 9470); for several values write `any(\"…\", \"…\")`",
        ));
    }
    Ok(value)
}
