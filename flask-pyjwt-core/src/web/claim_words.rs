//! Words for what a route requires of a claim, and for what a token has: of its values only the JSON type.

use std::borrow::Cow;

use serde_json::Value;

use super::shown::shown;
use crate::{
    claims::ExpectedClaim,
    json::{Json, Kind},
    rules::RouteVariables,
};

/// The requirement of a claim, as the beginning of a sentence.
pub(super) fn required(name: &str, expected: &ExpectedClaim) -> String {
    format!(
        "the route requires the claim `{name}` {}",
        described(expected)
    )
}

/// A login that is not as recent as the route requires.
pub(super) fn login_too_old(max_age: u32) -> Cow<'static, str> {
    if max_age == 0 {
        return "the route requires `fresh`, and the token is of a refresh or has no `auth_time`"
            .into();
    }
    format!(
        "the route requires a login of the last {max_age} seconds, and the token's is older or unknown"
    )
    .into()
}

/// A login of another authentication context class than the route requires.
pub(super) fn other_acr(acr_values: &str) -> String {
    format!(
        "the route requires the claim `acr` to be one of `{}`, and the token's is another or missing",
        shown(&acr_values.replace(' ', "`, `"))
    )
}

/// A text is a variable of the route only if the route has one of this name.
pub(super) fn resolved<'a>(
    expected: &'a ExpectedClaim,
    variables: &RouteVariables<'_>,
) -> Cow<'a, ExpectedClaim> {
    match expected {
        ExpectedClaim::PathOrText(text) if variables.has(text) => {
            Cow::Owned(ExpectedClaim::Path(text.clone()))
        }
        ExpectedClaim::PathOrText(text) => {
            Cow::Owned(ExpectedClaim::Value(Value::from(text.as_str())))
        }
        _ => Cow::Borrowed(expected),
    }
}

/// Whether the claim has to equal a variable of the route.
const fn is_of_route(expected: &ExpectedClaim) -> bool {
    matches!(
        expected,
        ExpectedClaim::Path(_) | ExpectedClaim::PathOrText(_)
    )
}

/// What the route's author has written, as the end of a sentence about the claim.
fn described(expected: &ExpectedClaim) -> String {
    let items = |items: &[String]| shown(&items.join("`, `"));
    match expected {
        ExpectedClaim::Value(value) if value.is_array() || value.is_object() => {
            format!("to have all of `{}`", text(value))
        }
        ExpectedClaim::Value(value) => format!("to be `{}`", text(value)),
        ExpectedClaim::Path(name) => format!("to equal the route's variable `{name}`"),
        ExpectedClaim::PathOrText(name) => {
            format!("to equal the route's variable `{name}`, or that text where the route has none")
        }
        ExpectedClaim::All(all) => format!("to contain `{}`", items(all)),
        ExpectedClaim::Any(any) => format!("to contain one of `{}`", items(any)),
        ExpectedClaim::OneOf(values) => {
            let values = values.iter().map(text).collect::<Vec<_>>();
            format!("to be one of `{}`", values.join("`, `"))
        }
        ExpectedClaim::Present => "to be there".to_owned(),
        ExpectedClaim::Absent => "not to be there".to_owned(),
    }
}

/// What the token has in place of what is required of the claim: only the JSON type.
pub(super) fn has(name: &str, claim: Option<Json<'_>>, expected: &ExpectedClaim) -> String {
    if name == "sub" && is_of_route(expected) && claim.is_some() {
        return "belongs to another subject".to_owned();
    }
    let Some(claim) = claim else {
        return "does not have it".to_owned();
    };
    let kind = type_of(claim.kind());
    if let ExpectedClaim::Absent = expected {
        return format!("has {kind} there");
    }
    let is_other = match expected {
        ExpectedClaim::Value(value) => type_of_value(value) == kind,
        ExpectedClaim::Present => false,
        _ => true,
    };
    let which = if is_other {
        ", but not the right one"
    } else {
        ""
    };
    format!("has {kind}{which}")
}

const fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "`null`",
        Kind::True | Kind::False => "a boolean",
        Kind::Integer | Kind::Float => "a number",
        Kind::String | Kind::EscapedString => "a string",
        Kind::Array => "an array",
        Kind::Object => "an object",
    }
}

fn type_of_value(value: &Value) -> &'static str {
    type_of(match value {
        Value::Null => Kind::Null,
        Value::Bool(_) => Kind::True,
        Value::Number(_) => Kind::Integer,
        Value::String(_) => Kind::String,
        Value::Array(_) => Kind::Array,
        Value::Object(_) => Kind::Object,
    })
}

/// A value that the route's author has written.
pub(super) fn text(value: &Value) -> String {
    shown(&value.to_string())
}
