//! The state that guards, middleware and answers store in the extensions of a request.

use actix_web::{HttpMessage as _, HttpRequest};

use super::{Rejection, shown::shown};
use crate::{
    manager::{AuthManager, ManagerId},
    session::TokenPair,
    token::Token,
};

/// The result of a guard, for [`CurrentToken`](crate::CurrentToken).
pub(super) struct Guarded {
    /// Which manager has accepted it.
    pub(super) by: ManagerId,
    /// `None` if credentials are optional and the request has none.
    pub(super) token: Option<Token>,
    /// Whether the attribute's wrapper is extracting the arguments. It reads `refused` afterwards.
    pub(super) by_attribute: bool,
    /// Set by a failed extraction, for the attribute's wrapper to answer. Boxed, because each accepted request stores a
    /// `Guarded`, and few have this.
    pub(super) refused: Option<Box<Refused>>,
}

impl Guarded {
    /// Whether this manager has accepted the request.
    pub(super) fn is_by(request: &HttpRequest, manager: &AuthManager) -> bool {
        let extensions = request.extensions();
        let guarded = extensions.get::<Self>();
        guarded.is_some_and(|guarded| guarded.by == manager.id())
    }
}

/// The renewed tokens of a request. Guards use them instead of the cookies.
#[derive(Clone)]
pub(super) struct Renewed {
    pub(super) pair: TokenPair,
    /// The manager that renewed them. Guards of other managers ignore them.
    pub(super) by: AuthManager,
}

/// Why an extraction failed, for the attribute's wrapper to answer.
pub(super) struct Refused {
    pub(super) rejection: Rejection,
    /// Whether the request is refused even if the handler takes `Option<CurrentToken>`.
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

/// The valid token of a refused request. It is stored while the hook of
/// [`Config::on_rejection`](crate::Config::on_rejection) runs.
struct InHook(Token);

/// Stores the token of a refused request for the hook, until this is dropped.
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

/// The token of a request, if a guard accepted it or a hook is running.
pub(super) fn token_of(request: &HttpRequest) -> Option<Token> {
    let extensions = request.extensions();
    if let Some(InHook(token)) = extensions.get() {
        return Some(token.clone());
    }
    extensions.get::<Guarded>()?.token.clone()
}
