//! That a page which sends cookies is our own: its origin, and a proof that only it can read.

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
/// The longest random part in bytes that is looked at: more than twice what it is.
const LONGEST_RANDOM: usize = 64;

/// A proof is `random.tag`. The tag is made over the random value and what it is bound to: the session, or
/// the subject of a token of no session, of one issuer.
fn with_parts<T>(
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

/// Makes a proof with the secret of its own, or else with the signing key's.
fn make_proof(manager: &AuthManager, token: &Token) -> Result<String, Rejection> {
    let random = random_id()?;
    let parts = manager.parts();
    let tag = with_parts(token, &random, |bound| match &parts.csrf {
        Some(own) => own.tag(bound),
        None => parts.verification.keys.tag(Purpose::CsrfProofs, bound),
    })?;
    let tag = tag.ok_or(Misconfiguration::NoCsrfSecret)?;
    Ok(format!("{random}.{tag}"))
}

/// Whether this is a proof of the token's session, by a key that still counts.
fn proves(
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
    with_parts(token, random, |bound| match &parts.csrf {
        Some(own) => own.verify(bound, &tag),
        None => keys
            .made_by(Purpose::CsrfProofs, bound, &tag, now)
            .is_some(),
    })
}

/// What is left to be shown before a request is let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// Nothing: it was shown, or is not needed.
    Shown,
    /// A field of the form in the body has to be the proof.
    InForm,
}

/// Checks a request whose token came in a cookie, by its head.
pub(super) fn check(
    manager: &AuthManager,
    request: &HttpRequest,
    token: &Token,
) -> Result<Proof, Rejection> {
    let allowed = &manager.parts().browser.allowed_origins;
    if is_foreign_socket(request, allowed) {
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

/// Checks a proof wherever it was.
pub(super) fn check_proof(
    manager: &AuthManager,
    proof: &[u8],
    token: &Token,
) -> Result<(), Rejection> {
    let now = manager.parts().verification.clock.now()?;
    if !can_check(manager, now) {
        return Err(Misconfiguration::NoCsrfSecret.into());
    }
    if proves(manager, proof, token, now)? {
        Ok(())
    } else {
        Err(Rejection::CsrfProofWrong)
    }
}

/// Whether there is any key of proofs.
fn can_check(manager: &AuthManager, now: NumericDate) -> bool {
    let parts = manager.parts();
    let keys = &parts.verification.keys;
    parts.csrf.is_some() || keys.count_of_checking(Purpose::CsrfProofs, now) > 0
}

/// Whether a page of another site opens a WebSocket.
fn is_foreign_socket(request: &HttpRequest, allowed: &[String]) -> bool {
    is_websocket(request) && !is_own_page(request, Kind::WebSocket, allowed)
}

/// Checks a handshake of a WebSocket whose token came in a cookie: also where no proof is needed.
pub(super) fn check_socket(manager: &AuthManager, request: &HttpRequest) -> Result<(), Rejection> {
    if is_foreign_socket(request, &manager.parts().browser.allowed_origins) {
        Err(Rejection::CrossSite)
    } else {
        Ok(())
    }
}

/// Methods that change nothing (RFC 9110, section 9.2.1).
fn is_safe(method: &Method) -> bool {
    matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE
    )
}

/// Whether the request may become a WebSocket: wherever `actix_http` would take it for a handshake, it
/// looks for the word anywhere in the field.
fn is_websocket(request: &HttpRequest) -> bool {
    const WORD: &[u8] = b"websocket";
    let mut upgrades = request.headers().get_all("upgrade");
    upgrades.any(|upgrade| {
        let mut words = upgrade.as_bytes().windows(WORD.len());
        words.any(|word| word.eq_ignore_ascii_case(WORD))
    })
}

impl AuthManager {
    /// Makes a CSRF proof for the session of this token: what a page sends in the field
    /// `X-CSRF-Token`, or in the form's field `csrf_token`, with cookies and an unsafe method. In a form
    /// of `multipart/form-data` it has to be the first field. Each call makes another one, and all are good as long as the session.
    ///
    /// # Errors
    ///
    /// [`Misconfiguration::NoCsrfSecret`] when the manager has only a public key and no
    /// [`Config::csrf_secret`](crate::Config::csrf_secret).
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

    /// Checks that a request comes from a page of our own origin or of one that is allowed, or from no
    /// browser: for routes that no token guards and no other site should use, such as a login. A refusal
    /// is logged at once, whatever the handler does with it.
    ///
    /// # Errors
    ///
    /// [`Rejection::CrossSite`] when the browser says that it comes from elsewhere.
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
