//! Advice about where the token and the CSRF proof are.

use actix_web::{HttpRequest, http::header::AUTHORIZATION};

use super::super::{
    credentials::{cookie, default_cookie},
    known::{Asked, Known},
};
use crate::{manager::AuthManager, rules::TokenLocation};

/// There is no token in the places of the route.
pub(super) fn missing(known: Known<'_>) -> String {
    let Some(Asked { places, .. }) = known.asked else {
        return "the request has no token: send `Authorization: Bearer <token>`".to_owned();
    };
    let looks_at = |wanted: &TokenLocation| places.contains(wanted);
    let where_it_looks = listed(places, known);
    let has_header = known
        .request
        .is_some_and(|request| request.headers().contains_key(AUTHORIZATION));
    if has_header && looks_at(&TokenLocation::Header) {
        return "the header `Authorization` is of another scheme than `Bearer`: send `Authorization: Bearer <token>`"
            .to_owned();
    }
    if has_header {
        return format!(
            "the request has the header `Authorization`, and the route looks only in {where_it_looks}: add \"header\" \
             to the route's `location`, or `TokenLocation::Header` to `Config::locations`"
        );
    }
    if let Some(name) = cookie_of(known)
        && !looks_at(&TokenLocation::DefaultCookie)
        && !looks_at(&TokenLocation::Cookie(name.to_owned()))
    {
        return format!(
            "the request has the cookie `{name}`, and the route looks only in {where_it_looks}: add \"cookies\" to the \
             route's `location`, or `TokenLocation::DefaultCookie` to `Config::locations`"
        );
    }
    format!("the request has no token: send it in {where_it_looks}")
}

/// There are tokens in two of the places.
pub(super) fn several(known: Known<'_>) -> String {
    match known.asked {
        Some(Asked { places, .. }) => format!(
            "the request has tokens in two of the places that the route looks at, which are {}: send one, or name \
             one place in the route's `location`",
            listed(places, known)
        ),
        None => "the request has tokens in two places: send one".to_owned(),
    }
}

/// There is no CSRF proof.
pub(super) fn no_proof(known: Known<'_>) -> String {
    format!(
        "the token is in a cookie, and the request has no CSRF proof: send the value of the cookie `{}` in the header \
         `X-CSRF-Token`, or in the form field `csrf_token`",
        proof_cookie(known)
    )
}

/// The CSRF proof is not of the token's session.
pub(super) fn wrong_proof(known: Known<'_>) -> String {
    format!(
        "the CSRF proof is not one of the token's session: read the cookie `{}` anew for each request, since a login \
         sets another, and send it once",
        proof_cookie(known)
    )
}

fn proof_cookie(known: Known<'_>) -> &str {
    known.manager.map_or("__Host-csrf", |manager| {
        &manager.parts().browser.cookies.csrf_name
    })
}

/// The name of the cookie that this manager sets for the type of token, if the request has it.
fn cookie_of(known: Known<'_>) -> Option<&str> {
    let name = cookie_name(known.manager?, known)?;
    let has_it = |request: &HttpRequest| cookie(name, request).is_ok_and(|value| value.is_some());
    known.request.is_some_and(has_it).then_some(name)
}

fn cookie_name<'a>(manager: &'a AuthManager, known: Known<'_>) -> Option<&'a str> {
    let token_type = known.asked?.requirement.token_type;
    Some(default_cookie(&manager.parts().browser.cookies, token_type))
}

/// The places as a list: `the header …, or the cookie …`.
fn listed(places: &[TokenLocation], known: Known<'_>) -> String {
    let place = |place: &TokenLocation| match place {
        TokenLocation::Header => "the header `Authorization: Bearer <token>`".to_owned(),
        TokenLocation::NamedHeader(name) => format!("the header `{name}`"),
        TokenLocation::DefaultCookie => {
            let name = known.manager.and_then(|it| cookie_name(it, known));
            format!("the cookie `{}`", name.unwrap_or("__Host-auth"))
        }
        TokenLocation::Cookie(name) => format!("the cookie `{name}`"),
        TokenLocation::Query(name) => format!("the query parameter `{name}`"),
        TokenLocation::WebSocket => "the WebSocket protocols `bearer, <token>`".to_owned(),
    };
    let places = places.iter().map(place).collect::<Vec<_>>();
    places.join(" or ")
}
