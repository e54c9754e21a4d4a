//! The runtime of `flask-pyjwt`. Use that package; this one exists so that the attribute and its
//! runtime can be two crates.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod background;
mod claims;
mod clock;
mod config;
mod error;
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

#[doc(hidden)]
pub mod __private;

// The public interface.
pub use crate::{
    claims::{ClaimPlaces, Expected},
    clock::{Clock, FrozenClock, SystemClock},
    config::{Config, Cookies, TokenCheckError},
    error::{ConfigError, MintError},
    issuers::Issuer,
    jose::{TokenError, TokenType, UnknownTokenType},
    keys::{AuthType, CRYPTO_PROVIDER, Key, KeyState, UnknownAuthType},
    manager::AuthManager,
    rules::{IssuerNames, Location},
    session::{
        Generation, Opening, Revocation, Rotated, Rotation, Session, SessionError, SessionEvent,
        SessionRecord, SessionStore, Standing, StoreError, StoreFuture, SubjectRecord,
        TokenIdentity, TokenPair,
    },
    token::{AuthTokenBuilder, RefreshTokenBuilder, Token, UnverifiedToken},
    web::{
        AnyClaims, CurrentToken, Jwks, LoginBuilder, Metadata, Misconfiguration, RefreshBuilder,
        Rejection, RequireToken, SilentRenewal,
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

#[cfg(feature = "jwks")]
pub use crate::remote::KeySourceState;

#[cfg(feature = "redis-store")]
pub use crate::session::{RedisStore, RedisStoreBuilder};
