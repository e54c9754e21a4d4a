//! JSON Web Tokens for actix-web 4: sign them, require them on handlers, read them, revoke them.
//!
//! | to | use |
//! | --- | --- |
//! | configure, in code or by the environment | [`Config`], then [`AuthManager::new`] |
//! | sign one token | [`AuthManager::auth_token`], [`AuthManager::refresh_token`] |
//! | log in, refresh, log out, revoke | [`AuthManager::login`], [`refresh`](AuthManager::refresh), [`logout`](AuthManager::logout), [`revoke_subject`](AuthManager::revoke_subject), with a [`MemoryStore`], [`FileStore`] or [`RedisStore`] |
//! | require a token on one handler | [`#[require_token]`](macro@require_token) |
//! | require a token on a scope or resource | [`RequireToken`] |
//! | let nothing be open by mistake | [`protected`], [`#[public]`](macro@public) |
//! | read the token in a handler | [`CurrentToken`] |
//! | read the user behind the token | [`CurrentUser`], [`Config::user_loader`] |
//! | use cookies, and be safe from CSRF | [`AuthManager::set_cookies`], [`Cookies`], [`SilentRenewal`] |
//! | rotate keys and publish them | [`AuthManager::rotate`], [`AuthManager::jwks`] |
//! | accept tokens of other issuers | [`Issuer`] |
//! | let standard OAuth clients refresh, introspect and revoke | [`TokenEndpoint`], [`IntrospectionEndpoint`], [`RevocationEndpoint`] |
//! | see why a token is refused | [`AuthManager::explain`] |
//! | test what expires | [`testing::FrozenClock`] |
//!
//! The [guide] has one page for each job, each with a complete program. Begin with its [quickstart](guide::quickstart).
//!
//! # Example
//!
//! A login with a session, a guarded handler and a logout, and what requests get:
//!
#![cfg_attr(feature = "memory-store", doc = "```rust")]
#![cfg_attr(not(feature = "memory-store"), doc = "```rust,ignore")]
//! use actix_web::{App, HttpResponse, Responder, get, post, test, web};
//! use flask_pyjwt::{
//!     AuthManager, AuthType, Config, CurrentToken, MemoryStore, Rejection, require_token,
//! };
//!
//! #[post("/login")]
//! async fn login(auth: AuthManager) -> Result<HttpResponse, Rejection> {
//!     // Check the password first.
//!     let pair = auth.login("alice").await?;
//!     Ok(HttpResponse::Ok().body(pair.auth.signed().to_owned()))
//! }
//!
//! #[require_token(sub = "username", override = {"admin": true})]
//! #[get("/users/{username}")]
//! async fn profile(username: web::Path<String>, token: CurrentToken) -> impl Responder {
//!     format!("page of {username}, read by {}", token.sub())
//! }
//!
//! #[require_token]
//! #[post("/logout")]
//! async fn logout(auth: AuthManager, token: CurrentToken) -> Result<HttpResponse, Rejection> {
//!     auth.logout(&token).await?;
//!     Ok(HttpResponse::NoContent().finish())
//! }
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret")
//!         .session_store(MemoryStore::default());
//!     let auth = AuthManager::new(config)?;
//!     let app = App::new().app_data(auth).service(login).service(profile).service(logout);
//!     let app = test::init_service(app).await;
//!
//!     let request = test::TestRequest::post().uri("/login").to_request();
//!     let token = String::from_utf8(test::call_and_read_body(&app, request).await.to_vec())?;
//!
//!     let bearer = ("Authorization", format!("Bearer {token}"));
//!     for (request, status) in [
//!         (test::TestRequest::get().uri("/users/alice").insert_header(bearer.clone()), 200),
//!         (test::TestRequest::get().uri("/users/bob").insert_header(bearer.clone()), 403), // not her page
//!         (test::TestRequest::get().uri("/users/alice"), 401), // no token
//!         (test::TestRequest::post().uri("/logout").insert_header(bearer.clone()), 204),
//!         (test::TestRequest::get().uri("/users/alice").insert_header(bearer.clone()), 401), // logged out
//!     ] {
//!         let answer = test::call_service(&app, request.to_request()).await;
//!         assert_eq!(answer.status().as_u16(), status);
//!     }
//!     Ok(())
//! }
//! ```
//!
//! # What is decided, and when
//!
//! A guard decides before any other extractor starts and before the body is read. It checks, in this order: where the
//! token is, its signature and claims, its type, its session, your own [`Config::token_check`], the age of the login, the
//! CSRF proof of cookies, then `override`, claims and `scope`. Without a valid token the answer is 401, with one that does
//! not allow the request 403, with a store or key source that does not answer 503: it fails closed.
//! [Answers and troubleshooting](guide::answers) lists every answer and its cause.
//!
//! # Cargo features
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `aws-lc-rs` (default) | cryptography by AWS-LC; needs a C compiler. It wins if both are enabled |
//! | `rust-crypto` | cryptography in pure Rust, by the RustCrypto crates |
//! | `memory-store` (default) | [`MemoryStore`]: sessions in this process |
//! | `file-store` | [`FileStore`]: sessions in one file, for one process |
//! | `redis-store` | [`RedisStore`]: sessions in Redis or Valkey, for many processes |
//! | `redis-store-tls` | the same over TLS |
//! | `client-certificates` | [`keep_client_certificate`]: tokens that are bound to the client certificate of a connection by rustls |
//! | `postgres-store` | [`PostgresStore`]: sessions in PostgreSQL, for many processes; needs Rust 1.94 |
//! | `jwks` | keys of other issuers from a JWKS URL or OpenID Connect discovery |
//! | `store-conformance` | [`store_conformance!`]: tests for a session store of your own |
//! | `test-kit` | [`testing::TestAuth`] and [`testing::audit()`]: tokens for tests, and the audit of all routes; for dev-dependencies |
//! | `metrics` | [`metrics`]: counters and histograms of decisions, tokens, the session store, keys and users, for the recorder that you install |
//! | `oauth` | [`TokenEndpoint`], [`IntrospectionEndpoint`], [`RevocationEndpoint`] and their metadata: endpoints of OAuth 2.0 for standard clients |
//! | `utoipa` | [`openapi`]: guarded operations describe their security with utoipa 6 |
//!
//! One of the two cryptographies has to be enabled. Items that need a feature say so.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod guide;

// The public interface. The runtime's own modules are in flask-pyjwt-core.
#[doc(inline)]
pub use flask_pyjwt_core::{
    AnyClaims, AuthTokenBuilder, AuthType, CRYPTO_PROVIDER, ClaimPlaces, EndedBy, ExpectedClaim,
    ExplainBuilder, ExplainedRule, Explanation, IssuerNames, KeyState, LoginBuilder, LostEvents,
    Misconfiguration, ProofError, RefreshBuilder, RefreshTokenBuilder, Rejection, RuleOutcome,
    Session, SessionError, SessionPage, SignerFailure, TokenCheckError, TokenError, TokenLocation,
    TokenPair, TokenType, UnknownAuthType, UnknownTokenType, signer, store, testing,
};

// rustdoc finds an alias of a re-exported item only here.
#[doc(inline)]
#[doc(alias = "JWTManager")]
pub use flask_pyjwt_core::AuthManager;
#[doc(inline)]
#[doc(alias = "AuthData")]
pub use flask_pyjwt_core::Config;
#[doc(inline)]
#[doc(alias("MissingConfigError", "InvalidConfigError"))]
pub use flask_pyjwt_core::ConfigError;
#[doc(inline)]
#[doc(alias("cookie", "JWT_COOKIE_SECURE"))]
pub use flask_pyjwt_core::Cookies;
#[doc(inline)]
#[doc(alias("current_token", "get_jwt", "get_jwt_identity"))]
pub use flask_pyjwt_core::CurrentToken;
#[doc(inline)]
#[doc(alias("current_user", "user_lookup_loader"))]
pub use flask_pyjwt_core::CurrentUser;
#[doc(inline)]
#[doc(alias("oidc", "OpenID Connect", "discovery", "identity provider"))]
pub use flask_pyjwt_core::Issuer;
#[doc(inline)]
#[doc(alias("jwks.json", "well-known"))]
pub use flask_pyjwt_core::Jwks;
#[doc(inline)]
#[doc(alias("kid", "signing key", "PEM"))]
pub use flask_pyjwt_core::Key;
#[doc(inline)]
#[doc(alias = "migration")]
pub use flask_pyjwt_core::MigratingStore;
#[doc(inline)]
#[doc(alias = "MissingSignerError")]
pub use flask_pyjwt_core::MintError;
#[doc(inline)]
#[doc(alias("jwt_required", "middleware"))]
pub use flask_pyjwt_core::RequireToken;
#[doc(inline)]
#[doc(alias("openid-configuration", "well-known"))]
pub use flask_pyjwt_core::ServerMetadata;
#[doc(inline)]
#[doc(alias = "reuse detection")]
pub use flask_pyjwt_core::SessionEvent;
#[doc(inline)]
#[doc(alias = "audit log")]
pub use flask_pyjwt_core::SessionEvents;
#[doc(inline)]
#[doc(alias("auto refresh", "refresh_expiring_jwts"))]
pub use flask_pyjwt_core::SilentRenewal;
#[doc(inline)]
#[doc(alias = "JWT")]
pub use flask_pyjwt_core::Token;
#[doc(inline)]
#[doc(alias("convert_token", "from_signed_token", "get_unverified_jwt_headers"))]
pub use flask_pyjwt_core::UnverifiedToken;
#[doc(inline)]
#[doc(alias("deny by default", "public"))]
pub use flask_pyjwt_core::{Protected, protected};

#[doc(inline)]
#[doc(alias("mTLS", "mutual TLS", "x5t#S256"))]
pub use flask_pyjwt_core::ClientCertificate;
#[doc(inline)]
#[doc(alias("sender-constrained", "proof of possession", "jkt"))]
pub use flask_pyjwt_core::DpopProof;
#[cfg(feature = "client-certificates")]
#[doc(inline)]
pub use flask_pyjwt_core::keep_client_certificate;

/// `jsonwebtoken`, whose types this package takes and gives, in the version that it uses.
pub use flask_pyjwt_core::jsonwebtoken;

#[cfg(feature = "file-store")]
#[doc(inline)]
#[doc(alias("blocklist", "token_in_blocklist_loader"))]
pub use flask_pyjwt_core::FileStore;
#[cfg(feature = "memory-store")]
#[doc(inline)]
#[doc(alias("blocklist", "token_in_blocklist_loader"))]
pub use flask_pyjwt_core::MemoryStore;

#[cfg(feature = "jwks")]
#[doc(inline)]
pub use flask_pyjwt_core::{IntrospectionClient, KeySourceState};

#[cfg(feature = "oauth")]
#[doc(inline)]
pub use flask_pyjwt_core::{
    IntrospectionEndpoint, OAuthClient, OAuthClients, OAuthMetadata, ResourceMetadata,
    RevocationEndpoint, TokenEndpoint,
};

#[cfg(any(feature = "postgres-store", feature = "redis-store"))]
#[doc(inline)]
#[doc(alias("client-side caching", "CLIENT TRACKING", "LISTEN", "NOTIFY"))]
pub use flask_pyjwt_core::NearCache;

#[cfg(feature = "redis-store")]
#[doc(inline)]
#[doc(alias("blocklist", "token_in_blocklist_loader", "Valkey"))]
pub use flask_pyjwt_core::RedisStore;

#[cfg(feature = "postgres-store")]
#[doc(inline)]
#[doc(alias("blocklist", "token_in_blocklist_loader", "PostgreSQL"))]
pub use flask_pyjwt_postgres::PostgresStore;
#[cfg(feature = "postgres-store")]
#[doc(inline)]
pub use flask_pyjwt_postgres::PostgresStoreBuilder;
/// `sqlx`, whose `PgPool` [`PostgresStore`] takes, in the version that it uses.
#[cfg(feature = "postgres-store")]
pub use flask_pyjwt_postgres::sqlx;

#[cfg(feature = "store-conformance")]
#[doc(inline)]
pub use flask_pyjwt_core::store_conformance;

#[cfg(feature = "metrics")]
#[doc(inline)]
#[doc(alias("Prometheus", "OpenTelemetry", "Grafana"))]
pub use flask_pyjwt_core::metrics;

#[cfg(feature = "utoipa")]
#[doc(inline)]
pub use flask_pyjwt_core::openapi;

#[cfg(feature = "test-kit")]
#[doc(inline)]
pub use flask_pyjwt_core::{assert_accepted, assert_refused};

// The attribute whose expansion names `::flask_pyjwt`: users of this package have no
// `::flask_pyjwt_core`.
#[doc(inline)]
#[doc(alias("jwt_required", "login_required", "guard", "protect"))]
pub use flask_pyjwt_macros::__require_token_facade as require_token;

#[doc(inline)]
#[doc(alias("AllowAnonymous", "permit_all"))]
pub use flask_pyjwt_macros::__public_facade as public;

// What that expansion calls, the attribute itself included.
#[doc(hidden)]
pub mod __private {
    pub use flask_pyjwt_core::__private::*;
    pub use flask_pyjwt_macros::__require_token_facade as require_token;
}

// The program in the README compiles.
#[cfg(all(doctest, feature = "memory-store"))]
#[doc = include_str!("../README.md")]
mod readme {}
