//! The decision whether a request passes a guard. It is not generic, so that it is compiled once and not per handler.

use std::mem;

use actix_web::{
    HttpMessage as _, HttpRequest, HttpResponse,
    dev::Payload,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, HeaderMap, HeaderValue, REFERRER_POLICY},
    },
};

use super::{
    Rejection,
    answer::{Seen, answer},
    bearer, binding,
    credentials::{self, Source},
    csrf::{self, Proof},
    decided,
    form::take_proof,
    known::Asked,
    places::Places,
    refused::within_call,
    registered::manager_of,
    request_state::{Guarded, Renewed},
    websocket,
};
use crate::{
    config::TokenCheckError,
    manager::AuthManager,
    rules::{Requirement, RouteVariables, TokenLocation},
    session::Holder,
    token::{Token, TokenError, TokenType},
};

/// An accepted token, its place, and whether a CSRF proof is still missing.
struct Accepted {
    token: Token,
    source: Source,
    proof: Proof,
    /// The nonce for the client's next DPoP proof, if it needs another one.
    nonce: Option<Box<str>>,
}

/// A token with a valid signature and valid claims.
struct Verified {
    token: Token,
    /// Whether it is also of the right type and not revoked.
    is_good: bool,
}

impl Verified {
    fn seen(&self) -> Seen<'_> {
        Seen {
            token: Some(&self.token),
            is_good: self.is_good,
            asked: None,
        }
    }
}

/// An accepted request, and the place of its token. Some places need header fields in the answer.
#[derive(Debug)]
pub(super) struct Passed {
    source: Option<Source>,
    nonce: Option<Box<str>>,
}

impl Passed {
    /// Adds the header fields that the place of the token needs.
    pub(super) fn add_fields(self, status: StatusCode, answer: &mut HeaderMap) {
        if let Some(nonce) = self.nonce {
            binding::tell_nonce(&nonce, answer);
        }
        match self.source {
            // The URL contains the token: keep it out of caches and of the `Referer` of following requests.
            Some(Source::Query) => {
                answer.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
                answer.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
            }
            Some(Source::WebSocket) if status == StatusCode::SWITCHING_PROTOCOLS => {
                websocket::choose_protocol(answer);
            }
            _ => {}
        }
    }
}

/// The outcome of a guard: an accepted request, or the answer to a refused one.
pub(super) type Verdict = Result<Passed, HttpResponse>;

/// What [`guard_at_once`] comes to.
pub(super) enum AtOnce {
    Decided(Verdict),
    /// [`guard`] has to decide. It gets the token, if the request has it in `Authorization` and in no other place, and it
    /// was verified before.
    Undecided(Option<Token>),
}

/// Decides about a request. Stores the token of an accepted one in its extensions, and returns the answer to a refused
/// one.
///
/// It reads the head of the request only. There is one exception: if the token is accepted and only the CSRF proof is
/// missing, and the body is a form, it reads the body and puts it back.
pub(super) async fn guard(
    requirement: &Requirement,
    request: &HttpRequest,
    body: &mut Payload,
    by_attribute: bool,
    recalled: Option<Token>,
) -> Verdict {
    let manager = manager_of(request)
        .map_err(|rejection| answer(None, &rejection, request, Seen::default()))?;
    let places = Places::of(requirement, manager, request);
    let mut seen = None;
    let decided = authorize(manager, requirement, &places, recalled, request, &mut seen).await;
    let decided = match decided {
        Ok(Some(accepted)) if accepted.proof == Proof::InForm => {
            check_proof_in_form(manager, accepted, request, body)
                .await
                .map(Some)
        }
        decided => decided,
    };
    match decided {
        Ok(accepted) => Ok(pass(manager, requirement, accepted, request, by_attribute)),
        Err(rejection) => {
            let seen = seen.as_ref().map_or_else(Seen::default, Verified::seen);
            let asked = Asked {
                requirement,
                places: &places,
            };
            Err(refuse(&rejection, seen, manager, asked, request))
        }
    }
}

/// Decides without a future about the most frequent requests: with a token in the `Authorization` header that was
/// verified before and needs no asynchronous check. [`guard`] decides about all others. Both come to the same decision.
pub(super) fn guard_at_once(
    requirement: &Requirement,
    request: &HttpRequest,
    by_attribute: bool,
) -> AtOnce {
    decide_at_once(requirement, request, by_attribute).unwrap_or_else(AtOnce::Undecided)
}

/// An error leaves the decision to [`guard`].
fn decide_at_once(
    requirement: &Requirement,
    request: &HttpRequest,
    by_attribute: bool,
) -> Result<AtOnce, Option<Token>> {
    let manager = manager_of(request).map_err(|_| None)?;
    let places = Places::of(requirement, manager, request);
    let [TokenLocation::Header] = places[..] else {
        return Err(None); // `guard` has to look at the other places as well
    };
    let parts = manager.parts();
    let recall = |bearer| parts.verification.recall(bearer)?.ok();
    let token = bearer::sole_bearer(request).and_then(recall).ok_or(None)?;
    if binding::has_to_be_proven(manager, requirement, &token) {
        return Err(None);
    }
    if parts.token_check.is_some() || manager.sessions_of(&token).is_some() {
        return Err(Some(token));
    }
    let checked = check_type_and_issuer(manager, requirement, &token);
    let is_good = checked.is_ok();
    let source = Source::Header;
    let proof = checked.and_then(|()| check_rules(manager, requirement, request, &token, source));
    Ok(AtOnce::Decided(match proof {
        Ok(proof) => {
            let accepted = Accepted {
                token,
                source,
                proof,
                nonce: None,
            };
            Ok(pass(
                manager,
                requirement,
                Some(accepted),
                request,
                by_attribute,
            ))
        }
        Err(rejection) => {
            let seen = Seen {
                token: Some(&token),
                is_good,
                asked: None,
            };
            let asked = Asked {
                requirement,
                places: &places,
            };
            Err(refuse(&rejection, seen, manager, asked, request))
        }
    }))
}

/// Stores the token of an accepted request in its extensions.
fn pass(
    manager: &AuthManager,
    requirement: &Requirement,
    accepted: Option<Accepted>,
    request: &HttpRequest,
    by_attribute: bool,
) -> Passed {
    let token = accepted.as_ref().map(|accepted| &accepted.token);
    decided::note_accepted(manager, requirement, token, request);
    let (token, source, nonce) = match accepted {
        Some(accepted) => (Some(accepted.token), Some(accepted.source), accepted.nonce),
        None => (None, None, None),
    };
    request.extensions_mut().insert(Guarded {
        by: manager.id(),
        token,
        by_attribute,
        refused: None,
    });
    Passed { source, nonce }
}

/// The answer to a refused request.
fn refuse(
    rejection: &Rejection,
    seen: Seen<'_>,
    manager: &AuthManager,
    asked: Asked<'_>,
    request: &HttpRequest,
) -> HttpResponse {
    let seen = Seen {
        asked: Some(asked),
        ..seen
    };
    let mut refused = answer(Some(manager), rejection, request, seen);
    if *rejection == Rejection::SeveralCookies {
        manager.remove_former_cookies(refused.headers_mut());
    }
    let by_query = |location: &TokenLocation| matches!(location, TokenLocation::Query(_));
    if asked.places.iter().any(by_query) {
        let passed = Passed {
            source: Some(Source::Query),
            nonce: None,
        };
        passed.add_fields(refused.status(), refused.headers_mut());
    }
    refused
}

/// Checks the CSRF proof in the form of the body.
async fn check_proof_in_form(
    manager: &AuthManager,
    accepted: Accepted,
    request: &HttpRequest,
    body: &mut Payload,
) -> Result<Accepted, Rejection> {
    let (proof, whole) = take_proof(request, mem::replace(body, Payload::None)).await?;
    *body = whole;
    csrf::check_proof(manager, proof.as_bytes(), &accepted.token)?;
    Ok(accepted)
}

/// Checks, in this order: the credentials, the token, its type and issuer, what it is bound to, its session,
/// `Config::token_check`, the age of the login, the origin and CSRF proof of cookies, the claims.
async fn authorize(
    manager: &AuthManager,
    requirement: &Requirement,
    places: &[TokenLocation],
    recalled: Option<Token>,
    request: &HttpRequest,
    seen: &mut Option<Verified>,
) -> Result<Option<Accepted>, Rejection> {
    let (token, source, holder) = match recalled {
        Some(token) => (token, Source::Header, Holder::Client),
        None => match find_token(manager, requirement, places, request)? {
            Some((Presented::Verified(token), source)) => (token, source, Holder::Server),
            #[cfg(feature = "jwks")]
            Some((Presented::Signed(signed), source)) => {
                let token = manager.verify_presented_async(signed).await?;
                (token, source, Holder::Client)
            }
            #[cfg(not(feature = "jwks"))]
            Some((Presented::Signed(signed), source)) => {
                (manager.verify_presented(signed)?, source, Holder::Client)
            }
            None if requirement.optional => return Ok(None),
            None => return Err(Rejection::MissingCredentials),
        },
    };
    let verified = seen.insert(Verified {
        token: token.clone(),
        is_good: false,
    });
    check_type_and_issuer(manager, requirement, &token)?;
    let nonce = binding::check(manager, requirement, request, &token, source).await?;
    // Tokens of other issuers have no session here.
    if let Some(sessions) = manager.sessions_of(&token) {
        let checked = sessions.check(&token, holder, manager.now()?).await;
        checked.map_err(Rejection::anew)?;
    }
    run_token_check(manager, &token).await?;
    verified.is_good = true;
    let proof = check_rules(manager, requirement, request, &token, source)?;
    Ok(Some(Accepted {
        token,
        source,
        proof,
        nonce,
    }))
}

/// Checks that a token is of the type and issuer that the route requires.
fn check_type_and_issuer(
    manager: &AuthManager,
    requirement: &Requirement,
    token: &Token,
) -> Result<(), Rejection> {
    requirement.check_type(token)?;
    Ok(requirement.check_issuer(token, &manager.parts().verification)?)
}

/// Checks a valid token against the rules of the route. Returns whether a CSRF proof is still missing.
fn check_rules(
    manager: &AuthManager,
    requirement: &Requirement,
    request: &HttpRequest,
    token: &Token,
    source: Source,
) -> Result<Proof, Rejection> {
    requirement
        .freshness
        .check(token, &manager.parts().verification)?;
    let proof = match source {
        Source::Cookie if requirement.csrf => csrf::check(manager, request, token)?,
        Source::Cookie => csrf::check_socket(manager, request).map(|()| Proof::Shown)?,
        _ => Proof::Shown,
    };
    requirement.decide(token, &RouteVariables::of(request))?;
    Ok(proof)
}

/// Runs `Config::token_check` on a token, if it is set.
pub(crate) async fn run_token_check(manager: &AuthManager, token: &Token) -> Result<(), Rejection> {
    let Some(check) = &manager.parts().token_check else {
        return Ok(());
    };
    // The check may call the manager. Refusals of these calls are not logged: the guard logs its own.
    let answer = within_call(async { check(token.clone()).await });
    answer.await.map_err(|error| match error {
        TokenCheckError::Revoked => TokenError::Revoked.into(),
        TokenCheckError::Unavailable { retry_after } => Rejection::Unavailable { retry_after },
    })
}

/// The token that a request presents.
enum Presented<'a> {
    /// The text that the client sent.
    Signed(&'a str),
    /// A token that [`SilentRenewal`](crate::SilentRenewal) signed for this request.
    Verified(Token),
}

/// The token of a request, and its place.
///
/// If [`SilentRenewal`](crate::SilentRenewal) has renewed the tokens of the browser's cookies, the new token replaces the
/// cookie.
fn find_token<'a>(
    manager: &AuthManager,
    requirement: &Requirement,
    places: &[TokenLocation],
    request: &'a HttpRequest,
) -> Result<Option<(Presented<'a>, Source)>, Rejection> {
    let cookies = &manager.parts().browser.cookies;
    let default_cookie = credentials::default_cookie(cookies, requirement.token_type);
    let found = credentials::find(places, default_cookie, request)?;
    let looks_at_cookie = |location: &TokenLocation| match location {
        TokenLocation::DefaultCookie => true,
        TokenLocation::Cookie(name) => name == default_cookie,
        _ => false,
    };
    if found.is_none_or(|found| found.source == Source::Cookie)
        && places.iter().any(looks_at_cookie)
        && let Some(Renewed { pair, by }) = request.extensions().get::<Renewed>()
        && by.is_same_as(manager)
    {
        let token = match requirement.token_type {
            TokenType::Auth => pair.auth.clone(),
            TokenType::Refresh => pair.refresh.clone(),
        };
        return Ok(Some((Presented::Verified(token), Source::Cookie)));
    }
    Ok(found.map(|found| (Presented::Signed(found.signed), found.source)))
}
