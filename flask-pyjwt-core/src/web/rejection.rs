//! Every way in which a request is refused.

use time::Duration;

use super::Misconfiguration;
use crate::{error_chain::debug_is_the_sentence, token::TokenError};

/// Why a request did not reach its handler: one variant for every refusal there is.
///
/// | method | for | example |
/// | --- | --- | --- |
/// | [`status`](Self::status) | the client | 401 |
/// | [`oauth_error`](Self::oauth_error) | the client: `error` of the body and of the challenge, of a closed list | `invalid_token` |
/// | [`description`](Self::description) | the client: a coarse sentence of a closed list | `The token is not valid` |
/// | [`reason`](Self::reason) | logs and metrics: exact, and never sent | `token_signature` |
///
/// | refusal | status | challenge (RFC 6750, section 3) |
/// | --- | --- | --- |
/// | no credentials, or another scheme than Bearer | 401 | `Bearer realm="…"` |
/// | malformed or refused token, token of the wrong type | 401 | and `error="invalid_token"` |
/// | claim or scope not met, claims that do not fit the handler's type | 403 | and `error="insufficient_scope"`, with `scope="…"` where items of it are missing |
/// | a login that is not recent enough | 401 | and `error="insufficient_user_authentication"`, `max_age` (RFC 9470) |
/// | two fields, two places, two cookies; a token that cannot be revoked | 400 | and `error="invalid_request"` |
/// | a cookie's token, and another site or no CSRF proof | 403 | none |
/// | a check that cannot be made | 503 | none, but `Retry-After` |
/// | a mistake of the server's author | 500 | none |
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Rejection {
    /// There are no credentials, or they are of another scheme than Bearer.
    #[error("no credentials")]
    MissingCredentials,
    /// The `Authorization` field says Bearer, and no token follows after one blank.
    #[error("the Bearer credentials are malformed")]
    MalformedCredentials,
    /// There are two `Authorization` fields, or one that was joined of two; or two of the header that
    /// the route names.
    #[error("two header fields with credentials")]
    SeveralAuthorizations,
    /// The cookie is there twice.
    #[error("the cookie is there twice")]
    SeveralCookies,
    /// The parameter of the query string is there twice.
    #[error("the parameter is there twice")]
    SeveralParameters,
    /// The protocol `bearer` is there twice among those of a WebSocket.
    #[error("the protocol `bearer` is there twice")]
    SeveralProtocols,
    /// There are credentials in two places that the route looks at.
    #[error("credentials in two places")]
    SeveralPlaces,
    /// The token is refused.
    #[error(transparent)]
    InvalidToken(TokenError),
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
    /// The token came in a cookie, and a page of another site has sent the request.
    #[error("a page of another site has sent the request")]
    CrossSite,
    /// The token came in a cookie, and the method is unsafe, and there is no CSRF proof.
    #[error("there is no CSRF proof")]
    CsrfProofMissing,
    /// There is no CSRF proof where it has to be in a form of `multipart/form-data`: in the first field,
    /// `csrf_token`.
    #[error("the first field of the multipart form is not the CSRF proof `csrf_token`")]
    CsrfProofNotFirst,
    /// The CSRF proof is not one of the token's session.
    #[error("the CSRF proof is not one of this session")]
    CsrfProofWrong,
    /// Nobody can tell at the moment whether the token is good.
    #[error("a check cannot be made at the moment")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
    /// The route requires a more recent login than the token's (RFC 9470).
    #[error("the login is not recent enough for the route")]
    LoginTooOld {
        /// How many seconds ago the login may have been at the most; 0 where the token has to be that of
        /// the login itself.
        max_age: u32,
    },
    /// A token that has neither a session nor an id cannot be revoked.
    #[error("the token has no id to revoke it by: mint it with `AuthManager::login`")]
    NotRevocable,
    /// The server is built wrongly: the payload says how.
    #[error(transparent)]
    Misconfigured(#[from] Misconfiguration),
}

debug_is_the_sentence!(Rejection);

impl Rejection {
    /// The target of the `tracing` event of a refusal. Each refusal is one event, whose fields are
    /// listed in the README. No token is in it.
    pub const EVENT_TARGET: &str = "flask_pyjwt::refused";
}
