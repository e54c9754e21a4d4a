//! The HTTP layer: finds the token of a request, decides about it, calls the handler, and answers refused requests.

mod advice;
mod answer;
mod authorize;
mod bearer;
mod conversions;
mod cookies;
mod credentials;
mod csrf;
mod current_token;
mod form;
mod jwks;
mod known;
mod login_builder;
mod manager_extractor;
mod misconfiguration;
mod multipart;
mod on_rejection;
mod origin;
mod places;
pub(crate) mod protect;
mod query;
mod refresh_builder;
mod refused;
mod registered;
mod rejection;
mod replaced;
mod request_state;
mod require_token;
mod revocation;
mod row;
mod shown;
mod silent_renewal;
mod websocket;

pub use self::{
    current_token::{AnyClaims, CurrentToken, TakeCurrentToken},
    jwks::{Jwks, ServerMetadata},
    login_builder::LoginBuilder,
    misconfiguration::Misconfiguration,
    refresh_builder::RefreshBuilder,
    rejection::Rejection,
    require_token::{RequireToken, RequireTokenService},
    silent_renewal::{SilentRenewal, SilentRenewalService},
};
