//! The same route, `GET /me`, protected in each of the compared ways.

use actix_jwt_auth_middleware::{AuthenticationService, Authority};
use actix_web::{
    Error, FromRequest, HttpMessage as _, HttpRequest,
    dev::{Payload, ServiceRequest},
    error::ErrorUnauthorized,
    get,
    http::header::AUTHORIZATION,
    web::{self, ServiceConfig},
};
use actix_web_httpauth::{extractors::bearer::BearerAuth, middleware::HttpAuthentication};
use flask_pyjwt::{CurrentToken, require_token};
use jwt_compact::{
    Algorithm, TimeOptions,
    alg::{Ed25519, Hs256, Hs256Key, Rsa, RsaPublicKey, VerifyingKey as _},
    jwk::JsonWebKey,
};
use serde::{Deserialize, Serialize};
use std::future::{Ready, ready};

use crate::{
    claims::{Claims, SUBJECT, Scope},
    keys::Keys,
    peers::JsonWebToken,
    server::Site,
};

/// The route, protected in this way with these keys.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Route(pub(super) Way, pub(super) Keys);

impl Site for Route {
    const MODE: &'static str = "serve";

    fn configure(&self, app: &mut ServiceConfig) {
        self.0.configure(&self.1, app);
    }
}

/// A way to protect a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Way {
    Nothing,
    Extractor,
    HttpAuth,
    Middleware,
    Ours,
    OursWithTable,
}

impl Way {
    pub(crate) const ALL: [Self; 6] = [
        Self::Nothing,
        Self::Extractor,
        Self::HttpAuth,
        Self::Middleware,
        Self::Ours,
        Self::OursWithTable,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Nothing => "no authentication",
            Self::Extractor => "extractor with jsonwebtoken",
            Self::HttpAuth => "actix-web-httpauth + jsonwebtoken",
            Self::Middleware => "actix-jwt-auth-middleware",
            Self::Ours => "flask-pyjwt, no table",
            Self::OursWithTable => "flask-pyjwt, table",
        }
    }

    /// The header field with the token. `actix-jwt-auth-middleware` 0.5 does not remove `Bearer` from an
    /// `Authorization` field, and so accepts no such token: it gets its own field.
    pub(crate) fn field(self, token: &str) -> (&'static str, String) {
        match self {
            Self::Middleware => ("access-token", token.to_owned()),
            _ => ("authorization", format!("Bearer {token}")),
        }
    }

    /// Registers the route.
    pub(crate) fn configure(self, keys: &Keys, app: &mut ServiceConfig) {
        match self {
            Self::Nothing => drop(app.service(open)),
            Self::Extractor => {
                app.app_data(JsonWebToken::new(keys)).service(extractor);
            }
            Self::HttpAuth => {
                let guarded = web::scope("").wrap(HttpAuthentication::with_fn(validate));
                app.app_data(JsonWebToken::new(keys))
                    .service(guarded.service(validated));
            }
            Self::Middleware => middleware(keys, app),
            Self::Ours | Self::OursWithTable => {
                app.app_data(keys.manager(self == Self::OursWithTable))
                    .service(ours);
            }
        }
    }
}

#[get("/me")]
async fn open() -> String {
    SUBJECT.to_owned()
}

#[require_token]
#[get("/me")]
async fn ours(token: CurrentToken) -> String {
    token.sub().to_owned()
}

/// A typical hand-written extractor.
struct User(Claims);

impl FromRequest for User {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let token = request
            .headers()
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        let user = request
            .app_data::<JsonWebToken>()
            .zip(token)
            .and_then(|(peer, token)| peer.verify(token))
            .map(Self);
        ready(user.ok_or_else(|| ErrorUnauthorized("unauthorized")))
    }
}

#[get("/me")]
async fn extractor(user: User) -> String {
    user.0.sub
}

/// The function of `actix-web-httpauth`'s documentation, which accepts a token.
async fn validate(
    request: ServiceRequest,
    credentials: BearerAuth,
) -> Result<ServiceRequest, (Error, ServiceRequest)> {
    let claims: Option<Claims> = request
        .app_data::<JsonWebToken>()
        .and_then(|peer| peer.verify(credentials.token()));
    match claims {
        Some(claims) => {
            request.extensions_mut().insert(claims);
            Ok(request)
        }
        None => Err((ErrorUnauthorized("unauthorized"), request)),
    }
}

#[get("/me")]
async fn validated(claims: web::ReqData<Claims>) -> String {
    claims.into_inner().sub
}

/// The claims that `jwt-compact` does not read itself.
#[derive(Clone, Serialize, Deserialize, actix_jwt_auth_middleware::FromRequest)]
struct Custom {
    iss: String,
    name: String,
    roles: Vec<String>,
    scope: Scope,
    sub: String,
    team: u32,
    #[serde(rename = "type")]
    token_type: String,
}

#[get("/me")]
async fn with_middleware(claims: Custom) -> String {
    claims.sub
}

fn middleware(keys: &Keys, app: &mut ServiceConfig) {
    let public = keys.verifying_bytes();
    match &*keys.algorithm {
        "HS256" => guard(Hs256, Hs256Key::new(public), app),
        "RS256" => guard(Rsa::rs256(), rsa_key(&public), app),
        _ => {
            // The key is the end of its DER encoding.
            let key =
                <Ed25519 as Algorithm>::VerifyingKey::from_slice(&public[public.len() - 32..]);
            guard(Ed25519, key.expect("an Ed25519 key"), app);
        }
    }
}

fn rsa_key(der: &[u8]) -> RsaPublicKey {
    let key = aws_lc_rs::rsa::PublicKey::from_der(der).expect("an RSA key");
    let jwk = JsonWebKey::Rsa {
        modulus: key.modulus().big_endian_without_leading_zero().into(),
        public_exponent: key.exponent().big_endian_without_leading_zero().into(),
        private_parts: None,
    };
    RsaPublicKey::try_from(&jwk).expect("an RSA key")
}

fn guard<A>(algorithm: A, key: A::VerifyingKey, app: &mut ServiceConfig)
where
    A: Algorithm + Clone + 'static,
    A::SigningKey: Clone,
    A::VerifyingKey: Clone,
{
    let authority = Authority::<Custom, A, _, _>::new()
        .refresh_authorizer(|| async { Ok::<(), Error>(()) })
        .access_token_name("access-token")
        .enable_header_tokens(true)
        .enable_cookie_tokens(false)
        .renew_access_token_automatically(false)
        .algorithm(algorithm)
        .time_options(TimeOptions::default())
        .verifying_key(key)
        .build()
        .expect("an authority");
    let guarded = web::scope("").wrap(AuthenticationService::new(authority));
    app.service(guarded.service(with_middleware));
}
