//! Requests with a head of 8 KiB that are refused, in this process without a socket: everything after reading
//! the head counts, including the response.

use actix_web::{
    App, HttpResponse,
    http::StatusCode,
    test::{self, TestRequest},
    web,
};
use flask_pyjwt::{RequireToken, TokenLocation};

use crate::{keys::Keys, race::Candidate};

const HEAD: usize = 8_192;

pub(super) struct RequestCase {
    name: String,
    place: TokenLocation,
    uri: String,
    field: (&'static str, String),
}

impl RequestCase {
    pub(super) fn candidate(self, keys: &Keys) -> Candidate<'static> {
        let runtime = actix_web::rt::System::new();
        let guard = RequireToken::auth().locations([self.place]);
        let route = web::resource("/me").wrap(guard).to(HttpResponse::Ok);
        let app = App::new().app_data(keys.manager(true)).service(route);
        let app = runtime.block_on(test::init_service(app));
        Candidate::new(self.name, move || {
            let (name, value) = &self.field;
            let request = refused_request(|| {
                TestRequest::with_uri(&self.uri)
                    .insert_header((*name, &**value))
                    .to_request()
            });
            let response = runtime.block_on(test::call_service(&app, request));
            let refused = [StatusCode::UNAUTHORIZED, StatusCode::BAD_REQUEST];
            assert!(refused.contains(&response.status()));
        })
    }
}

/// Builds the request. `callgrind.sh` leaves this function out, because the framework reads requests.
#[inline(never)]
fn refused_request<R>(read: impl FnOnce() -> R) -> R {
    read()
}

fn filled(begin: &str, part: &str, end: &str) -> String {
    format!(
        "{begin}{}{end}",
        part.repeat((HEAD - begin.len() - end.len()) / part.len())
    )
}

pub(super) fn all() -> Vec<RequestCase> {
    let mut cases = Vec::new();
    let mut add = |name: &str, place: TokenLocation, field: (&'static str, String)| {
        let (uri, field) = match field {
            ("query", query) => (format!("/me?{query}"), ("x-other", String::new())),
            field => ("/me".to_owned(), field),
        };
        let name = format!("refused-request-{name}");
        cases.push(RequestCase {
            name,
            place,
            uri,
            field,
        });
    };
    for (name, begin, part, end) in [
        ("commas", "Bearer ", ",", ""),
        ("quotes", "Bearer ", "\"", ""),
        ("elements", "Bearer ", "Bearer,", ""),
        ("others", "Digest ", "a=b,", ""),
        ("dots", "Bearer ", ".", ""),
        ("tildes", "Bearer ", "~", ""),
        ("letters", "Bearer ", ",be", ""),
        ("quoted", "Bearer \"", ",bearer ", ""),
        ("blanks", "Bearer ", "  bearer", ""),
    ] {
        add(
            &format!("authorization-{name}"),
            TokenLocation::Header,
            ("authorization", filled(begin, part, end)),
        );
    }
    for (name, begin, part, end) in [
        ("semicolons", "", ";", ""),
        ("short", "", "a=;", ""),
        ("names", "", "__Host-auth;", ""),
        ("nearly", "", "__Host-autx=;", ""),
        ("blanks", "", " ; ", ""),
        ("twice", "", "a=b;", "__Host-auth=a;__Host-auth=b"),
        ("same", "", "__Host-auth=a;", "__Host-auth=b"),
    ] {
        add(
            &format!("cookie-{name}"),
            TokenLocation::DefaultCookie,
            ("cookie", filled(begin, part, end)),
        );
    }
    for (name, begin, part, end) in [
        ("one-letter", "", "t;", "t=a;t=b"),
        ("one-letter-blank", "", "t ;", "t=a;t=b"),
        ("one-letter-alone", "", "t ", "t=a;t=b"),
        ("one-letter-empty", "", "t=;", "t=b"),
        ("one-letter-same", "", "t=a;", "t=b"),
    ] {
        add(
            &format!("cookie-{name}"),
            TokenLocation::Cookie("t".to_owned()),
            ("cookie", filled(begin, part, end)),
        );
    }
    for (name, begin, part, end) in [
        ("ampersands", "", "&", "t=a"),
        ("percent", "", "%&", "t=a"),
        ("plus", "", "+&", "t=a"),
        ("encoded", "", "%75=&", "t=a"),
        ("longer", "", "tt&", "t=a"),
        ("longer-encoded", "", "%74t&", "t=a"),
        ("nearly", "", "%7&", "t=a"),
        ("twice", "", "a=b&", "t=a&t=b"),
    ] {
        add(
            &format!("query-{name}"),
            TokenLocation::Query("t".to_owned()),
            ("query", filled(begin, part, end)),
        );
    }
    for (name, begin, part, end) in [
        ("commas", "", ",", "bearer, a"),
        ("others", "", "bearex,", "bearer, a"),
        ("names", "", "bearer x,", "bearer, a"),
        ("letters", "", "b", ",bearer, a"),
        ("blanks", "", " , ", "bearer, a"),
    ] {
        add(
            &format!("protocol-{name}"),
            TokenLocation::WebSocket,
            ("sec-websocket-protocol", filled(begin, part, end)),
        );
    }
    cases
}
