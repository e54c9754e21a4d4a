//! The package together with other programs: Redis, a browser, an OpenID provider, the real Flask_PyJWT, `curl`.

mod browser;
#[cfg(unix)]
mod curl;
mod guide;
mod interop;
mod oidc;
mod quickstart;
mod redis_store;
mod session_model;
