//! A requirement in the words of the attribute.

use serde_json::Value;

use crate::{
    claims::ExpectedClaim,
    rules::{AcrValues, Requirement, TokenLocation},
};

/// Who may enter, in the grammar of `#[require_token(…)]`: `auth; sub = path("username") or override = {"admin":true}`.
pub(super) fn written(requirement: &Requirement, places: &[TokenLocation]) -> String {
    let mut parts = vec![requirement.token_type.name().to_owned()];
    if requirement.optional {
        parts.push("optional".to_owned());
    }
    if requirement.bound {
        parts.push("bound".to_owned());
    }
    let mut rules: Vec<_> = requirement
        .claims
        .iter()
        .map(|(name, expected)| format!("{} = {}", claim_name(name), value(expected)))
        .collect();
    if let Some(scope) = &requirement.scope {
        rules.push(format!("scope = {}", value(scope)));
    }
    let mut rules = rules.join(", ");
    if let Some(claims) = &requirement.override_claims {
        let claims = Value::Object(claims.clone());
        rules = if rules.is_empty() {
            format!("override = {claims}")
        } else {
            format!("{rules}, override = {claims}")
        };
    }
    if !rules.is_empty() {
        parts.push(rules);
    }
    match requirement.freshness.acr.as_ref().map(AcrValues::as_slice) {
        None => {}
        Some([value]) => parts.push(format!("acr = {value:?}")),
        Some(values) => parts.push(format!("acr = any({})", list(values))),
    }
    if requirement.freshness.login {
        parts.push("fresh = true".to_owned());
    }
    if let Some(max_age) = requirement.freshness.max_age {
        parts.push(format!("max_age = {max_age}"));
    }
    match &*requirement.issuers {
        [] => {}
        [issuer] => parts.push(format!("issuer = {issuer:?}")),
        issuers => parts.push(format!("issuer = {issuers:?}")),
    }
    if places != [TokenLocation::Header] {
        let places: Vec<_> = places.iter().map(place).collect();
        parts.push(format!("in {}", places.join(", ")));
    }
    let has_cookie =
        |it: &TokenLocation| matches!(it, TokenLocation::DefaultCookie | TokenLocation::Cookie(_));
    if !requirement.csrf && places.iter().any(has_cookie) {
        parts.push("csrf = false".to_owned());
    }
    parts.join("; ")
}

fn claim_name(name: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || it == '_';
    if !name.is_empty() && name.chars().all(is_plain) {
        name.to_owned()
    } else {
        format!("{name:?}")
    }
}

fn list(values: &[String]) -> String {
    let values: Vec<_> = values.iter().map(|it| format!("{it:?}")).collect();
    values.join(", ")
}

fn value(expected: &ExpectedClaim) -> String {
    match expected {
        ExpectedClaim::Value(value) => value.to_string(),
        ExpectedClaim::Path(variable) => format!("path({variable:?})"),
        ExpectedClaim::PathOrText(text) => format!("{text:?}"),
        ExpectedClaim::All(items) if items.len() == 1 => format!("contains({})", list(items)),
        ExpectedClaim::All(items) => format!("all({})", list(items)),
        ExpectedClaim::Any(items) => format!("any({})", list(items)),
        ExpectedClaim::OneOf(values) => {
            let values: Vec<_> = values.iter().map(Value::to_string).collect();
            format!("one_of({})", values.join(", "))
        }
        ExpectedClaim::Present => "present".to_owned(),
        ExpectedClaim::Absent => "absent".to_owned(),
    }
}

fn place(place: &TokenLocation) -> String {
    match place {
        TokenLocation::Header => "header".to_owned(),
        TokenLocation::NamedHeader(name) => format!("header {name:?}"),
        TokenLocation::DefaultCookie => "cookies".to_owned(),
        TokenLocation::Cookie(name) => format!("cookie {name:?}"),
        TokenLocation::Query(name) => format!("query {name:?}"),
        TokenLocation::WebSocket => "websocket".to_owned(),
    }
}
