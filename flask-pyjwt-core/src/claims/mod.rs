//! The claims of a payload: what every token must say, and how claims are found and compared.

mod access_token;
mod binding;
mod expected;
#[cfg(feature = "jwks")]
mod introspected;
mod items;
mod matching;
mod names;
mod origin;
mod required;
#[cfg(feature = "jwks")]
mod resolved;
mod rules;
mod template;

#[cfg(feature = "jwks")]
pub(crate) use self::resolved::{AGE as RESOLVED_AGE, Resolved};
pub(crate) use self::{
    access_token::{Profile, check_access_token, is_client_id},
    binding::Binding,
    items::{is_scope_token, missing},
    matching::{matches, matches_text},
    names::ClaimNames,
    origin::{FromTemplate, Origin},
    required::Required,
    rules::{Audience, ClaimRules, RegisteredClaims, Subject},
    template::Template,
};
pub use self::{expected::ExpectedClaim, names::ClaimPlaces};
