//! The same guard as the attribute's, for whole scopes and resources.

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
    authorize::{guard, guard_at_once},
    places,
};
use crate::{
    claims::ExpectedClaim,
    rules::{IssuerNames, Requirement, TokenLocation, location},
    token::TokenType,
};

/// Middleware that lets a request into a scope or resource only with a token that satisfies it.
///
/// The rules, the order of decision and the answers are those of `#[require_token]`.
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
///     "example", AuthType::HS256, "a secret of 32 bytes, at the least",
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
/// A refused request is answered, not failed: what outer middleware adds (CORS, default headers)
/// stays. Route variables are those known where it is wrapped: around a scope, the scope's own.
///
/// A guard that names no place looks where the guard around it looks, else where
/// [`Config::locations`](crate::Config::locations) says. It asks for a CSRF proof by its own setting.
///
/// It can be made once, outside the closure of `HttpServer::new`, and cloned inside.
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

    fn with(self, change: impl FnOnce(Requirement) -> Requirement) -> Self {
        Self(Arc::new(change(Arc::unwrap_or_clone(self.0))))
    }

    /// Looks for the token in these places. Credentials in two of them are refused with 400.
    ///
    /// # Panics
    ///
    /// When there is no place, or a header, cookie or parameter has no name or an impossible one: the
    /// route could never be entered.
    pub fn locations(self, locations: impl Into<Vec<TokenLocation>>) -> Self {
        let locations = locations.into();
        if let Some(problem) = location::problem(&locations) {
            panic!("RequireToken::locations {problem}");
        }
        self.with(|requirement| requirement.locations(locations))
    }

    /// Looks for the token in the cookie that [`Config::cookies`](crate::Config::cookies) names, and
    /// nowhere else.
    pub fn cookies(self) -> Self {
        self.locations([TokenLocation::DefaultCookie])
    }

    /// Whether a token in a cookie needs a CSRF proof where the method is unsafe. By default it does.
    pub fn csrf(self, csrf: bool) -> Self {
        self.with(|requirement| requirement.csrf(csrf))
    }

    /// Looks for the token in the cookie of this name, and nowhere else.
    ///
    /// # Panics
    ///
    /// When the name is empty.
    pub fn cookie(self, name: impl Into<String>) -> Self {
        self.locations([TokenLocation::Cookie(name.into())])
    }

    /// Looks for the token in the header of this name, with or without `Bearer ` before it, and nowhere
    /// else: `"x-goog-iap-jwt-assertion"`. No CSRF proof is asked for; see
    /// [`TokenLocation::NamedHeader`] for what that means behind a proxy.
    ///
    /// # Panics
    ///
    /// When no header can have this name.
    pub fn header(self, name: impl Into<String>) -> Self {
        self.locations([TokenLocation::NamedHeader(name.into())])
    }

    /// Accepts tokens of this issuer only, or of one of several: the own one, one that is
    /// [trusted](crate::Config::trust), the text of a [template](crate::Issuer::template), or a name that
    /// issuers were [given](crate::Issuer::named). Any other name is a mistake: 500.
    pub fn issuer(self, issuers: impl Into<IssuerNames>) -> Self {
        self.with(|requirement| requirement.issuer(issuers))
    }

    /// Requires a claim to match this value: an object every member, an array every element,
    /// anything else to be equal and of the same JSON type.
    pub fn claim(self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.with(|requirement| requirement.claim(name, ExpectedClaim::Value(value.into())))
    }

    /// Requires a claim to be the value of the route's variable of this name. A route without
    /// such a variable is answered with 500.
    pub fn claim_from_path(self, name: impl Into<String>, variable: impl Into<String>) -> Self {
        self.with(|requirement| requirement.claim(name, ExpectedClaim::Path(variable.into())))
    }

    /// Requires the subject to be the value of the route's variable of this name.
    pub fn sub_from_path(self, variable: impl Into<String>) -> Self {
        self.claim_from_path("sub", variable)
    }

    /// Requires the claim `scope` to match this value.
    pub fn scope(self, scope: impl Into<Value>) -> Self {
        self.with(|requirement| requirement.scope(scope.into()))
    }

    /// Requires a claim to be what is expected: `ExpectedClaim::contains("read")`,
    /// `ExpectedClaim::all(["read", "write"])`, `ExpectedClaim::any(["admin", "owner"])`.
    pub fn expect_claim(self, name: impl Into<String>, expected: ExpectedClaim) -> Self {
        self.with(|requirement| requirement.claim(name, expected))
    }

    /// The same for the claim `scope`, whose missing items the answer names.
    pub fn expect_scope(self, expected: ExpectedClaim) -> Self {
        self.with(|requirement| requirement.expect_scope(expected))
    }

    /// Lets a token with these top-level claims pass without looking at claims and scope.
    ///
    /// # Panics
    ///
    /// When this is not an object with at least one member: it would let everybody pass or nobody.
    pub fn override_claims(self, claims: impl Into<Value>) -> Self {
        match claims.into() {
            Value::Object(claims) if !claims.is_empty() => {
                self.with(|requirement| requirement.override_claims(claims))
            }
            _ => panic!("RequireToken::override_claims needs an object with at least one member"),
        }
    }

    /// Requires the token that was issued at the login itself, and not by a refresh; else 401 with a
    /// challenge that asks for a new login (RFC 9470).
    pub fn fresh(self, fresh: bool) -> Self {
        self.with(|requirement| requirement.fresh(fresh))
    }

    /// Requires the login to be at most so many seconds ago, by the claim `auth_time`; else 401 with a
    /// challenge that asks for a new login (RFC 9470).
    pub fn max_age(self, seconds: u32) -> Self {
        self.with(|requirement| requirement.max_age(seconds))
    }

    /// Lets requests without credentials pass; bad credentials are refused all the same.
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
            // Each worker counts references to a copy of its own.
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
            let at_once = guard_at_once(&requirement, request.request(), false);
            let verdict = if let Some(verdict) = at_once {
                verdict
            } else {
                let (head, body) = request.parts_mut();
                guard(&requirement, head, body, false).await
            };
            match verdict {
                Ok(passed) => {
                    places::hand_on(&requirement, request.request());
                    let mut response = service.call(request).await?;
                    let refused = answer_of_handler(response.request(), response.response());
                    let Some(mut refused) = refused else {
                        passed.add_fields(response.status(), response.headers_mut());
                        return Ok(response.map_into_left_body());
                    };
                    let (request, response) = response.into_parts();
                    // What inner layers have added stays.
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
