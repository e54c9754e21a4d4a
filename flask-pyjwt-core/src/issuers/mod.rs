//! Other issuers whose tokens this server accepts. Each has separate keys and rules.

mod claims;
mod defaults;
#[cfg(feature = "jwks")]
mod introspection;
#[cfg(feature = "jwks")]
mod introspection_client;
mod issuer;
#[expect(
    clippy::module_inception,
    reason = "a module is named after the thing it holds"
)]
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
mod validation;

#[cfg(feature = "jwks")]
pub use self::introspection_client::IntrospectionClient;
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

/// The setting that errors name for a mistake in an issuer: [`Config::trust`](crate::Config::trust).
pub(crate) const ISSUERS: &str = "trust";
