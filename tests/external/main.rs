//! The package together with other programs: Redis, a browser, an OpenID provider, the real Flask_PyJWT, `curl`.

#[cfg(feature = "aws-lc-rs")]
mod browser;
#[cfg(feature = "aws-lc-rs")]
mod client_certificates;
#[cfg(all(unix, feature = "aws-lc-rs"))]
mod curl;
#[cfg(feature = "aws-lc-rs")]
mod guide;
mod interop;
#[cfg(feature = "aws-lc-rs")]
mod migration;
#[cfg(feature = "aws-lc-rs")]
mod near_cache;
mod npm;
#[cfg(feature = "aws-lc-rs")]
mod oauth;
mod oidc;
#[cfg(all(unix, feature = "aws-lc-rs", feature = "postgres-store"))]
mod postgres_store;
#[cfg(feature = "aws-lc-rs")]
mod quickstart;
mod redis_store;
#[cfg(feature = "aws-lc-rs")]
mod session_model;
#[cfg(feature = "aws-lc-rs")]
mod sessions_example;
