//! Other issuers whose tokens are accepted, each with its own keys and rules.

mod defaults;
mod issuer;
#[expect(clippy::module_inception, reason = "the issuers of a manager")]
mod issuers;
mod keys;
#[cfg(feature = "jwks")]
mod known;
mod naming;
#[cfg(feature = "jwks")]
mod remote_issuer;
#[cfg(feature = "jwks")]
mod remote_options;
#[cfg(feature = "jwks")]
mod resolver;
mod trust;

pub use self::issuer::Issuer;
pub(crate) use self::{
    defaults::Defaults,
    issuers::{Found, Issuers},
    trust::{KeySource, Trust},
};
#[cfg(feature = "jwks")]
pub(crate) use self::{
    known::Lookup,
    resolver::{Resolve, ResolveError, Resolver},
};

/// What errors name a mistake in an issuer by: the method of [`Config`](crate::Config) that takes it.
pub(crate) const ISSUERS: &str = "trust";
