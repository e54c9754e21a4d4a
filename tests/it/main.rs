//! The behaviour of the package, with one module for each part, in this process alone.
//!
//! What does not depend on the cryptography is compiled with AWS-LC only, and not once more with RustCrypto.

mod access_tokens;
#[cfg(feature = "aws-lc-rs")]
mod answers;
#[cfg(feature = "aws-lc-rs")]
mod attribute;
#[cfg(feature = "aws-lc-rs")]
mod audit;
#[cfg(feature = "aws-lc-rs")]
mod body;
#[cfg(feature = "aws-lc-rs")]
mod claims;
#[cfg(feature = "aws-lc-rs")]
mod configuration;
mod cookies;
mod crypto_provider;
mod dpop;
#[cfg(feature = "aws-lc-rs")]
mod dropped_futures;
#[cfg(feature = "aws-lc-rs")]
mod error_sentences;
#[cfg(feature = "aws-lc-rs")]
mod explain;
#[cfg(feature = "aws-lc-rs")]
mod file_store;
mod flask_scenarios;
mod foreign_tokens;
#[cfg(feature = "aws-lc-rs")]
mod fuzzed;
#[cfg(feature = "aws-lc-rs")]
mod guide;
mod hostile_keys;
#[cfg(feature = "aws-lc-rs")]
mod introspection;
mod issuers;
mod jsonwebtoken_types;
mod jwks;
mod key_ring;
#[cfg(feature = "aws-lc-rs")]
mod layers;
#[cfg(feature = "aws-lc-rs")]
mod locations;
#[cfg(feature = "aws-lc-rs")]
mod memory_store;
#[cfg(feature = "aws-lc-rs")]
mod metrics;
#[cfg(feature = "aws-lc-rs")]
mod migrating_store;
#[cfg(feature = "aws-lc-rs")]
mod misuse;
#[cfg(feature = "aws-lc-rs")]
mod monitoring;
mod oauth;
#[cfg(feature = "aws-lc-rs")]
mod openapi;
#[cfg(feature = "aws-lc-rs")]
mod protected;
mod recipes;
mod remote_keys;
mod remote_signers;
#[cfg(feature = "aws-lc-rs")]
mod requests;
#[cfg(feature = "aws-lc-rs")]
mod requirements;
mod rotation;
mod rsa_sizes;
#[cfg(feature = "aws-lc-rs")]
mod rules;
#[cfg(feature = "aws-lc-rs")]
mod scopes;
mod sealed_sessions;
mod secrets;
#[cfg(feature = "aws-lc-rs")]
mod sessions;
mod signatures;
mod test_issuer;
#[cfg(feature = "aws-lc-rs")]
mod test_kit;
#[cfg(feature = "aws-lc-rs")]
mod threats_index;
#[cfg(feature = "aws-lc-rs")]
mod token_check;
mod token_form;
#[cfg(feature = "aws-lc-rs")]
mod users;
mod weak_keys;
