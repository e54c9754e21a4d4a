//! That a page which sends cookies is our own: its origin, and a proof that only it can read.

use actix_web::{
    HttpRequest,
    http::{Method, header::HeaderName},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    Rejection,
    form::is_form,
    origin::{is_own_page, may_open_socket},
};
use crate::{
    keys::{AuthType, Signer, Verifier},
    manager::AuthManager,
    token::{Token, random_id},
};

const FIELD: HeaderName = HeaderName::from_static("x-csrf-token");
/// The longest proof in bytes that is looked at: twice what it is.
const LONGEST: usize = 132;

/// Makes and checks CSRF proofs: `random.mac`, the MAC over the session and the random value.
pub(crate) struct CsrfKey {
    signer: Signer,
    verifier: Verifier,
}

impl CsrfKey {
    /// A key of its own, derived from a secret that serves another purpose as well.
    pub(crate) fn derived(secret: &[u8]) -> Option<Self> {
        let derived = Signer::hmac(AuthType::HS256, secret).sign(b"flask-pyjwt: csrf proofs")?;
        Some(Self {
            signer: Signer::hmac(AuthType::HS256, &derived),
            verifier: Verifier::hmac(AuthType::HS256, &derived),
        })
    }

    fn proof(&self, token: &Token) -> Result<String, Rejection> {
        let random = random_id()?;
        let mac = self
            .signer
            .sign(&message(token, &random)?)
            .ok_or_else(|| Rejection::NotMinted("a CSRF proof cannot be made".to_owned()))?;
        Ok(format!("{random}.{}", URL_SAFE_NO_PAD.encode(mac)))
    }

    /// Whether this is a proof of the token's session. The MACs are compared in constant time.
    fn proves(&self, proof: &[u8], token: &Token) -> bool {
        let Some(proof) = std::str::from_utf8(proof)
            .ok()
            .filter(|proof| proof.len() <= LONGEST)
        else {
            return false;
        };
        let Some((random, mac)) = proof.split_once('.') else {
            return false;
        };
        match (URL_SAFE_NO_PAD.decode(mac), message(token, random)) {
            (Ok(mac), Ok(message)) => self.verifier.verify(&message, &mac),
            _ => false,
        }
    }
}

/// What a proof is bound to: the session, or the subject of a token of no session, of one issuer.
fn message(token: &Token, random: &str) -> Result<Vec<u8>, Rejection> {
    let (kind, bound_to) = match token.id("sid")? {
        Some(session) => (b"sid".as_slice(), session),
        None => (b"sub".as_slice(), token.sub().to_owned()),
    };
    // The random part has no NUL, and issuers are configured: no two bindings run into each other.
    let parts = [
        kind,
        random.as_bytes(),
        token.iss().as_bytes(),
        bound_to.as_bytes(),
    ];
    Ok(parts.join(&0))
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
    if !is_own_page(request, allowed) {
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
    let key = manager
        .parts()
        .csrf
        .as_ref()
        .ok_or(Rejection::NoCsrfSecret)?;
    if key.proves(proof, token) {
        Ok(())
    } else {
        Err(Rejection::CsrfProofWrong)
    }
}

/// Whether a page of another site opens a WebSocket.
fn is_foreign_socket(request: &HttpRequest, allowed: &[String]) -> bool {
    is_websocket(request) && !may_open_socket(request, allowed)
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
    /// [`Rejection::NoCsrfSecret`] when the manager has only a public key and no
    /// [`Config::csrf_secret`](crate::Config::csrf_secret).
    pub fn csrf_proof(&self, token: &Token) -> Result<String, Rejection> {
        let key = self.parts().csrf.as_ref().ok_or(Rejection::NoCsrfSecret)?;
        key.proof(token)
    }

    /// Checks that a request comes from a page of our own origin or of one that is allowed: for routes
    /// that no token guards and no other site should use, such as a login.
    ///
    /// # Errors
    ///
    /// [`Rejection::CrossSite`] when the browser says that it comes from elsewhere.
    pub fn check_origin(&self, request: &HttpRequest) -> Result<(), Rejection> {
        if is_own_page(request, &self.parts().browser.allowed_origins) {
            Ok(())
        } else {
            Err(Rejection::CrossSite)
        }
    }
}
