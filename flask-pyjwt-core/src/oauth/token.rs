//! The token endpoint, with the refresh grant (RFC 6749, section 6).

use std::{fmt, rc::Rc};

use actix_web::{
    HttpResponse,
    dev::{AppService, HttpServiceFactory},
    http::header::{CACHE_CONTROL, PRAGMA},
};
use serde_json::{Map, Value, json};

use super::{
    OAuthClients,
    clients::{Client, Proof},
    endpoint::{Asked, Endpoint, is_for, note_inactive},
    refusal::Refusal,
};
use crate::{
    manager::AuthManager,
    token::{Token, TokenError, TokenType},
    web::{DPOP_NONCE, RefreshProof, Rejection, run_token_check},
};

impl AuthManager {
    /// Makes the token endpoint of OAuth 2.0, at which standard clients refresh their tokens. Register it with
    /// `.service(…)`; its path is `/token`. [`TokenEndpoint`] says what it answers. Needs a
    /// [session store](crate::Config::session_store).
    #[doc(alias = "refresh_token grant")]
    pub fn token_endpoint(&self, clients: &OAuthClients) -> TokenEndpoint {
        TokenEndpoint(Endpoint::new(self, clients, "/token"))
    }
}

/// The token endpoint with the refresh grant (RFC 6749, section 6): the result of [`AuthManager::token_endpoint`].
///
/// A request is a `POST` of a form with `grant_type=refresh_token` and `refresh_token`. The token is rotated as by
/// [`AuthManager::refresh`], with the same answers to repetitions and copies. `scope` asks for an auth token with a part of
/// the login's scope, if that is a space-separated text; the next refresh can ask for all of it again.
///
/// A refresh token that is bound to a key or a certificate is accepted with its proof only (RFC 9449, section 5; RFC 8705,
/// section 4): without one, the error is `invalid_dpop_proof` or `use_dpop_nonce`. The next pair is bound in the same way.
///
/// A login with `.client_id("…")` belongs to that client, and nobody else can refresh its tokens. Tokens of other logins
/// are refreshed by every client that authenticates. Without client credentials, only a bound token is accepted (RFC 9700,
/// section 2.2.2): one that names no client, or one that names the [public](crate::OAuthClient::public) client of the
/// request. Everything else is `invalid_client`, whatever the token is. Credentials that a request has must be right in any
/// case.
///
/// If the list of clients is empty, nobody can authenticate: tokens that name no client are refreshed by whoever holds them.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, test::{self, TestRequest}};
/// use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore, OAuthClient, OAuthClients};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret")
///     .session_store(MemoryStore::default());
/// let auth = AuthManager::new(config)?;
/// let secret = "change-me: at least 32 bytes of secret";
/// let clients = OAuthClients::new([OAuthClient::with_secret("demo", secret)])?;
/// let app = test::init_service(App::new().service(auth.token_endpoint(&clients))).await;
///
/// let pair = auth.login("alice").claim("client_id", "demo").await?;
/// let refresh = |secret| {
///     let form = [
///         ("grant_type", "refresh_token"),
///         ("refresh_token", pair.refresh.signed()),
///         ("client_id", "demo"),
///         ("client_secret", secret),
///     ];
///     TestRequest::post().uri("/token").set_form(form).to_request()
/// };
/// let refused = test::call_service(&app, refresh("a guess")).await;
/// assert_eq!(refused.status(), 401);
/// let next: serde_json::Value = test::call_and_read_body_json(&app, refresh(secret)).await;
/// assert_eq!(next["token_type"], "Bearer");
/// # Ok(())
/// # }
/// ```
#[doc(alias = "RFC 6749")]
#[derive(Clone)]
#[must_use = "register it with `.service(…)`"]
pub struct TokenEndpoint(pub(super) Endpoint);

impl TokenEndpoint {
    /// Sets the path. The default is `/token`. Inside a scope, the path is relative to the scope.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.0.path = path.into();
        self
    }

    /// Sets the full address at which clients reach the endpoint. Metadata lists it, client assertions can name it as their
    /// audience, and DPoP proofs as their address. The default is the issuer, followed by the path.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.0.url = Some(url.into());
        self
    }
}

impl HttpServiceFactory for TokenEndpoint {
    fn register(self, config: &mut AppService) {
        self.0.serve(config, refresh);
    }
}

impl fmt::Debug for TokenEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenEndpoint").field(&self.0).finish()
    }
}

async fn refresh(endpoint: Rc<Endpoint>, asked: Asked) -> Result<HttpResponse, Refusal> {
    let manager = &endpoint.manager;
    let client = asked.client.as_deref();
    let proof = RefreshProof::of(manager, &asked.request, endpoint.url.as_deref())?;
    let is_authenticated = client.is_some_and(|client| !matches!(client.proof, Proof::Nothing));
    let has_to_prove = !is_authenticated && !endpoint.clients.is_empty();
    // Strangers learn nothing about the token.
    if has_to_prove && proof.is_empty() {
        return Err(Refusal::Client);
    }
    match asked.form.get("grant_type") {
        Some("refresh_token") => {}
        Some(_) => return Err(Refusal::GrantType),
        None => return Err(Refusal::Request("`grant_type` is missing")),
    }
    let signed = asked.form.get("refresh_token");
    let signed = signed.ok_or(Refusal::Request("`refresh_token` is missing"))?;
    let token = if has_to_prove {
        bound_token(&endpoint, signed, client, &proof)?
    } else {
        refresh_token(&endpoint, signed, client)?
    };
    proof.check(token.binding())?;
    let nonce = proof.use_up(manager, &asked.request, &token).await?;
    run_token_check(manager, &token).await?;
    let scope = asked.form.get("scope");
    let is_granted = match scope {
        Some(wanted) => check_scope(manager, &token, wanted).await?,
        None => true,
    };
    let pair = manager
        .refresh(&token)
        .narrowed(scope.map(str::to_owned))
        .await?;
    // It was rotated before, and the same pair was given again.
    if !is_granted && !scope.is_some_and(|wanted| has_all(pair.auth.scope(), wanted)) {
        return Err(Refusal::Scope);
    }
    // Both are whole seconds: a fraction would make it one second less.
    let lifetime = pair.auth.exp().unix_timestamp() - endpoint.now()?.seconds();
    let mut answer = Map::new();
    answer.insert("access_token".to_owned(), pair.auth.signed().into());
    answer.insert("token_type".to_owned(), token_type(&pair.auth).into());
    answer.insert("expires_in".to_owned(), lifetime.max(0).into());
    answer.insert("refresh_token".to_owned(), pair.refresh.signed().into());
    if let Some(Value::String(scope)) = pair.auth.scope() {
        answer.insert("scope".to_owned(), json!(scope));
    }
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store"));
    response.insert_header((PRAGMA, "no-cache"));
    if let Some(nonce) = nonce {
        response.insert_header((DPOP_NONCE, nonce));
    }
    Ok(response.json(answer))
}

/// The refresh token of a request, if this client may use it.
fn refresh_token(
    endpoint: &Endpoint,
    signed: &str,
    client: Option<&Client>,
) -> Result<Token, Refusal> {
    let token = endpoint.own_token(signed)?;
    if token.token_type() != TokenType::Refresh {
        let expected = TokenType::Refresh;
        return Err(TokenError::WrongType { expected }.into());
    }
    if !is_for(&token, client) {
        return Err(Refusal::Grant("other_client"));
    }
    if endpoint.manager.parts().require_bound && !token.is_bound() {
        return Err(Refusal::Grant(Rejection::NotBound.reason()));
    }
    Ok(token)
}

/// The refresh token of a request without client credentials: it has to be bound to what the request proves (RFC 9700,
/// section 2.2.2). Whoever cannot prove that gets the same answer for a valid token as for any other text.
fn bound_token(
    endpoint: &Endpoint,
    signed: &str,
    client: Option<&Client>,
    proof: &RefreshProof,
) -> Result<Token, Refusal> {
    match refresh_token(endpoint, signed, client) {
        Ok(token) if token.is_bound() && proof.check(token.binding()).is_ok() => Ok(token),
        // Its client is told that it needs another login.
        Err(refusal) if refusal == TokenError::Expired.into() && proof.is_of(signed) => {
            Err(refusal)
        }
        refused => {
            let reason = refused.map_or_else(|refusal| refusal.reason(), |_| "client_missing");
            note_inactive(&endpoint.path, reason);
            Err(Refusal::Client)
        }
    }
}

/// Checks, before anything is rotated, that the login has each item of this scope. Returns `false` if the token was rotated
/// before: then the rotation decides first, so that the copy of a token is noticed whatever scope it asks for.
async fn check_scope(manager: &AuthManager, token: &Token, wanted: &str) -> Result<bool, Refusal> {
    let claims = manager.session_issuer()?.claims_of_next(token).await?;
    match claims {
        None => Ok(false),
        Some(claims) if has_all(claims.get("scope"), wanted) => Ok(true),
        Some(_) => Err(Refusal::Scope),
    }
}

/// Whether a scope has each item of this one.
fn has_all(scope: Option<&Value>, wanted: &str) -> bool {
    let granted = scope.and_then(Value::as_str).unwrap_or_default();
    let granted: Vec<_> = granted.split(' ').collect();
    let is_granted = |item: &str| !item.is_empty() && granted.contains(&item);
    wanted.split(' ').all(is_granted)
}

/// How a token has to be presented: with a proof of its key if it is bound to one (RFC 9449, section 5).
pub(super) fn token_type(token: &Token) -> &'static str {
    let bound = token
        .claim("cnf")
        .is_some_and(|cnf| cnf.get("jkt").is_some());
    if bound { "DPoP" } else { "Bearer" }
}
