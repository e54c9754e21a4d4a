//! The session that a browser had before another login took the place of its cookies.

use actix_web::{
    HttpRequest,
    cookie::Cookie,
    http::header::{HeaderMap, SET_COOKIE},
};

use super::{LoginBuilder, credentials::cookie, registered::manager_of};
use crate::{error_chain::said, manager::AuthManager, token::Token};

/// A session, and whose it is.
#[derive(Debug, PartialEq, Eq)]
struct Presented {
    subject: String,
    session: String,
}

impl Presented {
    /// The session of a token of our own.
    fn of(token: &Token, manager: &AuthManager) -> Option<Self> {
        let session = token
            .session_id()
            .filter(|_| token.iss() == manager.issuer());
        Some(Self {
            subject: token.sub().to_owned(),
            session: session?.to_owned(),
        })
    }

    /// The session of a token in its text form.
    fn verified(signed: &str, manager: &AuthManager) -> Option<Self> {
        Self::of(&manager.verify_token(signed).ok()?, manager)
    }
}

/// The sessions of the tokens in a request's cookies: one, or two where the cookies do not belong together.
fn presented(request: &HttpRequest, manager: &AuthManager) -> Vec<Presented> {
    let cookies = &manager.parts().browser.cookies;
    let names = [&cookies.refresh_name, &cookies.auth_name];
    let signed = names
        .into_iter()
        .filter_map(|name| cookie(name, request).ok()?);
    let mut sessions: Vec<_> = signed
        .filter_map(|signed| Presented::verified(signed, manager))
        .collect();
    sessions.dedup();
    sessions
}

/// The session whose tokens an answer sets as cookies.
fn set_by(answer: &HeaderMap, manager: &AuthManager) -> Option<Presented> {
    let cookies = &manager.parts().browser.cookies;
    answer.get_all(SET_COOKIE).find_map(|field| {
        let cookie = Cookie::parse(field.to_str().ok()?).ok()?;
        let is_ours = [&*cookies.refresh_name, &*cookies.auth_name].contains(&cookie.name());
        is_ours
            .then(|| Presented::verified(cookie.value(), manager))
            .flatten()
    })
}

/// Ends the sessions that a request has presented, where its answer sets the cookies of another one.
pub(super) async fn end_replaced(request: &HttpRequest, answer: &HeaderMap) {
    if !answer.contains_key(SET_COOKIE) {
        return;
    }
    let Ok(manager) = manager_of(request) else {
        return;
    };
    let Some(new) = set_by(answer, manager) else {
        return;
    };
    for old in presented(request, manager) {
        if old.session == new.session {
            continue;
        }
        let ended = manager.revoke_session(old.subject, &*old.session).await;
        if let Err(error) = ended {
            let session = old.session;
            tracing::error!(
                session,
                "a session that a login replaced lives on: {}",
                said(&error)
            );
        }
    }
}

impl LoginBuilder<'_> {
    /// Ends the session whose cookies this request presents, as soon as the new one has opened: the
    /// browser forgets its tokens anyway. Give the request of every login that sets cookies.
    ///
    /// An answer to the old session that is still on its way would otherwise renew its cookies and log
    /// the browser in as before: see [`SilentRenewal`](crate::SilentRenewal).
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::{HttpRequest, HttpResponse};
    /// use flask_pyjwt::{AuthManager, Rejection};
    ///
    /// async fn login(auth: AuthManager, request: HttpRequest) -> Result<HttpResponse, Rejection> {
    ///     // After the password was right:
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
    /// Whether the session of this refresh token may still be open, and the token its latest one: others
    /// would take the place of the cookies of a later login, or of a later pair.
    pub(super) async fn may_set(&self, refresh: &Token) -> bool {
        match (self.sessions_of(refresh), self.now()) {
            (Some(sessions), Ok(now)) => sessions.may_be_latest(refresh, now).await,
            _ => true,
        }
    }
}
