//! Registration, login, refresh and logout: the routes that open, renew and end sessions.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    post, web,
};
use flask_pyjwt::{
    AuthManager, CurrentToken, Protected, Rejection, TokenCheckError, TokenError, TokenPair,
    public, require_token,
};
use serde::Serialize;
use serde_json::json;
use sqlx::SqlitePool;
use utoipa::ToSchema;

use crate::{
    accounts::{self, Account, Credentials},
    description::Problem,
    error::Error,
    passwords::Passwords,
};

pub(crate) fn routes(app: Protected) -> Protected {
    app.service((register, login, refresh, logout))
}

/// Creates an account and opens a session.
#[utoipa::path(tag = "sessions", responses(
    (status = 201, body = Tokens, description = "The account is there, and a session is open"),
    (status = 400, body = Problem, description = "The body breaks a rule"),
    (status = 403, body = Problem, description = "A page of another site has sent the request"),
    (status = 409, body = Problem, description = "The username is taken"),
    (status = 413, body = Problem, description = "The body is too long"),
    (status = 503, body = Problem, description = "The server is busy"),
))]
#[public]
#[post("/register")]
async fn register(
    auth: AuthManager,
    database: web::Data<SqlitePool>,
    passwords: web::Data<Passwords>,
    request: HttpRequest,
    credentials: web::Json<Credentials>,
) -> actix_web::Result<HttpResponse> {
    auth.check_origin(&request)?;
    let credentials = credentials.into_inner();
    credentials.check()?;
    let hash = passwords.hash(credentials.password).await?;
    let account = accounts::create(&database, &credentials.username, &hash).await?;
    open_session(&auth, &request, &account, StatusCode::CREATED).await
}

/// Opens a session for the right password.
#[utoipa::path(tag = "sessions", responses(
    (status = 200, body = Tokens, description = "A session is open"),
    (status = 400, body = Problem, description = "The body breaks a rule"),
    (status = 401, body = Problem, description = "The username or the password is wrong"),
    (status = 403, body = Problem, description = "A page of another site has sent the request"),
    (status = 413, body = Problem, description = "The body is too long"),
    (status = 503, body = Problem, description = "The server is busy"),
))]
#[public]
#[post("/login")]
async fn login(
    auth: AuthManager,
    database: web::Data<SqlitePool>,
    passwords: web::Data<Passwords>,
    request: HttpRequest,
    credentials: web::Json<Credentials>,
) -> actix_web::Result<HttpResponse> {
    // No other site may log its visitors in here: they would write their notes into the attacker's account.
    // There is no token yet, and so no CSRF proof, but browsers tell where a request comes from.
    auth.check_origin(&request)?;
    let Credentials { username, password } = credentials.into_inner();
    let (account, hash) = accounts::with_hash(&database, &username).await?.unzip();
    let is_right = passwords.is_right(password, hash).await?;
    match account {
        Some(account) if is_right => open_session(&auth, &request, &account, StatusCode::OK).await,
        _ => Err(Error::WrongLogin.into()),
    }
}

/// Opens a session and answers with its tokens, as JSON and as cookies.
async fn open_session(
    auth: &AuthManager,
    request: &HttpRequest,
    account: &Account,
    status: StatusCode,
) -> actix_web::Result<HttpResponse> {
    let mut session = auth
        .login(&account.username)
        .claim("account", &account.id)
        // Ends the session that this browser had before.
        .replacing(request);
    if account.admin {
        // `/admin/users` requires the scope, and `override` looks at the claim.
        session = session.scope(json!({"admin": true})).claim("admin", true);
    }
    let pair = session.await?;
    let mut response = HttpResponse::build(status);
    auth.set_cookies(&mut response, &pair)?;
    Ok(response.json(body(&pair)))
}

/// Exchanges a refresh token for the next pair of tokens. Each refresh token can be used once.
#[utoipa::path(tag = "sessions", responses(
    (status = 200, body = Refreshed, description = "The next tokens. A page gets them as cookies only"),
))]
#[require_token("refresh")]
#[post("/refresh")]
async fn refresh(
    auth: AuthManager,
    token: CurrentToken,
    database: web::Data<SqlitePool>,
    request: HttpRequest,
) -> actix_web::Result<HttpResponse> {
    let pair = auth.refresh(&token).await?;
    match accounts::check(&database, &pair.auth).await {
        Ok(()) => {}
        Err(TokenCheckError::Revoked) => {
            auth.logout(&pair.auth).await?;
            return Err(Rejection::from(TokenError::Revoked).into());
        }
        Err(_) => return Err(Error::Busy.into()),
    }
    let mut response = HttpResponse::Ok();
    auth.set_cookies(&mut response, &pair)?;
    Ok(if is_page(&request) {
        response.json(json!({}))
    } else {
        response.json(body(&pair))
    })
}

/// Ends the session: all of its tokens are refused from now on, copies included.
#[utoipa::path(tag = "sessions", responses((status = 204, description = "Logged out")))]
#[require_token]
#[post("/logout")]
async fn logout(auth: AuthManager, token: CurrentToken) -> actix_web::Result<HttpResponse> {
    auth.logout(&token).await?;
    let mut response = HttpResponse::NoContent();
    auth.clear_cookies(&mut response);
    Ok(response.finish())
}

#[derive(Serialize, ToSchema)]
struct Tokens {
    auth_token: String,
    refresh_token: String,
}

/// [`Tokens`], or nothing.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct Refreshed {
    #[schema(nullable = false)]
    auth_token: Option<String>,
    #[schema(nullable = false)]
    refresh_token: Option<String>,
}

fn body(pair: &TokenPair) -> Tokens {
    Tokens {
        auth_token: pair.auth.signed().to_owned(),
        refresh_token: pair.refresh.signed().to_owned(),
    }
}

/// Whether a page in a browser sent the request, with its cookies. The answer to a page sets cookies and contains no
/// tokens: an injected script could read them. Browsers set these two fields, and scripts cannot remove them.
fn is_page(request: &HttpRequest) -> bool {
    let headers = request.headers();
    !headers.contains_key(header::AUTHORIZATION)
        && (headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN))
}
