//! Whether a valid token satisfies a requirement.

use super::{Requirement, RouteVariables, RuleError, route::Variable};
use crate::{
    claims::{ExpectedClaim, matches, matches_text, missing},
    json::Json,
    token::{Token, TokenError},
};

impl Requirement {
    /// Refuses tokens of the other type.
    pub(crate) fn check_type(&self, token: &Token) -> Result<(), TokenError> {
        let expected = self.token_type;
        if token.token_type() == expected {
            Ok(())
        } else {
            Err(TokenError::WrongType { expected })
        }
    }

    /// Decides about a token: `override` first, then every claim, then `scope`.
    ///
    /// A mistake in the route is reported for every token, whatever its claims.
    pub(crate) fn decide(
        &self,
        token: &Token,
        route: &RouteVariables<'_>,
    ) -> Result<(), RuleError> {
        let mut unmet = None;
        for (name, expected) in &self.claims {
            if !expected.holds(name, token, route)? {
                unmet.get_or_insert(name);
            }
        }
        let lacks_scope = match &self.scope {
            Some(scope) => !scope.holds("scope", token, route)?,
            None => false,
        };
        if self.is_overridden(token) {
            return Ok(());
        }
        if let Some(name) = unmet {
            return Err(RuleError::Claim { name: name.clone() });
        }
        if lacks_scope {
            let scope = self.scope.as_ref();
            let missing = scope.map(|scope| scope.missing(token.member("scope")));
            return Err(RuleError::Scope {
                missing: missing.unwrap_or_default(),
            });
        }
        Ok(())
    }

    /// Whether the token has the claims of `override`, so that it needs no others.
    pub(crate) fn is_overridden(&self, token: &Token) -> bool {
        self.override_claims.as_ref().is_some_and(|claims| {
            !claims.is_empty()
                && claims
                    .iter()
                    .all(|(name, value)| token.member(name).is_some_and(|own| matches(value, own)))
        })
    }
}

impl ExpectedClaim {
    /// The missing items of a claim, if items are required.
    pub(crate) fn missing(&self, claim: Option<Json<'_>>) -> String {
        match self {
            Self::All(items) => missing(claim, items, false),
            Self::Any(items) => missing(claim, items, true),
            _ => String::new(),
        }
    }

    /// Whether the token's claim `name` meets the expectation.
    pub(crate) fn holds(
        &self,
        name: &str,
        token: &Token,
        route: &RouteVariables<'_>,
    ) -> Result<bool, RuleError> {
        let claim = token.member(name);
        let (variable, text) = match self {
            Self::Path(variable) => (variable, None),
            Self::PathOrText(text) => (text, Some(text)),
            _ => return Ok(self.is_met_by(claim).unwrap_or(false)),
        };
        match (route.get(variable), text) {
            (Variable::Text(value), _) => {
                Ok(claim.is_some_and(|claim| matches_text(&value, claim)))
            }
            (Variable::NoText, _) => Ok(false),
            (Variable::Twice, _) => Err(RuleError::RouteMistake(format!(
                "the claim `{name}` is bound to the route variable `{variable}`, and an enclosing \
                 scope has one of the same name: rename one of them",
            ))),
            (Variable::Unknown, None) => Err(RuleError::RouteMistake(format!(
                "the claim `{name}` is bound to the route variable `{variable}`, and the route has {:?}",
                route.names(),
            ))),
            (Variable::Unknown, Some(text)) => match route.nearest(text) {
                Some(meant) => Err(RuleError::RouteMistake(format!(
                    "the claim `{name}` is required to be \"{text}\": write path(\"{meant}\") for the \
                     route variable, or literal(\"{text}\") for this very text",
                ))),
                None => Ok(claim.is_some_and(|claim| claim.is_str(text))),
            },
        }
    }
}
