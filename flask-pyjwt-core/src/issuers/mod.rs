//! Other issuers whose tokens are accepted, each with its own keys and rules.

mod claim_names;
mod issuer;
#[cfg(feature = "jwks")]
mod remote_options;
mod trust;

pub use self::issuer::Issuer;
pub(crate) use self::{
    claim_names::ClaimNames,
    issuer::Defaults,
    trust::{KeySource, Trust},
};
