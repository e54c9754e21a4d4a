//! Advice about claims: what the route requires, and what kind of value the token has.

use std::borrow::Cow;

use super::super::{
    claim_words::{has, other_acr, required, resolved, text},
    known::Known,
    request_state::Unfit,
    shown::shown,
};
use crate::{
    claims::ExpectedClaim,
    json::Kind,
    rules::{RouteVariables, is_one_edit_away},
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
    let expected = &*resolved_in(expected, known);
    let has = has(name, claim, expected);
    let required = format!("{}, and the token {has}", required(name, expected));
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
    let expected = &*resolved_in(expected, known);
    let value = match expected {
        ExpectedClaim::Value(value) if value.is_string() => text(value),
        ExpectedClaim::Value(value) => format!("json!({})", text(value)),
        _ => "…".to_owned(),
    };
    format!(
        "{}, and the token {}: {}",
        required("scope", expected),
        has("scope", scope, expected),
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

/// The login is of another authentication context class.
pub(super) fn acr_not_met(acr_values: &str, known: Known<'_>) -> String {
    let what_to_do = if is_own(known) {
        "send the user to such a login, and mint there with `LoginBuilder::acr` or `AuthTokenBuilder::acr`"
    } else {
        "the client has to ask the token's issuer for such a login, with the challenge's `acr_values`"
    };
    format!("{}: {what_to_do}", other_acr(acr_values))
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
fn resolved_in<'a>(expected: &'a ExpectedClaim, known: Known<'_>) -> Cow<'a, ExpectedClaim> {
    let route = known.request.map(RouteVariables::of);
    route.map_or(Cow::Borrowed(expected), |route| resolved(expected, &route))
}

/// Whether this server has minted the token, as far as is known.
fn is_own(known: Known<'_>) -> bool {
    match (known.manager, known.token) {
        (Some(manager), Some(token)) => token.iss() == manager.issuer(),
        _ => true,
    }
}

/// Who has to add it, and how.
fn mint(call: &str, known: Known<'_>) -> String {
    if is_own(known) {
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
