//! What a protected route requires of a token.

use serde_json::{Map, Value};

use super::{Freshness, IssuerNames, TokenLocation, location};
use crate::{claims::ExpectedClaim, token::TokenType};

/// Everything that a route requires of a request: kind and place of the token, and its claims.
///
/// `#[require_token(…)]` writes one, [`RequireToken`](crate::RequireToken) another.
#[derive(Debug, Clone)]
pub struct Requirement {
    pub(crate) token_type: TokenType,
    /// Where to look for the token; `None` leaves it to the enclosing guard and the configuration.
    pub(crate) locations: Option<Vec<TokenLocation>>,
    pub(crate) claims: Vec<(String, ExpectedClaim)>,
    pub(crate) scope: Option<ExpectedClaim>,
    pub(crate) override_claims: Option<Map<String, Value>>,
    pub(crate) freshness: Freshness,
    /// Whose tokens are accepted; those of all that are trusted where nobody is named.
    pub(crate) issuers: Vec<String>,
    pub(crate) optional: bool,
    /// Whether a token in a cookie needs a CSRF proof on unsafe methods.
    pub(crate) csrf: bool,
}

impl Requirement {
    /// A token of this type, whatever its claims, in the places of the enclosing guard, else in those
    /// of [`Config::locations`](crate::Config::locations).
    #[must_use]
    pub fn new(token_type: TokenType) -> Self {
        Self {
            token_type,
            locations: None,
            claims: Vec::new(),
            scope: None,
            override_claims: None,
            freshness: Freshness::default(),
            issuers: Vec::new(),
            optional: false,
            csrf: true,
        }
    }

    /// Looks for the token in these places. Credentials in two of them are refused with 400.
    #[must_use]
    pub fn locations(mut self, locations: impl Into<Vec<TokenLocation>>) -> Self {
        self.locations = Some(location::without_repeats(locations.into()));
        self
    }

    /// Accepts tokens of this issuer only, or of one of several: the own one, one that is trusted, or those
    /// that were given a name. An empty list is a mistake: 500.
    #[must_use]
    pub fn issuer(mut self, issuers: impl Into<IssuerNames>) -> Self {
        self.issuers = issuers.into().into_names();
        self
    }

    /// Requires one claim. Called repeatedly for one claim, all of it has to hold.
    #[must_use]
    pub fn claim(mut self, name: impl Into<String>, expected: ExpectedClaim) -> Self {
        self.claims.push((name.into(), expected));
        self
    }

    /// Requires the claim `scope` to match this value.
    #[must_use]
    pub fn scope(self, scope: Value) -> Self {
        self.expect_scope(ExpectedClaim::Value(scope))
    }

    /// Requires the claim `scope` to be what is expected, such as to have an item.
    #[must_use]
    pub fn expect_scope(mut self, scope: ExpectedClaim) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Lets a token with these top-level claims pass without looking at claims and scope.
    #[must_use]
    pub fn override_claims(mut self, claims: Map<String, Value>) -> Self {
        self.override_claims = Some(claims);
        self
    }

    /// Requires the token that was issued at the login itself, and not by a refresh. Other ones are
    /// answered with 401 and a challenge (RFC 9470) that asks for a new login.
    #[must_use]
    pub fn fresh(mut self, fresh: bool) -> Self {
        self.freshness.login = fresh;
        self
    }

    /// Requires the login to be at most so many seconds ago, by the claim `auth_time`. Other tokens
    /// are answered with 401 and a challenge (RFC 9470) that asks for a new login.
    #[must_use]
    pub fn max_age(mut self, seconds: u32) -> Self {
        self.freshness.max_age = Some(seconds);
        self
    }

    /// Whether a token in a cookie needs a CSRF proof where the method is unsafe. By default it does.
    #[must_use]
    pub fn csrf(mut self, csrf: bool) -> Self {
        self.csrf = csrf;
        self
    }

    /// Lets a request without credentials pass; bad credentials are refused all the same.
    #[must_use]
    pub fn optional(mut self, optional: bool) -> Self {
        self.optional = optional;
        self
    }
}
