//! What the tests share: forged tokens, generated keys, an application to send requests to, and raw HTTP.

pub mod certificates;
pub mod dpop;
pub mod example;
pub mod folder;
pub mod forge;
pub mod fuzzed;
pub mod gate;
pub mod gated;
pub mod keys;
pub mod log;
pub mod overlap;
#[cfg(unix)]
pub mod postgres;
pub mod process;
pub mod random;
pub mod redis;
pub mod site;
pub mod wire;

use actix_web::{
    http::header::{HeaderName, HeaderValue},
    web::{self, ServiceConfig},
};
use flask_pyjwt::{
    AuthManager, AuthType, Config, CurrentToken, RequireToken, testing::FrozenClock,
};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

pub const ISSUER: &str = "https://issuer.example";
/// Long enough for every HMAC algorithm.
pub const SECRET: &[u8] = b"64 bytes that no answer and no log may ever show: 0123456789abcdef";
/// The time of the clocks in the tests, in seconds since 1970.
pub const NOW: i64 = 1_800_000_000;

/// The header field in which [`config`] adds the reason of a refusal.
pub const REASON: &str = "x-reason";

pub fn at(seconds: i64) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + Duration::seconds(seconds)
}

/// A clock that stands still at [`NOW`].
pub fn frozen() -> FrozenClock {
    FrozenClock::new(at(NOW))
}

/// A configuration whose clock stands at [`NOW`], and whose refusals have the reason's code in a header field.
pub fn config(auth_type: AuthType, secret: impl AsRef<[u8]>) -> Config {
    Config::new(ISSUER, auth_type, secret)
        .clock(frozen())
        .on_rejection(|rejection, _, mut response| {
            response.headers_mut().insert(
                HeaderName::from_static(REASON),
                HeaderValue::from_static(rejection.reason()),
            );
            response
        })
}

pub fn hs256() -> Config {
    config(AuthType::HS256, SECRET)
}

pub fn manager(config: Config) -> AuthManager {
    AuthManager::new(config).expect("a valid configuration")
}

/// The claims of a valid auth token of `alice`, issued ten seconds ago.
pub fn claims() -> Value {
    json!({
        "iss": ISSUER,
        "sub": "alice",
        "iat": NOW - 10,
        "exp": NOW + 3_590,
        "type": "auth",
    })
}

/// The valid claims with some changed or added. `null` removes one.
pub fn claims_with(changes: Value) -> String {
    let mut claims = claims();
    let Value::Object(changes) = changes else {
        panic!("changes are an object");
    };
    for (name, value) in changes {
        match (value, claims.as_object_mut().expect("an object")) {
            (Value::Null, claims) => drop(claims.remove(&name)),
            (value, claims) => drop(claims.insert(name, value)),
        }
    }
    claims.to_string()
}

/// The header of a valid token of this algorithm.
pub fn header(auth_type: AuthType) -> String {
    json!({"alg": auth_type.name(), "typ": "JWT"}).to_string()
}

/// `/` for auth tokens and `/refresh` for refresh tokens. Both respond with the subject.
pub fn guarded(auth: &AuthManager) -> impl Fn(&mut ServiceConfig) + Send + Clone + 'static {
    async fn subject(token: CurrentToken) -> String {
        token.sub().to_owned()
    }

    let auth = auth.clone();
    move |app| {
        let route = |path, guard| web::resource(path).wrap(guard).to(subject);
        app.app_data(auth.clone())
            .service(route("/", RequireToken::auth()))
            .service(route("/refresh", RequireToken::refresh()));
    }
}

/// A site that is [`guarded`] by a manager of this configuration.
pub async fn guarded_site(config: Config) -> site::Site {
    site::Site::new(guarded(&manager(config))).await
}
