//! `Explanation`: why a token passes a guard, or does not.

use std::fmt::{self, Display, Formatter};

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use super::Rejection;

/// Why a token passes a guard or does not, rule by rule, from [`AuthManager::explain`](crate::AuthManager::explain).
///
/// `Display` writes one line for each rule. The texts say what the route requires. Of the token they have the JSON types
/// of its claims and the items that are missing, and never a value, so they can be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    pub(super) rules: Vec<ExplainedRule>,
    pub(super) refused: Option<Rejection>,
}

/// One rule of an [`Explanation`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExplainedRule {
    #[serde(rename = "rule")]
    name: String,
    outcome: RuleOutcome,
    text: String,
}

/// Whether a rule holds for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum RuleOutcome {
    /// The token keeps the rule.
    Holds,
    /// The token breaks the rule, or it could not be asked whether it does. A guard refuses the token.
    Fails,
    /// The rule did not matter, because of another one or of the configuration.
    Skipped,
}

impl Explanation {
    /// The target of the `tracing` event with the explanation of a refusal, at the level `DEBUG`.
    ///
    /// A guard logs it beside the event of [`Rejection::EVENT_TARGET`] if a claim, the scope or the age of the login is not
    /// what the route requires. It has the rules of the route, and not those about sessions.
    pub const EVENT_TARGET: &str = "flask_pyjwt::explained";

    /// Whether a guard accepts the token.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.refused.is_none()
    }

    /// What a guard would refuse the token with.
    #[must_use]
    pub fn rejection(&self) -> Option<&Rejection> {
        self.refused.as_ref()
    }

    /// The rules, in the order in which a guard decides.
    ///
    /// | name | rule |
    /// | --- | --- |
    /// | `signature` | the form of the token, and its signature |
    /// | `times` | `exp`, `nbf` and `iat` |
    /// | `issuer` | `iss` is this server's issuer or a trusted one |
    /// | `audience` | `aud` |
    /// | `registered` | the other claims that every token of its issuer has |
    /// | `type` | an auth token or a refresh token |
    /// | `accepted_issuer` | the issuers that the route accepts, if it names any |
    /// | `session` | the session store |
    /// | `token_check` | [`Config::token_check`](crate::Config::token_check) |
    /// | `acr` | the claim `acr`, if the route requires it |
    /// | `login` | the age of the login, if the route limits it |
    /// | `override` | the claims that make the following ones unnecessary, if the route has such |
    /// | `claim:NAME` | a claim that the route requires |
    /// | `scope` | the scope that the route requires |
    #[must_use]
    pub fn rules(&self) -> &[ExplainedRule] {
        &self.rules
    }
}

impl ExplainedRule {
    pub(super) const fn new(name: String, outcome: RuleOutcome, text: String) -> Self {
        Self {
            name,
            outcome,
            text,
        }
    }

    /// A short name, which does not change.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it holds.
    #[must_use]
    pub fn outcome(&self) -> RuleOutcome {
        self.outcome
    }

    /// Why, in one sentence.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Display for RuleOutcome {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Holds => "holds",
            Self::Fails => "fails",
            Self::Skipped => "skipped",
        })
    }
}

impl Display for ExplainedRule {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:7} {}: {}", self.outcome, self.name, self.text)
    }
}

/// One line for each rule, without a line break at the end.
impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (number, rule) in self.rules.iter().enumerate() {
            if number > 0 {
                writeln!(f)?;
            }
            rule.fmt(f)?;
        }
        Ok(())
    }
}

/// `{"accepted": true, "rules": [{"rule": "type", "outcome": "holds", "text": "…"}, …]}`
impl Serialize for Explanation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Explanation", 2)?;
        object.serialize_field("accepted", &self.is_accepted())?;
        object.serialize_field("rules", &self.rules)?;
        object.end()
    }
}
