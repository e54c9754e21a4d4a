//! Every error that the endpoints answer with.

use actix_web::{
    HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, ContentType, RETRY_AFTER, WWW_AUTHENTICATE},
    },
};
use time::Duration;

use crate::{
    session::SessionError,
    token::TokenError,
    web::{DPOP_NONCE, Rejection},
};

/// Why a request is refused (RFC 6749, section 5.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The request is malformed, as the text says.
    Request(&'static str),
    /// The body is too long.
    TooLarge,
    /// No client, an unknown one, or wrong credentials: the answers are equal.
    Client,
    /// The refresh token is refused, for a reason that only the log gets.
    Grant(&'static str),
    /// The token to be revoked was issued to another client (RFC 7009, section 2.1).
    Foreign,
    GrantType,
    Scope,
    /// The DPoP proof of a bound refresh token is missing or refused, for a reason that only the log gets (RFC 9449, section
    /// 5).
    Proof(&'static str),
    /// The proof needs this nonce (RFC 9449, section 8).
    Nonce(String),
    /// Such a token cannot be revoked (RFC 7009, section 2.2.1).
    TokenType,
    /// The store, or something else that has to be asked, does not answer.
    Unavailable(Duration),
    /// The server is configured in a way in which it cannot answer.
    Server,
}

impl Refusal {
    #[rustfmt::skip] // a row a line
    fn row(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Request(why) => (StatusCode::BAD_REQUEST, "invalid_request", why),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request", "The body is too large"),
            Self::Client => (StatusCode::UNAUTHORIZED, "invalid_client", "The client is not authenticated"),
            Self::Grant(_) => (StatusCode::BAD_REQUEST, "invalid_grant", "The refresh token is not valid"),
            Self::Foreign => (StatusCode::BAD_REQUEST, "invalid_grant", "The token was issued to another client"),
            Self::GrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type", "Only `refresh_token` is supported"),
            Self::Scope => (StatusCode::BAD_REQUEST, "invalid_scope", "The scope is not within that of the login"),
            Self::Proof(_) => (StatusCode::BAD_REQUEST, "invalid_dpop_proof", "The DPoP proof is not valid"),
            Self::Nonce(_) => (StatusCode::BAD_REQUEST, "use_dpop_nonce", "A nonce is required in the DPoP proof"),
            Self::TokenType => (StatusCode::BAD_REQUEST, "unsupported_token_type", "Such a token cannot be revoked"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", "The request cannot be decided at the moment"),
            Self::Server => (StatusCode::INTERNAL_SERVER_ERROR, "server_error", "The server is misconfigured"),
        }
    }

    pub(super) fn status(&self) -> StatusCode {
        self.row().0
    }

    pub(super) fn error(&self) -> &'static str {
        self.row().1
    }

    /// The exact reason, for the log.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Request(why) => why,
            Self::Grant(reason) | Self::Proof(reason) => reason,
            Self::Foreign => "other_client",
            _ => self.error(),
        }
    }

    /// The answer. `realm` is the text of a quoted string.
    pub(super) fn answer(&self, realm: &str) -> HttpResponse {
        let (status, error, description) = self.row();
        let mut answer = HttpResponse::build(status);
        answer.insert_header((CACHE_CONTROL, "no-store"));
        match self {
            // Also where Basic was not used: 401 needs a challenge (RFC 9110, section 15.5.2).
            Self::Client => {
                answer.insert_header((WWW_AUTHENTICATE, format!("Basic realm=\"{realm}\"")));
            }
            Self::Nonce(nonce) => {
                answer.insert_header((DPOP_NONCE, nonce.as_str()));
            }
            Self::Unavailable(after) => {
                let fraction = i64::from(after.subsec_nanoseconds() > 0);
                let seconds = after.whole_seconds().saturating_add(fraction);
                answer.insert_header((RETRY_AFTER, seconds.max(1)));
            }
            _ => {}
        }
        // Both texts are from a closed list, in which nothing has to be escaped.
        let body = format!(r#"{{"error":"{error}","error_description":"{description}"}}"#);
        answer.content_type(ContentType::json()).body(body)
    }
}

impl From<TokenError> for Refusal {
    fn from(error: TokenError) -> Self {
        Rejection::from(error).into()
    }
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        Rejection::anew(error).into()
    }
}

impl From<Rejection> for Refusal {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::InvalidToken(error) => Self::Grant(error.reason()),
            Rejection::InvalidProof(error) => Self::Proof(error.reason()),
            Rejection::NonceRequired { nonce } => Self::Nonce(nonce),
            Rejection::NoCertificate | Rejection::OtherCertificate => {
                Self::Grant(rejection.reason())
            }
            Rejection::NotRevocable => Self::TokenType,
            Rejection::Unavailable { retry_after } => Self::Unavailable(retry_after),
            _ => Self::Server,
        }
    }
}
