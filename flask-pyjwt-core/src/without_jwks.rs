//! What the compiler says where the feature `jwks` is off and its methods are called.
//!
//! The methods here cannot be called, since nothing implements [`NeedsFeature`]. They are not documented, and with
//! the feature they do not exist.

use std::convert::Infallible;

use crate::{
    config::Config,
    issuers::Issuer,
    manager::AuthManager,
    token::{Token, TokenError},
};

/// Nothing implements it: its message names the feature.
#[diagnostic::on_unimplemented(
    message = "fetching the keys of other issuers needs the feature `jwks` of `flask-pyjwt`",
    label = "enable the feature `jwks`",
    note = "run `cargo add flask-pyjwt --features jwks`"
)]
#[doc(hidden)]
pub trait NeedsFeature {}

// The bounds have a lifetime, so that the compiler looks at them where a method is called, not here.
#[doc(hidden)]
impl Issuer {
    pub fn jwks_url(self, _url: impl Into<String>) -> Self
    where
        for<'a> Self: NeedsFeature,
    {
        self
    }

    pub fn discovery(self) -> Self
    where
        for<'a> Self: NeedsFeature,
    {
        self
    }

    pub fn discovery_url(self, _url: impl Into<String>) -> Self
    where
        for<'a> Self: NeedsFeature,
    {
        self
    }
}

#[doc(hidden)]
impl Issuer {
    pub fn introspection<C>(self, _url: impl Into<String>, _client: C) -> Self
    where
        for<'a> Self: NeedsFeature,
    {
        self
    }
}

#[doc(hidden)]
impl Config {
    pub fn resolve_issuers<F>(self, _pattern: impl Into<String>, _function: F) -> Self
    where
        for<'a> Self: NeedsFeature,
    {
        self
    }
}

#[doc(hidden)]
impl AuthManager {
    #[must_use]
    pub fn key_sources(&self) -> Vec<Infallible>
    where
        for<'a> Self: NeedsFeature,
    {
        Vec::new()
    }

    #[expect(clippy::unused_async, reason = "the method of the feature is async")]
    pub async fn fetch_keys(&self) -> Vec<Infallible>
    where
        for<'a> Self: NeedsFeature,
    {
        Vec::new()
    }

    #[expect(clippy::unused_async, reason = "the method of the feature is async")]
    pub async fn verify_token_async(&self, signed: &str) -> Result<Token, TokenError>
    where
        for<'a> Self: NeedsFeature,
    {
        self.verify_token(signed)
    }
}
