//! From the arguments of `#[require_token]` to a guard.

use flask_pyjwt::{ExpectedClaim, RequireToken};
use flask_pyjwt_grammar::{Args, Errors, Expected, Key, Value as Written};
use serde_json::{Map, Value};
use syn::LitStr;

use crate::terminal;

/// The options about requests. An explanation has no request.
const IGNORED: [&str; 6] = [
    "location",
    "cookie_name",
    "header_name",
    "query_name",
    "csrf",
    "crate",
];

/// A guard, and what should be said about how the arguments were understood.
pub(super) struct Required {
    pub(super) guard: RequireToken,
    pub(super) notes: Vec<String>,
}

/// The guard that these arguments describe, on a route with these variables.
pub(super) fn of(args: &Args, variables: &[(String, String)]) -> syn::Result<Required> {
    let mut reader = Reader {
        variables,
        errors: Errors::default(),
        notes: ignored(args),
    };
    let mut guard = if args.token_type.as_deref() == Some("refresh") {
        RequireToken::refresh()
    } else {
        RequireToken::auth()
    };
    if let Some(issuers) = &args.issuers {
        guard = guard.issuer(issuers.as_slice());
    }
    for (key, expected) in &args.claims {
        guard = guard.expect_claim(&key.name, reader.expected(key, expected));
    }
    if let Some(scope) = &args.scope {
        guard = guard.expect_scope(reader.expected(&Key::unquoted("scope"), scope));
    }
    if let Some(claims) = &args.override_claims {
        guard = guard.override_claims(object(claims));
    }
    if let Some(values) = &args.acr {
        guard = guard.acr(values);
    }
    if let Some(seconds) = args.max_age {
        guard = guard.max_age(seconds);
    }
    guard = guard
        .fresh(args.fresh)
        .bound(args.is_bound())
        .optional(args.is_optional());
    reader.errors.finish()?;
    Ok(Required {
        guard,
        notes: reader.notes,
    })
}

/// Says which of the arguments do not matter here.
fn ignored(args: &Args) -> Vec<String> {
    let given: Vec<_> = IGNORED
        .into_iter()
        .filter(|name| args.is_given(name))
        .map(|name| format!("`{name}`"))
        .collect();
    if given.is_empty() {
        return Vec::new();
    }
    let verb = if given.len() == 1 { "is" } else { "are" };
    vec![format!(
        "{} {verb} ignored: a token is explained, and not a request",
        given.join(", ")
    )]
}

struct Reader<'a> {
    variables: &'a [(String, String)],
    errors: Errors,
    notes: Vec<String>,
}

impl Reader<'_> {
    /// What a claim has to be.
    fn expected(&mut self, key: &Key, expected: &Expected) -> ExpectedClaim {
        if let Err(error) = expected.check_not_empty(key) {
            self.errors.push(error);
        }
        let text = |text: &LitStr| ExpectedClaim::Value(text.value().into());
        match expected {
            Expected::Value(value) => ExpectedClaim::Value(json(value)),
            Expected::Literal(literal) => text(literal),
            Expected::All(items) => ExpectedClaim::all(items.iter().map(LitStr::value)),
            Expected::Any(items) => ExpectedClaim::any(items.iter().map(LitStr::value)),
            Expected::Path(name) | Expected::OuterPath(name) => {
                if !self.is_variable(name) && !name.value().is_empty() {
                    let name_text = name.value();
                    let message = format!(
                        "the variable `{name_text}` has no value: add `--path {name_text}=…`"
                    );
                    self.errors.at(name.span(), message);
                }
                ExpectedClaim::Path(name.value())
            }
            Expected::Bare(name) if self.is_variable(name) => ExpectedClaim::Path(name.value()),
            Expected::Bare(subject) if key.name == "sub" => {
                let subject_text = terminal::escaped_line(&subject.value());
                self.notes.push(format!(
                    "`sub` is compared with the text `{subject_text}`, because `--path` has no such variable: in the \
                     attribute, write `sub = literal(\"{subject_text}\")`"
                ));
                text(subject)
            }
            // No variable has an empty name.
            Expected::Bare(empty) if empty.value().is_empty() => text(empty),
            // This text, unless a variable differs from it by one slip: then a guard refuses every token.
            Expected::Bare(name) => ExpectedClaim::PathOrText(name.value()),
        }
    }

    fn is_variable(&self, name: &LitStr) -> bool {
        let name = name.value();
        self.variables.iter().any(|(variable, _)| *variable == name)
    }
}

fn json(value: &Written) -> Value {
    match value {
        Written::Null => Value::Null,
        Written::Bool(truth) => Value::Bool(*truth),
        Written::Negative(number) => Value::from(*number),
        Written::Integer(number) => Value::from(*number),
        Written::Float(number) => Value::from(*number),
        Written::Text(text) => Value::from(text.as_str()),
        Written::Array(items) => items.iter().map(json).collect(),
        Written::Object(members) => object(members).into(),
    }
}

fn object(members: &[(Key, Written)]) -> Map<String, Value> {
    let members = members.iter();
    members
        .map(|(key, value)| (key.name.clone(), json(value)))
        .collect()
}
