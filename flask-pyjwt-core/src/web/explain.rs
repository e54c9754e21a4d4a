//! `AuthManager::explain`: a token and a guard, without a request.

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
};

use super::{
    Rejection, RequireToken,
    authorize::run_token_check,
    explained_rules::{Rules, rule_of_claim},
    explanation::Explanation,
    refused::within_call,
};
use crate::{
    manager::AuthManager,
    rules::RouteVariables,
    session::SessionError,
    token::{Token, TokenError},
};

/// The rules about which [`AuthManager::verify_token`] decides, and what is said of each if it holds.
const VERIFIED: [(&str, &str); 5] = [
    ("signature", "the form and the signature are valid"),
    ("times", "the token is valid at this moment"),
    (
        "issuer",
        "the issuer is this server's or one that it trusts",
    ),
    ("audience", "the audience is one that is accepted"),
    (
        "registered",
        "the other claims that every token of its issuer has are there",
    ),
];

/// Explanations.
impl AuthManager {
    /// Says why a token passes a guard or does not, rule by rule, for support and for tests.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, RequireToken, RuleOutcome};
    /// use serde_json::json;
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let auth = AuthManager::new(Config::new(
    ///     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
    /// ))?;
    /// let guard = RequireToken::auth().sub_from_path("name").scope(json!({"admin": true}));
    ///
    /// let token = auth.auth_token("alice").scope(json!({"admin": true})).sign()?;
    /// let accepted = auth.explain(token.signed(), &guard).path("name", "alice").await;
    /// assert!(accepted.is_accepted());
    ///
    /// let token = auth.auth_token("alice").scope(json!({"admin": 1})).sign()?;
    /// let refused = auth.explain(token.signed(), &guard).path("name", "alice").await;
    /// assert!(!refused.is_accepted());
    /// let failed = refused.rules().iter().find(|rule| rule.outcome() == RuleOutcome::Fails).unwrap();
    /// assert_eq!(failed.name(), "scope");
    /// assert_eq!(
    ///     failed.text(),
    ///     r#"the route requires the claim `scope` to have all of `{"admin":true}`, and the token has an object, but not the right one"#,
    /// );
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// It decides as a guard decides about a request with this token. What depends on the request is not part of it: the
    /// place of the token, CSRF proofs and origins. [`ExplainBuilder::path`] gives the variables of the route.
    ///
    /// It asks the session store, if there is one, and [`Config::token_check`](crate::Config::token_check). The store is
    /// only read: a refresh token that was used before does not end its session here.
    #[doc(alias = "why")]
    pub fn explain<'a>(&'a self, signed: &'a str, guard: &RequireToken) -> ExplainBuilder<'a> {
        ExplainBuilder {
            manager: self,
            signed,
            guard: guard.clone(),
            variables: Vec::new(),
        }
    }
}

/// What [`AuthManager::explain`] explains. Await it.
#[must_use = "nothing is explained before it is awaited"]
pub struct ExplainBuilder<'a> {
    manager: &'a AuthManager,
    signed: &'a str,
    guard: RequireToken,
    variables: Vec<(String, String)>,
}

impl ExplainBuilder<'_> {
    /// Adds a variable of the route's path, with the value that the handler would see.
    pub fn path(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    async fn explain(self) -> Explanation {
        let requirement = self.guard.requirement();
        let mut rules = Rules::default();
        #[cfg(feature = "jwks")]
        let verified = self.manager.verify_presented_async(self.signed).await;
        #[cfg(not(feature = "jwks"))]
        let verified = self.manager.verify_presented(self.signed);
        let token = match verified {
            Ok(token) => token,
            Err(error) => {
                self.add_unverified(&mut rules, error);
                return rules.finish();
            }
        };
        for (name, text) in VERIFIED {
            rules.hold(name, text);
        }
        rules.add_type_and_issuer(self.manager, requirement, &token);
        rules.add_binding(self.manager, requirement, &token);
        self.add_session(&mut rules, &token).await;
        self.add_token_check(&mut rules, &token).await;
        let variables = RouteVariables::Named(&self.variables);
        rules.add_claims(self.manager, requirement, &token, &variables);
        rules.finish()
    }

    /// Adds the rule at which the verification has ended. Those before it hold, unless they were not looked at yet.
    fn add_unverified(&self, rules: &mut Rules, error: TokenError) {
        // If other issuers are trusted, `iss` selects the keys before anything is verified.
        let is_late = self.manager.parts().verification.issuers.is_empty();
        let (broken, is_first) = match error {
            TokenError::Expired | TokenError::NotYetValid | TokenError::Lifetime => (1, false),
            TokenError::MissingClaim(name) | TokenError::MistypedClaim(name) => match name {
                "exp" | "nbf" | "iat" => (1, false),
                "iss" => (2, !is_late),
                "aud" => (3, false),
                _ => (4, false),
            },
            TokenError::Clock => (1, true),
            TokenError::Issuer => (2, !is_late),
            TokenError::Audience => (3, false),
            TokenError::IssuerClaim
            | TokenError::Bound
            | TokenError::UnknownBinding
            | TokenError::WrongType { .. } => (4, false),
            _ => (0, true),
        };
        let ended = format!(
            "not checked: the verification ended at the rule `{}`",
            VERIFIED[broken].0
        );
        for (number, (name, text)) in VERIFIED.into_iter().enumerate() {
            if number == broken {
                rules.fail(name, error.into(), error.to_string());
            } else if number < broken && !is_first {
                rules.hold(name, text);
            } else {
                rules.skip(name, &*ended);
            }
        }
        let requirement = self.guard.requirement();
        let mut skip = |name: &str| rules.skip(name, "not checked: the token is not valid");
        skip("type");
        for (name, is_there) in [
            ("accepted_issuer", !requirement.issuers.is_empty()),
            ("session", true),
            ("token_check", true),
            ("acr", requirement.freshness.acr.is_some()),
            ("login", requirement.freshness.has_age()),
            ("override", requirement.override_claims.is_some()),
        ] {
            if is_there {
                skip(name);
            }
        }
        for (name, _) in &requirement.claims {
            skip(&rule_of_claim(name));
        }
        if requirement.scope.is_some() {
            skip("scope");
        }
    }

    /// Adds the answer of the session store.
    async fn add_session(&self, rules: &mut Rules, token: &Token) {
        let name = "session";
        if rules.is_refused() {
            return rules.skip(name, "not asked: a rule before it fails");
        }
        let Some(sessions) = self.manager.sessions_of(token) else {
            let text = if self.manager.parts().sessions.is_none() {
                "not asked: no session store is configured"
            } else {
                "not asked: tokens of other issuers have no session here"
            };
            return rules.skip(name, text);
        };
        let looked = match self.manager.now() {
            Ok(now) => within_call(sessions.look(token, now)).await,
            Err(error) => Err(error.into()),
        };
        match looked {
            Ok(()) => rules.hold(name, "the session store has not revoked the token"),
            Err(error) => {
                let text = match &error {
                    SessionError::Token(error) => error.to_string(),
                    _ => "the session store does not answer".to_owned(),
                };
                rules.fail(name, Rejection::from(&error), text);
            }
        }
    }

    /// Adds the answer of `Config::token_check`.
    async fn add_token_check(&self, rules: &mut Rules, token: &Token) {
        let name = "token_check";
        if self.manager.parts().token_check.is_none() {
            return rules.skip(name, "not asked: no `Config::token_check` is configured");
        }
        if rules.is_refused() {
            return rules.skip(name, "not asked: a rule before it fails");
        }
        match run_token_check(self.manager, token).await {
            Ok(()) => rules.hold(name, "`Config::token_check` accepts the token"),
            Err(rejection @ Rejection::Unavailable { .. }) => {
                rules.fail(name, rejection, "`Config::token_check` does not answer");
            }
            Err(rejection) => {
                rules.fail(name, rejection, "`Config::token_check` refuses the token");
            }
        }
    }
}

impl<'a> IntoFuture for ExplainBuilder<'a> {
    type Output = Explanation;
    type IntoFuture = Pin<Box<dyn Future<Output = Explanation> + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.explain())
    }
}

/// Without the token.
impl fmt::Debug for ExplainBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExplainBuilder")
            .field("guard", &self.guard)
            .finish_non_exhaustive()
    }
}
