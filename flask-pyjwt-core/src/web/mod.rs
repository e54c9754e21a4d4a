//! How a request is decided, in the order in which it happens: credentials, authorization, the
//! handler, and the answers to those who do not reach it.

mod answer;
mod authorize;
mod check;
mod credentials;
mod current_token;
mod jwks;
pub(crate) mod protect;
mod registered;
mod rejection;
mod require_token;

pub(crate) use self::{
    answer::{Answers, RejectionHook},
    check::TokenCheck,
};
pub use self::{
    check::CheckError,
    current_token::{AnyClaims, CurrentToken},
    jwks::{Jwks, Metadata},
    rejection::Rejection,
    require_token::{RequireToken, RequireTokenService},
};
