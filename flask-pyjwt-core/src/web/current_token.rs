//! The token of the current request, for its handler.

use std::{
    fmt,
    future::{Ready, ready},
    ops::Deref,
};

use actix_web::{
    Error, FromRequest, HttpMessage as _, HttpRequest, HttpResponse, ResponseError,
    dev::Payload,
    error::{ErrorForbidden, InternalError},
    http::StatusCode,
};
use serde::de::DeserializeOwned;

use super::{
    Misconfiguration, Rejection,
    answer::{Seen, answer},
    registered::manager_of,
    request_state::{Guarded, Refused, Unfit, token_of},
};
use crate::token::Token;

/// The token that the request was let in with.
///
/// An extractor for handlers behind `#[require_token]` or [`RequireToken`](crate::RequireToken).
/// It derefs to [`Token`]. `CurrentToken<C>` reads the claims as a type of your own as well; a
/// valid token whose claims do not fit it is answered with 403. On a route that nothing guards, it
/// is answered with 500, and the log says what to add.
///
/// Where the guard is `optional`, take `Option<CurrentToken>`: `None` is a request without
/// credentials, never one with bad ones. Behind the attribute, claims that do not fit are a 403
/// there too; the middleware cannot see what an `Option` swallows, so do not combine
/// `Option<CurrentToken<C>>` with it.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::CurrentToken;
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Member {
///     team: u32,
/// }
///
/// async fn show(token: CurrentToken<Member>) -> String {
///     format!("{} of team {}", token.sub(), token.typed().team)
/// }
/// # let _ = show;
/// ```
#[doc(alias = "current_token")]
#[derive(Clone)]
pub struct CurrentToken<C = AnyClaims> {
    token: Token,
    typed: C,
}

/// No expectation of the claims: what [`CurrentToken`] has unless it is told a type.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct AnyClaims;

impl CurrentToken {
    /// The token of a request that a guard let in, for code that has only the request.
    ///
    /// For claims of your own type, name it: `CurrentToken::<Member>::extract(&request)`, by the trait
    /// [`FromRequest`].
    ///
    /// # Errors
    ///
    /// As for a handler that takes a `CurrentToken`: 500 where nothing guards the route, 401 where the
    /// guard is `optional` and there were no credentials.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::{Error, HttpRequest};
    /// use flask_pyjwt::CurrentToken;
    ///
    /// async fn name(request: HttpRequest) -> Result<String, Error> {
    ///     let token = CurrentToken::extract(&request).await?;
    ///     Ok(token.sub().to_owned())
    /// }
    /// # let _ = name;
    /// ```
    pub fn extract(request: &HttpRequest) -> Ready<Result<Self, Error>> {
        <Self as FromRequest>::extract(request)
    }
}

impl<C> CurrentToken<C> {
    /// The claims as the type that the handler has asked for.
    #[must_use]
    pub fn typed(&self) -> &C {
        &self.typed
    }

    /// The claims as the type that the handler has asked for, owned.
    #[must_use]
    pub fn into_typed(self) -> C {
        self.typed
    }

    /// The token itself, owned.
    #[must_use]
    pub fn into_token(self) -> Token {
        self.token
    }
}

impl CurrentToken {
    /// The token that the request was let in with, if there is one: for code that only looks, such as a
    /// logger or a handler that serves everybody. Nothing is refused and nothing is logged.
    ///
    /// In the hook of [`Config::on_rejection`](crate::Config::on_rejection) it is the token of the refused
    /// request, where that is valid, of the right type and not revoked: a 403 has one.
    ///
    /// The token is a cheap clone, since a request lends nothing that a guard has left in it.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::HttpRequest;
    /// use flask_pyjwt::CurrentToken;
    ///
    /// fn caller(request: &HttpRequest) -> String {
    ///     match CurrentToken::get(request) {
    ///         Some(token) => token.sub().to_owned(),
    ///         None => "nobody".to_owned(),
    ///     }
    /// }
    /// # let _ = caller;
    /// ```
    #[must_use]
    pub fn get(request: &HttpRequest) -> Option<Token> {
        token_of(request)
    }
}

impl<C> Deref for CurrentToken<C> {
    type Target = Token;

    fn deref(&self) -> &Token {
        &self.token
    }
}

impl<C> fmt::Debug for CurrentToken<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CurrentToken").field(&self.token).finish()
    }
}

impl FromRequest for CurrentToken {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(current(request).map(|token| Self {
            token,
            typed: AnyClaims,
        }))
    }
}

impl<C: DeserializeOwned + 'static> FromRequest for CurrentToken<C> {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(current(request).and_then(|token| match token.claims_as() {
            Ok(typed) => Ok(Self { token, typed }),
            Err(error) => {
                request.extensions_mut().insert(Unfit::new(&error));
                Err(refuse(request, Rejection::ClaimsDoNotFit))
            }
        }))
    }
}

/// Says to whoever takes a `Token` as an argument what to take. Nothing implements it.
#[diagnostic::on_unimplemented(
    message = "`Token` cannot be an argument of a handler",
    label = "take `CurrentToken`: it derefs to `Token`",
    note = "`CurrentToken` is the token that the request was let in with; `Token` is any token"
)]
#[doc(hidden)]
pub trait TakeCurrentToken {}

// The bound has a lifetime, so that the compiler looks at it where the extractor is used, not here.
#[doc(hidden)]
impl FromRequest for Token
where
    for<'a> Self: TakeCurrentToken,
{
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(current(request))
    }
}

fn current(request: &HttpRequest) -> Result<Token, Error> {
    token_of(request).ok_or_else(|| {
        let is_guarded = request.extensions().contains::<Guarded>();
        let rejection = if is_guarded {
            Rejection::MissingCredentials
        } else {
            Misconfiguration::Unguarded.into()
        };
        refuse(request, rejection)
    })
}

/// The error that an extraction ends with. Behind the attribute, its wrapper answers.
fn refuse(request: &HttpRequest, rejection: Rejection) -> Error {
    let is_final = rejection != Rejection::MissingCredentials;
    if let Some(guarded) = request.extensions_mut().get_mut::<Guarded>()
        && guarded.by_attribute
    {
        let error = ErrorForbidden(rejection.description());
        guarded.refused = Some(Refused {
            rejection,
            is_final,
        });
        return error;
    }
    if !is_final {
        return NoToken(request.clone()).into();
    }
    let response = answer_extraction(request, &rejection);
    InternalError::from_response(rejection, response).into()
}

/// Answers a request whose token does not suit the handler.
pub(super) fn answer_extraction(request: &HttpRequest, rejection: &Rejection) -> HttpResponse {
    let token = token_of(request);
    let seen = Seen {
        token: token.as_ref(),
        is_good: true,
        asked: None,
    };
    answer(manager_of(request).ok(), rejection, request, seen)
}

/// A handler behind an optional guard has asked for a token, and there is none. The request is refused
/// where this becomes an answer, and not where `Option<CurrentToken>` makes it `None`.
struct NoToken(HttpRequest);

impl fmt::Debug for NoToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&Rejection::MissingCredentials, f)
    }
}

impl fmt::Display for NoToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Rejection::MissingCredentials, f)
    }
}

impl ResponseError for NoToken {
    fn status_code(&self) -> StatusCode {
        Rejection::MissingCredentials.status()
    }

    fn error_response(&self) -> HttpResponse {
        answer_extraction(&self.0, &Rejection::MissingCredentials)
    }
}
