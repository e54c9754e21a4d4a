//! For tests: clocks that control the time, and with the feature `test-kit` tokens, sessions and requests of every kind.
//!
//! ```
//! # use flask_pyjwt_core as flask_pyjwt;
//! use flask_pyjwt::{AuthManager, AuthType, Config, testing::FrozenClock};
//! use time::{Duration, OffsetDateTime};
//!
//! let clock = FrozenClock::new(OffsetDateTime::now_utc());
//! let config = Config::new("shop", AuthType::HS256, "change-me: at least 32 bytes of secret")
//!     .clock(clock.clone());
//! let auth = AuthManager::new(config)?;
//! let token = auth.auth_token("alice").sign()?;
//! assert!(auth.verify_token(token.signed()).is_ok());
//!
//! clock.advance(Duration::hours(1));
//! assert!(auth.verify_token(token.signed()).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[cfg(feature = "test-kit")]
mod audit;
#[cfg(feature = "test-kit")]
mod auth;
#[cfg(feature = "test-kit")]
mod forge;
#[cfg(all(feature = "test-kit", feature = "jwks"))]
mod issuer;
#[cfg(feature = "test-kit")]
mod outcome;
#[cfg(feature = "test-kit")]
mod request;
#[cfg(feature = "test-kit")]
mod session;
#[cfg(feature = "test-kit")]
mod token;
#[cfg(feature = "test-kit")]
mod unguarded;

pub use crate::clock::{Clock, FrozenClock, SystemClock};

#[cfg(feature = "test-kit")]
pub use self::{
    audit::{Audit, AuditReport, AuditedRoute, Entry, Finding, audit},
    auth::TestAuth,
    outcome::{IntoRequest, assert_accepted, assert_refused, check_accepted, check_refused},
    request::{TestRequestExt, TokenText},
    session::{TestLogin, TestSession},
    token::{SignedToken, TestToken},
    unguarded::{current_user, unguarded},
};

#[cfg(all(feature = "test-kit", feature = "jwks"))]
pub use self::issuer::{IssuerToken, TestIssuer};
