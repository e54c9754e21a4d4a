//! Registration, login, refresh and logout: the routes that open, renew and end sessions.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    post, web,
};
use flask_pyjwt::{
    AuthManager, CurrentToken, Rejection, TokenCheckError, TokenError, TokenPair, require_token,
};
use serde_json::json;
use sqlx::SqlitePool;

use crate::{
    accounts::{self, Account, Credentials},
    error::Error,
    passwords::Passwords,
};

pub(crate) fn routes(app: &mut web::ServiceConfig) {
    app.service(register)
        .service(login)
        .service(refresh)
        .service(logout);
}

/// Creates an account and opens a session.
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
#[require_token]
#[post("/logout")]
async fn logout(auth: AuthManager, token: CurrentToken) -> actix_web::Result<HttpResponse> {
    auth.logout(&token).await?;
    let mut response = HttpResponse::NoContent();
    auth.clear_cookies(&mut response);
    Ok(response.finish())
}

fn body(pair: &TokenPair) -> serde_json::Value {
    json!({
        "auth_token": pair.auth.signed(),
        "refresh_token": pair.refresh.signed(),
    })
}

/// Whether a page in a browser sent the request, with its cookies. The answer to a page sets cookies and contains no
/// tokens: an injected script could read them. Browsers set these two fields, and scripts cannot remove them.
fn is_page(request: &HttpRequest) -> bool {
    let headers = request.headers();
    !headers.contains_key(header::AUTHORIZATION)
        && (headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN))
}
