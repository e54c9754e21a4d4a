//! `CurrentUser`: the user of the current request, for its handler.

use std::{fmt, future::Future, ops::Deref, pin::Pin, sync::Arc};

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload};

use super::{
    current_token::{current, refuse},
    user_loader::user_of,
};

/// Gives a handler the user of the current request: what [`Config::user_loader`](crate::Config::user_loader) returns for
/// the token. It is an extractor, and derefs to `U`.
///
/// The route needs a guard, as for [`CurrentToken`](crate::CurrentToken). The user is loaded after the guard has accepted
/// the token, and once for each request, however many arguments ask for it.
///
/// | the loader | answer |
/// | --- | --- |
/// | returns a user | the handler runs |
/// | returns `None`: the user is gone | 401 |
/// | returns an error | 503 |
/// | is missing for this type | 500 |
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, http::StatusCode, test, web};
/// use flask_pyjwt::{AuthManager, AuthType, Config, CurrentUser, RequireToken};
///
/// struct User {
///     email: &'static str,
/// }
///
/// async fn show(user: CurrentUser<User>) -> &'static str {
///     user.email
/// }
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret")
///     .user_loader(|token| async move {
///         let is_known = token.sub() == "alice";
///         Ok::<_, std::io::Error>(is_known.then_some(User { email: "alice@example.com" }))
///     });
/// let auth = AuthManager::new(config)?;
/// let me = web::resource("/me").wrap(RequireToken::auth()).get(show);
/// let app = test::init_service(App::new().app_data(auth.clone()).service(me)).await;
///
/// for (subject, status) in [("alice", StatusCode::OK), ("nobody", StatusCode::UNAUTHORIZED)] {
///     let token = auth.auth_token(subject).sign()?;
///     let request = test::TestRequest::with_uri("/me")
///         .insert_header(("authorization", format!("Bearer {}", token.signed())));
///     assert_eq!(test::call_service(&app, request.to_request()).await.status(), status);
/// }
/// # Ok(())
/// # }
/// ```
///
/// If the guard is `optional`, take `Option<CurrentUser<U>>`: `None` means that the request has no credentials. Behind the
/// attribute, a user who is gone is still answered with 401, and an error with 503. Behind the middleware they become
/// `None`, because `Option` discards the error.
#[doc(alias = "current_user")]
#[doc(alias = "get_current_user")]
pub struct CurrentUser<U>(Arc<U>);

impl<U> CurrentUser<U> {
    /// The user of no request, for tests that call a handler as a function.
    #[cfg(feature = "test-kit")]
    pub(crate) fn for_test(user: U) -> Self {
        Self(Arc::new(user))
    }

    /// Converts into the user, for instance to keep it after the request.
    #[must_use]
    pub fn into_shared(self) -> Arc<U> {
        self.0
    }
}

impl<U> Deref for CurrentUser<U> {
    type Target = U;

    fn deref(&self) -> &U {
        &self.0
    }
}

impl<U> Clone for CurrentUser<U> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// It shows nothing of the user, whose record may contain personal data.
impl<U> fmt::Debug for CurrentUser<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CurrentUser").finish_non_exhaustive()
    }
}

impl<U: Send + Sync + 'static> FromRequest for CurrentUser<U> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let token = current(&request)?;
            let user = user_of(&request, &token).await;
            user.map(Self)
                .map_err(|rejection| refuse(&request, rejection))
        })
    }
}
