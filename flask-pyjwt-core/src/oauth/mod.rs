//! Endpoints of OAuth 2.0 over an `AuthManager` (feature `oauth`): refresh, introspection, revocation and the documents
//! that describe them.
//!
//! Each request is decided in the same order. `form` reads the parameters, `authenticate` finds the client and checks its
//! credentials, and only then does `token`, `introspection` or `revocation` look at the token. `refusal` has every error
//! that a client can get.

mod assertion;
mod authenticate;
mod client;
mod clients;
mod endpoint;
mod form;
mod introspection;
mod refusal;
mod resource_metadata;
mod revocation;
mod server_metadata;
mod token;

pub use self::{
    client::OAuthClient, clients::OAuthClients, introspection::IntrospectionEndpoint,
    resource_metadata::ResourceMetadata, revocation::RevocationEndpoint,
    server_metadata::OAuthMetadata, token::TokenEndpoint,
};
