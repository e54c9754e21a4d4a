//! Protection against cross-site request forgery for tokens in cookies: the origin of the page, and a proof that pages of
//! other sites cannot read.

use actix_web::{
    HttpRequest,
    http::{Method, header::HeaderName},
};

use super::{
    Misconfiguration, Rejection,
    form::is_form,
    known::Known,
    origin::{Kind, is_own_page},
    refused::report,
};
use crate::{
    keys::{Purpose, Tag},
    manager::AuthManager,
    token::{NumericDate, Token, TokenError, random_id},
};

const FIELD: HeaderName = HeaderName::from_static("x-csrf-token");
/// The longest accepted random part of a proof, in bytes. It is more than twice the length of those that are made here.
const LONGEST_RANDOM: usize = 64;

/// Calls `then` with the parts that the tag of a proof covers.
///
/// A proof is `random.tag`. It is bound to the issuer and the session of the token, or to the issuer and the subject if
/// the token has no session.
fn with_tagged_parts<T>(
    token: &Token,
    random: &str,
    then: impl FnOnce(&[&[u8]]) -> T,
) -> Result<T, TokenError> {
    let (kind, bound_to) = match token.id("sid")? {
        Some(session) => ("sid", session),
        None => ("sub", token.sub().to_owned()),
    };
    let parts = [kind, random, token.iss(), &bound_to];
    Ok(then(&parts.map(str::as_bytes)))
}

/// Makes a proof with `Config::csrf_secret`, or else with a key that is derived from the signing key.
fn make_proof(manager: &AuthManager, token: &Token) -> Result<String, Rejection> {
    let random = random_id()?;
    let parts = manager.parts();
    let tag = with_tagged_parts(token, &random, |bound| match &parts.csrf {
        Some(secret) => secret.tag(bound),
        None => parts.verification.keys.tag(Purpose::CsrfProofs, bound),
    })?;
    let tag = tag.ok_or(Misconfiguration::NoCsrfSecret)?;
    Ok(format!("{random}.{tag}"))
}

/// Whether this is a proof for the token's session, made with a key that is still in use.
fn is_valid_proof(
    manager: &AuthManager,
    proof: &[u8],
    token: &Token,
    now: NumericDate,
) -> Result<bool, TokenError> {
    let proof = std::str::from_utf8(proof).ok();
    let Some((random, tag)) = proof.and_then(|proof| proof.split_once('.')) else {
        return Ok(false);
    };
    let Some(tag) = Tag::parse(tag).filter(|_| random.len() <= LONGEST_RANDOM) else {
        return Ok(false);
    };
    let parts = manager.parts();
    let keys = &parts.verification.keys;
    with_tagged_parts(token, random, |bound| match &parts.csrf {
        Some(secret) => secret.verify(bound, &tag),
        None => keys
            .made_by(Purpose::CsrfProofs, bound, &tag, now)
            .is_some(),
    })
}

/// Whether a request still has to prove that it is not cross-site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// The proof was checked, or none is needed.
    Shown,
    /// The proof has to be in a field of the form in the body.
    InForm,
}

/// Checks the head of a request whose token is in a cookie.
pub(super) fn check(
    manager: &AuthManager,
    request: &HttpRequest,
    token: &Token,
) -> Result<Proof, Rejection> {
    let allowed = &manager.parts().browser.allowed_origins;
    if is_cross_site_websocket(request, allowed) {
        return Err(Rejection::CrossSite);
    }
    if is_safe(request.method()) {
        return Ok(Proof::Shown);
    }
    if !is_own_page(request, Kind::Request, allowed) {
        return Err(Rejection::CrossSite);
    }
    let mut fields = request.headers().get_all(FIELD);
    match (fields.next(), fields.next()) {
        (Some(field), None) => check_proof(manager, field.as_bytes(), token).map(|()| Proof::Shown),
        (None, _) if is_form(request) => Ok(Proof::InForm),
        (None, _) => Err(Rejection::CsrfProofMissing),
        (Some(_), Some(_)) => Err(Rejection::CsrfProofWrong),
    }
}

/// Checks a proof from a header field, a form or a cookie.
pub(super) fn check_proof(
    manager: &AuthManager,
    proof: &[u8],
    token: &Token,
) -> Result<(), Rejection> {
    let now = manager.parts().verification.clock.now()?;
    if !has_key(manager, now) {
        return Err(Misconfiguration::NoCsrfSecret.into());
    }
    if is_valid_proof(manager, proof, token, now)? {
        Ok(())
    } else {
        Err(Rejection::CsrfProofWrong)
    }
}

/// Whether the manager has any key for proofs.
fn has_key(manager: &AuthManager, now: NumericDate) -> bool {
    let parts = manager.parts();
    let keys = &parts.verification.keys;
    parts.csrf.is_some() || keys.count_of_checking(Purpose::CsrfProofs, now) > 0
}

/// Whether the request is a WebSocket handshake from a page of another site.
fn is_cross_site_websocket(request: &HttpRequest, allowed: &[String]) -> bool {
    is_websocket(request) && !is_own_page(request, Kind::WebSocket, allowed)
}

/// Checks the origin of a WebSocket handshake whose token is in a cookie. Guards with `csrf(false)` check it too.
pub(super) fn check_socket(manager: &AuthManager, request: &HttpRequest) -> Result<(), Rejection> {
    if is_cross_site_websocket(request, &manager.parts().browser.allowed_origins) {
        Err(Rejection::CrossSite)
    } else {
        Ok(())
    }
}

/// Whether the method is safe: it changes nothing (RFC 9110, section 9.2.1).
fn is_safe(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE
    )
}

/// Whether the request may become a WebSocket. It searches the whole `Upgrade` field for the word, as `actix_http` does,
/// so that both agree.
fn is_websocket(request: &HttpRequest) -> bool {
    const WORD: &[u8] = b"websocket";
    let mut upgrades = request.headers().get_all("upgrade");
    upgrades.any(|upgrade| {
        let mut words = upgrade.as_bytes().windows(WORD.len());
        words.any(|word| word.eq_ignore_ascii_case(WORD))
    })
}

impl AuthManager {
    /// Makes a CSRF proof for a page to send with its unsafe requests, such as `POST`. It is bound to the session of the
    /// token, or to the subject if the token has no session.
    ///
    /// [`set_cookies`](Self::set_cookies) puts a proof into a cookie that scripts can read. Call this method to put one
    /// into a page that the server renders. The page sends it in the header field `X-CSRF-Token` or in the form field
    /// `csrf_token`. In a `multipart/form-data` body it has to be the first field.
    ///
    /// Each call returns another proof. All are valid as long as the session, unless the key that made them is removed.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::{App, HttpResponse, http::StatusCode, test, web};
    /// use flask_pyjwt::{AuthManager, AuthType, Config, RequireToken};
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let auth = AuthManager::new(Config::new(
    ///     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
    /// ))?;
    /// let notes = web::resource("/notes").wrap(RequireToken::auth().cookies());
    /// let app = App::new().app_data(auth.clone()).service(notes.post(HttpResponse::Created));
    /// let app = test::init_service(app).await;
    ///
    /// let token = auth.auth_token("alice").sign()?;
    /// for (proof, status) in [(auth.csrf_proof(&token)?, StatusCode::CREATED),
    ///                         ("a guess".to_owned(), StatusCode::FORBIDDEN)] {
    ///     let request = test::TestRequest::post().uri("/notes")
    ///         .cookie(auth.auth_cookie(&token)?)
    ///         .insert_header(("X-CSRF-Token", proof));
    ///     assert_eq!(test::call_service(&app, request.to_request()).await.status(), status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Misconfiguration::NoCsrfSecret`] if the manager has only a public key and no
    /// [`Config::csrf_secret`](crate::Config::csrf_secret).
    #[doc(alias = "csrf_token")]
    #[doc(alias = "get_csrf_token")]
    pub fn csrf_proof(&self, token: &Token) -> Result<String, Rejection> {
        make_proof(self, token).inspect_err(|rejection| {
            let known = Known {
                manager: Some(self),
                token: Some(token),
                ..Known::default()
            };
            report(rejection, known);
        })
    }

    /// Refuses requests that pages of other sites send, on routes without a guard, such as a login.
    ///
    /// It accepts pages of the server's own origin, pages of [`Config::allowed_origins`](crate::Config::allowed_origins), and
    /// clients that are not browsers. Guards check the origin of requests with cookies themselves.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::test::TestRequest;
    /// use flask_pyjwt::{AuthManager, AuthType, Config};
    ///
    /// # let auth = AuthManager::new(Config::new(
    /// #     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
    /// # ))?;
    /// let own_page = TestRequest::post().insert_header(("sec-fetch-site", "same-origin"));
    /// assert!(auth.check_origin(&own_page.to_http_request()).is_ok());
    ///
    /// let other_site = TestRequest::post().insert_header(("sec-fetch-site", "cross-site"));
    /// assert!(auth.check_origin(&other_site.to_http_request()).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Rejection::CrossSite`] if `Sec-Fetch-Site` or `Origin` names another site. The refusal is logged here, whatever
    /// the handler does with the error.
    #[doc(alias = "CSRF")]
    pub fn check_origin(&self, request: &HttpRequest) -> Result<(), Rejection> {
        let allowed = &self.parts().browser.allowed_origins;
        if is_own_page(request, Kind::Request, allowed) {
            return Ok(());
        }
        let known = Known {
            manager: Some(self),
            request: Some(request),
            ..Known::default()
        };
        report(&Rejection::CrossSite, known);
        Err(Rejection::CrossSite)
    }
}
