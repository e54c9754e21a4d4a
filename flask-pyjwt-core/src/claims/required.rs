//! The claims that every token of an issuer must have, on any route.

use super::{ClaimNames, ExpectedClaim};
use crate::{
    error::Problem,
    json::{Json, Kind},
};

/// The claims that every token of an issuer must have.
#[derive(Debug, Clone, Default)]
pub(crate) struct Required {
    /// Claims, each with its requirement.
    pub(crate) claims: Vec<(String, ExpectedClaim)>,
    /// For each list, at least one of the claims must be present and not empty.
    pub(crate) any_of: Vec<Vec<String>>,
}

impl Required {
    /// Refuses requirements that no token could satisfy.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        for (name, expected) in &self.claims {
            match expected {
                ExpectedClaim::Path(_) | ExpectedClaim::PathOrText(_) => {
                    return Err(Problem::new(format!(
                        "requires the claim `{name}` to equal a route variable, but no route is known here"
                    )));
                }
                ExpectedClaim::OneOf(values) if values.is_empty() => {
                    return Err(Problem::new(format!(
                        "requires the claim `{name}` to be one of an empty list of values, so no token could be accepted"
                    )));
                }
                ExpectedClaim::All(items) | ExpectedClaim::Any(items) if items.is_empty() => {
                    return Err(Problem::new(format!(
                        "requires an item of the claim `{name}` but names none, so no token could be accepted"
                    )));
                }
                _ => {}
            }
        }
        if self.any_of.iter().any(Vec::is_empty) {
            return Err(Problem::new(
                "requires one claim of an empty list of claims",
            ));
        }
        Ok(())
    }

    /// Whether a claim is required to have a certain value.
    pub(crate) fn has_value_of(&self, name: &str) -> bool {
        let is_value = |expected: &ExpectedClaim| {
            matches!(expected, ExpectedClaim::Value(_) | ExpectedClaim::OneOf(_))
        };
        self.claims
            .iter()
            .any(|(known, expected)| known == name && is_value(expected))
    }

    /// Returns the first claim that does not satisfy its requirement. Of a list of which one is required, it is the
    /// first.
    pub(crate) fn unmet_by(&self, payload: Json<'_>, names: &ClaimNames) -> Option<&str> {
        let is_met = |(name, expected): &(String, ExpectedClaim)| {
            expected.is_met_by(names.find(payload, name)) == Some(true)
        };
        let has_content = |name: &String| {
            names
                .find(payload, name)
                .is_some_and(|claim| !is_empty(claim))
        };
        let unmet = self.claims.iter().find(|claim| !is_met(claim));
        let empty = || {
            let mut lists = self.any_of.iter();
            lists.find(|any| !any.iter().any(has_content))?.first()
        };
        let unmet = unmet.map(|(name, _)| name).or_else(empty);
        unmet.map(String::as_str)
    }
}

/// Whether the value of a claim is empty.
fn is_empty(claim: Json<'_>) -> bool {
    match claim.kind() {
        Kind::Null => true,
        Kind::String | Kind::EscapedString => claim.as_str().is_none_or(|text| text.is_empty()),
        Kind::Array => claim.items().next().is_none(),
        Kind::Object => claim.named().next().is_none(),
        Kind::True | Kind::False | Kind::Integer | Kind::Float => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn each_requirement_accepts_and_refuses_the_right_values() {
        let expect = |name: &str, expected: ExpectedClaim| Required {
            claims: vec![(name.to_owned(), expected)],
            any_of: Vec::new(),
        };
        let any_of = Required {
            claims: Vec::new(),
            any_of: vec![vec!["scp".to_owned(), "roles".to_owned()]],
        };
        for (required, payload, expected) in [
            (expect("a", "x".into()), r#"{"a":"x"}"#, true),
            (expect("a", "x".into()), r#"{"a":["x"]}"#, false),
            (expect("a", true.into()), r#"{"a":1}"#, false),
            (expect("a", ExpectedClaim::Present), r#"{"a":0}"#, true),
            (expect("a", ExpectedClaim::Present), r#"{"a":""}"#, true),
            (expect("a", ExpectedClaim::Present), r#"{"a":null}"#, false),
            (expect("a", ExpectedClaim::Present), r#"{"b":1}"#, false),
            (expect("a", ExpectedClaim::Absent), r#"{"b":1}"#, true),
            (expect("a", ExpectedClaim::Absent), r#"{"a":null}"#, false),
            (expect("a", ExpectedClaim::Absent), r#"{"\u0061":1}"#, false),
            (
                expect("a", ExpectedClaim::one_of(["x", "y"])),
                r#"{"a":"y"}"#,
                true,
            ),
            (
                expect("a", ExpectedClaim::one_of(["x", "y"])),
                r#"{"a":"x y"}"#,
                false,
            ),
            (
                expect("a", ExpectedClaim::one_of(["x", "y"])),
                r#"{"a":["x"]}"#,
                false,
            ),
            (expect("a", ExpectedClaim::one_of(["x"])), "{}", false),
            (
                expect("a", ExpectedClaim::one_of([1])),
                r#"{"a":1.0}"#,
                false,
            ),
            (
                expect("a", ExpectedClaim::contains("x")),
                r#"{"a":"w x"}"#,
                true,
            ),
            (
                expect("a", ExpectedClaim::any(["x", "y"])),
                r#"{"a":["y"]}"#,
                true,
            ),
            (
                expect("a", ExpectedClaim::all(["x", "y"])),
                r#"{"a":["y"]}"#,
                false,
            ),
            (any_of.clone(), r#"{"scp":"read"}"#, true),
            (any_of.clone(), r#"{"roles":["admin"]}"#, true),
            (any_of.clone(), r#"{"scp":"","roles":["admin"]}"#, true),
            (any_of.clone(), r#"{"scp":"","roles":[]}"#, false),
            (any_of.clone(), r#"{"scp":null,"roles":{}}"#, false),
            (any_of, r#"{"sub":"alice"}"#, false),
        ] {
            assert!(required.check().is_ok());
            let payload = Document::object(payload.to_owned()).expect("valid JSON");
            let is_met = required
                .unmet_by(payload.root(), &ClaimNames::default())
                .is_none();
            assert_eq!(is_met, expected, "{required:?}");
        }
    }

    #[test]
    fn requirements_that_no_token_can_satisfy_are_refused_at_start() {
        let none: [&str; 0] = [];
        for expected in [
            ExpectedClaim::Path("id".to_owned()),
            ExpectedClaim::PathOrText("id".to_owned()),
            ExpectedClaim::one_of(none),
            ExpectedClaim::all(none),
            ExpectedClaim::any(none),
        ] {
            let claims = vec![("a".to_owned(), expected)];
            let any_of = Vec::new();
            assert!(Required { claims, any_of }.check().is_err());
        }
        let (claims, any_of) = (Vec::new(), vec![Vec::new()]);
        assert!(Required { claims, any_of }.check().is_err());
    }
}
