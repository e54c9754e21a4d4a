//! Guarded handlers, called as functions.

use std::{any::Any, future::Future};

use actix_web::{HttpResponse, test::TestRequest};

use crate::web::{CurrentUser, protect::ForActixOnlySeeTestingUnguarded as Incoming};

/// The user as the guard gives it to a handler, for a test that calls the handler as a function.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{CurrentUser, testing};
///
/// struct User {
///     email: &'static str,
/// }
///
/// fn address(user: &CurrentUser<User>) -> &'static str {
///     user.email
/// }
///
/// let alice = testing::current_user(User { email: "alice@example.com" });
/// assert_eq!(address(&alice), "alice@example.com");
/// ```
#[must_use]
pub fn current_user<U>(user: U) -> CurrentUser<U> {
    CurrentUser::for_test(user)
}

/// Calls a guarded handler as a function, with the arguments that a test gives it and without its guard.
///
/// It is for a handler that is registered as `web::get().to(show)`. One with a route attribute below `#[require_token]`,
/// such as `#[get("/me")]`, is called as `show::unguarded(…)`, which returns what the function returns.
///
/// ```rs
/// use actix_web::{HttpResponse, get, web};
/// use flask_pyjwt::{CurrentToken, testing::{TestAuth, unguarded}};
///
/// #[require_token(sub = "name")]
/// async fn show(name: web::Path<String>, token: CurrentToken) -> String {
///     format!("page of {name}, read by {}", token.sub())
/// }
///
/// #[require_token]
/// #[get("/me")]
/// async fn me(token: CurrentToken) -> String {
///     token.sub().to_owned()
/// }
///
/// let auth = TestAuth::new();
/// let token = auth.token("alice").current();
/// let answer = unguarded(show, (web::Path::from("bob".to_owned()), token.clone())).await;
/// assert_eq!(answer.status(), 200);
///
/// assert_eq!(me::unguarded(token).await, "alice");
/// ```
///
/// # Panics
///
/// When awaited, if the arguments are not of the handler's types, in its order, as one tuple: `(token,)` for one.
pub fn unguarded<F, Answer>(handler: F, arguments: impl Any) -> impl Future<Output = HttpResponse>
where
    F: FnOnce(Incoming) -> Answer,
    Answer: Future<Output = HttpResponse>,
{
    let request = TestRequest::default().to_http_request();
    handler(Incoming::with_arguments(request, arguments))
}
