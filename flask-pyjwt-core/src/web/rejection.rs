//! Every way in which a request is refused.

use std::{borrow::Cow, time::Duration};

use actix_web::http::StatusCode;

use super::refused;
use crate::{error::MintError, rules::Refusal, token::TokenError};

/// Why a request did not reach its handler: one variant for every refusal there is.
///
/// Status, error code and description of the answer, and the label for metrics, are each said
/// here and nowhere else. The descriptions are a closed list and tell nothing of the server.
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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
    /// Sessions are used, and no store is configured.
    #[error("no session store is configured: add `Config::session_store`")]
    NoSessionStore,
    /// A cookie would be larger than browsers take.
    #[error(
        "the cookie `{name}` has {size} bytes, and browsers drop it above 4093: use fewer claims"
    )]
    CookieTooLarge {
        /// The cookie's name.
        name: String,
        /// Its size in bytes, with its attributes.
        size: usize,
    },
    /// CSRF proofs are needed, and there is no secret to make them with.
    #[error("no CSRF proof can be made or checked without a secret: add `Config::csrf_secret`")]
    NoCsrfSecret,
    /// A token that should be answered with cannot be minted.
    #[error("the token is not minted: {0}")]
    NotMinted(String),
    /// No manager is registered.
    #[error("no AuthManager is registered: add `.app_data(auth.clone())` to the App")]
    MissingManager,
    /// Two managers are registered in two different ways.
    #[error(
        "one AuthManager is registered as it is and another as web::Data: register both as \
         `.app_data(auth.clone())`"
    )]
    SeveralManagers,
    /// A handler reads the token, and nothing guards its route.
    #[error(
        "the handler takes a CurrentToken, and nothing guards its route: add \
         `#[require_token]` to the handler or wrap its scope in `RequireToken`"
    )]
    Unguarded,
    /// The route requires what it cannot: a mistake of its author.
    #[error("the route is mistaken: {0}")]
    RouteMistake(String),
}

impl Rejection {
    /// The target of the `tracing` event of a refusal. Each refusal is one event, whose fields are
    /// listed in the README. No token is in it.
    pub const EVENT_TARGET: &str = "flask_pyjwt::refused";

    /// The answer's status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::MissingCredentials
            | Self::MalformedCredentials
            | Self::InvalidToken(_)
            | Self::LoginTooOld { .. } => StatusCode::UNAUTHORIZED,
            Self::SeveralAuthorizations
            | Self::SeveralCookies
            | Self::SeveralParameters
            | Self::SeveralProtocols
            | Self::SeveralPlaces
            | Self::NotRevocable => StatusCode::BAD_REQUEST,
            Self::ClaimNotMet { .. }
            | Self::ScopeNotMet
            | Self::MissingScope { .. }
            | Self::ClaimsDoNotFit
            | Self::CrossSite
            | Self::CsrfProofMissing
            | Self::CsrfProofNotFirst
            | Self::CsrfProofWrong => StatusCode::FORBIDDEN,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::NoSessionStore
            | Self::CookieTooLarge { .. }
            | Self::NoCsrfSecret
            | Self::NotMinted(_)
            | Self::MissingManager
            | Self::SeveralManagers
            | Self::Unguarded
            | Self::RouteMistake(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The answer's error code: the member `error` of its body.
    #[must_use]
    pub fn error(&self) -> &'static str {
        match self {
            Self::MissingCredentials => "unauthorized",
            Self::LoginTooOld { .. } => "insufficient_user_authentication",
            Self::CrossSite
            | Self::CsrfProofMissing
            | Self::CsrfProofNotFirst
            | Self::CsrfProofWrong => "csrf_failed",
            _ => match self.status() {
                StatusCode::UNAUTHORIZED => "invalid_token",
                StatusCode::BAD_REQUEST => "invalid_request",
                StatusCode::FORBIDDEN => "insufficient_scope",
                StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
                _ => "server_error",
            },
        }
    }

    /// The answer's explanation for a client: one of a closed list of coarse sentences.
    #[must_use]
    pub fn description(&self) -> &'static str {
        match self {
            Self::MissingCredentials => "Credentials are required",
            Self::MalformedCredentials => "The credentials are malformed",
            Self::SeveralAuthorizations
            | Self::SeveralCookies
            | Self::SeveralParameters
            | Self::SeveralProtocols
            | Self::SeveralPlaces => "Credentials are given more than once",
            Self::CrossSite => "The request comes from another site",
            Self::CsrfProofMissing | Self::CsrfProofNotFirst | Self::CsrfProofWrong => {
                "A CSRF proof is required"
            }
            Self::InvalidToken(TokenError::Expired) => "The token has expired",
            Self::InvalidToken(TokenError::NotYetValid) => "The token is not valid yet",
            Self::InvalidToken(TokenError::WrongType { .. }) => {
                "A token of another type is required"
            }
            Self::InvalidToken(_) => "The token is not valid",
            Self::LoginTooOld { .. } => "A more recent login is required",
            Self::NotRevocable => "The token cannot be revoked",
            Self::ClaimNotMet { .. }
            | Self::ScopeNotMet
            | Self::MissingScope { .. }
            | Self::ClaimsDoNotFit => "The token does not allow this",
            Self::Unavailable { .. } => "The token cannot be checked at the moment",
            Self::NoSessionStore
            | Self::CookieTooLarge { .. }
            | Self::NoCsrfSecret
            | Self::NotMinted(_)
            | Self::MissingManager
            | Self::SeveralManagers
            | Self::Unguarded
            | Self::RouteMistake(_) => "The server is misconfigured",
        }
    }

    /// A short name that never changes: the reason in logs, the label in metrics.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingCredentials => "missing_credentials",
            Self::MalformedCredentials => "malformed_credentials",
            Self::SeveralAuthorizations => "several_authorizations",
            Self::SeveralCookies => "several_cookies",
            Self::SeveralParameters => "several_parameters",
            Self::SeveralProtocols => "several_protocols",
            Self::SeveralPlaces => "several_places",
            Self::CrossSite => "cross_site",
            Self::CsrfProofMissing => "csrf_proof_missing",
            Self::CsrfProofNotFirst => "csrf_proof_not_first",
            Self::CsrfProofWrong => "csrf_proof_wrong",
            Self::CookieTooLarge { .. } => "cookie_too_large",
            Self::NoCsrfSecret => "no_csrf_secret",
            Self::InvalidToken(error) => error.code(),
            Self::ClaimNotMet { .. } => "claim_not_met",
            Self::ScopeNotMet | Self::MissingScope { .. } => "scope_not_met",
            Self::ClaimsDoNotFit => "claims_do_not_fit",
            Self::Unavailable { .. } => "unavailable",
            Self::LoginTooOld { .. } => "login_too_old",
            Self::NotRevocable => "not_revocable",
            Self::NoSessionStore => "no_session_store",
            Self::NotMinted(_) => "not_minted",
            Self::MissingManager => "missing_manager",
            Self::SeveralManagers => "several_managers",
            Self::Unguarded => "unguarded",
            Self::RouteMistake(_) => "route_mistake",
        }
    }

    /// What the challenge says after the realm; `None` where there is no challenge.
    pub(super) fn challenge(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::MissingCredentials => Some("".into()),
            // Another token would not help.
            Self::CrossSite
            | Self::CsrfProofMissing
            | Self::CsrfProofNotFirst
            | Self::CsrfProofWrong => None,
            // RFC 9470, section 3
            Self::LoginTooOld { max_age } => Some(
                format!(
                    r#", error="{}", error_description="{}", max_age="{max_age}""#,
                    self.error(),
                    self.description()
                )
                .into(),
            ),
            Self::MissingScope { scope } => Some(
                format!(
                    r#", error="{}", error_description="{}", scope="{}""#,
                    self.error(),
                    self.description(),
                    super::answer::quoted(scope),
                )
                .into(),
            ),
            _ if self.status().is_client_error() => Some(
                format!(
                    r#", error="{}", error_description="{}""#,
                    self.error(),
                    self.description()
                )
                .into(),
            ),
            _ => None,
        }
    }
}

impl From<MintError> for Rejection {
    fn from(error: MintError) -> Self {
        match error {
            MintError::Refused(TokenError::Clock) => TokenError::Clock.into(),
            error => {
                let rejection = Self::NotMinted(error.to_string());
                refused::forget(&rejection);
                rejection
            }
        }
    }
}

impl From<TokenError> for Rejection {
    fn from(error: TokenError) -> Self {
        let rejection = match error {
            TokenError::KeysUnavailable { retry_after } => Self::Unavailable { retry_after },
            error => Self::InvalidToken(error),
        };
        refused::forget(&rejection);
        rejection
    }
}

impl From<Refusal> for Rejection {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Claim(name) => Self::ClaimNotMet { name },
            Refusal::Scope(scope) if scope.is_empty() => Self::ScopeNotMet,
            Refusal::Scope(scope) => Self::MissingScope { scope },
            Refusal::Mistake(explanation) => Self::RouteMistake(explanation),
        }
    }
}
