//! The behaviour of the package, one module each, in this process alone.

use support as common;

mod answers;
mod attribute;
mod body;
mod configuration;
mod cookies;
mod dropped_futures;
mod file_store;
mod foreign_tokens;
mod fuzz_bodies;
mod hostile_keys;
mod issuers;
mod jwks;
mod key_ring;
mod locations;
mod memory_store;
mod recipes;
mod remote_keys;
mod rotation;
mod rsa_sizes;
mod rules;
mod scopes;
mod sealed_sessions;
mod seed;
mod sessions;
mod table_memory;
mod threats_claims;
mod threats_keys;
mod threats_misuse;
mod threats_requests;
mod threats_revocation;
mod threats_routes;
mod threats_secrets;
mod threats_signatures;
mod threats_tokens;
