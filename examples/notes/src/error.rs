//! What can go wrong in a handler, and the answer to each.
//!
//! The guards answer refused tokens themselves. Handlers return `actix_web::Result`, so that `?` takes both: the
//! errors here, and those of `AuthManager`.

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde_json::json;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The request is not what the route takes. The text says what it takes.
    #[error("{0}")]
    Invalid(&'static str),
    /// The body is longer than any that the routes take.
    #[error("The body is too long")]
    TooLarge,
    /// One answer for an unknown user and for a wrong password: which of them it was is nobody's business.
    #[error("The username or the password is wrong")]
    WrongLogin,
    #[error("The username is taken")]
    Taken,
    #[error("There are too many notes: delete one first")]
    TooManyNotes,
    #[error("There is nothing here")]
    NotFound,
    /// More logins at the same time than the server has room for.
    #[error("The server is busy: try again in a moment")]
    Busy,
    #[error("The server has failed")]
    Database(#[from] sqlx::Error),
    #[error("The server has failed")]
    Password(#[from] argon2::password_hash::Error),
}

impl Error {
    /// The status, and a name for programs.
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

    /// The same form as the guards' answers.
    fn error_response(&self) -> HttpResponse {
        let (status, error) = self.parts();
        // The log has the cause, and the client has not.
        match self {
            Self::Database(cause) => tracing::error!(%cause, "the database has failed"),
            Self::Password(cause) => tracing::error!(%cause, "a password cannot be hashed"),
            _ => {}
        }
        let mut response = HttpResponse::build(status);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.insert_header((header::RETRY_AFTER, "1"));
        }
        response.json(json!({"error": error, "error_description": self.to_string()}))
    }
}
