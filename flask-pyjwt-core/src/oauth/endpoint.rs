//! What the three endpoints have in common.

use std::{fmt, future::Future, rc::Rc, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse, Resource,
    dev::{AppService, HttpServiceFactory as _},
    web,
};

use super::{
    OAuthClients,
    assertion::Expected,
    authenticate::authenticate,
    clients::{Client, Used},
    form::Form,
    refusal::Refusal,
};
use crate::{
    jose::Segments,
    json::Document,
    log_limit::{LogLimit, this_second},
    manager::AuthManager,
    public_url::PublicUrl,
    replay::NotFirst,
    token::{NumericDate, Token, TokenError},
    web::quoted,
};

/// The target of the events of refused requests.
const EVENT_TARGET: &str = "flask_pyjwt::oauth";

/// An endpoint's manager, clients and address.
#[derive(Clone)]
pub(super) struct Endpoint {
    pub(super) manager: AuthManager,
    pub(super) clients: OAuthClients,
    pub(super) path: String,
    pub(super) url: Option<String>,
}

/// An authenticated request.
pub(super) struct Asked {
    pub(super) request: HttpRequest,
    pub(super) form: Form,
    /// `None` if the request names no client.
    pub(super) client: Option<Arc<Client>>,
}

impl Endpoint {
    pub(super) fn new(manager: &AuthManager, clients: &OAuthClients, path: &str) -> Self {
        Self {
            manager: manager.clone(),
            clients: clients.clone(),
            path: path.to_owned(),
            url: None,
        }
    }

    /// Logs if the endpoint can only refuse.
    pub(super) fn need_store(&self) {
        if self.manager.parts().sessions.is_none() && log_once("oauth_without_store") {
            tracing::error!(
                path = self.path,
                "this OAuth endpoint refuses every token without a session store: add `Config::session_store`"
            );
        }
    }

    /// Registers a resource that answers `POST`. Other methods get 405.
    pub(super) fn serve<F, R>(self, config: &mut AppService, answer: F)
    where
        F: Fn(Rc<Self>, Asked) -> R + Clone + 'static,
        R: Future<Output = Result<HttpResponse, Refusal>> + 'static,
    {
        let path = self.path.clone();
        let endpoint = Rc::new(self);
        let handler = move |request: HttpRequest, body: web::Payload| {
            let (endpoint, answer) = (Rc::clone(&endpoint), answer.clone());
            async move {
                let asked = endpoint.ask(&request, body).await;
                let client = asked.as_ref().ok().and_then(|asked| asked.client.clone());
                let answered = match asked {
                    Ok(asked) => answer(Rc::clone(&endpoint), asked).await,
                    Err(refusal) => Err(refusal),
                };
                answered.unwrap_or_else(|refusal| {
                    endpoint.log(&refusal, client.as_deref());
                    refusal.answer(&quoted(&endpoint.manager.parts().realm))
                })
            }
        };
        let resource = Resource::new(path);
        resource.route(web::post().to(handler)).register(config);
    }

    /// Reads the parameters and authenticates the client. Nothing else of the request is looked at.
    async fn ask(&self, request: &HttpRequest, body: web::Payload) -> Result<Asked, Refusal> {
        let verification = &self.manager.parts().verification;
        let form = Form::read(request, body.into_inner(), verification.max_size).await?;
        let expected = Expected {
            audiences: &self.audiences(),
            now: self.now()?,
            leeway: verification.rules.leeway,
        };
        let found = authenticate(&self.clients, request, &form, &expected)?;
        let client = match found {
            Some(found) => {
                if let Some(used) = found.used {
                    self.use_once(used, expected.now).await?;
                }
                Some(found.client)
            }
            None => None,
        };
        Ok(Asked {
            request: request.clone(),
            form,
            client,
        })
    }

    /// Notes that an assertion is used, here and in the session store. Refuses it if it was used before, or if that cannot be
    /// told.
    async fn use_once(&self, used: Used, now: NumericDate) -> Result<(), Refusal> {
        match self.clients.first_use(&used, now) {
            Ok(()) => {}
            Err(NotFirst::Used) => return Err(Refusal::Client),
            Err(NotFirst::Full) => return Err(Refusal::Unavailable(time::Duration::SECOND)),
        }
        if let Some(sessions) = &self.manager.parts().sessions
            && !sessions.first_use(&used.id, used.ends_at, now).await?
        {
            return Err(Refusal::Client);
        }
        Ok(())
    }

    pub(super) fn now(&self) -> Result<NumericDate, Refusal> {
        let now = self.manager.parts().verification.clock.now();
        now.map_err(|_| Refusal::Unavailable(time::Duration::SECOND))
    }

    /// The accepted audiences of client assertions: the issuer, and the address of this endpoint.
    fn audiences(&self) -> Vec<String> {
        let issuer = self.manager.issuer();
        let mut audiences = vec![issuer.to_owned()];
        match (&self.url, PublicUrl::parse(issuer)) {
            (Some(url), _) => audiences.push(url.clone()),
            (None, Ok(issuer)) => audiences.push(issuer.join(&self.path)),
            (None, Err(_)) => {}
        }
        audiences.retain(|audience| !audience.is_empty());
        audiences
    }

    /// The address of this endpoint, if that of the server is `base`.
    pub(super) fn address(&self, base: &PublicUrl) -> String {
        let url = self.url.clone();
        url.unwrap_or_else(|| base.join(&self.path))
    }

    /// Verifies a token that this server has issued. It may be bound: what its client proves is not checked here. Tokens of other issuers are refused before their keys are looked for,
    /// so that nobody can have keys fetched here.
    pub(super) fn own_token(&self, text: &str) -> Result<Token, TokenError> {
        self.own(text, || self.manager.verify_presented(text))
    }

    /// The same, also for a token that becomes valid later, because the clocks of two servers differ.
    pub(super) fn own_token_to_revoke(&self, text: &str) -> Result<Token, TokenError> {
        let verification = &self.manager.parts().verification;
        match self.own_token(text) {
            Err(TokenError::NotYetValid) => self.own(text, || verification.verify_early(text)),
            result => result,
        }
    }

    fn own(
        &self,
        text: &str,
        verify: impl FnOnce() -> Result<Token, TokenError>,
    ) -> Result<Token, TokenError> {
        let verification = &self.manager.parts().verification;
        let issuer = self.manager.issuer();
        if !verification.issuers.is_empty() && text.len() <= verification.max_size {
            let payload = Segments::of(text)?.decode_payload()?;
            let payload = Document::object(payload).map_err(TokenError::payload)?;
            let named = payload.root().member("iss");
            if !named.is_some_and(|named| named.is_str(issuer)) {
                return Err(TokenError::Issuer);
            }
        }
        let token = verify()?;
        if token.iss() != issuer {
            return Err(TokenError::Issuer);
        }
        Ok(token)
    }

    fn log(&self, refusal: &Refusal, client: Option<&Client>) {
        let limit = &self.manager.parts().log_limit;
        let Some(not_logged) = limit.admit(refusal.error(), &self.path, this_second()) else {
            return;
        };
        let not_logged = (not_logged > 0).then_some(not_logged);
        let (status, reason) = (refusal.status().as_u16(), refusal.reason());
        let (path, client) = (self.path.as_str(), client.map(|client| client.id.as_str()));
        let error = refusal.error();
        macro_rules! event {
            ($level:expr) => {
                tracing::event!(
                    target: EVENT_TARGET,
                    $level,
                    path,
                    status,
                    error,
                    reason,
                    client,
                    not_logged,
                    "OAuth request refused"
                )
            };
        }
        if refusal.status().is_server_error() {
            event!(tracing::Level::ERROR);
        } else {
            event!(tracing::Level::INFO);
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("path", &self.path)
            .field("clients", &self.clients)
            .finish_non_exhaustive()
    }
}

/// The answer of an inactive or unknown token is the same whatever is wrong, so only the log says what it is.
pub(super) fn note_inactive(path: &str, reason: &'static str) {
    tracing::debug!(target: EVENT_TARGET, path, reason, "the token is not active");
}

/// Whether the process has not logged this in this second.
fn log_once(kind: &'static str) -> bool {
    LogLimit::of_process().admit(kind, "", this_second()) == Some(0)
}

/// Whether a token may be used by a client: it names that client, or none.
pub(super) fn is_for(token: &Token, client: Option<&Client>) -> bool {
    let Some(named) = token.claims().get("client_id") else {
        return true;
    };
    // A claim that is no text names nobody.
    named
        .as_str()
        .is_some_and(|named| client.is_some_and(|client| client.id == named))
}
