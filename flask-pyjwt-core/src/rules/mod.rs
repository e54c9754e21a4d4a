//! What a route requires of a token, and the one comparison that decides it.

mod decide;
mod freshness;
mod issuer;
mod items;
mod matching;
mod requirement;
mod route;

pub use self::requirement::{Expected, Location, Requirement};
pub(crate) use self::{decide::Refusal, freshness::Freshness, route::RouteVariables};
