//! Hostile requests, each made from the requirement of its route. Each differs in one thing from a request that is
//! accepted.

use actix_web::http::Method;

use super::{
    super::forge::with_tampered_signature, bad_tokens::bad_tokens, good::Good, routes::Header,
    visit::Shot,
};
use crate::{rules::TokenLocation, token::TokenType};

/// A hostile request.
#[derive(Debug, Clone)]
pub(super) struct Attack {
    /// What is wrong with it.
    pub(super) name: String,
    pub(super) shot: Shot,
}

/// Where requests go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a str,
    /// For the guards of actix-web.
    pub(super) headers: &'a [Header],
}

impl Target<'_> {
    pub(super) fn shot(&self) -> Shot {
        Shot::new(self.method, self.path).with(self.headers.iter().cloned())
    }

    fn is_safe(&self) -> bool {
        [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE].contains(self.method)
    }

    /// The places that a request of this method can use.
    fn usable<'p>(&self, places: &'p [TokenLocation]) -> impl Iterator<Item = &'p TokenLocation> {
        let is_get = *self.method == Method::GET;
        places
            .iter()
            .filter(move |it| is_get || !matches!(it, TokenLocation::Query(_)))
    }
}

/// What a client sends in one place.
fn credentials(good: &Good, place: &TokenLocation, signed: &str) -> (Vec<Header>, Option<String>) {
    let header = |name: &str, value: String| (vec![(name.to_owned(), value)], None);
    match place {
        TokenLocation::Header => header("authorization", format!("Bearer {signed}")),
        TokenLocation::NamedHeader(name) => header(name, signed.to_owned()),
        TokenLocation::DefaultCookie => {
            header("cookie", format!("{}={signed}", default_cookie(good)))
        }
        TokenLocation::Cookie(name) => header("cookie", format!("{name}={signed}")),
        TokenLocation::Query(name) => (Vec::new(), Some(format!("{name}={signed}"))),
        TokenLocation::WebSocket => {
            let mut headers: Vec<Header> = [
                ("connection", "Upgrade"),
                ("upgrade", "websocket"),
                ("sec-websocket-version", "13"),
                ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
            let protocol = format!("bearer, {signed}");
            headers.push(("sec-websocket-protocol".to_owned(), protocol));
            (headers, None)
        }
    }
}

fn default_cookie(good: &Good) -> String {
    let cookie = match good.requirement.token_type {
        TokenType::Auth => good.manager.auth_cookie(&good.minted),
        TokenType::Refresh => good.manager.refresh_cookie(&good.minted),
    };
    cookie.map_or_else(|_| "cookie".to_owned(), |cookie| cookie.name().to_owned())
}

fn is_cookie(place: &TokenLocation) -> bool {
    matches!(
        place,
        TokenLocation::DefaultCookie | TokenLocation::Cookie(_)
    )
}

fn proof(good: &Good) -> Vec<Header> {
    let proof = good.manager.csrf_proof(&good.minted).unwrap_or_default();
    vec![("x-csrf-token".to_owned(), proof)]
}

/// A request with a token in a place, and with the proof that a cookie needs.
pub(super) fn with_token(
    good: &Good,
    target: Target<'_>,
    place: &TokenLocation,
    signed: &str,
) -> Shot {
    let mut shot = without_proof(good, target, place, signed);
    if is_cookie(place) && !target.is_safe() {
        shot = shot.with(proof(good));
    }
    shot
}

fn without_proof(good: &Good, target: Target<'_>, place: &TokenLocation, signed: &str) -> Shot {
    let (headers, query) = credentials(good, place, signed);
    let mut shot = target.shot().with(headers);
    if let Some(query) = query {
        shot.path = format!("{}?{query}", shot.path);
    }
    shot
}

/// All hostile requests of a route.
pub(super) async fn attacks(good: &Good, target: Target<'_>) -> Vec<Attack> {
    let Some(place) = target.usable(&good.places).next() else {
        return Vec::new();
    };
    let mut attacks = Vec::new();
    let mut add = |name: &str, shot: Shot| {
        attacks.push(Attack {
            name: name.to_owned(),
            shot,
        });
    };
    for (name, signed) in bad_tokens(good).await {
        add(&name, with_token(good, target, place, &signed));
    }
    for place in target.usable(&good.places) {
        let once = with_token(good, target, place, &good.signed);
        // Two equal cookies are one.
        let second = with_tampered_signature(&good.signed);
        let (again, query) = credentials(good, place, &second);
        let mut twice = once.clone().with(again);
        if let Some(query) = query {
            twice.path = format!("{}&{query}", twice.path);
        }
        add("two tokens in one place", twice);
        for other in target.usable(&good.places).filter(|other| *other != place) {
            let (headers, query) = credentials(good, other, &good.signed);
            let mut both = once.clone().with(headers);
            if let Some(query) = query {
                let separator = if both.path.contains('?') { '&' } else { '?' };
                both.path = format!("{}{separator}{query}", both.path);
            }
            add("the token in two places", both);
        }
        if is_cookie(place) && good.requirement.csrf && !target.is_safe() {
            let bare = || without_proof(good, target, place, &good.signed);
            let field = |value: &str| [("x-csrf-token".to_owned(), value.to_owned())];
            add("a cookie without a CSRF proof", bare());
            add(
                "a cookie with a wrong CSRF proof",
                bare().with(field("a.guess")),
            );
            let cross_site = [("sec-fetch-site".to_owned(), "cross-site".to_owned())];
            add("a cookie of a page of another site", once.with(cross_site));
        }
    }
    let elsewhere = [
        TokenLocation::Header,
        TokenLocation::DefaultCookie,
        TokenLocation::Query("token".to_owned()),
        TokenLocation::Query("access_token".to_owned()),
    ];
    // Where credentials are optional, a token elsewhere is none.
    let is_elsewhere =
        |it: &&TokenLocation| !good.requirement.optional && !good.places.contains(it);
    for other in elsewhere.iter().filter(is_elsewhere) {
        // A cookie of the same name may be one of the places.
        if is_cookie(other) && good.places.iter().any(is_cookie) {
            continue;
        }
        let shot = with_token(good, target, other, &good.signed);
        add("the token in a place that the route does not name", shot);
    }
    if !good.requirement.optional {
        add("no credentials", target.shot());
    }
    attacks
}
