//! The authentication context classes that a login may have: the claim `acr`.

use crate::{claims::is_scope_token, token::Token};

/// The accepted values of the claim `acr` (OpenID Connect Core, section 2), in order of preference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AcrValues(Vec<String>);

impl AcrValues {
    /// Without a value, every token is refused.
    pub(crate) fn new(values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(values.into_iter().map(Into::into).collect())
    }

    pub(crate) fn as_slice(&self) -> &[String] {
        &self.0
    }

    /// The value of the challenge's parameter `acr_values` (RFC 9470, section 3).
    pub(crate) fn joined(&self) -> String {
        self.0.join(" ")
    }

    /// What is wrong with the values, if anything is: the end of a sentence.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        if self.0.is_empty() {
            Some("needs at least one value")
        } else if !self.0.iter().all(|value| is_scope_token(value)) {
            Some("takes values of printable ASCII characters, without blanks, `\"` and `\\`")
        } else {
            None
        }
    }

    /// Whether the claim `acr` of a token is one of the values. It has to be a string.
    pub(crate) fn are_met_by(&self, token: &Token) -> bool {
        let claim = token.member("acr");
        claim.is_some_and(|claim| self.0.iter().any(|value| claim.is_str(value)))
    }
}
