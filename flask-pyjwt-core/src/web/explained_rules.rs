//! The rules of a route about one token, each with its outcome. They are the functions by which a guard decides.

use super::{
    Rejection,
    claim_words::{has, login_too_old, other_acr, required, resolved},
    explanation::{ExplainedRule, Explanation, RuleOutcome},
    shown::shown,
};
use crate::{
    claims::ExpectedClaim,
    error_chain::said,
    manager::AuthManager,
    rules::{Requirement, RouteVariables, RuleError},
    token::Token,
};

/// An explanation that is being made.
#[derive(Default)]
pub(super) struct Rules {
    rules: Vec<ExplainedRule>,
    refused: Option<Rejection>,
}

impl Rules {
    /// The rules of the route about a valid token, without those that are not the route's: the store's and
    /// `Config::token_check`.
    pub(super) fn of_route(
        manager: &AuthManager,
        requirement: &Requirement,
        token: &Token,
        variables: &RouteVariables<'_>,
    ) -> Explanation {
        let mut rules = Self::default();
        rules.add_type_and_issuer(manager, requirement, token);
        rules.add_binding(manager, requirement, token);
        rules.add_claims(manager, requirement, token, variables);
        rules.finish()
    }

    pub(super) fn finish(self) -> Explanation {
        Explanation {
            rules: self.rules,
            refused: self.refused,
        }
    }

    /// Whether a rule has failed.
    pub(super) fn is_refused(&self) -> bool {
        self.refused.is_some()
    }

    pub(super) fn hold(&mut self, name: &str, text: impl Into<String>) {
        self.add(name, RuleOutcome::Holds, text);
    }

    pub(super) fn skip(&mut self, name: &str, text: impl Into<String>) {
        self.add(name, RuleOutcome::Skipped, text);
    }

    /// Adds a rule that fails. The first one determines the answer of a guard.
    pub(super) fn fail(&mut self, name: &str, rejection: Rejection, text: impl Into<String>) {
        self.add(name, RuleOutcome::Fails, text);
        self.refused.get_or_insert(rejection);
    }

    fn add(&mut self, name: &str, outcome: RuleOutcome, text: impl Into<String>) {
        let rule = ExplainedRule::new(name.to_owned(), outcome, text.into());
        self.rules.push(rule);
    }

    /// Adds the type of the token, and the issuers that the route names.
    pub(super) fn add_type_and_issuer(
        &mut self,
        manager: &AuthManager,
        requirement: &Requirement,
        token: &Token,
    ) {
        let expected = requirement.token_type;
        match requirement.check_type(token) {
            Ok(()) => {
                let text =
                    format!("the route requires a token of type `{expected}`, and this is one");
                self.hold("type", text);
            }
            Err(error) => {
                let (text, given) = (error.to_string(), token.token_type());
                let text = format!("{text}, and this one has the type `{given}`");
                self.fail("type", error.into(), text);
            }
        }
        if requirement.issuers.is_empty() {
            return;
        }
        let wanted = shown(&requirement.issuers.join("`, `"));
        match requirement.check_issuer(token, &manager.parts().verification) {
            Ok(()) => {
                let text = format!("the route accepts tokens of `{wanted}`, and this is one");
                self.hold("accepted_issuer", text);
            }
            Err(error @ RuleError::RouteMistake(_)) => {
                let text = said(&error);
                self.fail("accepted_issuer", error.into(), text);
            }
            Err(error) => {
                let text = format!(
                    "the route accepts only tokens of `{wanted}`, and this one is of another issuer"
                );
                self.fail("accepted_issuer", error.into(), text);
            }
        }
    }

    /// Adds what the token is bound to. Whether the client proves it shows only in a request.
    pub(super) fn add_binding(
        &mut self,
        manager: &AuthManager,
        requirement: &Requirement,
        token: &Token,
    ) {
        let is_required = requirement.bound || manager.parts().require_bound;
        match (token.binding(), is_required) {
            (None, false) => {}
            (None, true) => {
                let text = "the route requires a token that is bound to a key or certificate of the client, and this \
                            one is bound to nothing";
                self.fail("bound", Rejection::NotBound, text);
            }
            (Some(binding), _) => {
                let how = if binding.key.is_some() {
                    "a DPoP proof of the key to which it is bound"
                } else {
                    "the certificate to which it is bound"
                };
                let text = format!(
                    "the request has to come with {how}, which the token alone does not show"
                );
                self.skip("bound", text);
            }
        }
    }

    /// Adds the age of the login, `override`, the claims and the scope.
    pub(super) fn add_claims(
        &mut self,
        manager: &AuthManager,
        requirement: &Requirement,
        token: &Token,
        variables: &RouteVariables<'_>,
    ) {
        self.add_login(manager, requirement, token);
        let is_overridden = requirement.is_overridden(token);
        if let Some(claims) = &requirement.override_claims {
            let names = claims.keys().map(String::as_str).collect::<Vec<_>>();
            let names = shown(&names.join("`, `"));
            if is_overridden {
                let text = format!(
                    "the token has the claims of `override` (`{names}`), so that it needs no others"
                );
                self.hold("override", text);
            } else {
                let text = format!(
                    "the token does not have the claims of `override` (`{names}`), so that it needs all others"
                );
                self.skip("override", text);
            }
        }
        // The guard's own decision. The rules that follow are its parts.
        let decided = requirement.decide(token, variables).err();
        let refused = decided.map(Rejection::from);
        for (name, expected) in &requirement.claims {
            self.add_claim(
                &rule_of_claim(name),
                name,
                expected,
                is_overridden,
                token,
                variables,
            );
        }
        if let Some(scope) = &requirement.scope {
            self.add_claim("scope", "scope", scope, is_overridden, token, variables);
        }
        if self.refused.is_none() {
            self.refused = refused;
        }
    }

    fn add_login(&mut self, manager: &AuthManager, requirement: &Requirement, token: &Token) {
        let freshness = &requirement.freshness;
        if let Some(acr) = &freshness.acr {
            match freshness.check_acr(token) {
                Ok(()) => self.hold("acr", "the claim `acr` is one that the route accepts"),
                Err(error) => self.fail("acr", error.into(), other_acr(&acr.joined())),
            }
        }
        if !freshness.has_age() {
            return;
        }
        match freshness.check_age(token, &manager.parts().verification) {
            Ok(()) => self.hold("login", "the login is as recent as the route requires"),
            Err(error) => {
                let text = match error {
                    RuleError::LoginTooOld { max_age, .. } => login_too_old(max_age).into_owned(),
                    _ => said(&error),
                };
                self.fail("login", error.into(), text);
            }
        }
    }

    /// Adds what the route requires of one claim.
    fn add_claim(
        &mut self,
        rule: &str,
        name: &str,
        expected: &ExpectedClaim,
        is_overridden: bool,
        token: &Token,
        variables: &RouteVariables<'_>,
    ) {
        let holds = match expected.holds(name, token, variables) {
            Ok(holds) => holds,
            // It is reported for every token, whatever its claims.
            Err(mistake) => return self.add(rule, RuleOutcome::Fails, said(&mistake)),
        };
        let required = required(&shown(name), &resolved(expected, variables));
        if is_overridden {
            let text = format!("not needed: {required}, or the claims of `override`");
            return self.skip(rule, text);
        }
        if holds {
            return self.hold(rule, format!("{required}, and the token meets this"));
        }
        let claim = token.member(name);
        let missing = expected.missing(claim);
        let has = has(name, claim, &resolved(expected, variables));
        let text = if missing.is_empty() || claim.is_none() {
            format!("{required}, and the token {has}")
        } else {
            let missing = shown(&missing.replace(' ', "`, `"));
            format!("{required}, and the token {has}: it lacks `{missing}`")
        };
        self.add(rule, RuleOutcome::Fails, text);
    }
}

/// The name of the rule about a claim.
pub(super) fn rule_of_claim(name: &str) -> String {
    format!("claim:{}", shown(name))
}
