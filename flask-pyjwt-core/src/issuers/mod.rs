//! Other issuers whose tokens are accepted, each with its own keys and rules.

mod claim_names;
mod issuer;
#[expect(clippy::module_inception, reason = "the issuers of a manager")]
mod issuers;
mod keys;
mod naming;
mod origin;
#[cfg(feature = "jwks")]
mod remote_options;
mod required;
#[cfg(feature = "jwks")]
mod resolved;
#[cfg(feature = "jwks")]
mod resolver;
mod template;
mod trust;

#[cfg(feature = "jwks")]
pub(crate) use self::resolver::{Lookup, Resolve, ResolveError, Resolver};
pub(crate) use self::{
    claim_names::ClaimNames,
    issuer::Defaults,
    issuers::{Found, Issuers},
    origin::{FromTemplate, Origin},
    required::Required,
    template::Template,
    trust::{KeySource, Trust},
};
pub use self::{claim_names::ClaimPlaces, issuer::Issuer};
