//! What can go wrong in a handler, and the answer to each.
//!
//! Guards answer refused tokens themselves. Handlers return `actix_web::Result`, so that `?` works for both: the
//! errors here, and those of `AuthManager`.

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde_json::json;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The request breaks a rule of the route. The text is the rule.
    #[error("{0}")]
    Invalid(&'static str),
    /// The body is longer than any route accepts.
    #[error("The body is too long")]
    TooLarge,
    /// One answer for an unknown user and for a wrong password, so that it does not tell which users exist.
    #[error("The username or the password is wrong")]
    WrongLogin,
    #[error("The username is taken")]
    Taken,
    #[error("There are too many notes: delete one first")]
    TooManyNotes,
    #[error("Not found")]
    NotFound,
    /// There are more logins at the same time than the server can handle.
    #[error("The server is busy: try again in a moment")]
    Busy,
    #[error("Internal server error")]
    Database(#[from] sqlx::Error),
    #[error("Internal server error")]
    Password(#[from] argon2::password_hash::Error),
}

impl Error {
    /// The status, and a code for programs.
    fn parts(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Invalid(_) => (StatusCode::BAD_REQUEST, "invalid"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::WrongLogin => (StatusCode::UNAUTHORIZED, "wrong_login"),
            Self::Taken => (StatusCode::CONFLICT, "username_taken"),
            Self::TooManyNotes => (StatusCode::CONFLICT, "too_many_notes"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not_found"),
            Self::Busy | Self::Database(sqlx::Error::PoolTimedOut) => {
                (StatusCode::SERVICE_UNAVAILABLE, "busy")
            }
            Self::Database(_) | Self::Password(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "server_error")
            }
        }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        self.parts().0
    }

    /// Builds the same JSON as the guards' answers.
    fn error_response(&self) -> HttpResponse {
        let (status, error) = self.parts();
        // The cause is for the log only.
        match self {
            Self::Database(cause) => tracing::error!(%cause, "a database query failed"),
            Self::Password(cause) => tracing::error!(%cause, "a password could not be hashed"),
            _ => {}
        }
        let mut response = HttpResponse::build(status);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((header::RETRY_AFTER, "1"));
        }
        response.json(json!({"error": error, "error_description": self.to_string()}))
    }
}
