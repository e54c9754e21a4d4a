//! What an issuer calls the claims that routes ask for.

use serde_json::{Map, Value};

use crate::token::Json;

/// Where a claim is in an issuer's tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A top-level member, whatever its name looks like.
    Member(String),
    /// Members inside each other.
    Path(Vec<String>),
}

/// Other names for claims, by the names that routes use.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClaimNames(Vec<(String, Place)>);

impl ClaimNames {
    /// Takes the claim `name` from another place: a member, or a JSON pointer (RFC 6901), which begins
    /// with `/`.
    pub(super) fn add(&mut self, name: String, place: &str) {
        let unescape = |part: &str| part.replace("~1", "/").replace("~0", "~");
        let place = match place.strip_prefix('/') {
            Some(path) => Place::Path(path.split('/').map(unescape).collect()),
            None => Place::Member(place.to_owned()),
        };
        self.0.retain(|(own, _)| *own != name);
        self.0.push((name, place));
    }

    /// The names that are taken from other places.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    fn place(&self, name: &str) -> Option<&Place> {
        let place = self.0.iter().find(|(own, _)| own == name);
        place.map(|(_, place)| place)
    }

    /// Whether a claim is taken from another place.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.place(name).is_some()
    }

    /// The claim of this name in a payload.
    pub(crate) fn find<'a>(&self, payload: Json<'a>, name: &str) -> Option<Json<'a>> {
        match self.place(name) {
            None => payload.member(name),
            Some(Place::Member(member)) => payload.member(member),
            Some(Place::Path(path)) => path
                .iter()
                .try_fold(payload, |value, member| value.member(member)),
        }
    }

    /// The same among owned claims.
    pub(crate) fn find_value<'a>(
        &self,
        claims: &'a Map<String, Value>,
        name: &str,
    ) -> Option<&'a Value> {
        match self.place(name) {
            None => claims.get(name),
            Some(Place::Member(member)) => claims.get(member),
            Some(Place::Path(path)) => {
                let (first, rest) = path.split_first()?;
                rest.iter()
                    .try_fold(claims.get(first)?, |value, member| value.get(member))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::Document;

    #[test]
    fn a_claim_is_found_by_the_name_that_the_issuer_gives_it() {
        let text =
            r#"{"scp":"a","scope":"b","https://x/roles":["c"],"realm":{"ro/les":["d"],"~":1}}"#;
        let document = Document::object(text.to_owned()).expect("valid JSON");
        let mut names = ClaimNames::default();
        names.add("scope".to_owned(), "scp");
        names.add("roles".to_owned(), "https://x/roles");
        names.add("realm_roles".to_owned(), "/realm/ro~1les");
        names.add("tilde".to_owned(), "/realm/~0");
        names.add("gone".to_owned(), "/realm/x/y");
        for (name, expected) in [
            ("scope", Some(r#""a""#)),
            ("scp", Some(r#""a""#)),
            ("roles", Some(r#"["c"]"#)),
            ("realm_roles", Some(r#"["d"]"#)),
            ("tilde", Some("1")),
            ("gone", None),
            ("none", None),
        ] {
            let expected: Option<Value> =
                expected.map(|text| serde_json::from_str(text).expect("JSON"));
            let found = names.find(document.root(), name).map(Json::to_value);
            assert_eq!(found, expected, "{name}");
            let claims = document.to_map();
            assert_eq!(names.find_value(&claims, name), expected.as_ref(), "{name}");
        }
    }
}
