//! Claims that an issuer keeps under other names.

use serde_json::{Map, Value};

use crate::json::{Json, Kind};

/// Where the tokens of an issuer keep a claim, for [`Issuer::map_claim`](crate::Issuer::map_claim).
///
/// A place is the name of another claim, or a JSON pointer (RFC 6901) if it begins with `/`. A list
/// of places is searched in order, and the first one that exists counts.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::ClaimPlaces;
///
/// let scope = ClaimPlaces::from("scp");
/// let roles = ClaimPlaces::from(["/realm_access/roles", "roles"]);
/// # drop((scope, roles));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimPlaces(Vec<Place>);

/// One place at which a claim may be.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A top-level member with this name.
    Member(String),
    /// Nested members.
    Path(Vec<String>),
}

impl Place {
    fn parse(place: &str) -> Self {
        let unescape = |part: &str| part.replace("~1", "/").replace("~0", "~");
        match place.strip_prefix('/') {
            Some(path) => Self::Path(path.split('/').map(unescape).collect()),
            None => Self::Member(place.to_owned()),
        }
    }

    fn find<'a>(&self, payload: Json<'a>) -> Option<Json<'a>> {
        match self {
            Self::Member(member) => payload.member(member),
            Self::Path(path) => path
                .iter()
                .try_fold(payload, |value, member| value.member(member)),
        }
    }

    fn find_value<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Value> {
        match self {
            Self::Member(member) => claims.get(member),
            Self::Path(path) => {
                let (first, rest) = path.split_first()?;
                rest.iter()
                    .try_fold(claims.get(first)?, |value, member| value.get(member))
            }
        }
    }
}

impl ClaimPlaces {
    fn of<T: AsRef<str>>(places: impl IntoIterator<Item = T>) -> Self {
        let places = places.into_iter();
        Self(places.map(|place| Place::parse(place.as_ref())).collect())
    }
}

impl From<&str> for ClaimPlaces {
    fn from(place: &str) -> Self {
        Self::of([place])
    }
}

impl From<String> for ClaimPlaces {
    fn from(place: String) -> Self {
        Self::of([place])
    }
}

impl From<&String> for ClaimPlaces {
    fn from(place: &String) -> Self {
        Self::of([place])
    }
}

impl<T: AsRef<str>, const N: usize> From<[T; N]> for ClaimPlaces {
    fn from(places: [T; N]) -> Self {
        Self::of(places)
    }
}

impl<T: AsRef<str>> From<&[T]> for ClaimPlaces {
    fn from(places: &[T]) -> Self {
        Self::of(places)
    }
}

impl<T: AsRef<str>> From<Vec<T>> for ClaimPlaces {
    fn from(places: Vec<T>) -> Self {
        Self::of(places)
    }
}

/// For each claim with another name: the name that routes use, and its places.
#[derive(Debug, Clone, Default)]
pub(crate) struct ClaimNames(Vec<(String, ClaimPlaces)>);

impl ClaimNames {
    /// Adds the places of the claim `name`. Replaces earlier ones.
    pub(crate) fn add(&mut self, name: String, places: ClaimPlaces) {
        self.0.retain(|(known, _)| *known != name);
        self.0.push((name, places));
    }

    /// A claim with an empty list of places, if there is one.
    pub(crate) fn without_place(&self) -> Option<&str> {
        let empty = self.0.iter().find(|(_, places)| places.0.is_empty());
        empty.map(|(name, _)| name.as_str())
    }

    /// The claims that are kept under other names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    fn places(&self, name: &str) -> Option<&[Place]> {
        let places = self.0.iter().find(|(known, _)| known == name);
        places.map(|(_, places)| &*places.0)
    }

    /// Whether a claim is kept under another name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.places(name).is_some()
    }

    /// Finds a claim in a payload. `null` counts as absent if a later place has a value.
    pub(crate) fn find<'a>(&self, payload: Json<'a>, name: &str) -> Option<Json<'a>> {
        let Some(places) = self.places(name) else {
            return payload.member(name);
        };
        let mut null = None;
        for found in places.iter().filter_map(|place| place.find(payload)) {
            if found.kind() != Kind::Null {
                return Some(found);
            }
            null = Some(found);
        }
        null
    }

    /// Finds a claim in an owned map.
    pub(crate) fn find_value<'a>(
        &self,
        claims: &'a Map<String, Value>,
        name: &str,
    ) -> Option<&'a Value> {
        let Some(places) = self.places(name) else {
            return claims.get(name);
        };
        let mut null = None;
        for found in places.iter().filter_map(|place| place.find_value(claims)) {
            if !found.is_null() {
                return Some(found);
            }
            null = Some(found);
        }
        null
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn a_claim_is_found_under_the_name_that_the_issuer_uses() {
        let text = r#"{"scp":"a","scope":"b","https://x/roles":["c"],"realm":{"ro/les":["d"],"~":1},"nothing":null}"#;
        let document = Document::object(text.to_owned()).expect("valid JSON");
        let mut names = ClaimNames::default();
        names.add("scope".to_owned(), "scp".into());
        names.add("roles".to_owned(), "https://x/roles".into());
        names.add("realm_roles".to_owned(), "/realm/ro~1les".into());
        names.add("tilde".to_owned(), "/realm/~0".into());
        names.add("gone".to_owned(), "/realm/x/y".into());
        names.add("first".to_owned(), ["gone", "scp", "scope"].into());
        names.add(
            "later".to_owned(),
            vec!["nothing", "/realm/x", "scope"].into(),
        );
        names.add("past_null".to_owned(), ["nothing", "/realm/~0"].into());
        names.add("only_null".to_owned(), ["gone", "nothing"].into());
        for (name, expected) in [
            ("scope", Some(r#""a""#)),
            ("scp", Some(r#""a""#)),
            ("roles", Some(r#"["c"]"#)),
            ("realm_roles", Some(r#"["d"]"#)),
            ("tilde", Some("1")),
            ("gone", None),
            ("none", None),
            ("first", Some(r#""a""#)),
            ("later", Some(r#""b""#)),
            ("past_null", Some("1")),
            ("only_null", Some("null")),
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
