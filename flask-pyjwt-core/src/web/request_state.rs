//! What guards, middleware and answers leave in a request for each other.

use actix_web::{HttpMessage as _, HttpRequest};

use super::Rejection;
use crate::{manager::AuthManager, session::TokenPair, token::Token};

/// What a guard leaves in the request's extensions for [`CurrentToken`](crate::CurrentToken).
pub(super) struct Guarded {
    /// `None` where credentials are optional and there were none.
    pub(super) token: Option<Token>,
    /// Whether the attribute's wrapper is extracting, and will ask what became of it.
    pub(super) by_attribute: bool,
    /// Left by an extraction that failed, for the attribute's wrapper to answer.
    pub(super) refused: Option<Refused>,
}

/// The pair that a request's cookies were renewed into. Guards take it in place of the cookies.
#[derive(Clone)]
pub(super) struct Renewed {
    pub(super) pair: TokenPair,
    /// Whose it is: another manager's guards do not know it.
    pub(super) by: AuthManager,
}

/// Why an extraction has failed, for the attribute's wrapper to answer.
pub(super) struct Refused {
    pub(super) rejection: Rejection,
    /// Whether the request is refused even where the handler would do without the token.
    pub(super) is_final: bool,
}

/// The valid token of a refused request, for as long as the hook of
/// [`Config::on_rejection`](crate::Config::on_rejection) runs.
struct InHook(Token);

/// Hands the token of a refused request to the hook, while this lives.
pub(super) struct Handed<'a>(&'a HttpRequest);

impl<'a> Handed<'a> {
    pub(super) fn over(token: Token, request: &'a HttpRequest) -> Self {
        request.extensions_mut().insert(InHook(token));
        Self(request)
    }
}

impl Drop for Handed<'_> {
    fn drop(&mut self) {
        self.0.extensions_mut().remove::<InHook>();
    }
}

/// The token of a request, if a guard or a hook has one for it.
pub(super) fn token_of(request: &HttpRequest) -> Option<Token> {
    let extensions = request.extensions();
    if let Some(InHook(token)) = extensions.get() {
        return Some(token.clone());
    }
    extensions.get::<Guarded>()?.token.clone()
}
