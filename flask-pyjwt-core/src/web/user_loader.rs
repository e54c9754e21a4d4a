//! `Config::user_loader`, and the loading of a user for a request.

use std::{
    any::{TypeId, type_name},
    cell::{Cell, RefCell},
    error::Error as StdError,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    rc::Rc,
    sync::Arc,
};

use actix_web::{HttpMessage as _, HttpRequest};
use time::Duration;
use tokio::sync::OnceCell;

use super::{
    Misconfiguration, Rejection, refused::within_call, registered::manager_of,
    request_state::Guarded, shown::shown,
};
use crate::{
    config::Config,
    error_chain::said,
    log_limit::{LogLimit, admits, this_second},
    manager::AuthManager,
    meters::{self, UserLoad},
    token::Token,
    users::Record,
};

/// When a client may try again after a loader has failed.
const RETRY_AFTER: Duration = Duration::SECOND;

/// The function that [`Config::user_loader`] takes. The configuration stores it without its type, since only this
/// module knows types of HTTP.
struct Loader<U> {
    load: Box<Load<U>>,
    /// Whether it gets the request, so that what it returns is right for this request only.
    sees_request: bool,
}

type Load<U> = dyn Fn(Token, HttpRequest) -> Answer<U> + Send + Sync;
type Answer<U> = Pin<Box<dyn Future<Output = Result<Option<U>, LoadError>>>>;
type LoadError = Box<dyn StdError + Send + Sync>;

/// Users behind tokens.
impl Config {
    /// Sets the function that loads the user of a token, for handlers that take a
    /// [`CurrentUser<U>`](crate::CurrentUser).
    ///
    /// It is called after the guard has accepted the token, and before the handler runs: once for each request whose
    /// handler takes the user. `None` means that the user is gone: the answer is 401. An error is logged, and the answer is
    /// 503. There can be one function for each type `U`.
    ///
    /// If you trust other issuers, look at [`Token::iss`] too: a subject of another issuer can have the same name.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::{App, http::StatusCode, test, web};
    /// use flask_pyjwt::{AuthManager, AuthType, Config, CurrentUser, RequireToken};
    ///
    /// struct User {
    ///     email: String,
    /// }
    ///
    /// /// Asks your database.
    /// async fn find(name: String) -> Result<Option<User>, std::io::Error> {
    ///     Ok((name == "alice").then(|| User { email: "alice@example.com".to_owned() }))
    /// }
    ///
    /// async fn show(user: CurrentUser<User>) -> String {
    ///     user.email.clone()
    /// }
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret")
    ///     .user_loader(|token| find(token.sub().to_owned()));
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
    /// The function has no time limit of its own: set one in your database's pool.
    #[doc(alias = "user_lookup_loader")]
    #[doc(alias = "current_user")]
    pub fn user_loader<U, E, F, R>(self, load: F) -> Self
    where
        U: Send + Sync + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
        F: Fn(Token) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Option<U>, E>> + 'static,
    {
        self.with_loader(move |token, _| load(token), false)
    }

    /// The same with the request, for a function that takes a pool of connections from the application's data.
    ///
    /// Its users are right for that request only, so [`Config::user_cache`] does not keep them.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::{HttpRequest, web};
    /// use flask_pyjwt::{AuthType, Config, Token};
    /// # struct User;
    /// # struct Pool;
    /// # impl Pool { async fn find(&self, _: &str) -> Result<Option<User>, std::io::Error> { Ok(None) } }
    ///
    /// async fn load(token: Token, request: HttpRequest) -> Result<Option<User>, Box<dyn std::error::Error + Send + Sync>> {
    ///     let pool = request.app_data::<web::Data<Pool>>().ok_or("no pool is registered")?;
    ///     Ok(pool.find(token.sub()).await?)
    /// }
    ///
    /// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret")
    ///     .user_loader_with(load);
    /// ```
    pub fn user_loader_with<U, E, F, R>(self, load: F) -> Self
    where
        U: Send + Sync + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
        F: Fn(Token, HttpRequest) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Option<U>, E>> + 'static,
    {
        self.with_loader(load, true)
    }

    fn with_loader<U, E, F, R>(mut self, load: F, sees_request: bool) -> Self
    where
        U: Send + Sync + 'static,
        E: Into<Box<dyn StdError + Send + Sync>>,
        F: Fn(Token, HttpRequest) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Option<U>, E>> + 'static,
    {
        let load = move |token, request| -> Answer<U> {
            let answer = load(token, request);
            Box::pin(async move { answer.await.map_err(Into::into) })
        };
        let loader = Arc::new(Loader {
            load: Box::new(load),
            sees_request,
        });
        self.user_loaders.insert(TypeId::of::<U>(), loader);
        self
    }
}

impl AuthManager {
    /// Forgets the users of a subject that [`Config::user_cache`] keeps in this process, for instance because the user's
    /// record was changed. Subjects of that name of other issuers are forgotten, too.
    pub fn forget_users(&self, subject: &str) {
        self.parts().users.forget(subject);
    }
}

/// The users that were loaded for a request, or are being loaded, in its extensions.
#[derive(Clone, Default)]
struct OfRequest(Rc<RefCell<Vec<Rc<Place>>>>);

/// The place of a user of one type and token.
struct Place {
    user: TypeId,
    token: Token,
    outcome: OnceCell<Result<Record, Rejection>>,
    /// Whether the loader is running: whoever asks then is called by it.
    is_in_loader: Cell<bool>,
}

impl OfRequest {
    fn place(&self, user: TypeId, token: &Token) -> Rc<Place> {
        let mut all = self.0.borrow_mut();
        let is_it = |it: &&Rc<Place>| it.user == user && it.token.signed() == token.signed();
        if let Some(found) = all.iter().find(is_it) {
            return Rc::clone(found);
        }
        let place = Rc::new(Place {
            user,
            token: token.clone(),
            outcome: OnceCell::new(),
            is_in_loader: Cell::new(false),
        });
        all.push(Rc::clone(&place));
        place
    }
}

/// The user of an accepted token. Whoever asks for it in one request gets the same one.
pub(super) async fn user_of<U: Send + Sync + 'static>(
    request: &HttpRequest,
    token: &Token,
) -> Result<Arc<U>, Rejection> {
    let known = request.extensions().get::<OfRequest>().cloned();
    let known = known.unwrap_or_else(|| {
        let new = OfRequest::default();
        request.extensions_mut().insert(new.clone());
        new
    });
    let place = known.place(TypeId::of::<U>(), token);
    // It would wait for itself.
    if place.is_in_loader.get() {
        let explanation = format!(
            "the function of `Config::user_loader` for `{}` asks for the CurrentUser that it loads",
            type_name::<U>(),
        );
        // The loader may hide the refusal in an error of its own.
        if admits("own_user") {
            tracing::error!("{explanation}");
        }
        return Err(mistake(explanation));
    }
    let load = || find_or_load::<U>(request, token, &place.is_in_loader);
    let record = place.outcome.get_or_init(load).await.clone()?;
    record.downcast().map_err(|_| no_loader::<U>())
}

fn no_loader<U>() -> Rejection {
    let user = type_name::<U>();
    Misconfiguration::NoUserLoader { user }.into()
}

fn mistake(explanation: String) -> Rejection {
    Misconfiguration::RouteMistake(explanation).into()
}

async fn find_or_load<U: Send + Sync + 'static>(
    request: &HttpRequest,
    token: &Token,
    is_in_loader: &Cell<bool>,
) -> Result<Record, Rejection> {
    let user = TypeId::of::<U>();
    let manager = manager_of(request)?;
    if !Guarded::is_by(request, manager) {
        return Err(mistake(
            "the token was accepted by another AuthManager than the one nearest to the handler: guard the handler \
             where that one is registered"
                .to_owned(),
        ));
    }
    let parts = manager.parts();
    #[cfg(feature = "test-kit")]
    if let Some(record) = parts.users.given(user, token) {
        return Ok(record);
    }
    let loader = parts.users.loader(user);
    let loader = loader.and_then(|it| it.downcast_ref::<Loader<U>>());
    let Some(Loader { load, sees_request }) = loader else {
        return Err(no_loader::<U>());
    };
    let now = parts.verification.clock.now()?;
    let epoch = parts.users.epoch();
    if !sees_request && let Some(record) = parts.users.find(user, token, now) {
        meters::user_cached();
        return Ok(record);
    }
    // The loader may call the manager. Refusals of these calls are not logged: the extractor logs its own.
    let answer = within_call(async { load(token.clone(), request.clone()).await });
    match meters::user_load(noted(answer, is_in_loader), kind_of).await {
        Ok(Some(record)) => {
            let record: Record = Arc::new(record);
            if !sees_request {
                parts.users.keep(user, token, &record, epoch, now);
            }
            Ok(record)
        }
        Ok(None) => Err(Rejection::UserNotFound),
        Err(error) => {
            let not_logged = LogLimit::of_process().admit(type_name::<U>(), "", this_second());
            if let Some(not_logged) = not_logged {
                tracing::error!(
                    user = type_name::<U>(),
                    not_logged = (not_logged > 0).then_some(not_logged),
                    "the user of a token cannot be loaded: {}",
                    shown(&said(&*error))
                );
            }
            Err(Rejection::Unavailable {
                retry_after: RETRY_AFTER,
            })
        }
    }
}

/// Runs a loader, and notes while it does.
async fn noted<T>(load: impl Future<Output = T>, is_in_loader: &Cell<bool>) -> T {
    /// Also if the loader panics.
    struct Noted<'a>(&'a Cell<bool>);

    impl Drop for Noted<'_> {
        fn drop(&mut self) {
            self.0.set(false);
        }
    }

    let mut load = pin!(load);
    poll_fn(|context| {
        is_in_loader.set(true);
        let _noted = Noted(is_in_loader);
        load.as_mut().poll(context)
    })
    .await
}

/// How a user was found, for the metrics.
fn kind_of<U>(answer: &Result<Option<U>, LoadError>) -> UserLoad {
    match answer {
        Ok(Some(_)) => UserLoad::Found,
        Ok(None) => UserLoad::Gone,
        Err(_) => UserLoad::Failed,
    }
}
