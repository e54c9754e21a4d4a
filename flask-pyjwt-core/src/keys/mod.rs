//! Keys: their text form, their checks, and what signs and verifies with them.

mod auth_type;
#[cfg(feature = "aws-lc-rs")]
#[path = "aws_lc.rs"]
mod backend;
#[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
#[path = "rust_crypto.rs"]
mod backend;
mod key_ring;
mod material;
mod problem;

pub use self::auth_type::{AuthType, UnknownAuthType};
pub(crate) use self::{
    auth_type::Family,
    backend::{Signer, Verifier},
    key_ring::{KeyRing, SigningKey, VerifyingKey},
    material::{Encoding, Material, looks_like_a_public_secret},
    problem::KeyProblem,
};

#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
compile_error!("enable one of flask-pyjwt's features `aws-lc-rs` (the default) and `rust-crypto`");
