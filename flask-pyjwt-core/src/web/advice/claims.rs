//! Advice about claims: what the route requires, and what kind of value the token has.

use std::borrow::Cow;

use serde_json::Value;

use super::super::{known::Known, request_state::Unfit, shown::shown};
use crate::{
    claims::ExpectedClaim,
    json::{Json, Kind},
    rules::is_one_edit_away,
};

/// A claim is not what the route requires.
pub(super) fn not_met(name: &str, known: Known<'_>) -> String {
    let claim = known.token.and_then(|token| token.member(name));
    let Some(expected) = known.asked.and_then(|asked| {
        let claims = asked.requirement.claims.iter();
        let mut unmet =
            claims.filter(|(own, expected)| own == name && expected.is_met_by(claim) != Some(true));
        unmet.next().map(|(_, expected)| expected)
    }) else {
        return format!("the claim `{name}` is not what is required: mint a token that has it");
    };
    let expected = &*resolved(expected, known);
    let has = if name == "sub" && is_of_route(expected) && claim.is_some() {
        "belongs to another subject".to_owned()
    } else {
        has(claim, expected)
    };
    let required = format!(
        "the route requires the claim `{name}` {}, and the token {has}",
        described(expected)
    );
    match expected {
        ExpectedClaim::Path(_) | ExpectedClaim::PathOrText(_) => format!(
            "{required}: ask for the path of the token's own value, or let other tokens pass with `override`"
        ),
        ExpectedClaim::Absent => format!("{required}: mint a token without it"),
        _ if claim.is_none() && is_in_scope(name, known) => format!(
            "{required}, but its `scope` has `{name}`: write `scope = {{\"{name}\": …}}` on the route, or mint with \
             `.claim(\"{name}\", …)`"
        ),
        _ => {
            let cure = mint(&claim_call(name, expected), known);
            match misspelt(name).filter(|_| claim.is_none()) {
                Some(option) => format!(
                    "{required}: {cure}, or write `{option}` on the route if `{name}` is a misspelt option"
                ),
                None => format!("{required}: {cure}"),
            }
        }
    }
}

/// The claims do not fit the handler's type.
pub(super) fn do_not_fit(known: Known<'_>) -> String {
    let detail = known.request.and_then(Unfit::of);
    let detail = detail.map_or_else(String::new, |detail| format!(", since {detail}"));
    format!(
        "the token is valid, and its claims do not fit the type `C` of the handler's `CurrentToken<C>`{detail}: mint \
         every claim that `C` has, with its type, or make the member an `Option`"
    )
}

/// The scope is not what the route requires.
pub(super) fn scope_not_met(known: Known<'_>) -> String {
    let scope = known.token.and_then(|token| token.member("scope"));
    let Some(expected) = known
        .asked
        .and_then(|asked| asked.requirement.scope.as_ref())
    else {
        return "the scope is not what is required: mint a token that has it with `.scope(…)`"
            .to_owned();
    };
    let expected = &*resolved(expected, known);
    let value = match expected {
        ExpectedClaim::Value(value) if value.is_string() => text(value),
        ExpectedClaim::Value(value) => format!("json!({})", text(value)),
        _ => "…".to_owned(),
    };
    format!(
        "the route requires the claim `scope` {}, and the token {}: {}",
        described(expected),
        has(scope, expected),
        mint(&format!("`.scope({value})`"), known)
    )
}

/// The scope lacks items.
pub(super) fn missing_scope(missing: &str, known: Known<'_>) -> String {
    let missing = shown(missing);
    format!(
        "the token's scope lacks `{missing}`, which the route requires: {}",
        mint(
            &format!("`.scope(\"{missing}\")`, beside what it has"),
            known
        )
    )
}

/// Whether the claim has to equal a variable of the route.
const fn is_of_route(expected: &ExpectedClaim) -> bool {
    matches!(
        expected,
        ExpectedClaim::Path(_) | ExpectedClaim::PathOrText(_)
    )
}

/// The options of `#[require_token]` whose misspelt names are claims. Of longer names, the macro says so.
const OPTIONS: [&str; 5] = ["issuer", "scope", "fresh", "max_age", "csrf"];

/// The option from which the name of a claim differs by one edit.
fn misspelt(name: &str) -> Option<&'static str> {
    OPTIONS
        .into_iter()
        .find(|option| *option != name && is_one_edit_away(name, option))
}

/// A text is a variable of the route only if the route has one of this name.
fn resolved<'a>(expected: &'a ExpectedClaim, known: Known<'_>) -> Cow<'a, ExpectedClaim> {
    match (expected, known.request) {
        (ExpectedClaim::PathOrText(text), Some(request)) => {
            let mut variables = request.match_info().iter();
            Cow::Owned(if variables.any(|(variable, _)| variable == text) {
                ExpectedClaim::Path(text.clone())
            } else {
                ExpectedClaim::Value(Value::from(text.as_str()))
            })
        }
        _ => Cow::Borrowed(expected),
    }
}

/// Who has to add it, and how.
fn mint(call: &str, known: Known<'_>) -> String {
    let is_own = match (known.manager, known.token) {
        (Some(manager), Some(token)) => token.iss() == manager.issuer(),
        _ => true,
    };
    if is_own {
        format!("mint it with {call}")
    } else {
        "the token's issuer has to set it".to_owned()
    }
}

/// The call of a builder that sets the claim.
fn claim_call(name: &str, expected: &ExpectedClaim) -> String {
    match expected {
        ExpectedClaim::Value(value) if !value.is_array() && !value.is_object() => {
            format!("`.claim(\"{name}\", {})`", text(value))
        }
        ExpectedClaim::Value(value) => format!("`.claim(\"{name}\", json!({}))`", text(value)),
        _ => format!("`.claim(\"{name}\", …)`"),
    }
}

/// Whether the claim `scope` is an object with a member of this name.
fn is_in_scope(name: &str, known: Known<'_>) -> bool {
    let scope = known.token.and_then(|token| token.member("scope"));
    scope.is_some_and(|scope| scope.kind() == Kind::Object && scope.member(name).is_some())
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

/// What the token has in its place: only the JSON type.
fn has(claim: Option<Json<'_>>, expected: &ExpectedClaim) -> String {
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
fn text(value: &Value) -> String {
    shown(&value.to_string())
}
