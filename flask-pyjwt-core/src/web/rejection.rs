//! The reasons why a request is refused.

use time::Duration;

use super::Misconfiguration;
use crate::{error_chain::debug_is_the_sentence, possession::ProofError, token::TokenError};

/// Why a request is refused, with one variant for each refusal.
///
/// Guards answer with it. Handlers that mint or open sessions return it: `?` turns [`MintError`](crate::MintError),
/// [`SessionError`](crate::SessionError) and [`TokenError`] into one.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::HttpResponse;
/// use flask_pyjwt::{AuthManager, AuthType, Config, Rejection};
///
/// async fn login(auth: AuthManager) -> Result<HttpResponse, Rejection> {
///     let token = auth.auth_token("alice").sign()?; // after the password was right
///     Ok(HttpResponse::Ok().body(token.signed().to_owned()))
/// }
/// # let _ = login;
///
/// let auth = AuthManager::new(Config::new(
///     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
/// ))?;
/// let token = auth.auth_token("alice").sign()?;
/// assert!(auth.verify_token(token.signed()).is_ok());
///
/// let refused = Rejection::from(auth.verify_token("a.forged.token").unwrap_err());
/// assert_eq!(refused.status(), 401);
/// assert_eq!(refused.description(), "The token is not valid"); // for the client
/// assert_eq!(refused.reason(), "token_encoding"); // for logs and metrics
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// | method | for | example |
/// | --- | --- | --- |
/// | [`status`](Self::status) | the client | 401 |
/// | [`oauth_error`](Self::oauth_error) | the client: the member `error` of the body and of the challenge, one of a closed list | `invalid_token` |
/// | [`description`](Self::description) | the client: a coarse sentence, one of a closed list | `The token is not valid` |
/// | [`reason`](Self::reason) | logs and metrics: exact, and never sent to the client | `token_signature` |
///
/// | refusal | status | challenge (RFC 6750, section 3) |
/// | --- | --- | --- |
/// | no credentials, or another scheme than Bearer and DPoP | 401 | `Bearer realm="…"`; where a bound token is required, `DPoP realm="…", algs="…"` |
/// | malformed or refused token, token of the wrong type, token of a user who is gone | 401 | and `error="invalid_token"` |
/// | a claim or the scope that the route requires is missing or different; claims that do not fit the handler's type | 403 | and `error="insufficient_scope"`, with `scope="…"` where items of the scope are missing |
/// | a login that is not recent enough | 401 | and `error="insufficient_user_authentication"`, `max_age` (RFC 9470) |
/// | a token bound to a key as Bearer; a token that is not bound where a bound one is required | 401 | `DPoP` in place of `Bearer`, with `error="invalid_token"` |
/// | a DPoP proof that is missing or refused | 401 | `DPoP` in place of `Bearer`, with `error="invalid_dpop_proof"` or `"use_dpop_nonce"` (RFC 9449) |
/// | a login of an authentication context class (`acr`) that the route does not accept | 401 | and `error="insufficient_user_authentication"`, `acr_values` (RFC 9470) |
/// | credentials in two fields, places or cookies; a token that cannot be revoked | 400 | and `error="invalid_request"` |
/// | a token in a cookie, and the request is from another site or has no CSRF proof | 403 | none |
/// | a check that cannot be made at the moment | 503 | none, but `Retry-After` |
/// | a mistake in the server's code or configuration ([`Misconfiguration`]) | 500 | none |
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The request has no credentials, or they are of another scheme than Bearer and DPoP.
    #[error("the request has no credentials")]
    MissingCredentials,
    /// The `Authorization` field begins with `Bearer`, and what follows is not one space and one token.
    #[error("the Bearer credentials are malformed")]
    MalformedCredentials,
    /// The request has two `Authorization` fields, or one into which a proxy has joined two, or two fields of the
    /// header that the route names.
    #[error("the request has two header fields with credentials")]
    SeveralAuthorizations,
    /// The request has the cookie twice, with different values.
    #[error("the request has the cookie twice")]
    SeveralCookies,
    /// The query string has the parameter twice.
    #[error("the query string has the parameter twice")]
    SeveralParameters,
    /// A WebSocket offers the protocol `bearer` twice.
    #[error("the WebSocket offers the protocol `bearer` twice")]
    SeveralProtocols,
    /// The request has credentials in two of the places that the route looks at.
    #[error("the request has credentials in two places")]
    SeveralPlaces,
    /// The token is refused.
    #[error(transparent)]
    InvalidToken(TokenError),
    /// The token is valid, and its user is gone: [`Config::user_loader`](crate::Config::user_loader) has found none.
    #[error("there is no user for the token")]
    UserNotFound,
    /// The token is valid, and a claim is not what the route requires.
    #[error("the claim `{name}` is not what the route requires")]
    ClaimNotMet {
        /// The name of the claim.
        name: String,
    },
    /// The token is valid, and its scope is not what the route requires.
    #[error("the scope is not what the route requires")]
    ScopeNotMet,
    /// The token is valid, and its scope lacks items that the route requires.
    #[error("the scope lacks `{scope}`")]
    MissingScope {
        /// What is missing, as a space-separated list (RFC 6749, section 3.3).
        scope: String,
    },
    /// The token is valid, and its claims do not fit the handler's type.
    #[error("the claims do not fit the type that the handler wants")]
    ClaimsDoNotFit,
    /// The token is in a cookie, and a page of another site has sent the request.
    #[error("a page of another site has sent the request")]
    CrossSite,
    /// The token is in a cookie, the method is unsafe, and the request has no CSRF proof.
    #[error("the request has no CSRF proof")]
    CsrfProofMissing,
    /// The first field of a form of `multipart/form-data` is not the CSRF proof `csrf_token`.
    #[error("the first field of the multipart form is not the CSRF proof `csrf_token`")]
    CsrfProofNotFirst,
    /// The CSRF proof does not belong to the token's session.
    #[error("the CSRF proof does not belong to the token's session")]
    CsrfProofWrong,
    /// The session store, the keys or the introspection endpoint of an issuer, a remote key,
    /// [`Config::token_check`](crate::Config::token_check) or [`Config::user_loader`](crate::Config::user_loader) does not
    /// answer, or too many DPoP proofs are remembered, so that the request cannot be decided.
    #[error("a check cannot be made at the moment")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// The DPoP proof of the request is missing or refused (RFC 9449).
    #[error(transparent)]
    InvalidProof(ProofError),
    /// The DPoP proof needs a nonce of this server (RFC 9449, sections 8 and 9).
    #[error("the DPoP proof has no nonce of this server, or an old one")]
    NonceRequired {
        /// The nonce for the next proof. It is no secret.
        nonce: String,
    },
    /// The route requires a bound token, or the credentials are of the scheme `DPoP`, and the token is not bound to a key.
    #[error("the token is not bound as the route or the credentials require")]
    NotBound,
    /// The token is bound to a client certificate, and the connection has none (RFC 8705, section 3).
    #[error("the token is bound to a client certificate, and the connection has none")]
    NoCertificate,
    /// The token is bound to another client certificate than that of the connection (RFC 8705, section 3).
    #[error("the token is bound to another client certificate than that of the connection")]
    OtherCertificate,
    /// The route requires a more recent login than the token's (RFC 9470).
    #[error("the login is not recent enough for the route")]
    LoginTooOld {
        /// How old the login may be, in seconds; 0 where the token has to be that of the login itself.
        max_age: u32,
        /// The values of `acr` that the route accepts, as a space-separated list; empty where it requires none.
        acr_values: String,
    },
    /// The claim `acr` of the token is not one that the route accepts (RFC 9470).
    #[error("the claim `acr` is not what the route requires")]
    AcrNotMet {
        /// The values that the route accepts, as a space-separated list, the preferred one first.
        acr_values: String,
        /// How old the login may be, in seconds, if the route limits it.
        max_age: Option<u32>,
    },
    /// A token that has neither a session nor an id cannot be revoked.
    #[error("the token has no id to revoke it by: mint it with `AuthManager::login`")]
    NotRevocable,
    /// The server's code or configuration has a mistake, which the payload names.
    #[error(transparent)]
    Misconfigured(#[from] Misconfiguration),
}

debug_is_the_sentence!(Rejection);

impl Rejection {
    /// The target of the `tracing` event of a refusal. Each refusal is one event. Its message says what is wrong and
    /// what to change. It never has a token or the value of a claim.
    pub const EVENT_TARGET: &str = "flask_pyjwt::refused";
}
