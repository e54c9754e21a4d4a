//! Who may enter, in a sentence for people.

use serde_json::Value;

use crate::{claims::ExpectedClaim, rules::Requirement, token::TokenType};

/// Such as "Needs an auth token whose subject is the `username` of the path, or one with `admin`: true."
pub(super) fn who_may_enter(requirement: &Requirement) -> String {
    let kind = match requirement.token_type {
        TokenType::Auth => "an auth token",
        TokenType::Refresh => "a refresh token",
    };
    let begin = if requirement.optional {
        "A token is optional. One that is sent has to be"
    } else {
        "Needs"
    };
    let issuers: Vec<_> = requirement
        .issuers
        .iter()
        .map(|it| format!("`{it}`"))
        .collect();
    let issuers = after(" of ", &issuers, "or");
    let claims = requirement.claims.iter().map(|it| claim(&it.0, &it.1));
    let scope = requirement.scope.iter().map(|scope| claim("scope", scope));
    let rules: Vec<_> = claims.chain(scope).collect();
    let rules = after(" whose ", &rules, "and whose");
    let others = requirement.override_claims.iter().flatten();
    let others: Vec<_> = others
        .map(|(name, value)| format!("`{name}`: {value}"))
        .collect();
    let others = after(", or one with ", &others, "and");
    let login = if requirement.freshness.login {
        " It has to be the token of the login itself, and not of a refresh."
    } else {
        ""
    };
    let max_age = requirement
        .freshness
        .max_age
        .map_or_else(String::new, |seconds| {
            format!(" The login has to be at most {seconds} seconds ago.")
        });
    let bound = if requirement.bound {
        " It has to be bound to a key or certificate of the client, who proves that with each request."
    } else {
        ""
    };
    let acr = requirement
        .freshness
        .acr
        .as_ref()
        .map_or_else(String::new, |acr| {
            let values: Vec<_> = acr.as_slice().iter().map(|it| format!("`{it}`")).collect();
            format!(
                " The `acr` of the login has to be {}.",
                listed(&values, "or")
            )
        });
    format!("{begin} {kind}{issuers}{rules}{others}.{acr}{login}{max_age}{bound}")
}

/// The items in words after this beginning, if there are any.
fn after(beginning: &str, items: &[String], last: &str) -> String {
    if items.is_empty() {
        return String::new();
    }
    format!("{beginning}{}", listed(items, last))
}

fn claim(name: &str, expected: &ExpectedClaim) -> String {
    let name = match name {
        "sub" => "subject".to_owned(),
        "scope" => name.to_owned(),
        name => format!("`{name}`"),
    };
    let items = |items: &[String], last| {
        let items: Vec<_> = items.iter().map(|it| format!("`{it}`")).collect();
        listed(&items, last)
    };
    match expected {
        ExpectedClaim::Value(Value::String(text)) | ExpectedClaim::PathOrText(text) => {
            format!("{name} is \"{text}\"")
        }
        ExpectedClaim::Value(value @ (Value::Object(_) | Value::Array(_))) => {
            format!("{name} has all of `{value}`")
        }
        ExpectedClaim::Value(value) => format!("{name} is {value}"),
        ExpectedClaim::Path(variable) => format!("{name} is the `{variable}` of the path"),
        ExpectedClaim::All(all) => format!("{name} contains {}", items(all, "and")),
        ExpectedClaim::Any(any) => format!("{name} contains {}", items(any, "or")),
        ExpectedClaim::OneOf(values) => {
            let values: Vec<_> = values.iter().map(Value::to_string).collect();
            format!("{name} is {}", listed(&values, "or"))
        }
        ExpectedClaim::Present => format!("{name} is there"),
        ExpectedClaim::Absent => format!("{name} is not there"),
    }
}

/// `a, b and c`.
fn listed(items: &[String], last: &str) -> String {
    match items {
        [] => "nothing".to_owned(),
        [only] => only.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_rule_has_its_words() {
        let auth = || Requirement::new(TokenType::Auth);
        let path = |name: &str| ExpectedClaim::Path(name.to_owned());
        let admin = || {
            json!({"admin": true})
                .as_object()
                .cloned()
                .unwrap_or_default()
        };
        for (requirement, expected) in [
            (auth(), "Needs an auth token."),
            (
                Requirement::new(TokenType::Refresh),
                "Needs a refresh token.",
            ),
            (
                auth().bound(true),
                "Needs an auth token. It has to be bound to a key or certificate of the client, who proves that with \
                 each request.",
            ),
            (
                auth().optional(true),
                "A token is optional. One that is sent has to be an auth token.",
            ),
            (
                auth()
                    .claim("sub", path("username"))
                    .override_claims(admin()),
                "Needs an auth token whose subject is the `username` of the path, or one with `admin`: true.",
            ),
            (
                auth()
                    .claim("role", "editor".into())
                    .claim("team", 7.into()),
                "Needs an auth token whose `role` is \"editor\" and whose `team` is 7.",
            ),
            (
                auth().expect_scope(ExpectedClaim::all(["a", "b", "c"])),
                "Needs an auth token whose scope contains `a`, `b` and `c`.",
            ),
            (
                auth().expect_scope(ExpectedClaim::any(["a", "b"])),
                "Needs an auth token whose scope contains `a` or `b`.",
            ),
            (
                auth().scope(json!({"admin": true})),
                "Needs an auth token whose scope has all of `{\"admin\":true}`.",
            ),
            (
                auth()
                    .issuer(["https://a.example", "b"])
                    .fresh(true)
                    .max_age(60),
                "Needs an auth token of `https://a.example` or `b`. It has to be the token of the login itself, and \
                 not of a refresh. The login has to be at most 60 seconds ago.",
            ),
            (
                auth().acr(["urn:mfa", "urn:hwk"]).max_age(60),
                "Needs an auth token. The `acr` of the login has to be `urn:mfa` or `urn:hwk`. The login has to be at \
                 most 60 seconds ago.",
            ),
        ] {
            assert_eq!(who_may_enter(&requirement), expected);
        }
    }
}
