//! Values of options: a string, a truth, a number of seconds.

use syn::{Ident, LitBool, LitInt, LitStr, ext::IdentExt as _, parse::ParseStream};

use crate::value::{Key, string};

/// A string.
pub(super) fn text_of(key: &Key, input: ParseStream<'_>) -> syn::Result<LitStr> {
    if input.peek(LitStr) {
        return string(input);
    }
    let message = if input.peek(Ident::peek_any) {
        let word = input.fork().call(Ident::parse_any)?;
        format!("write it as a string: `\"{word}\"`")
    } else {
        format!("`{}` takes a string", key.name)
    };
    Err(input.error(message))
}

/// `true` or `false`.
pub(super) fn truth(key: &Key, input: ParseStream<'_>) -> syn::Result<bool> {
    if input.peek(LitBool) {
        return Ok(input.parse::<LitBool>()?.value);
    }
    Err(input.error(format!(
        "`{0}` takes `true` or `false`; for a claim of this name write `\"{0}\" = …`",
        key.name
    )))
}

/// Whole seconds.
pub(super) fn seconds(key: &Key, input: ParseStream<'_>) -> syn::Result<u32> {
    let seconds = input.fork().parse::<LitInt>().ok();
    match seconds.and_then(|number| number.base10_parse().ok()) {
        Some(seconds) => {
            input.parse::<LitInt>()?;
            Ok(seconds)
        }
        None => Err(input.error(format!(
            "`{0}` takes whole seconds, 0 to 4294967295; for a claim of this name write `\"{0}\" = …`",
            key.name
        ))),
    }
}
