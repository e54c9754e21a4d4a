//! What a route requires of a token, and the decision whether a token meets it.

mod decide;
mod error;
mod freshness;
mod issuer;
mod issuer_names;
pub(crate) mod location;
mod requirement;
mod route;

pub(crate) use self::{
    error::RuleError,
    freshness::Freshness,
    route::{RouteVariables, is_one_edit_away},
};
pub use self::{issuer_names::IssuerNames, location::TokenLocation, requirement::Requirement};
