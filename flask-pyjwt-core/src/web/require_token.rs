//! `RequireToken`: the guard for whole scopes and resources.

use std::{
    fmt,
    future::{Future, Ready, ready},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::{
    Error,
    body::EitherBody,
    dev::{Service, ServiceRequest, ServiceResponse, Transform},
    http::header::SET_COOKIE,
};
use serde_json::Value;

use super::{
    answer::answer_of_handler,
    authorize::{AtOnce, guard, guard_at_once},
    places,
};
use crate::{
    claims::ExpectedClaim,
    rules::{IssuerNames, Requirement, TokenLocation, location},
    token::TokenType,
};

/// Middleware that requires a token on a scope or a resource.
///
/// It has the same rules, order of checks and answers as `#[require_token]`, the guard for one handler.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, HttpResponse, http::StatusCode, test, web};
/// use flask_pyjwt::{AuthManager, AuthType, Config, RequireToken};
/// use serde_json::json;
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let auth = AuthManager::new(Config::new(
///     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
/// ))?;
/// let app = test::init_service(
///     App::new().app_data(auth.clone()).service(
///         web::scope("/admin")
///             .wrap(RequireToken::auth().scope(json!({"admin": true})))
///             .route("", web::get().to(HttpResponse::Ok)),
///     ),
/// )
/// .await;
///
/// for (scope, status) in [(json!({"admin": true}), StatusCode::OK),
///                         (json!({"admin": 1}), StatusCode::FORBIDDEN)] {
///     let token = auth.auth_token("alice").scope(scope).sign()?;
///     let request = test::TestRequest::with_uri("/admin")
///         .insert_header(("authorization", format!("Bearer {}", token.signed())));
///     assert_eq!(test::call_service(&app, request.to_request()).await.status(), status);
/// }
/// # Ok(())
/// # }
/// ```
///
/// A refusal is a response and not an error, so outer middleware can add CORS and other headers to it.
///
/// Around a scope, only the route variables of the scope's path are available.
///
/// A guard that names no places uses those of the guard around it, or else [`Config::locations`](crate::Config::locations).
/// The setting [`csrf`](Self::csrf) is not taken over.
///
/// You can make it once, outside the closure of `HttpServer::new`, and clone it inside.
#[doc(alias = "jwt_required")]
#[doc(alias = "middleware")]
#[derive(Debug, Clone)]
#[must_use = "wrap a scope or a resource in it"]
pub struct RequireToken(Arc<Requirement>);

impl RequireToken {
    /// Requires an auth token.
    pub fn auth() -> Self {
        Self(Arc::new(Requirement::new(TokenType::Auth)))
    }

    /// Requires a refresh token.
    pub fn refresh() -> Self {
        Self(Arc::new(Requirement::new(TokenType::Refresh)))
    }

    /// What it requires.
    pub(crate) fn requirement(&self) -> &Requirement {
        &self.0
    }

    pub(super) fn with(self, change: impl FnOnce(Requirement) -> Requirement) -> Self {
        Self(Arc::new(change(Arc::unwrap_or_clone(self.0))))
    }

    /// Looks for the token in these places. If two of them have credentials, the answer is 400.
    ///
    /// # Panics
    ///
    /// If there is no place, or the name of a header, cookie or parameter is empty or not valid. Such a route would refuse
    /// every request.
    pub fn locations(self, locations: impl Into<Vec<TokenLocation>>) -> Self {
        let locations = locations.into();
        if let Some(problem) = location::problem(&locations) {
            panic!("RequireToken::locations {problem}");
        }
        self.with(|requirement| requirement.locations(locations))
    }

    /// Looks for the token only in the cookie that [`Config::cookies`](crate::Config::cookies) names.
    pub fn cookies(self) -> Self {
        self.locations([TokenLocation::DefaultCookie])
    }

    /// `false` accepts tokens in cookies without a CSRF proof. The default is `true`: unsafe methods such as `POST` need
    /// one ([`AuthManager::csrf_proof`](crate::AuthManager::csrf_proof)).
    pub fn csrf(self, csrf: bool) -> Self {
        self.with(|requirement| requirement.csrf(csrf))
    }

    /// Looks for the token only in the cookie of this name.
    ///
    /// # Panics
    ///
    /// If the name is empty.
    pub fn cookie(self, name: impl Into<String>) -> Self {
        self.locations([TokenLocation::Cookie(name.into())])
    }

    /// Looks for the token only in the header of this name, such as `"x-goog-iap-jwt-assertion"`, with or without `Bearer `
    /// before it.
    ///
    /// No CSRF proof is required. [`TokenLocation::NamedHeader`] says what that means behind a proxy.
    ///
    /// # Panics
    ///
    /// If this is not a valid name of a header.
    pub fn header(self, name: impl Into<String>) -> Self {
        self.locations([TokenLocation::NamedHeader(name.into())])
    }

    /// Accepts only tokens of this issuer, or of one of several.
    ///
    /// Each is this server's issuer, a [trusted](crate::Config::trust) issuer, the text of a
    /// [template](crate::Issuer::template), or a name that was given with [`Issuer::named`](crate::Issuer::named). With any
    /// other text, the answer is 500.
    pub fn issuer(self, issuers: impl Into<IssuerNames>) -> Self {
        self.with(|requirement| requirement.issuer(issuers))
    }

    /// Requires a claim to match this value.
    ///
    /// The claim has to contain every member of an object and every element of an array. Any other value has to be equal
    /// and of the same JSON type: `1` is not `true`.
    pub fn claim(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.with(|requirement| requirement.claim(name, ExpectedClaim::Value(value.into())))
    }

    /// Requires a claim to equal a variable of the route's path. If the route has no such variable, the answer is 500.
    pub fn claim_from_path(self, name: impl Into<String>, variable: impl Into<String>) -> Self {
        self.with(|requirement| requirement.claim(name, ExpectedClaim::Path(variable.into())))
    }

    /// Requires the subject to equal a variable of the route's path.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::{App, HttpResponse, http::StatusCode, test, web};
    /// use flask_pyjwt::{AuthManager, AuthType, Config, RequireToken};
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let auth = AuthManager::new(Config::new(
    /// #     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
    /// # ))?;
    /// let guard = RequireToken::auth().sub_from_path("name");
    /// let user = web::resource("/users/{name}").wrap(guard).get(HttpResponse::Ok);
    /// let app = test::init_service(App::new().app_data(auth.clone()).service(user)).await;
    ///
    /// let token = auth.auth_token("alice").sign()?;
    /// for (path, status) in [("/users/alice", StatusCode::OK), ("/users/bob", StatusCode::FORBIDDEN)] {
    ///     let request = test::TestRequest::with_uri(path)
    ///         .insert_header(("authorization", format!("Bearer {}", token.signed())));
    ///     assert_eq!(test::call_service(&app, request.to_request()).await.status(), status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn sub_from_path(self, variable: impl Into<String>) -> Self {
        self.claim_from_path("sub", variable)
    }

    /// Requires the claim `scope` to match this value, by the rules of [`claim`](Self::claim).
    pub fn scope(self, scope: impl Into<Value>) -> Self {
        self.with(|requirement| requirement.scope(scope.into()))
    }

    /// Requires a claim to meet an expectation, such as `ExpectedClaim::contains("read")`,
    /// `ExpectedClaim::all(["read", "write"])` or `ExpectedClaim::any(["admin", "owner"])`.
    pub fn expect_claim(self, name: impl Into<String>, expected: ExpectedClaim) -> Self {
        self.with(|requirement| requirement.claim(name, expected))
    }

    /// Requires the claim `scope` to meet an expectation. The answer to a refused request names the missing items.
    pub fn expect_scope(self, expected: ExpectedClaim) -> Self {
        self.with(|requirement| requirement.expect_scope(expected))
    }

    /// Accepts a token with these top-level claims without checking the other claims and the scope.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::{App, HttpResponse, http::StatusCode, test, web};
    /// use flask_pyjwt::{AuthManager, AuthType, Config, RequireToken};
    /// use serde_json::json;
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let auth = AuthManager::new(Config::new(
    /// #     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
    /// # ))?;
    /// let guard = RequireToken::auth().claim("team", 7).override_claims(json!({"admin": true}));
    /// let team = web::resource("/team").wrap(guard).get(HttpResponse::Ok);
    /// let app = test::init_service(App::new().app_data(auth.clone()).service(team)).await;
    ///
    /// for (claim, status) in [("admin", StatusCode::OK), ("guest", StatusCode::FORBIDDEN)] {
    ///     let token = auth.auth_token("alice").claim(claim, true).sign()?;
    ///     let request = test::TestRequest::with_uri("/team")
    ///         .insert_header(("authorization", format!("Bearer {}", token.signed())));
    ///     assert_eq!(test::call_service(&app, request.to_request()).await.status(), status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If this is not an object with at least one member.
    pub fn override_claims(self, claims: impl Into<Value>) -> Self {
        match claims.into() {
            Value::Object(claims) if !claims.is_empty() => {
                self.with(|requirement| requirement.override_claims(claims))
            }
            _ => panic!("RequireToken::override_claims needs an object with at least one member"),
        }
    }

    /// `true` accepts requests without credentials. Invalid credentials are still refused. The default is `false`.
    ///
    /// The handler takes `Option<CurrentToken>`.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::{App, HttpResponse, http::StatusCode, test, web};
    /// use flask_pyjwt::{AuthManager, AuthType, Config, RequireToken};
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let auth = AuthManager::new(Config::new(
    /// #     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
    /// # ))?;
    /// let news = web::resource("/news").wrap(RequireToken::auth().optional(true)).get(HttpResponse::Ok);
    /// let app = test::init_service(App::new().app_data(auth).service(news)).await;
    ///
    /// let anonymous = test::TestRequest::with_uri("/news");
    /// let invalid = test::TestRequest::with_uri("/news").insert_header(("authorization", "Bearer a.b.c"));
    /// for (request, status) in [(anonymous, StatusCode::OK), (invalid, StatusCode::UNAUTHORIZED)] {
    ///     assert_eq!(test::call_service(&app, request.to_request()).await.status(), status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn optional(self, optional: bool) -> Self {
        self.with(|requirement| requirement.optional(optional))
    }
}

impl<S, B> Transform<S, ServiceRequest> for RequireToken
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = RequireTokenService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(RequireTokenService {
            // A copy for each worker, so that workers do not share a reference count.
            requirement: Rc::new(Requirement::clone(&self.0)),
            service: Rc::new(service),
        }))
    }
}

/// The service that [`RequireToken`] makes.
pub struct RequireTokenService<S> {
    requirement: Rc<Requirement>,
    service: Rc<S>,
}

impl<S> fmt::Debug for RequireTokenService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireTokenService")
            .finish_non_exhaustive()
    }
}

impl<S, B> Service<ServiceRequest> for RequireTokenService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>>>>;

    fn poll_ready(&self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.service.poll_ready(context)
    }

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let (requirement, service) = (Rc::clone(&self.requirement), Rc::clone(&self.service));
        Box::pin(async move {
            #[cfg(feature = "test-kit")]
            if let Some(probe) = super::probe::Probe::of(request.request()) {
                let (head, body) = request.parts_mut();
                return match probe.decide(&requirement, head, body, false).await {
                    Ok(_) if probe.looks_inside() => {
                        places::pass_to_inner_guards(&requirement, request.request());
                        let response = service.call(request).await?;
                        Ok(response.map_into_left_body())
                    }
                    Ok(_) => {
                        let answer = super::probe::Probe::in_place_of_the_handler();
                        Ok(request.into_response(answer).map_into_right_body())
                    }
                    Err(refused) => Ok(request.into_response(refused).map_into_right_body()),
                };
            }
            let verdict = match guard_at_once(&requirement, request.request(), false) {
                AtOnce::Decided(verdict) => verdict,
                AtOnce::Undecided(recalled) => {
                    let (head, body) = request.parts_mut();
                    guard(&requirement, head, body, false, recalled).await
                }
            };
            match verdict {
                Ok(passed) => {
                    places::pass_to_inner_guards(&requirement, request.request());
                    let mut response = service.call(request).await?;
                    let refused = answer_of_handler(response.request(), response.response());
                    let Some(mut refused) = refused else {
                        passed.add_fields(response.status(), response.headers_mut());
                        return Ok(response.map_into_left_body());
                    };
                    let (request, response) = response.into_parts();
                    // Keeps the header fields of inner layers.
                    for (name, value) in response.headers() {
                        if !refused.headers().contains_key(name) || *name == SET_COOKIE {
                            refused.headers_mut().append(name.clone(), value.clone());
                        }
                    }
                    passed.add_fields(refused.status(), refused.headers_mut());
                    Ok(ServiceResponse::new(request, refused).map_into_right_body())
                }
                Err(refused) => Ok(request.into_response(refused).map_into_right_body()),
            }
        })
    }
}
