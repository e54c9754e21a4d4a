//! The names and texts that have a meaning of their own.

use syn::LitStr;

use crate::{nearest::nearest, value::Key};

/// Names with a meaning of their own; every other name is that of a claim.
const OPTIONS: [&str; 15] = [
    "token_type",
    "location",
    "cookie_name",
    "header_name",
    "issuer",
    "scope",
    "override",
    "optional",
    "bound",
    "fresh",
    "max_age",
    "acr",
    "csrf",
    "query_name",
    "crate",
];
/// Claims in use that are one edit away from `scope`, `crate` or `acr`. They need no quotes.
const CLAIMS_NEAR_OPTIONS: [&str; 8] = [
    "score", "rate", "create", "amr", "act", "acl", "acrs", "acct",
];

/// Options that are one word, without a value.
pub(crate) const WORDS: [&str; 2] = ["optional", "bound"];

/// What the first and the second positional argument can be.
pub(crate) const POSITIONAL: [(&str, &[&str]); 2] = [
    ("token_type", &["auth", "refresh"]),
    ("location", &["header", "cookies", "query", "websocket"]),
];

/// Whether this name is an option's. One that nearly is is an error.
pub(crate) fn is_option(key: &Key) -> syn::Result<bool> {
    let name = key.name.as_str();
    if OPTIONS.contains(&name) {
        return Ok(true);
    }
    if CLAIMS_NEAR_OPTIONS.contains(&name) {
        return Ok(false);
    }
    match nearest(name, OPTIONS) {
        None => Ok(false),
        Some(option) => Err(syn::Error::new(
            key.span,
            format!(
                "did you mean `{option}`? For a claim of this name, write it in quotes: `\"{name}\" = …`"
            ),
        )),
    }
}

/// Refuses any other text than these.
pub(crate) fn one_of(what: &str, texts: &[&str], text: &LitStr) -> syn::Result<()> {
    let value = text.value();
    if texts.contains(&value.as_str()) {
        return Ok(());
    }
    let of_another = || {
        POSITIONAL
            .iter()
            .find(|(_, texts)| texts.contains(&value.as_str()))
    };
    let hint = if let Some(near) = nearest(&value, texts.iter().copied()) {
        format!("; did you mean \"{near}\"?")
    } else if let Some((name, _)) = of_another() {
        format!("; for this write `{name} = \"{value}\"`")
    } else {
        String::new()
    };
    let quoted: Vec<_> = texts.iter().map(|text| format!("\"{text}\"")).collect();
    let (last, others) = quoted
        .split_last()
        .map_or(("", &[][..]), |(last, others)| (last.as_str(), others));
    let others = others.join(", ");
    Err(syn::Error::new(
        text.span(),
        format!("{what} is {others} or {last}{hint}"),
    ))
}

/// A token of RFC 9110, which a header's name is, and what RFC 6265 takes for a cookie's name.
pub(crate) fn is_token(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    #[test]
    fn every_name_is_a_claim_that_is_no_option_and_not_nearly_one() {
        for (name, expected) in [
            ("scope", Some(true)),
            ("crate", Some(true)),
            ("optional", Some(true)),
            ("role", Some(false)),
            ("type", Some(false)),
            ("sub", Some(false)),
            ("iss", Some(false)),
            ("aud", Some(false)),
            ("scp", Some(false)),
            ("roles", Some(false)),
            ("user", Some(false)),
            ("team", Some(false)),
            ("age", Some(false)),
            ("tenant", Some(false)),
            ("score", Some(false)),
            ("rate", Some(false)),
            ("create", Some(false)),
            ("amr", Some(false)),
            ("act", Some(false)),
            ("acrs", Some(false)),
            ("acr", Some(true)),
            ("arc", None),
            ("overrides", None),
            ("header_names", None),
            ("issuer", Some(true)),
            ("fresh", Some(true)),
            ("max_age", Some(true)),
            ("csrf", Some(true)),
            ("query_name", Some(true)),
            ("header_name", Some(true)),
            ("overide", None),
            ("tokentype", None),
            ("cookie_nmae", None),
            ("isuer", None),
            ("issuers", None),
            ("scop", None),
            ("scoep", None),
            ("scopes", None),
            ("fres", None),
            ("frseh", None),
            ("csfr", None),
            ("xsrf", None),
            ("max_aged", None),
            ("crat", None),
            ("crates", None),
        ] {
            let key = Key {
                name: name.to_owned(),
                span: Span::call_site(),
                quoted: false,
            };
            assert_eq!(is_option(&key).ok(), expected, "{name}");
        }
    }

    #[test]
    fn every_edit_of_every_option_is_an_error() {
        for option in OPTIONS {
            for at in 0..option.len() {
                let (start, rest) = option.split_at(at);
                let (first, end) = rest.split_at(1);
                let mut edits = vec![
                    format!("{start}{end}"),
                    format!("{start}x{end}"),
                    format!("{start}x{rest}"),
                    format!("{option}x"),
                ];
                if let Some(second) = end.get(..1).filter(|second| *second != first) {
                    edits.push(format!("{start}{second}{first}{}", &end[1..]));
                }
                edits.retain(|edit| edit != option); // an `x` for an `x`
                for name in edits {
                    let is_claim = CLAIMS_NEAR_OPTIONS.contains(&name.as_str());
                    let key = Key {
                        name,
                        span: Span::call_site(),
                        quoted: false,
                    };
                    let found = is_option(&key).map_err(|error| error.to_string());
                    if is_claim {
                        assert_eq!(found, Ok(false), "{}", key.name);
                    } else {
                        let message = found.expect_err(&key.name);
                        assert!(message.contains(option), "{}: {message}", key.name);
                    }
                }
            }
        }
    }

    #[test]
    fn a_cookie_name_is_a_token() {
        for (name, expected) in [
            ("auth_token", true),
            ("__Host-rt", true),
            ("a.b~c!", true),
            ("", false),
            ("a b", false),
            ("a;b", false),
            ("a=b", false),
            ("\"a\"", false),
            ("größe", false),
            ("a\n", false),
        ] {
            assert_eq!(is_token(name), expected, "{name:?}");
        }
    }
}
