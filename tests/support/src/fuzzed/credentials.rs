//! Any bytes as the fields that carry credentials: the status is 200, 400 or 401, and 200 only if the one valid
//! token is among them.

use std::sync::LazyLock;

use actix_web::{
    App, HttpResponse, Responder,
    dev::Service,
    get,
    http::{
        StatusCode,
        header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue, WWW_AUTHENTICATE},
    },
    rt::System,
    test::{TestRequest, init_service},
};
use flask_pyjwt::{AuthManager, AuthType, Config, require_token, testing::FrozenClock};
use time::OffsetDateTime;

static AUTH: LazyLock<AuthManager> = LazyLock::new(|| {
    let secret = "the fuzzer knows this secret, and nobody else needs it";
    let now = OffsetDateTime::from_unix_timestamp(1_700_000_000).expect("a moment");
    let config = Config::new("fuzz \"é\"", AuthType::HS256, secret).clock(FrozenClock::new(now));
    AuthManager::new(config).expect("a valid configuration")
});

/// The one valid token, which is always the same because the clock stands still.
pub fn minted() -> &'static str {
    static MINTED: LazyLock<String> = LazyLock::new(|| {
        AUTH.auth_token("alice")
            .sign()
            .expect("minted")
            .signed()
            .to_owned()
    });
    &MINTED
}

#[get("/header")]
#[require_token]
async fn header() -> impl Responder {
    HttpResponse::Ok()
}

#[get("/cookie")]
#[require_token("auth", "cookies", cookie_name = "t")]
async fn cookie() -> impl Responder {
    HttpResponse::Ok()
}

/// Sends a request with these fields, which [`check`] makes of its data.
type Server = Box<dyn Fn(&str, &[(HeaderName, HeaderValue)])>;

thread_local! {
    // Never dropped: a runtime cannot shut down properly while its thread ends.
    static SERVER: &'static Server = Box::leak(Box::new(server()));
}

/// Each line is a field: `Cookie:` or `Authorization:` and its value. A line without a name is an
/// `Authorization` field.
pub fn check(data: &[u8]) {
    let fields: Vec<_> = data
        .split(|byte| *byte == b'\n')
        .filter_map(field)
        .collect();
    let cookies = fields.iter().any(|(name, _)| name == COOKIE);
    let others = fields.iter().any(|(name, _)| name == AUTHORIZATION);
    SERVER.with(|server| {
        if cookies {
            server("/cookie", &fields);
        }
        if others || !cookies {
            server("/header", &fields);
        }
    });
}

fn field(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = match line.strip_prefix(b"Cookie: ") {
        Some(value) => (COOKIE, value),
        None => (
            AUTHORIZATION,
            line.strip_prefix(b"Authorization: ").unwrap_or(line),
        ),
    };
    Some((name, HeaderValue::from_bytes(value).ok()?))
}

fn server() -> Server {
    let system = System::new();
    let app = App::new()
        .app_data(AUTH.clone())
        .service(header)
        .service(cookie);
    let app = system.block_on(init_service(app));
    Box::new(move |path, fields| {
        let request = fields
            .iter()
            .cloned()
            .fold(TestRequest::get().uri(path), TestRequest::append_header);
        let answer = system
            .block_on(app.call(request.to_request()))
            .expect("it answers");
        let challenged = answer.headers().contains_key(WWW_AUTHENTICATE);
        match answer.status() {
            StatusCode::OK => {
                let good = |value: &HeaderValue| {
                    value
                        .as_bytes()
                        .windows(minted().len())
                        .any(|part| part == minted().as_bytes())
                };
                assert!(
                    fields.iter().any(|(_, value)| good(value)),
                    "{path} with {fields:?}"
                );
            }
            StatusCode::UNAUTHORIZED | StatusCode::BAD_REQUEST => assert!(challenged),
            status => panic!("{path} with {fields:?} gave {status}"),
        }
    })
}
