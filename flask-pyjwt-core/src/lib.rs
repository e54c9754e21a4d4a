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
mod log_limit;
mod manager;
mod meters;
#[cfg(feature = "oauth")]
mod oauth;
mod possession;
mod public_url;
mod reentry;
#[cfg(feature = "jwks")]
mod remote;
mod replay;
mod rules;
mod session;
mod token;
mod users;
mod web;
#[cfg(not(feature = "jwks"))]
mod without_jwks;

#[doc(hidden)]
pub mod __private;
#[cfg(feature = "client-certificates")]
pub use crate::web::keep_client_certificate;
#[cfg(feature = "metrics")]
pub mod metrics {
    //! The metrics that this package gives to the recorder of the `metrics` facade, for dashboards and recorders.

    pub use crate::meters::names::{
        ALL, DECISIONS, DURATION_BUCKETS, KEY_FETCHES, KEYS_FETCHED_AT, Kind, MINTED, Metric,
        NOT_LOGGED, REMOTE_SIGNATURE_DURATION, REMOTE_SIGNATURES, SESSION_EVENTS,
        STORE_CALL_DURATION, STORE_CALLS, TABLE_LOOKUPS, USER_LOAD_DURATION, USER_LOADS,
    };
}
#[cfg(feature = "utoipa")]
pub mod openapi;
pub mod testing;

// The public interface for applications. Items for authors of session stores are in `store`, clocks for tests in
// `testing`.
pub use crate::{
    claims::{ClaimPlaces, ExpectedClaim},
    config::{Config, Cookies, TokenCheckError},
    error::{ConfigError, MintError, SignerFailure},
    issuers::Issuer,
    jose::{TokenError, TokenType, UnknownTokenType},
    keys::{AuthType, CRYPTO_PROVIDER, Key, KeyState, UnknownAuthType},
    manager::AuthManager,
    possession::{ClientCertificate, DpopProof, ProofError},
    rules::{IssuerNames, TokenLocation},
    session::{
        EndedBy, LostEvents, MigratingStore, Session, SessionError, SessionEvent, SessionEvents,
        SessionPage, TokenPair,
    },
    token::{AuthTokenBuilder, RefreshTokenBuilder, Token, UnverifiedToken},
    web::{
        AnyClaims, CurrentToken, CurrentUser, ExplainBuilder, ExplainedRule, Explanation, Jwks,
        LoginBuilder, Misconfiguration, Protected, RefreshBuilder, Rejection, RequireToken,
        RuleOutcome, ServerMetadata, SilentRenewal, protected,
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
#[cfg(feature = "near-cache")]
pub use crate::session::NearCache;
#[cfg(feature = "redis-store")]
pub use crate::session::RedisStore;

#[cfg(feature = "jwks")]
pub use crate::{issuers::IntrospectionClient, remote::KeySourceState};

/// For keys in a KMS or an HSM: the trait [`RemoteSigner`](signer::RemoteSigner), and its types. [`Key::remote`] takes it.
pub mod signer {
    pub use crate::{
        error::SignerError,
        keys::{RemoteSigner, SignatureFuture},
    };
}

#[cfg(feature = "oauth")]
pub use crate::oauth::{
    IntrospectionEndpoint, OAuthClient, OAuthClients, OAuthMetadata, ResourceMetadata,
    RevocationEndpoint, TokenEndpoint,
};

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
        Generation, MigratingStore, Moment, Opening, Revocation, Rotated, Rotation, SessionRecord,
        SessionStore, Standing, StoreError, StoreFuture, SubjectRecord, TokenIdentity,
    };
    #[cfg(feature = "near-cache")]
    pub use crate::session::{NearCache, NearCacheCounts};
    #[cfg(feature = "redis-store")]
    pub use crate::session::{RedisStore, RedisStoreBuilder};
}
