//! The package together with other programs: Redis, a browser, an OpenID provider, the real Flask_PyJWT, `curl`.

mod browser;
mod client_certificates;
#[cfg(unix)]
mod curl;
mod guide;
mod interop;
mod migration;
mod near_cache;
mod npm;
mod oauth;
mod oidc;
#[cfg(all(unix, feature = "postgres-store"))]
mod postgres_store;
mod quickstart;
mod redis_store;
mod session_model;
mod sessions_example;
