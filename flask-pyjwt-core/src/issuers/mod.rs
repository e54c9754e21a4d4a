//! Other issuers whose tokens are accepted, each with its own keys and rules.

mod claim_names;
mod issuer;
#[cfg(feature = "jwks")]
mod remote_options;
mod required;
mod trust;

pub(crate) use self::{
    claim_names::ClaimNames,
    issuer::Defaults,
    required::Required,
    trust::{KeySource, Trust},
};
pub use self::{claim_names::ClaimPlaces, issuer::Issuer};
