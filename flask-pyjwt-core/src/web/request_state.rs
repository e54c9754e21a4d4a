//! What guards, middleware and answers leave in a request for each other.

use actix_web::{HttpMessage as _, HttpRequest};

use super::{Rejection, shown::shown};
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

/// What of the handler's type the claims do not fit, for the event.
#[derive(Clone)]
pub(super) struct Unfit(Option<String>);

impl Unfit {
    /// Takes from an error what is of the type, and nothing of the token: the name of a member, or what was
    /// expected.
    pub(super) fn new(error: &serde_json::Error) -> Self {
        let error = error.to_string();
        let missing = error.strip_prefix("missing field `");
        let missing = missing.and_then(|rest| rest.split_once('`'));
        let expected = error.strip_prefix("invalid type: ");
        let expected = expected.and_then(|rest| rest.rsplit_once(", expected "));
        Self(match (missing, expected) {
            (Some((name, _)), _) => Some(format!("the claim `{}` is missing", shown(name))),
            (None, Some((_, expected))) => Some(format!("a claim is not {}", shown(expected))),
            (None, None) => None,
        })
    }

    /// What was left in this request.
    pub(super) fn of(request: &HttpRequest) -> Option<String> {
        request.extensions().get::<Self>()?.0.clone()
    }
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
