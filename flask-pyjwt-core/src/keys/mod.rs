//! Keys: reads them, checks them, signs and verifies with them.

mod algorithm;
mod auth_type;
#[cfg(feature = "aws-lc-rs")]
#[path = "aws_lc.rs"]
mod backend;
#[cfg(all(feature = "rust-crypto", not(feature = "aws-lc-rs")))]
#[path = "rust_crypto.rs"]
mod backend;
mod crypto;
mod der;
mod derived;
mod directory;
mod edwards;
mod given_remote;
mod jwk;
mod jwk_set;
mod key;
mod key_parts;
mod key_ring;
mod key_set;
mod key_state;
mod material;
mod own_provider;
mod pair;
mod problem;
mod proof_key;
mod provided;
mod public_key;
mod published;
mod remote_key;
mod remote_signer;
mod rsa_numbers;
mod secret;
mod signing_key;
mod verifying_key;
mod watch;
mod weak_points;

#[cfg(feature = "jwks")]
pub(crate) use self::jwk_set::{CheckedSet, SetProblem};
pub(crate) use self::{
    auth_type::Family,
    backend::sha256,
    crypto::{Crypto, Signer, Verifier},
    derived::{MacKey, Purpose, Tag},
    directory::{KEYS_DIR, KeyDirectory, Look, Place, until_complete},
    jwk_set::GivenSet,
    key::Prepared,
    key_parts::{PrivatePart, PublicPart},
    key_ring::{Change, KeyRing, MadeBy, Role, TokenLife, Wanted},
    key_set::KeySet,
    material::{Encoding, Material, looks_like_a_public_secret},
    problem::KeyProblem,
    proof_key::ProofKey,
    public_key::PublicKey,
    published::{Published, etag},
    remote_key::check_local_secret,
    remote_signer::RemoteKey,
    secret::Secret,
    signing_key::SigningKey,
    verifying_key::{Serves, VerifyingKey},
    watch::{Next, Occasion, Watch},
};
pub use self::{
    auth_type::{AuthType, UnknownAuthType},
    key::Key,
    key_state::KeyState,
    own_provider::CRYPTO_PROVIDER,
    remote_signer::{RemoteSigner, SignatureFuture},
};

#[cfg(not(any(feature = "aws-lc-rs", feature = "rust-crypto")))]
compile_error!("enable one of flask-pyjwt's features `aws-lc-rs` (the default) and `rust-crypto`");
