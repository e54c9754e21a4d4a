//! How a request is decided, in the order in which it happens: credentials, authorization, the
//! handler, and the answers to those who do not reach it.

mod answer;
mod authorize;
mod bearer;
mod check;
mod cookies;
mod credentials;
mod csrf;
mod current_token;
mod form;
mod jwks;
mod multipart;
mod origin;
mod places;
pub(crate) mod protect;
mod query;
pub(crate) mod refused;
mod registered;
mod rejection;
mod replaced;
mod require_token;
mod silent_renewal;
mod websocket;

pub(crate) use self::{
    answer::{Answers, RejectionHook},
    check::TokenCheck,
};
pub use self::{
    check::CheckError,
    current_token::{AnyClaims, CurrentToken, TakeCurrentToken},
    jwks::{Jwks, Metadata},
    rejection::Rejection,
    require_token::{RequireToken, RequireTokenService},
    silent_renewal::{SilentRenewal, SilentRenewalService},
};
