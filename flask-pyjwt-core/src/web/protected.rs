//! `protected`: a scope in which each handler says who may enter.

use std::{any::type_name, fmt, future::Future, iter::FusedIterator, marker::PhantomData};

use actix_web::{
    Error, HttpResponse, Resource, Route, Scope,
    body::MessageBody,
    dev::{AppService, HttpServiceFactory, ServiceFactory, ServiceRequest, ServiceResponse},
    guard::Guard,
    web,
};

use super::{RequireToken, protect::ForActixOnlySeeTestingUnguarded};

/// Makes a scope in which nothing is open by mistake: each handler has to say who may enter, by
/// `#[require_token]` or `#[public]`.
///
/// One that says nothing is found when the application starts: the first worker panics with the names of all such
/// handlers, before the server accepts a connection. So no request can reach them.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, HttpResponse, http::StatusCode, test, web};
/// use flask_pyjwt::{AuthManager, AuthType, Config, RequireToken, protected};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let auth = AuthManager::new(Config::new(
/// #     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
/// # ))?;
/// let api = protected("/api")
///     .require(RequireToken::auth(), web::resource("/notes").get(HttpResponse::Ok))
///     .public(web::resource("/health").get(HttpResponse::Ok));
/// let app = test::init_service(App::new().app_data(auth).service(api)).await;
///
/// for (path, status) in [("/api/health", StatusCode::OK), ("/api/notes", StatusCode::UNAUTHORIZED)] {
///     let request = test::TestRequest::with_uri(path).to_request();
///     assert_eq!(test::call_service(&app, request).await.status(), status);
/// }
/// # Ok(())
/// # }
/// ```
///
/// | what | how it says who may enter |
/// | --- | --- |
/// | a handler with a route attribute, such as `#[get("/notes")]` | `#[require_token]` or `#[public]` **above** the route attribute, then [`service`](Protected::service) |
/// | a handler with `#[require_token]` and no route attribute | [`guarded`](Protected::guarded) |
/// | a resource or a scope | [`require`](Protected::require) or [`public`](Protected::public) |
/// | any other service, such as files | [`public`](Protected::public) |
/// | handlers of another module | [`configure`](Protected::configure) |
///
/// # Panics
///
/// When the application starts, if something says nothing. The message names it.
pub fn protected(path: &str) -> Protected {
    Protected {
        path: path.to_owned(),
        scope: web::scope(path),
        silent: Vec::new(),
    }
}

/// A scope in which each handler says who may enter: the result of [`protected`]. Give it to
/// [`App::service`](actix_web::App::service).
#[must_use = "give it to `App::service`"]
pub struct Protected {
    path: String,
    scope: Scope,
    /// What says nothing.
    silent: Vec<String>,
}

impl Protected {
    /// Adds a handler with `#[require_token]` or `#[public]`, several of them as a tuple, or another [`Protected`].
    pub fn service(mut self, service: impl HttpServiceFactory + 'static) -> Self {
        self.note(&service);
        self.scope = self.scope.service(service);
        self
    }

    /// Adds a resource or a scope that requires a token, by the middleware [`RequireToken`] around it.
    pub fn require(mut self, guard: RequireToken, service: impl Guardable) -> Self {
        self.scope = service.add(guard, self.scope);
        self
    }

    /// Adds a handler with `#[require_token]` and without a route attribute: `.guarded("/notes", web::get(), notes)`.
    ///
    /// The compiler checks that the attribute is there.
    pub fn guarded<H, F>(mut self, path: &str, route: Route, handler: H) -> Self
    where
        H: Fn(ForActixOnlySeeTestingUnguarded) -> F + Clone + 'static,
        F: Future<Output = HttpResponse> + 'static,
    {
        self.scope = self.scope.route(path, route.to(handler));
        self
    }

    /// Adds a service that everybody may use, such as files or a login page.
    pub fn public(mut self, service: impl HttpServiceFactory + 'static) -> Self {
        self.scope = self.scope.service(service);
        self
    }

    /// A route says nothing about who may enter, so the application does not start with one. Write
    /// `.guarded("/notes", web::get(), notes)` for a handler with `#[require_token]`, or give a resource to
    /// [`require`](Self::require) or [`public`](Self::public).
    pub fn route(mut self, path: &str, route: Route) -> Self {
        self.silent.push(format!("the route `{path}`"));
        self.scope = self.scope.route(path, route);
        self
    }

    /// Adds what a function adds, for instance one of another module.
    pub fn configure(self, add: impl FnOnce(Self) -> Self) -> Self {
        add(self)
    }

    /// Adds application data for this scope, as [`Scope::app_data`](actix_web::Scope::app_data) does.
    pub fn app_data<U: 'static>(mut self, data: U) -> Self {
        self.scope = self.scope.app_data(data);
        self
    }

    /// Adds a condition for this scope, as [`Scope::guard`](actix_web::Scope::guard) does.
    pub fn guard(mut self, guard: impl Guard + 'static) -> Self {
        self.scope = self.scope.guard(guard);
        self
    }

    fn note<S: 'static>(&mut self, _: &S) {
        if !says_who_may_enter::<S>() {
            self.silent.push(format!("`{}`", type_name::<S>()));
        }
    }
}

impl fmt::Debug for Protected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protected")
            .field("path", &self.path)
            .field("silent", &self.silent)
            .finish_non_exhaustive()
    }
}

impl HttpServiceFactory for Protected {
    fn register(self, config: &mut AppService) {
        assert!(
            self.silent.is_empty(),
            "protected({:?}) has handlers that do not say who may enter: {}. Write `#[require_token]` or `#[public]` \
             above the route attribute of each; for routes call `.guarded(…)`, and for resources, scopes and files \
             `.require(…)` or `.public(…)`",
            self.path,
            self.silent.join(", "),
        );
        self.scope.register(config);
    }
}

/// A resource or a scope, for [`Protected::require`].
pub trait Guardable {
    /// Adds it to the scope, with the guard around it.
    #[doc(hidden)]
    fn add(self, guard: RequireToken, scope: Scope) -> Scope;
}

impl<T, B> Guardable for Resource<T>
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    fn add(self, guard: RequireToken, scope: Scope) -> Scope {
        scope.service(self.wrap(guard))
    }
}

impl<T, B> Guardable for Scope<T>
where
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    fn add(self, guard: RequireToken, scope: Scope) -> Scope {
        scope.service(self.wrap(guard))
    }
}

/// Types of services that say who may enter. `#[require_token]` and `#[public]` implement it.
pub trait SaysWhoMayEnter {}

impl SaysWhoMayEnter for Protected {}

impl<T: SaysWhoMayEnter> SaysWhoMayEnter for Vec<T> {}

macro_rules! tuples {
    ($first:ident $($rest:ident)*) => {
        impl<$first: SaysWhoMayEnter, $($rest: SaysWhoMayEnter),*> SaysWhoMayEnter for ($first, $($rest,)*) {}
        tuples!($($rest)*);
    };
    () => {};
}
tuples!(A B C D E F G H I J K L);

/// Whether a type implements [`SaysWhoMayEnter`].
///
/// Rust has no such question for a type parameter. But `Iterator::fuse` does nothing if an iterator is a
/// [`FusedIterator`], and otherwise does not ask it again after the end. `Asked` is one if the type says who may enter, and
/// counts how often it is asked. If the standard library did that no more, every handler would count as silent: no
/// application with `protected` would start, and nothing would be open.
fn says_who_may_enter<S>() -> bool {
    struct Asked<S>(usize, PhantomData<S>);

    impl<S> Iterator for Asked<S> {
        type Item = usize;

        /// Ends at once, and goes on if it is asked again.
        fn next(&mut self) -> Option<usize> {
            self.0 += 1;
            (self.0 > 1).then_some(self.0)
        }
    }

    impl<S: SaysWhoMayEnter> FusedIterator for Asked<S> {}

    let mut asked = Asked::<S>(0, PhantomData).fuse();
    asked.next().is_none() && asked.next().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Says;
    struct Silent;

    impl SaysWhoMayEnter for Says {}

    #[test]
    fn a_type_says_who_may_enter_or_does_not() {
        assert!(says_who_may_enter::<Says>());
        assert!(!says_who_may_enter::<Silent>());
        assert!(says_who_may_enter::<Protected>());
        assert!(says_who_may_enter::<(Says, Says)>());
        assert!(!says_who_may_enter::<(Says, Silent)>());
        assert!(!says_who_may_enter::<(Silent,)>());
        assert!(says_who_may_enter::<Vec<Says>>());
        assert!(!says_who_may_enter::<Vec<Silent>>());
        assert!(!says_who_may_enter::<Scope>());
        assert!(!says_who_may_enter::<Resource>());
        assert!(!says_who_may_enter::<fn()>());
    }
}
