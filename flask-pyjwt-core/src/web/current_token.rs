//! `CurrentToken`: the token of the current request, for its handler.

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

/// Gives a handler the token of the current request. It is an extractor, and derefs to [`Token`].
///
/// The route needs a guard: `#[require_token]` or [`RequireToken`](crate::RequireToken). Without one, the answer is 500,
/// and the log says what to add.
///
/// `CurrentToken<C>` also deserializes the claims into a type of yours. If they do not fit, the answer is 403.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, http::StatusCode, test, web};
/// use flask_pyjwt::{AuthManager, AuthType, Config, CurrentToken, RequireToken};
///
/// #[derive(serde::Deserialize)]
/// struct Member {
///     team: u32,
/// }
///
/// async fn show(token: CurrentToken<Member>) -> String {
///     format!("{} of team {}", token.sub(), token.typed().team)
/// }
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let auth = AuthManager::new(Config::new(
///     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
/// ))?;
/// let me = web::resource("/me").wrap(RequireToken::auth()).get(show);
/// let app = test::init_service(App::new().app_data(auth.clone()).service(me)).await;
///
/// let member = auth.auth_token("alice").claim("team", 7).sign()?;
/// let guest = auth.auth_token("bob").sign()?; // without the claim `team`
/// for (token, status) in [(member, StatusCode::OK), (guest, StatusCode::FORBIDDEN)] {
///     let request = test::TestRequest::with_uri("/me")
///         .insert_header(("authorization", format!("Bearer {}", token.signed())));
///     assert_eq!(test::call_service(&app, request.to_request()).await.status(), status);
/// }
/// # Ok(())
/// # }
/// ```
///
/// If the guard is `optional`, take `Option<CurrentToken>`. `None` means that the request has no credentials; invalid ones
/// are still refused. `Option<CurrentToken<C>>` works with the attribute only, where claims that do not fit are answered
/// with 403. With the middleware they become `None`, because `Option` discards the error.
#[doc(alias = "current_token")]
#[doc(alias = "get_jwt")]
#[doc(alias = "get_jwt_identity")]
#[derive(Clone)]
pub struct CurrentToken<C = AnyClaims> {
    token: Token,
    typed: C,
}

/// The default type parameter of [`CurrentToken`]: the claims are not deserialized.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct AnyClaims;

impl CurrentToken {
    /// Extracts the token in code that has the request but is not a handler.
    ///
    /// To deserialize the claims as well, call `CurrentToken::<Member>::extract(&request)` of the trait [`FromRequest`].
    ///
    /// # Errors
    ///
    /// The same as for a handler that takes a `CurrentToken`: 500 if the route has no guard, and 401 if the guard is
    /// `optional` and the request has no credentials.
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
    /// The token of no request, for tests that call a handler as a function.
    #[cfg(feature = "test-kit")]
    pub(crate) fn for_test(token: Token, typed: C) -> Self {
        Self { token, typed }
    }

    /// The claims as `C`.
    #[must_use]
    pub fn typed(&self) -> &C {
        &self.typed
    }

    /// Converts into the claims as `C`.
    #[must_use]
    pub fn into_typed(self) -> C {
        self.typed
    }

    /// Converts into the [`Token`], for instance to keep it after the request.
    #[must_use]
    pub fn into_token(self) -> Token {
        self.token
    }
}

impl CurrentToken {
    /// The token of the request, or `None` if no guard has accepted one. It never refuses the request and logs nothing.
    ///
    /// It is for code that serves requests with and without a token, such as a logger. In the hook of
    /// [`Config::on_rejection`](crate::Config::on_rejection), it returns the token of the refused request if that token is
    /// valid, of the right type and not revoked, as in a 403.
    ///
    /// The token is a clone, which is cheap.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::HttpRequest;
    /// use flask_pyjwt::CurrentToken;
    ///
    /// fn caller(request: &HttpRequest) -> String {
    ///     match CurrentToken::get(request) {
    ///         Some(token) => token.sub().to_owned(),
    ///         None => "anonymous".to_owned(),
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

/// Gives handlers that take a `Token` an error message that names `CurrentToken`. No type implements it.
#[diagnostic::on_unimplemented(
    message = "`Token` cannot be an argument of a handler",
    label = "take `CurrentToken`: it derefs to `Token`",
    note = "`CurrentToken` is the token that the guard accepted, and `Token` can be any token"
)]
#[doc(hidden)]
pub trait TakeCurrentToken {}

// With the lifetime, the compiler checks the bound where the extractor is used, and not here.
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

/// The token that the guard has accepted, or a refusal.
pub(super) fn current(request: &HttpRequest) -> Result<Token, Error> {
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

/// Makes the error of an extraction. Behind the attribute, the wrapper answers instead of the error.
pub(super) fn refuse(request: &HttpRequest, rejection: Rejection) -> Error {
    let is_final = rejection != Rejection::MissingCredentials;
    if let Some(guarded) = request.extensions_mut().get_mut::<Guarded>()
        && guarded.by_attribute
    {
        let error = ErrorForbidden(rejection.description());
        guarded.refused = Some(Box::new(Refused {
            rejection,
            is_final,
        }));
        return error;
    }
    if !is_final {
        return NoToken(request.clone()).into();
    }
    let response = answer_extraction(request, &rejection);
    InternalError::from_response(rejection, response).into()
}

/// Answers a request whose token the extractor refuses.
pub(super) fn answer_extraction(request: &HttpRequest, rejection: &Rejection) -> HttpResponse {
    let token = token_of(request);
    let seen = Seen {
        token: token.as_ref(),
        is_good: true,
        asked: None,
    };
    answer(manager_of(request).ok(), rejection, request, seen)
}

/// The error of a `CurrentToken` behind an optional guard, for a request without credentials. It is logged and answered
/// only if it becomes an answer, and not if `Option<CurrentToken>` discards it.
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
