//! The implementation of `flask-pyjwt`. Depend on that package instead of this one.
//!
//! It is a crate of its own because the attribute macro has to be one, and `flask-pyjwt` re-exports both.
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

// The public interface for applications. Items for authors of session stores are in `store`, clocks for tests in
// `testing`.
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

/// The crate `jsonwebtoken`, in the version whose types this crate accepts and returns: keys, JWKs, algorithms and
/// crypto providers.
///
/// Its optional features are off. To read PEM with it, add it to your `Cargo.toml` with the feature `use_pem`.
pub use jsonwebtoken;

#[cfg(feature = "file-store")]
pub use crate::session::FileStore;
#[cfg(feature = "memory-store")]
pub use crate::session::MemoryStore;
#[cfg(feature = "redis-store")]
pub use crate::session::RedisStore;

#[cfg(feature = "jwks")]
pub use crate::remote::KeySourceState;

/// For authors of session stores: the trait [`SessionStore`](store::SessionStore), and the types that it uses.
///
/// Implement the trait to keep sessions in your own database. Its documentation has the rules that a store must
/// keep, and a complete example. The ready-made stores are here and at the root of the crate.
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

/// For tests: clocks that control the time, so that a test can check expiry without sleeping.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, testing::FrozenClock};
/// use time::{Duration, OffsetDateTime};
///
/// let clock = FrozenClock::new(OffsetDateTime::now_utc());
/// let config = Config::new("shop", AuthType::HS256, "change-me: at least 32 bytes of secret")
///     .clock(clock.clone());
/// let auth = AuthManager::new(config)?;
/// let token = auth.auth_token("alice").sign()?;
/// assert!(auth.verify_token(token.signed()).is_ok());
///
/// clock.advance(Duration::hours(1));
/// assert!(auth.verify_token(token.signed()).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub mod testing {
    pub use crate::clock::{Clock, FrozenClock, SystemClock};
}
