//! Mistakes in the server's code or configuration, found at a request.

use crate::{error::MintError, error_chain::debug_is_the_sentence};

/// A mistake in the server's code or configuration: the payload of
/// [`Rejection::Misconfigured`](crate::Rejection::Misconfigured).
///
/// The client gets 500 and `The server is misconfigured`. The log names the mistake and says what to do.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misconfiguration {
    /// Sessions are used, and no session store is configured.
    #[error("no session store is configured: add `Config::session_store`")]
    NoSessionStore,
    /// A cookie is larger than browsers accept.
    #[error(
        "the cookie `{name}` has {size} bytes, and browsers drop it above 4093: use fewer claims"
    )]
    CookieTooLarge {
        /// The cookie's name.
        name: String,
        /// Its size in bytes, with its attributes.
        size: usize,
    },
    /// CSRF proofs are needed, and the manager has no secret to make them with.
    #[error("no CSRF proof can be made or checked without a secret: add `Config::csrf_secret`")]
    NoCsrfSecret,
    /// A token cannot be minted.
    #[error("the token is not minted")]
    NotMinted(#[source] MintError),
    /// No manager is registered.
    #[error("no AuthManager is registered: add `.app_data(auth.clone())` to the App")]
    MissingManager,
    /// Two managers are registered in two different ways.
    #[error(
        "one AuthManager is registered as web::Data and another one is not: register both with \
         `.app_data(auth.clone())`"
    )]
    SeveralManagers,
    /// A handler reads the token or its user, and nothing guards its route.
    #[error(
        "the handler takes a CurrentToken or a CurrentUser, and nothing guards its route: add \
         `#[require_token]` to the handler or wrap its scope in `RequireToken`"
    )]
    Unguarded,
    /// A handler takes a [`CurrentUser`](crate::CurrentUser) of a type for which there is no loader.
    #[error(
        "the handler takes a CurrentUser<{user}>, and nothing loads it: add `Config::user_loader`"
    )]
    NoUserLoader {
        /// The name of the type.
        user: &'static str,
    },
    /// The route requires something impossible, such as a variable that its path does not have.
    #[error("the route is mistaken: {0}")]
    RouteMistake(String),
}

debug_is_the_sentence!(Misconfiguration);
