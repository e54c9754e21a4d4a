//! The requirement of a guarded route.

use serde_json::{Map, Value};

use super::{AcrValues, Freshness, IssuerNames, TokenLocation, location};
use crate::{claims::ExpectedClaim, token::TokenType};

/// Everything that a route requires: the token's type and location, and its claims.
///
/// `#[require_token(…)]` and [`RequireToken`](crate::RequireToken) build it.
#[derive(Debug, Clone)]
pub struct Requirement {
    pub(crate) token_type: TokenType,
    /// Where to look for the token; `None` leaves it to the enclosing guard and the configuration.
    pub(crate) locations: Option<Vec<TokenLocation>>,
    pub(crate) claims: Vec<(String, ExpectedClaim)>,
    pub(crate) scope: Option<ExpectedClaim>,
    pub(crate) override_claims: Option<Map<String, Value>>,
    pub(crate) freshness: Freshness,
    /// The accepted issuers. Empty means all trusted ones.
    pub(crate) issuers: Vec<String>,
    pub(crate) optional: bool,
    /// Whether a token in a cookie needs a CSRF proof on unsafe methods.
    pub(crate) csrf: bool,
    /// Whether the token has to be bound to a key or a certificate of the client.
    pub(crate) bound: bool,
    /// The number of this requirement and its clones.
    #[cfg(feature = "metrics")]
    pub(crate) number: usize,
}

impl Requirement {
    /// Requires a token of this type with any claims, at the location of the enclosing guard or of
    /// [`Config::locations`](crate::Config::locations).
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
            bound: false,
            #[cfg(feature = "metrics")]
            number: next_number(),
        }
    }

    /// Looks for the token in these places. Credentials in two of them are refused with 400.
    #[must_use]
    pub fn locations(mut self, locations: impl Into<Vec<TokenLocation>>) -> Self {
        self.locations = Some(location::without_repeats(locations.into()));
        self
    }

    /// Accepts only tokens of these issuers: this server's, trusted ones, or names given with `Issuer::named`. An empty
    /// list is a mistake and answered with 500.
    #[must_use]
    pub fn issuer(mut self, issuers: impl Into<IssuerNames>) -> Self {
        self.issuers = issuers.into().into_names();
        self
    }

    /// Requires one claim. Several calls for one claim all have to hold.
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

    /// Requires the claim `scope` to meet an expectation, such as to contain an item.
    #[must_use]
    pub fn expect_scope(mut self, scope: ExpectedClaim) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Accepts a token with these top-level claims without checking claims and scope.
    #[must_use]
    pub fn override_claims(mut self, claims: Map<String, Value>) -> Self {
        self.override_claims = Some(claims);
        self
    }

    /// Requires the token that the login itself returned, not a refreshed one. Others are answered with 401 and a
    /// challenge that asks for a new login (RFC 9470).
    #[must_use]
    pub fn fresh(mut self, fresh: bool) -> Self {
        self.freshness.login = fresh;
        self
    }

    /// Requires that the login was at most this many seconds ago, by the claim `auth_time`. Other tokens are answered with
    /// 401 and a challenge that asks for a new login (RFC 9470).
    #[must_use]
    pub fn max_age(mut self, seconds: u32) -> Self {
        self.freshness.max_age = Some(seconds);
        self
    }

    /// Requires that the claim `acr` is one of these values, the preferred one first. Other tokens are answered with 401
    /// and a challenge that asks for such a login (RFC 9470). Without a value, every token is refused.
    #[must_use]
    pub fn acr(mut self, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.freshness.acr = Some(AcrValues::new(values));
        self
    }

    /// Whether a token from a cookie needs a CSRF proof on unsafe methods. The default is `true`.
    #[must_use]
    pub fn csrf(mut self, csrf: bool) -> Self {
        self.csrf = csrf;
        self
    }

    /// Requires a token that is bound to a key or a certificate of the client, who proves that it has that.
    #[must_use]
    pub fn bound(mut self, bound: bool) -> Self {
        self.bound = bound;
        self
    }

    /// Accepts requests without credentials. Bad credentials are still refused.
    #[must_use]
    pub fn optional(mut self, optional: bool) -> Self {
        self.optional = optional;
        self
    }
}

/// Numbers requirements in the order in which they are made.
#[cfg(feature = "metrics")]
fn next_number() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering};

    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
