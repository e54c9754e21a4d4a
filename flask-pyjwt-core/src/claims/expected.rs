//! What one claim has to be.

use serde_json::Value;

use super::{items::has_items, matching::matches};
use crate::json::{Json, Kind};

/// What one claim has to be.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ExpectedClaim {
    /// This JSON value, of this very type.
    Value(Value),
    /// The value of the route's variable of this name. A route without it is a mistake: 500.
    Path(String),
    /// The route's variable of this name if there is one, else this text. A name that is one edit
    /// away from a variable's is taken for a mistake: 500.
    PathOrText(String),
    /// Every one of these items: words of a space-separated string, or elements of an array.
    All(Vec<String>),
    /// At least one of these items.
    Any(Vec<String>),
    /// One of these JSON values, of its very type.
    OneOf(Vec<Value>),
    /// Any value but `null`.
    Present,
    /// No value at all, not even `null`.
    Absent,
}

/// A plain value requires that very value.
impl<T: Into<Value>> From<T> for ExpectedClaim {
    fn from(value: T) -> Self {
        Self::Value(value.into())
    }
}

impl ExpectedClaim {
    /// This item: a word of a space-separated string, or an element of an array.
    #[must_use]
    pub fn contains(item: impl Into<String>) -> Self {
        Self::All(vec![item.into()])
    }

    /// Every one of these items. None at all are never found.
    #[must_use]
    pub fn all<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::All(items.into_iter().map(Into::into).collect())
    }

    /// At least one of these items.
    #[must_use]
    pub fn any<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::Any(items.into_iter().map(Into::into).collect())
    }

    /// One of these JSON values, of its very type. An empty list is never met.
    #[must_use]
    pub fn one_of<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::OneOf(values.into_iter().map(Into::into).collect())
    }

    /// Whether a claim is what is expected of it; `None` where only a route can tell.
    pub(crate) fn is_met_by(&self, claim: Option<Json<'_>>) -> Option<bool> {
        Some(match self {
            Self::Value(value) => claim.is_some_and(|claim| matches(value, claim)),
            Self::All(items) => has_items(claim, items, false),
            Self::Any(items) => has_items(claim, items, true),
            Self::OneOf(values) => {
                claim.is_some_and(|claim| values.iter().any(|value| matches(value, claim)))
            }
            Self::Present => claim.is_some_and(|claim| claim.kind() != Kind::Null),
            Self::Absent => claim.is_none(),
            Self::Path(_) | Self::PathOrText(_) => return None,
        })
    }
}
