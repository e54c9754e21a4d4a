//! The audit: who may enter by each route of an application, and whether everybody else is refused.

mod attacks;
mod bad_tokens;
mod concrete;
mod good;
mod grammar;
mod learn;
mod prove;
mod report;
mod routes;
mod visit;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    rc::Rc,
};

use actix_http::{HttpMessage as _, Request};
use actix_web::{
    App, Error, HttpRequest, HttpResponse,
    body::MessageBody,
    dev::{Service, ServiceFactory, ServiceRequest, ServiceResponse},
    introspection::IntrospectionTree,
    test,
    web::{self, Data},
};

use serde_json::Value;

use crate::web::Probe;

pub use self::report::{AuditReport, AuditedRoute, Entry, Finding};
use self::{
    learn::Settings,
    visit::{Answer, Application},
};

/// Asks every route of an application who may enter, and sends each guarded one hostile requests.
///
/// `application` makes the [`App`], as the closure of `HttpServer::new` does. Await the [`Audit`] for the [`AuditReport`].
///
/// For each route and method, the audit sends a request without credentials. The guard tells what it requires: the
/// audit makes tokens from that which miss one thing each, and sends them as well. No guarded handler runs, whatever
/// happens.
///
/// Nobody can see from outside that a route has no guard, so **an unguarded handler gets that one request**. It does
/// not run if it reads the body or takes the [`AuthManager`](crate::AuthManager), because the audit withholds both. Routes
/// that are [declared](Audit::public) get only an `OPTIONS` request.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, HttpResponse, web};
/// use flask_pyjwt::{RequireToken, testing::{TestAuth, audit}};
///
/// # #[actix_web::main]
/// # async fn main() {
/// let auth = TestAuth::new();
/// let report = audit(|| {
///     App::new()
///         .app_data(auth.manager())
///         .route("/health", web::get().to(HttpResponse::Ok))
///         .service(web::resource("/me").wrap(RequireToken::auth()).get(HttpResponse::Ok))
/// })
/// .await;
/// report.assert_public(&["GET /health"]);
/// assert_eq!(report.to_string(), "\
/// GET  /health  open
/// GET  /me      auth
/// ");
/// # }
/// ```
pub fn audit<F, T, B>(application: F) -> Audit<F>
where
    F: Fn() -> App<T>,
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    Audit {
        application,
        settings: Settings::default(),
    }
}

/// An audit of an application: the result of [`audit`]. Await it.
#[must_use = "the audit runs when this is awaited"]
pub struct Audit<F> {
    application: F,
    settings: Settings,
}

impl<F> Audit<F> {
    /// Declares routes that everybody may use, such as `"POST /login"`. They get only an `OPTIONS` request, so that their
    /// handlers do not run.
    ///
    /// [`AuditReport::assert_public`] has to name them as well.
    pub fn public(mut self, routes: &[&str]) -> Self {
        let routes = routes.iter().map(|&route| route.to_owned());
        self.settings.public.extend(routes);
        self
    }

    /// Sets the value of a variable in paths, such as the `id` of `/users/{id}`. By default the audit finds a value that
    /// the pattern matches.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.variables.insert(name.into(), value.into());
        self
    }

    /// Sets a claim of all tokens that the audit makes, for an application whose
    /// [`Config::token_check`](crate::Config::token_check) looks at it.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.settings.claims.insert(name.into(), value.into());
        self
    }

    /// Sets the subject of the tokens, for an application whose [`Config::token_check`](crate::Config::token_check) accepts
    /// only users that it knows. A route whose path names the subject uses the name in the path.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.settings.subject = subject.into();
        self
    }

    /// Sends this header field with every request, for guards of actix-web that want it.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.headers.push((name.into(), value.into()));
        self
    }

    /// `true` lets the audit go past a [`RequireToken`](crate::RequireToken) around a scope, to find guards further
    /// inside. **A handler in there that has no guard of its own then runs**, with a token that the outer guard
    /// accepts. The default is `false`.
    pub fn look_inside(mut self, inside: bool) -> Self {
        self.settings.inside = inside;
        self
    }
}

impl<F> fmt::Debug for Audit<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit").finish_non_exhaustive()
    }
}

impl<F, T, B> IntoFuture for Audit<F>
where
    F: Fn() -> App<T>,
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    type Output = AuditReport;
    type IntoFuture = Pin<Box<dyn Future<Output = AuditReport>>>;

    fn into_future(self) -> Self::IntoFuture {
        let apps = ((self.application)(), (self.application)());
        let settings = self.settings;
        Box::pin(async move {
            let (as_it_is, _) = start(apps.0).await;
            // What the application itself answers for all paths that it does not have, is told from what a service answers.
            let marked = web::to(|request: HttpRequest| async move {
                Probe::note_default(&request);
                HttpResponse::NotFound().finish()
            });
            let (marked, tree) = start(apps.1.default_service(marked)).await;
            learn::report(&as_it_is, &marked, &tree, &settings).await
        })
    }
}

/// A request with this is answered by the audit itself, before the application sees it.
#[derive(Clone, Default)]
struct Question(Rc<RefCell<Option<IntrospectionTree>>>);

/// Starts the application, and asks actix-web for its routes.
async fn start<T, B>(app: App<T>) -> (Application, IntrospectionTree)
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
    let app = app.wrap_fn(|request: ServiceRequest, service| {
        let question = request.extensions().get::<Question>().cloned();
        let tree = request.app_data::<Data<IntrospectionTree>>().cloned();
        let call = match question {
            Some(question) => {
                *question.0.borrow_mut() = tree.map(|tree| IntrospectionTree::clone(&tree));
                Err(request)
            }
            None => Ok(service.call(request)),
        };
        async move {
            match call {
                Ok(call) => call.await.map(ServiceResponse::map_into_left_body),
                Err(request) => {
                    let answer = HttpResponse::Ok().finish();
                    Ok(request.into_response(answer).map_into_right_body())
                }
            }
        }
    });
    let app = Rc::new(test::init_service(app).await);
    let question = Question::default();
    let request = test::TestRequest::default().to_request();
    request.extensions_mut().insert(question.clone());
    let _ = app.call(request).await;
    let tree = question.0.take();
    let tree = tree.expect("actix-web lists its routes with the feature `test-kit`");
    let application: Application = Rc::new(move |request: Request| {
        let call = app.call(request);
        Box::pin(async move {
            match call.await {
                Ok(response) => Answer {
                    status: response.status().as_u16(),
                    pattern: response.request().match_pattern(),
                },
                Err(error) => Answer {
                    status: error.as_response_error().status_code().as_u16(),
                    pattern: None,
                },
            }
        })
    });
    (application, tree)
}

/// Values of the variables in paths.
type Variables = BTreeMap<String, String>;
