//! Ends the session of a browser whose cookies are replaced by another login.

use actix_web::{
    HttpRequest,
    cookie::Cookie,
    http::header::{HeaderMap, SET_COOKIE},
};

use super::{LoginBuilder, credentials::cookie, registered::manager_of};
use crate::{error_chain::said, manager::AuthManager, session::EndedBy, token::Token};

/// A session and its subject.
#[derive(Debug, PartialEq, Eq)]
struct Presented {
    subject: String,
    session: String,
}

impl Presented {
    /// The session of a token, if this server has issued it.
    fn of(token: &Token, manager: &AuthManager) -> Option<Self> {
        let session = token
            .session_id()
            .filter(|_| token.iss() == manager.issuer());
        Some(Self {
            subject: token.sub().to_owned(),
            session: session?.to_owned(),
        })
    }

    /// Verifies a token and returns its session.
    fn verify(signed: &str, manager: &AuthManager) -> Option<Self> {
        Self::of(&manager.verify_token(signed).ok()?, manager)
    }
}

/// The sessions of the tokens in a request's cookies. There are two if the cookies are of different sessions.
fn presented(request: &HttpRequest, manager: &AuthManager) -> Vec<Presented> {
    let cookies = &manager.parts().browser.cookies;
    let names = [&cookies.refresh_name, &cookies.auth_name];
    let signed = names
        .into_iter()
        .filter_map(|name| cookie(name, request).ok()?);
    let mut sessions: Vec<_> = signed
        .filter_map(|signed| Presented::verify(signed, manager))
        .collect();
    sessions.dedup();
    sessions
}

/// The session of the cookies that an answer sets.
fn session_in_answer(answer: &HeaderMap, manager: &AuthManager) -> Option<Presented> {
    let cookies = &manager.parts().browser.cookies;
    answer.get_all(SET_COOKIE).find_map(|field| {
        let cookie = Cookie::parse(field.to_str().ok()?).ok()?;
        let is_ours = [&*cookies.refresh_name, &*cookies.auth_name].contains(&cookie.name());
        is_ours
            .then(|| Presented::verify(cookie.value(), manager))
            .flatten()
    })
}

/// Ends the sessions in a request's cookies if the answer sets the cookies of another session.
pub(super) async fn end_replaced(request: &HttpRequest, answer: &HeaderMap) {
    if !answer.contains_key(SET_COOKIE) {
        return;
    }
    let Ok(manager) = manager_of(request) else {
        return;
    };
    let Some(new) = session_in_answer(answer, manager) else {
        return;
    };
    for old in presented(request, manager) {
        if old.session == new.session {
            continue;
        }
        let session = old.session.clone();
        let ended = manager.end(old.subject, session, EndedBy::Login).await;
        if let Err(error) = ended {
            let session = old.session;
            tracing::error!(
                session,
                "a session that a login replaced could not be ended: {}",
                said(&error)
            );
        }
    }
}

impl LoginBuilder<'_> {
    /// Ends the session whose cookies the browser sent with this request, as soon as the new one has opened. Call it in
    /// every login that sets cookies.
    ///
    /// The new cookies overwrite the old ones. Without this, the old session stays open, and an answer with its renewed
    /// cookies that is still on its way can log the browser in as the previous user: see
    /// [`SilentRenewal`](crate::SilentRenewal).
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::{HttpRequest, HttpResponse};
    /// use flask_pyjwt::{AuthManager, Rejection};
    ///
    /// async fn login(auth: AuthManager, request: HttpRequest) -> Result<HttpResponse, Rejection> {
    ///     // Check the password first.
    ///     let pair = auth.login("bob").replacing(&request).await?;
    ///     let mut answer = HttpResponse::Ok();
    ///     auth.set_cookies(&mut answer, &pair)?;
    ///     Ok(answer.finish())
    /// }
    /// # let _ = login;
    /// ```
    pub fn replacing(self, request: &HttpRequest) -> Self {
        let presented = presented(request, self.manager());
        presented
            .into_iter()
            .fold(self, |login, old| login.replaces(old.subject, old.session))
    }
}

impl AuthManager {
    /// Whether this refresh token may still be the latest one of an open session. Older ones must not be set as cookies:
    /// they would overwrite those of a later login or a later pair.
    pub(super) async fn may_set_cookies_of(&self, refresh: &Token) -> bool {
        match (self.sessions_of(refresh), self.now()) {
            (Some(sessions), Ok(now)) => sessions.may_be_latest(refresh, now).await,
            _ => true,
        }
    }
}
