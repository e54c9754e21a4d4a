//! Token revocation (RFC 7009).

use std::{fmt, rc::Rc};

use actix_web::{
    HttpResponse,
    dev::{AppService, HttpServiceFactory},
    http::header::CACHE_CONTROL,
};

use super::{
    OAuthClients,
    endpoint::{Asked, Endpoint, is_for, note_inactive},
    refusal::Refusal,
};
use crate::{
    manager::AuthManager,
    session::SessionError,
    token::{Token, TokenType},
};

impl AuthManager {
    /// Makes the revocation endpoint of OAuth 2.0, at which clients log out. Register it with `.service(…)`; its path is
    /// `/revoke`. [`RevocationEndpoint`] says what it answers. Needs a [session store](crate::Config::session_store).
    #[doc(alias = "logout")]
    pub fn revocation(&self, clients: &OAuthClients) -> RevocationEndpoint {
        RevocationEndpoint(Endpoint::new(self, clients, "/revoke"))
    }
}

/// The revocation endpoint (RFC 7009): the result of [`AuthManager::revocation`].
///
/// A request is a `POST` of a form with `token`, from a client that authenticates, or from a public client that names
/// itself. A refresh token ends its session with all tokens; an auth token is revoked alone. The answer is an empty 200,
/// also for a token that is unknown or expired. A token that names another client is not revoked: the error is
/// `invalid_grant` (section 2.1). A token that cannot be revoked, because it has no id or there is no session store, gets
/// `unsupported_token_type` (section 2.2.1).
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, test::{self, TestRequest}};
/// use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore, OAuthClient, OAuthClients};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let secret = "change-me: at least 32 bytes of secret";
/// # let config = Config::new("example", AuthType::HS256, secret).session_store(MemoryStore::default());
/// # let auth = AuthManager::new(config)?;
/// let clients = OAuthClients::new([OAuthClient::public("spa")])?;
/// let app = test::init_service(App::new().service(auth.revocation(&clients))).await;
/// let pair = auth.login("alice").claim("client_id", "spa").await?;
/// let revoke = |client| {
///     let form = [("token", pair.refresh.signed()), ("client_id", client)];
///     TestRequest::post().uri("/revoke").set_form(form).to_request()
/// };
///
/// let refused = test::call_service(&app, revoke("unknown")).await;
/// assert_eq!(refused.status(), 401);
/// assert!(auth.check_revocation(&pair.auth).await.is_ok());
///
/// let revoked = test::call_service(&app, revoke("spa")).await;
/// assert_eq!(revoked.status(), 200);
/// assert!(auth.check_revocation(&pair.auth).await.is_err());
/// # Ok(())
/// # }
/// ```
#[doc(alias = "RFC 7009")]
#[derive(Clone)]
#[must_use = "register it with `.service(…)`"]
pub struct RevocationEndpoint(pub(super) Endpoint);

impl RevocationEndpoint {
    /// Sets the path. The default is `/revoke`. Inside a scope, the path is relative to the scope.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.0.path = path.into();
        self
    }

    /// Sets the full address at which clients reach the endpoint. Metadata lists it, and client assertions can name it as
    /// their audience. The default is the issuer, followed by the path.
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.0.url = Some(url.into());
        self
    }
}

impl HttpServiceFactory for RevocationEndpoint {
    fn register(self, config: &mut AppService) {
        self.0.serve(config, revoke);
    }
}

impl fmt::Debug for RevocationEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RevocationEndpoint").field(&self.0).finish()
    }
}

async fn revoke(endpoint: Rc<Endpoint>, asked: Asked) -> Result<HttpResponse, Refusal> {
    let client = asked.client.as_deref().ok_or(Refusal::Client)?;
    let signed = asked.form.get("token");
    let signed = signed.ok_or(Refusal::Request("`token` is missing"))?;
    match endpoint.own_token_to_revoke(signed) {
        Ok(token) if is_for(&token, Some(client)) => {
            match end(&endpoint.manager, &token).await {
                Err(SessionError::NoStore) => return Err(Refusal::TokenType),
                // It cannot be used either.
                Err(SessionError::Token(error)) => note_inactive(&endpoint.path, error.reason()),
                ended => ended?,
            }
        }
        Ok(_) => return Err(Refusal::Foreign),
        Err(error) => note_inactive(&endpoint.path, error.reason()),
    }
    let mut answer = HttpResponse::Ok();
    Ok(answer.insert_header((CACHE_CONTROL, "no-store")).finish())
}

async fn end(manager: &AuthManager, token: &Token) -> Result<(), SessionError> {
    match token.token_type() {
        TokenType::Refresh => manager.logout(token).await,
        TokenType::Auth => manager.revoke_token(token).await,
    }
}
