//! Section `growth`: the cost of more routes, keys, issuers and claims, and of longer tokens.

mod issuers;
mod many_keys;

use actix_web::{
    App, HttpResponse,
    test::{self, TestRequest},
    web,
};
use flask_pyjwt::{AuthManager, CurrentToken, RequireToken, require_token};
use serde_json::{Map, Value};

use crate::{
    claims::{self, SUBJECT},
    keys::Keys,
    peers::JsonWebToken,
    race::{Candidate, race},
    report::{Cell, Report, Table},
    settings::Settings,
};

/// The largest ratio to the smallest case that counts as flat.
const FLAT: f64 = 1.25;

pub(crate) fn run(settings: &Settings, report: &mut Report) {
    let keys = Keys::generate("HS256");
    routes(&keys, settings, report);
    many_keys::run(&keys, settings, report);
    issuers::run(settings, report);
    required_claims(&keys, settings, report);
    sizes(&keys, settings, report);
}

async fn open() -> String {
    SUBJECT.to_owned()
}

#[require_token]
async fn guarded(token: CurrentToken) -> String {
    token.sub().to_owned()
}

/// Times a request to an application in this process.
macro_rules! requests {
    ($runtime:expr, $name:expr, $app:expr, $path:expr, $token:expr) => {{
        let (runtime, path) = (&$runtime, String::from($path));
        let app = runtime.block_on(test::init_service($app));
        let field = format!("Bearer {}", $token.signed());
        Candidate::new($name, move || {
            let request = TestRequest::with_uri(&path).insert_header(("authorization", &*field));
            let response = runtime.block_on(test::call_service(&app, request.to_request()));
            assert!(response.status().is_success());
        })
    }};
}

/// Requests to the last of many routes, with and without the attribute.
fn routes(keys: &Keys, settings: &Settings, report: &mut Report) {
    let columns = ["routes", "open, ns", "guarded, ns", "above open, ns"];
    let title = "Growth: routes (a request to the last one, without a socket, HS256, table)";
    let mut table = Table::new(title, &columns);
    let auth = keys.manager(true);
    let token = claims::mint(&auth, SUBJECT);
    for count in [1, 10, 100, 1_000, 10_000] {
        settings.progress(&format!("growth: {count} routes"));
        let path = |n: u32| format!("/route{n}");
        let all_open = |app: &mut web::ServiceConfig| {
            for n in 1..=count {
                app.route(&path(n), web::get().to(open));
            }
        };
        let all_guarded = |app: &mut web::ServiceConfig| {
            app.app_data(auth.clone());
            for n in 1..=count {
                app.route(&path(n), web::get().to(guarded));
            }
        };
        let runtime = actix_web::rt::System::new();
        let last = path(count);
        let mut candidates = [
            requests!(
                runtime,
                "open",
                App::new().configure(all_open),
                &*last,
                token
            ),
            requests!(
                runtime,
                "guarded",
                App::new().configure(all_guarded),
                &*last,
                token
            ),
        ];
        let times = race(&mut candidates, settings.budget(3.0));
        let cells = [times[0], times[1], times[1] - times[0]];
        table.row(&count.to_string(), cells.map(|time| Cell::Number(time, 0)));
    }
    report.table(table);
}

/// Requests to a resource that requires many claims of a token with a hundred claims.
fn required_claims(keys: &Keys, settings: &Settings, report: &mut Report) {
    let columns = ["claims required", "ns", "of none"];
    let title =
        "Growth: claims in a requirement (a token of 100 claims, without a socket, HS256, table)";
    let mut table = Table::new(title, &columns);
    let auth = keys.manager(true);
    let name = |n: usize| format!("claim{n}");
    let token = (0..100).fold(auth.auth_token(SUBJECT), |token, n| token.claim(name(n), n));
    let token = token.sign().expect("minted");
    let runtime = actix_web::rt::System::new();
    let counts = [0, 1, 10, 100];
    let mut candidates = counts.map(|count| {
        let guard = (0..count).fold(RequireToken::auth(), |guard, n| guard.claim(name(n), n));
        let resource = web::resource("/").wrap(guard).to(HttpResponse::Ok);
        let app = App::new().app_data(auth.clone()).service(resource);
        requests!(runtime, count.to_string(), app, "/", token)
    });
    settings.progress("growth: claims");
    let times = race(&mut candidates, settings.budget(5.0));
    for (candidate, time) in candidates.iter().zip(&times) {
        let cells = [Cell::Number(*time, 0), Cell::Number(time / times[0], 2)];
        table.row(&candidate.name, cells);
    }
    report.table(table);
}

/// Verification of tokens of increasing length.
fn sizes(keys: &Keys, settings: &Settings, report: &mut Report) {
    let columns = [
        "bytes of token",
        "jsonwebtoken, map",
        "no table",
        "of jsonwebtoken",
        "table hit",
    ];
    let mut table = Table::new("Growth: length of the token, HS256, ns", &columns);
    let (without, with) = (keys.manager(false), keys.manager(true));
    let peer = JsonWebToken::new(keys);
    for length in [200, 1_000, 2_000, 4_000, 8_192] {
        settings.progress(&format!("growth: {length} bytes of token"));
        let token = token_of(length, &without);
        let token = &*token;
        let verify = |auth: &AuthManager| auth.verify_token(token).expect("valid");
        let mut candidates = [
            Candidate::new("jsonwebtoken", || {
                let claims: Option<Map<String, Value>> = peer.verify(token);
                claims.expect("valid")
            }),
            Candidate::new("no table", || verify(&without)),
            Candidate::new("hit", || verify(&with)),
        ];
        let times = race(&mut candidates, settings.budget(2.0));
        let cells = [
            Cell::Number(times[0], 0),
            Cell::Number(times[1], 0),
            Cell::Number(times[1] / times[0], 3),
            Cell::Number(times[2], 0),
        ];
        table.row(&token.len().to_string(), cells);
    }
    report.table(table);
}

/// The longest token of at most so many bytes whose payload is a list of permissions.
fn token_of(length: usize, auth: &AuthManager) -> String {
    let mint = |count: usize| {
        let permissions: Vec<String> = (0..count).map(|n| format!("orders:{n:04}:read")).collect();
        let token = auth.auth_token("al").claim("p", permissions).sign();
        token.map(|token| token.signed().to_owned()).ok()
    };
    (0..)
        .map_while(|count| mint(count).filter(|token| token.len() <= length))
        .last()
        .or_else(|| mint(0))
        .expect("minted")
}
