//! An identity provider for tests: discovery, key set and tokens over HTTP on the loopback address.

mod families;
mod server;
mod shape;
mod shapes;
mod state;
mod test_issuer;
mod test_keys;
mod token;

pub use self::{test_issuer::TestIssuer, token::IssuerToken};
