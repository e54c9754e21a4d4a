#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod guide;

// The public interface. The runtime's own modules are in flask-pyjwt-core.
#[doc(inline)]
pub use flask_pyjwt_core::{
    AnyClaims, AuthManager, AuthTokenBuilder, AuthType, CRYPTO_PROVIDER, ClaimPlaces, Config,
    ConfigError, Cookies, CurrentToken, ExpectedClaim, Issuer, IssuerNames, Jwks, Key, KeyState,
    LoginBuilder, MintError, Misconfiguration, RefreshBuilder, RefreshTokenBuilder, Rejection,
    RequireToken, ServerMetadata, Session, SessionError, SessionEvent, SilentRenewal, Token,
    TokenCheckError, TokenError, TokenLocation, TokenPair, TokenType, UnknownAuthType,
    UnknownTokenType, UnverifiedToken, store, testing,
};

/// `jsonwebtoken`, whose types this package takes and gives, in the version that it uses.
pub use flask_pyjwt_core::jsonwebtoken;

#[cfg(feature = "file-store")]
#[doc(inline)]
pub use flask_pyjwt_core::FileStore;
#[cfg(feature = "memory-store")]
#[doc(inline)]
pub use flask_pyjwt_core::MemoryStore;

#[cfg(feature = "jwks")]
#[doc(inline)]
pub use flask_pyjwt_core::KeySourceState;

#[cfg(feature = "redis-store")]
#[doc(inline)]
pub use flask_pyjwt_core::RedisStore;

#[cfg(feature = "store-conformance")]
#[doc(inline)]
pub use flask_pyjwt_core::store_conformance;

// The attribute whose expansion names `::flask_pyjwt`: users of this package have no
// `::flask_pyjwt_core`.
#[doc(inline)]
pub use flask_pyjwt_macros::__require_token_facade as require_token;

// What that expansion calls, the attribute itself included.
#[doc(hidden)]
pub mod __private {
    pub use flask_pyjwt_core::__private::*;
    pub use flask_pyjwt_macros::__require_token_facade as require_token;
}
