//! The runtime of `flask-pyjwt`. Use that package; this one exists so that the attribute and its
//! runtime can be two crates.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod background;
mod claims;
mod clock;
mod config;
mod error;
mod error_chain;
mod files;
mod issuers;
mod jose;
mod json;
mod keys;
mod manager;
mod reentry;
#[cfg(feature = "jwks")]
mod remote;
mod rules;
mod session;
mod token;
mod web;
#[cfg(not(feature = "jwks"))]
mod without_jwks;

#[doc(hidden)]
pub mod __private;

// The public interface: what an application names. What an author of a store names is in `store`,
// clocks are in `testing`.
pub use crate::{
    claims::{ClaimPlaces, ExpectedClaim},
    config::{Config, Cookies, TokenCheckError},
    error::{ConfigError, MintError},
    issuers::Issuer,
    jose::{TokenError, TokenType, UnknownTokenType},
    keys::{AuthType, CRYPTO_PROVIDER, Key, KeyState, UnknownAuthType},
    manager::AuthManager,
    rules::{IssuerNames, TokenLocation},
    session::{Session, SessionError, SessionEvent, TokenPair},
    token::{AuthTokenBuilder, RefreshTokenBuilder, Token, UnverifiedToken},
    web::{
        AnyClaims, CurrentToken, Jwks, LoginBuilder, Misconfiguration, RefreshBuilder, Rejection,
        RequireToken, ServerMetadata, SilentRenewal,
    },
};

/// The crate whose types this one takes and gives: keys, JWKs, algorithms and providers of cryptography. It is
/// here so that the versions match. Its features are off; to read PEM with it, add it to your own `Cargo.toml`
/// with the feature `use_pem`.
pub use jsonwebtoken;

#[cfg(feature = "file-store")]
pub use crate::session::FileStore;
#[cfg(feature = "memory-store")]
pub use crate::session::MemoryStore;
#[cfg(feature = "redis-store")]
pub use crate::session::RedisStore;

#[cfg(feature = "jwks")]
pub use crate::remote::KeySourceState;

/// What an author of a session store names: the trait, its questions, answers and records.
///
/// [`SessionStore`](store::SessionStore) says what a store has to do. The ready-made stores are at the
/// root of the crate too, since an application names them.
pub mod store {
    #[cfg(feature = "file-store")]
    pub use crate::session::FileStore;
    #[cfg(feature = "memory-store")]
    pub use crate::session::MemoryStore;
    pub use crate::session::{
        Generation, Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore,
        Standing, StoreError, StoreFuture, SubjectRecord, TokenIdentity,
    };
    #[cfg(feature = "redis-store")]
    pub use crate::session::{RedisStore, RedisStoreBuilder};
}

/// Clocks: where the time comes from, and one that stands still for tests of what expires.
pub mod testing {
    pub use crate::clock::{Clock, FrozenClock, SystemClock};
}
