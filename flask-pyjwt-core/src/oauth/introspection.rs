//! Token introspection (RFC 7662).

use std::{fmt, rc::Rc};

use actix_web::{
    HttpResponse,
    dev::{AppService, HttpServiceFactory},
    http::header::CACHE_CONTROL,
};
use serde_json::{Value, json};

use super::{
    OAuthClients,
    clients::Proof,
    endpoint::{Asked, Endpoint, note_inactive},
    refusal::Refusal,
    token::token_type,
};
use crate::{
    manager::AuthManager,
    session::{Holder, SessionError},
    token::{Token, TokenType},
    web::{Rejection, run_token_check},
};

impl AuthManager {
    /// Makes the introspection endpoint of OAuth 2.0, at which other servers ask whether a token is valid. Register it with
    /// `.service(…)`; its path is `/introspect`. [`IntrospectionEndpoint`] says what it answers.
    pub fn introspection(&self, clients: &OAuthClients) -> IntrospectionEndpoint {
        IntrospectionEndpoint(Endpoint::new(self, clients, "/introspect"))
    }
}

/// The introspection endpoint (RFC 7662): the result of [`AuthManager::introspection`].
///
/// A request is a `POST` of a form with `token`, from a client with a secret or a key; public clients are refused. For a
/// token of this server that guards would accept now, the answer is `"active": true` and the claims of the token. For
/// anything else it is `{"active":false}`, whatever is wrong. The session store and
/// [`Config::token_check`](crate::Config::token_check) are asked as by a guard. With
/// [`Config::require_bound`](crate::Config::require_bound), only bound tokens are active. A refresh token is active until it
/// is rotated. Its answer has no `token_type`, which is that of an access token.
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
/// let clients = OAuthClients::new([OAuthClient::with_secret("api", secret)])?;
/// let app = test::init_service(App::new().service(auth.introspection(&clients))).await;
/// let ask = |token| {
///     let form = [("token", token), ("client_id", "api"), ("client_secret", secret)];
///     TestRequest::post().uri("/introspect").set_form(form).to_request()
/// };
///
/// let token = auth.login("alice").await?.auth;
/// let answer: serde_json::Value = test::call_and_read_body_json(&app, ask(token.signed())).await;
/// assert_eq!((&answer["active"], &answer["sub"]), (&true.into(), &"alice".into()));
///
/// auth.logout(&token).await?;
/// let answer = test::call_and_read_body(&app, ask(token.signed())).await;
/// assert_eq!(answer, r#"{"active":false}"#);
/// # Ok(())
/// # }
/// ```
#[doc(alias = "RFC 7662")]
#[derive(Clone)]
#[must_use = "register it with `.service(…)`"]
pub struct IntrospectionEndpoint(pub(super) Endpoint);

impl IntrospectionEndpoint {
    /// Sets the path. The default is `/introspect`. Inside a scope, the path is relative to the scope.
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

impl HttpServiceFactory for IntrospectionEndpoint {
    fn register(self, config: &mut AppService) {
        self.0.serve(config, introspect);
    }
}

impl fmt::Debug for IntrospectionEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IntrospectionEndpoint")
            .field(&self.0)
            .finish()
    }
}

async fn introspect(endpoint: Rc<Endpoint>, asked: Asked) -> Result<HttpResponse, Refusal> {
    let client = asked.client.as_deref().ok_or(Refusal::Client)?;
    if matches!(client.proof, Proof::Nothing) {
        return Err(Refusal::Client);
    }
    let signed = asked.form.get("token");
    let signed = signed.ok_or(Refusal::Request("`token` is missing"))?;
    let active = match endpoint.own_token(signed) {
        Ok(token) => match is_active(&endpoint.manager, &token).await? {
            Ok(()) => Some(token),
            Err(reason) => {
                note_inactive(&endpoint.path, reason);
                None
            }
        },
        Err(error) => {
            note_inactive(&endpoint.path, error.reason());
            None
        }
    };
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CACHE_CONTROL, "no-store"));
    Ok(match active {
        Some(token) => {
            let mut claims = token.claims().clone();
            // The names that the answer itself has (RFC 7662, section 2.2). No claim replaces them.
            claims.insert("active".to_owned(), Value::Bool(true));
            match token.token_type() {
                TokenType::Auth => {
                    claims.insert("token_type".to_owned(), token_type(&token).into());
                }
                // It is the type of an access token (RFC 6749, section 5.1): a server that looks for it refuses this one.
                TokenType::Refresh => {
                    claims.remove("token_type");
                }
            }
            answer.json(claims)
        }
        None => answer.json(json!({"active": false})),
    })
}

/// Whether a guard would accept a verified token now, or the reason why not. The outer error is that of a check that
/// cannot be made.
async fn is_active(
    manager: &AuthManager,
    token: &Token,
) -> Result<Result<(), &'static str>, Refusal> {
    if manager.parts().require_bound && !token.is_bound() {
        return Ok(Err(Rejection::NotBound.reason()));
    }
    if let Some(sessions) = manager.sessions_of(token) {
        let now = manager.now()?;
        let checked = match token.token_type() {
            // Whoever asks has got the token from its client, so this counts as a use, as in a guard.
            TokenType::Auth => sessions.check(token, Holder::Client, now).await,
            TokenType::Refresh => match sessions.is_current(token, now).await {
                Ok(true) => Ok(()),
                Ok(false) => return Ok(Err("refresh_token_not_current")),
                Err(error) => Err(error),
            },
        };
        match checked {
            Err(SessionError::Token(error)) => return Ok(Err(error.reason())),
            checked => checked?,
        }
    }
    match run_token_check(manager, token).await {
        Err(Rejection::InvalidToken(error)) => Ok(Err(error.reason())),
        checked => Ok(Ok(checked?)),
    }
}
