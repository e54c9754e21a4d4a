//! The claims of a payload: what every token must say, and how claims are found and compared.

mod binding;
mod expected;
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
    binding::Binding,
    items::missing,
    matching::{matches, matches_text},
    names::ClaimNames,
    origin::{FromTemplate, Origin},
    required::Required,
    rules::{Audience, ClaimRules, RegisteredClaims, Subject},
    template::Template,
};
pub use self::{expected::ExpectedClaim, names::ClaimPlaces};
