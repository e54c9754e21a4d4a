//! The decision about one request. Not generic: compiled once, whatever the handlers are.

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
    bearer,
    credentials::{self, Source},
    csrf::{self, Proof},
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

/// What was accepted.
struct Accepted {
    token: Token,
    source: Source,
    proof: Proof,
}

/// The token of a request, from its verification on.
struct Verified {
    token: Token,
    /// Whether it is of the right type and nobody has revoked it.
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

/// What the answer of a request that was let in has to say besides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passed(Option<Source>);

impl Passed {
    /// Adds to an answer what the place of the token demands.
    pub(super) fn add_fields(self, status: StatusCode, answer: &mut HeaderMap) {
        match self.0 {
            // A token in an address is in histories, and would be in the `Referer` of what follows.
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

/// Whether a request passes, or the answer to refuse it with.
pub(super) type Verdict = Result<Passed, HttpResponse>;

/// Lets a request pass, its token left in the extensions, or gives the answer to refuse it with.
///
/// Of the request only its head is read, unless everything is accepted but a CSRF proof that is in the
/// body's form: then the body is read, and put back.
pub(super) async fn guard(
    requirement: &Requirement,
    request: &HttpRequest,
    body: &mut Payload,
    by_attribute: bool,
) -> Verdict {
    let manager = manager_of(request)
        .map_err(|rejection| answer(None, &rejection, request, Seen::default()))?;
    let places = Places::of(requirement, manager, request);
    let mut seen = None;
    let decided = match authorize(manager, requirement, &places, request, &mut seen).await {
        Ok(Some(accepted)) if accepted.proof == Proof::InForm => {
            prove_by_form(manager, accepted, request, body)
                .await
                .map(Some)
        }
        decided => decided,
    };
    match decided {
        Ok(accepted) => Ok(let_in(accepted, request, by_attribute)),
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

/// The same at once, for what most requests bring: a header whose token was verified before, and about
/// which nobody else has to be asked. Any other request goes the long way, which decides alike.
pub(super) fn guard_at_once(
    requirement: &Requirement,
    request: &HttpRequest,
    by_attribute: bool,
) -> Option<Verdict> {
    let manager = manager_of(request).ok()?;
    let places = Places::of(requirement, manager, request);
    let [TokenLocation::Header] = places[..] else {
        return None; // it might be in a second place as well
    };
    let parts = manager.parts();
    let token = parts.verification.recall(bearer::sole_bearer(request)?)?;
    let token = token.ok()?;
    if parts.token_check.is_some() || manager.sessions_of(&token).is_some() {
        return None;
    }
    let kind = check_kind(manager, requirement, &token);
    let is_good = kind.is_ok();
    let source = Source::Header;
    let proof = kind.and_then(|()| permit(manager, requirement, request, &token, source));
    Some(match proof {
        Ok(proof) => {
            let accepted = Accepted {
                token,
                source,
                proof,
            };
            Ok(let_in(Some(accepted), request, by_attribute))
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
    })
}

/// Leaves the token of a request that passes in its extensions.
fn let_in(accepted: Option<Accepted>, request: &HttpRequest, by_attribute: bool) -> Passed {
    let (token, source) = accepted
        .map(|accepted| (accepted.token, accepted.source))
        .unzip();
    request.extensions_mut().insert(Guarded {
        token,
        by_attribute,
        refused: None,
    });
    Passed(source)
}

/// The answer to a request that does not pass.
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
        Passed(Some(Source::Query)).add_fields(refused.status(), refused.headers_mut());
    }
    refused
}

/// Looks for the CSRF proof in the form that the body is.
async fn prove_by_form(
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

/// Decides in this order: credentials, token, its type, its session, the server's own check, the age
/// of the login, the page that sent a cookie, the claims.
async fn authorize(
    manager: &AuthManager,
    requirement: &Requirement,
    places: &[TokenLocation],
    request: &HttpRequest,
    seen: &mut Option<Verified>,
) -> Result<Option<Accepted>, Rejection> {
    let Some((presented, source)) = find_token(manager, requirement, places, request)? else {
        return if requirement.optional {
            Ok(None)
        } else {
            Err(Rejection::MissingCredentials)
        };
    };
    let holder = match presented {
        Presented::Signed(_) => Holder::Client,
        Presented::Verified(_) => Holder::Server,
    };
    let token = match presented {
        Presented::Verified(token) => token,
        #[cfg(feature = "jwks")]
        Presented::Signed(signed) => manager.verify_token_async(signed).await?,
        #[cfg(not(feature = "jwks"))]
        Presented::Signed(signed) => manager.verify_token(signed)?,
    };
    let verified = seen.insert(Verified {
        token: token.clone(),
        is_good: false,
    });
    check_kind(manager, requirement, &token)?;
    // The sessions of other issuers are theirs.
    if let Some(sessions) = manager.sessions_of(&token) {
        let checked = sessions.check(&token, holder, manager.now()?).await;
        checked.map_err(Rejection::anew)?;
    }
    ask_own_check(manager, &token).await?;
    verified.is_good = true;
    let proof = permit(manager, requirement, request, &token, source)?;
    Ok(Some(Accepted {
        token,
        source,
        proof,
    }))
}

/// Whether a token is of the type and the issuer that the route wants.
fn check_kind(
    manager: &AuthManager,
    requirement: &Requirement,
    token: &Token,
) -> Result<(), Rejection> {
    let expected = requirement.token_type;
    if token.token_type() != expected {
        return Err(TokenError::WrongType { expected }.into());
    }
    Ok(requirement.check_issuer(token, &manager.parts().verification)?)
}

/// Whether a token that nobody objects to opens this route.
fn permit(
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

/// Asks the server's own question about a token, if it has one.
pub(super) async fn ask_own_check(manager: &AuthManager, token: &Token) -> Result<(), Rejection> {
    let Some(check) = &manager.parts().token_check else {
        return Ok(());
    };
    // It may ask the manager, and a refusal is logged once: by the guard.
    let answer = within_call(async { check(token.clone()).await });
    answer.await.map_err(|error| match error {
        TokenCheckError::Revoked => TokenError::Revoked.into(),
        TokenCheckError::Unavailable { retry_after } => Rejection::Unavailable { retry_after },
    })
}

/// A request's token.
enum Presented<'a> {
    /// As it came.
    Signed(&'a str),
    /// Minted for this request.
    Verified(Token),
}

/// The token of a request, and where it was.
///
/// A pair that [`SilentRenewal`](crate::SilentRenewal) got for the browser's cookies stands for them.
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
