//! A token that satisfies all guards of a route.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    super::forge::{Forgery, Signer},
    visit::certificate,
};
use crate::{
    claims::ExpectedClaim,
    manager::AuthManager,
    rules::{AcrValues, Requirement, TokenLocation},
    token::{Token, TokenType},
    web::Told,
};

/// The subject of the audit's tokens, where nothing else is required.
pub(super) const SUBJECT: &str = "audited";

/// The token, and what the guards want to know of it.
pub(super) struct Good {
    pub(super) manager: AuthManager,
    /// What the manager has minted, before the claims of the route.
    pub(super) minted: Token,
    pub(super) forgery: Forgery,
    pub(super) signed: String,
    /// Of the innermost guard.
    pub(super) requirement: Requirement,
    pub(super) places: Vec<TokenLocation>,
}

impl Good {
    /// Makes the token. The error says why there is none.
    pub(super) async fn new(
        guards: &[Told],
        variables: &BTreeMap<String, String>,
        subject: &str,
        mut claims: Map<String, Value>,
    ) -> Result<Self, String> {
        let Some(innermost) = guards.last() else {
            return Err("no guard was asked".to_owned());
        };
        let Some(manager) = innermost.manager.clone() else {
            return Err("the application has no `AuthManager` in its app data".to_owned());
        };
        let requirement = innermost.requirement.clone();
        if !requirement.issuers.is_empty()
            && !requirement.issuers.iter().any(|it| it == manager.issuer())
        {
            return Err(
                "only tokens of other issuers are accepted, which the audit cannot sign".to_owned(),
            );
        }
        for guard in guards {
            satisfy(&guard.requirement, variables, &mut claims);
        }
        let is_bound = |guard: &Told| guard.requirement.bound;
        if manager.parts().require_bound || guards.iter().any(is_bound) {
            let own = certificate().thumbprint();
            claims.insert("cnf".to_owned(), json!({"x5t#S256": own}));
        }
        let subject = match claims.get("sub") {
            Some(Value::String(subject)) => subject.clone(),
            Some(other) => other.to_string(),
            None => subject.to_owned(),
        };
        let minted = mint(&manager, requirement.token_type, &subject).await?;
        let mut forgery = Forgery::of(&minted);
        forgery.claims.append(&mut claims);
        let signed = forgery.sign(&manager, Signer::Manager);
        let signed = signed.ok_or("the manager has no key that signs")?;
        Ok(Self {
            places: innermost.places.clone(),
            manager,
            minted,
            forgery,
            signed,
            requirement,
        })
    }
}

/// A token of a session where the manager keeps sessions.
async fn mint(
    manager: &AuthManager,
    token_type: TokenType,
    subject: &str,
) -> Result<Token, String> {
    let minted = if manager.parts().sessions.is_some() {
        let pair = manager.login(subject).await;
        let pair = pair.map_err(|error| format!("no session was opened: {error}"))?;
        return Ok(match token_type {
            TokenType::Auth => pair.auth,
            TokenType::Refresh => pair.refresh,
        });
    } else if token_type == TokenType::Auth {
        manager.auth_token(subject).sign()
    } else {
        manager.refresh_token(subject).sign()
    };
    minted.map_err(|error| format!("no token was minted: {error}"))
}

/// Adds the claims that a guard requires.
fn satisfy(
    requirement: &Requirement,
    variables: &BTreeMap<String, String>,
    claims: &mut Map<String, Value>,
) {
    let acr = requirement.freshness.acr.as_ref().map(AcrValues::as_slice);
    if let Some([preferred, ..]) = acr {
        let before = claims.get("acr").and_then(Value::as_str);
        let is_accepted = |before| acr.is_some_and(|acr| acr.iter().any(|it| it == before));
        if !before.is_some_and(is_accepted) {
            claims.insert("acr".to_owned(), json!(preferred));
        }
    }
    let scope = requirement.scope.iter().map(|expected| ("scope", expected));
    let named = requirement.claims.iter();
    let named = named.map(|(name, expected)| (name.as_str(), expected));
    for (name, expected) in named.chain(scope) {
        if let Some(value) = value_of(expected, variables) {
            match claims.get_mut(name) {
                Some(before) => merge(before, value, expected),
                None => drop(claims.insert(name.to_owned(), value)),
            }
        }
    }
}

/// Two guards can require members of one object, or items of one list.
fn merge(before: &mut Value, value: Value, expected: &ExpectedClaim) {
    let has_items = matches!(expected, ExpectedClaim::All(_) | ExpectedClaim::Any(_));
    match (before, value) {
        (Value::Object(before), Value::Object(value)) => before.extend(value),
        (Value::String(before), Value::String(value)) if has_items => {
            before.push(' ');
            before.push_str(&value);
        }
        (before, value) => *before = value,
    }
}

/// A value that is accepted.
pub(super) fn value_of(
    expected: &ExpectedClaim,
    variables: &BTreeMap<String, String>,
) -> Option<Value> {
    Some(match expected {
        ExpectedClaim::Value(value) => value.clone(),
        ExpectedClaim::Path(name) => json!(variables.get(name)?),
        ExpectedClaim::PathOrText(text) => json!(variables.get(text).unwrap_or(text)),
        ExpectedClaim::All(items) => json!(items.join(" ")),
        ExpectedClaim::Any(items) => json!(items.first()?),
        ExpectedClaim::OneOf(values) => values.first()?.clone(),
        ExpectedClaim::Present => json!("present"),
        ExpectedClaim::Absent => return None,
    })
}
