//! What a route requires of a token, and the decision whether a token meets it.

mod acr;
mod decide;
mod error;
mod freshness;
mod issuer;
mod issuer_names;
pub(crate) mod location;
mod requirement;
mod route;

pub(crate) use self::{
    acr::AcrValues,
    error::RuleError,
    freshness::Freshness,
    route::{RouteVariables, is_one_edit_away},
};
pub use self::{issuer_names::IssuerNames, location::TokenLocation, requirement::Requirement};
