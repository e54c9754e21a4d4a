//! What a client proves to use a bound token: that it has a key (DPoP, RFC 9449) or a certificate (RFC 8705).

mod address;
mod client_certificate;
mod error;
mod login_proof;
mod nonces;
mod proof;
mod settings;

use self::nonces::Nonces;
pub(crate) use self::{
    address::Address,
    proof::{Checked, Expected, Unfit},
    settings::{Dpop, DpopConfig},
};
pub use self::{client_certificate::ClientCertificate, error::ProofError, login_proof::DpopProof};

#[cfg(test)]
mod tests;
