//! Keys of another issuer, fetched from a server that does everything wrong.

mod addresses;
mod outage;
mod proxies;
mod reach;
mod resolver;
mod resolver_load;
pub(crate) mod server;
mod shared_sources;
mod tls;

use actix_web::{HttpResponse, web};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use flask_pyjwt::{AuthManager, AuthType, Issuer, RequireToken, TokenError, testing::FrozenClock};
use futures_util::future::join_all;
use serde_json::{Value, json};
use time::Duration;

use self::server::{Answer, BadServer, Gate};
use support::{
    NOW, SECRET, at, claims_with, config,
    forge::{self, encode, forge},
    keys, manager,
    site::Site,
};

const PATH: &str = "/jwks.json";

fn jwk(pair: &Ed25519KeyPair, id: &str) -> Value {
    let x = encode(pair.public_key());
    json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "kid": id, "alg": "EdDSA", "use": "sig" })
}

fn set(keys: &[Value]) -> Answer {
    Answer::json(json!({ "keys": keys }))
}

/// A valid token of the issuer, signed with this key and with this key ID.
fn token(issuer: &str, pair: &Ed25519KeyPair, id: &str) -> String {
    let header = json!({ "alg": "EdDSA", "kid": id, "typ": "at+jwt" }).to_string();
    let claims = json!({ "iss": issuer, "aud": "api", "type": null, "exp": NOW + 1_000_000 });
    forge(header, claims_with(claims), &forge::Key::Ed25519(pair))
}

/// A server, a manager that fetches its keys, and the manager's clock.
struct Setting {
    server: BadServer,
    issuer: String,
    clock: FrozenClock,
    auth: AuthManager,
}

impl Setting {
    fn new(answer: Option<Answer>) -> Self {
        let server = BadServer::start();
        if let Some(answer) = answer {
            server.answers(PATH, answer);
        }
        let url = server.url(PATH);
        Self::of(server, |issuer| issuer.jwks_url(url))
    }

    fn of(server: BadServer, change: impl FnOnce(Issuer) -> Issuer) -> Self {
        let issuer = server.url("/issuer");
        let clock = FrozenClock::new(at(NOW));
        let trusted = Issuer::new(&issuer)
            .audience("api")
            .allow_http_on_loopback(true);
        let config = config(AuthType::HS256, SECRET).clock(clock.clone());
        Self {
            auth: manager(config.trust(change(trusted))),
            server,
            issuer,
            clock,
        }
    }

    fn token(&self, pair: &Ed25519KeyPair, id: &str) -> String {
        token(&self.issuer, pair, id)
    }

    async fn outcome(&self, token: &str) -> Result<(), TokenError> {
        self.auth.verify_token_async(token).await.map(drop)
    }

    async fn site(&self) -> Site {
        let auth = self.auth.clone();
        Site::new(|app| {
            app.app_data(auth).service(
                web::scope("")
                    .wrap(RequireToken::auth())
                    .route("/", web::get().to(HttpResponse::Ok)),
            );
        })
        .await
    }

    fn error(&self) -> String {
        let states = self.auth.key_sources();
        states[0].error().unwrap_or_default().to_owned()
    }
}

fn is_unavailable(outcome: Result<(), TokenError>) -> bool {
    matches!(outcome, Err(TokenError::KeysUnavailable { .. }))
}

#[actix_web::test]
async fn keys_are_fetched_before_the_first_request_that_needs_them() {
    let here = Setting::new(Some(set(&[jwk(&keys::ED25519, "a")])));
    let states = here.auth.fetch_keys().await;
    assert_eq!(states[0].key_ids(), ["a"]);
    assert_eq!(states[0].issuer(), here.issuer);
    assert_eq!(states[0].address(), here.server.url(PATH));
    assert_eq!(states[0].fetched_at(), Some(at(NOW)));
    assert_eq!(
        states[0].usable_until(),
        Some(at(NOW) + Duration::hours(24))
    );
    assert!(states[0].is_usable() && states[0].error().is_none());
    let fetched = here.server.requests();
    let token = here.token(&keys::ED25519, "a");
    assert_eq!(here.auth.verify_token(&token).map(drop), Ok(()));
    let forged = here.token(&keys::OTHER_ED25519, "a");
    assert_eq!(here.outcome(&forged).await, Err(TokenError::Signature));
    assert_eq!(here.server.requests(), fetched);
}

#[actix_web::test]
async fn discovery_finds_the_keys_of_exactly_this_issuer() {
    let server = BadServer::start();
    let document = |issuer: &str, keys: &str| json!({ "issuer": issuer, "jwks_uri": keys });
    let (issuer, jwks) = (server.url("/issuer"), server.url(PATH));
    let place = "/issuer/.well-known/openid-configuration";
    server.answers(PATH, set(&[jwk(&keys::ED25519, "a")]));
    server.answers(place, Answer::json(document(&issuer, &jwks)));
    let here = Setting::of(server, Issuer::discovery);
    let states = here.auth.fetch_keys().await;
    assert_eq!(states[0].key_ids(), ["a"]);
    let token = here.token(&keys::ED25519, "a");
    assert_eq!(here.outcome(&token).await, Ok(()));
    for (document, error) in [
        (
            document(&format!("{issuer}/"), &jwks),
            "not the configured name",
        ),
        (
            document(&issuer.to_uppercase(), &jwks),
            "not the configured name",
        ),
        (document(&issuer, "http://a.example/jwks"), "is not https"),
        (document(&issuer, "file:///etc/passwd"), "is not https"),
        (document(&issuer, "/jwks.json"), "is not an absolute URL"),
        (json!({ "issuer": issuer }), "with `issuer` and `jwks_uri`"),
        (
            json!({ "issuer": [issuer], "jwks_uri": jwks }),
            "with `issuer` and `jwks_uri`",
        ),
        (json!([]), "with `issuer` and `jwks_uri`"),
    ] {
        here.server.answers(place, Answer::json(&document));
        let states = here.auth.fetch_keys().await;
        let reported = states[0].error().unwrap_or_default();
        assert!(reported.contains(error), "{reported} {document}");
        assert_eq!(
            here.outcome(&token).await,
            Ok(()),
            "the keys are kept: {document}"
        );
    }
}

/// Responses that are not accepted, each with the error that is reported.
fn bad_answers(server: &BadServer) -> Vec<(Answer, &'static str)> {
    let good = json!({ "keys": [jwk(&keys::OTHER_ED25519, "b")] }).to_string();
    let json = "Content-Type: application/json\r\n";
    let with = Answer::with;
    let elsewhere = format!("{json}Location: {}\r\n", server.url("/other"));
    let head = format!("HTTP/1.1 200 OK\r\n{json}");
    let padded = format!("{good}{}", " ".repeat(600_000));
    let cut = format!("{head}Content-Length: 1000\r\n\r\n{good}").into_bytes();
    vec![
        (
            with("301 Moved Permanently", &elsewhere, ""),
            "301 Moved Permanently and redirects to http://127.0.0.1:",
        ),
        (with("302 Found", &elsewhere, &good), "302"),
        (with("307 Temporary Redirect", &elsewhere, ""), "307"),
        (with("404 Not Found", json, &good), "404"),
        (with("500 Internal Server Error", json, &good), "500"),
        (with("204 No Content", json, ""), "204"),
        (with("304 Not Modified", json, ""), "304"),
        (
            with("302 Found", "Location: http://\r\n", ""),
            "redirects to an invalid address",
        ),
        (with("206 Partial Content", json, &good), "206"),
        (
            with("200 OK", "Content-Type: text/html\r\n", &good),
            "the `Content-Type` of the response is not JSON",
        ),
        (
            with("200 OK", "Content-Type: text/json\r\n", &good),
            "the `Content-Type` of the response is not JSON",
        ),
        (
            with("200 OK", "", &good),
            "the `Content-Type` of the response is not JSON",
        ),
        (
            with(
                "200 OK",
                &format!("{json}Content-Encoding: gzip\r\n"),
                &good,
            ),
            "has a `Content-Encoding`",
        ),
        (with("200 OK", json, &padded), "larger than 512 KiB"),
        (
            with("200 OK", json, &" ".repeat(5 << 20)),
            "larger than 512 KiB",
        ),
        (
            Answer::Endless(format!("{head}\r\n")),
            "larger than 512 KiB",
        ),
        (Answer::Bytes(cut), "cannot be reached"),
        (
            Answer::Bytes(b"garbage\r\n\r\n".to_vec()),
            "cannot be reached",
        ),
        (Answer::Bytes(vec![]), "cannot be reached"),
        (Answer::json("<html>"), "not a JSON object"),
        (
            Answer::json("\u{feff}\u{feff}{\"keys\":[]}"),
            "not a JSON object",
        ),
        (
            Answer::json(r#"{"keys":[],"keys":[]}"#),
            "not a JSON object",
        ),
        (Answer::json("{\"keys\":[]}"), "no usable key"),
        (
            Answer::json(r#"{"keys":[{"kty":"oct","k":"AA","kid":"b"}]}"#),
            "no usable key",
        ),
        (
            Answer::Silent(format!("{head}Content-Length: 10\r\n\r\n")),
            "within 5 seconds",
        ),
    ]
}

#[actix_web::test]
async fn threat_9_after_a_bad_response_known_keys_stay_and_unknown_ones_are_503() {
    let here = Setting::new(Some(set(&[jwk(&keys::ED25519, "a")])));
    here.server
        .answers("/other", set(&[jwk(&keys::OTHER_ED25519, "b")]));
    here.auth.fetch_keys().await;
    let (known, unknown) = (
        here.token(&keys::ED25519, "a"),
        here.token(&keys::OTHER_ED25519, "b"),
    );
    let site = here.site().await;
    for (answer, error) in bad_answers(&here.server) {
        here.server.answers(PATH, answer);
        let states = here.auth.fetch_keys().await;
        let reported = states[0].error().unwrap_or_default();
        assert!(reported.contains(error), "{error}: {reported}");
        assert_eq!(states[0].key_ids(), ["a"], "{error}");
        assert!(states[0].is_usable(), "{error}");
        assert_eq!(site.get("/", &known).await.outcome(), (200, ""), "{error}");
        let reply = site.get("/", &unknown).await;
        reply.is_refused(503, "temporarily_unavailable", "unavailable", error);
        assert!(!reply.field("retry-after").is_empty(), "{error}");
    }
    here.server
        .answers(PATH, set(&[jwk(&keys::OTHER_ED25519, "b")]));
    here.auth.fetch_keys().await;
    assert_eq!(here.error(), "");
    assert_eq!(site.get("/", &unknown).await.outcome(), (200, ""));
    assert_eq!(
        site.get("/", &known).await.outcome(),
        (401, "token_unknown_key")
    );
}

#[actix_web::test]
async fn threat_8_bad_keys_of_a_set_are_skipped_and_good_ones_used() {
    let mut private = jwk(&keys::OTHER_ED25519, "b");
    private["d"] = "AA".into();
    let mut encryption = jwk(&keys::OTHER_ED25519, "c");
    encryption["use"] = "enc".into();
    let bad = [
        private,
        encryption,
        jwk(&keys::ED25519, "twice"),
        jwk(&keys::OTHER_ED25519, "twice"),
        json!({ "kty": "oct", "k": encode(SECRET), "kid": "s" }),
        json!({ "kty": "RSA", "n": encode([0xff; 1_025]), "e": "AQAB", "kid": "large" }),
        jwk(&keys::ED25519, "good"),
    ];
    let here = Setting::new(Some(set(&bad)));
    let states = here.auth.fetch_keys().await;
    assert_eq!(states[0].key_ids(), ["good"]);
    assert_eq!(
        here.outcome(&here.token(&keys::ED25519, "good")).await,
        Ok(())
    );
    for id in ["b", "c", "twice", "s", "large"] {
        let token = here.token(&keys::OTHER_ED25519, id);
        assert_eq!(
            here.outcome(&token).await,
            Err(TokenError::UnknownKey),
            "{id}"
        );
    }
    let claims = claims_with(json!({ "iss": here.issuer, "aud": "api" }));
    let header = r#"{"alg":"HS256","kid":"s","typ":"JWT"}"#;
    let symmetric = forge(header, claims, &forge::Key::Hs256(SECRET));
    assert_eq!(here.outcome(&symmetric).await, Err(TokenError::Algorithm));
}

#[actix_web::test]
async fn threat_7_requests_that_need_a_key_share_one_fetch_and_others_do_not_wait() {
    let here = Setting::new(Some(set(&[jwk(&keys::ED25519, "a")])));
    here.auth.fetch_keys().await;
    let (gate, reached) = Gate::closed();
    let both = set(&[jwk(&keys::ED25519, "a"), jwk(&keys::OTHER_ED25519, "b")]);
    here.server.answers(
        PATH,
        Answer::Gated(std::sync::Arc::clone(&gate), Box::new(both)),
    );
    here.clock.advance(Duration::seconds(10));
    let before = here.server.requests();
    let token = here.token(&keys::OTHER_ED25519, "b");
    let waiting = join_all((0..200).map(|_| here.outcome(&token)));
    let honest = async {
        // In another thread, so that this one continues.
        let reached = actix_web::rt::task::spawn_blocking(move || reached.recv());
        assert!(reached.await.is_ok_and(|reached| reached.is_ok()));
        for _ in 0..100 {
            assert_eq!(here.outcome(&here.token(&keys::ED25519, "a")).await, Ok(()));
        }
        gate.open();
    };
    let (outcomes, ()) = futures_util::future::join(waiting, honest).await;
    assert!(
        outcomes.iter().all(|outcome| *outcome == Ok(())),
        "{:?}",
        outcomes[0]
    );
    assert_eq!(here.server.requests(), before + 1);
}

#[actix_web::test]
async fn threat_7_a_flood_of_unknown_keys_causes_one_fetch_in_ten_seconds_and_evicts_nothing() {
    let here = Setting::new(Some(set(&[jwk(&keys::ED25519, "a")])));
    here.auth.fetch_keys().await;
    let known = here.token(&keys::ED25519, "a");
    for second in 0..=60 {
        here.clock.set(at(NOW + second));
        let before = here.server.requests();
        for number in 0..50 {
            let flood = here.token(&keys::OTHER_ED25519, &format!("x{second}-{number}"));
            let outcome = here.outcome(&flood).await;
            assert_eq!(outcome, Err(TokenError::UnknownKey), "{second} {number}");
        }
        let fetched = here.server.requests() - before;
        let is_due = second >= 10 && second % 10 == 0;
        assert_eq!(fetched, usize::from(is_due), "{second}");
        assert_eq!(here.outcome(&known).await, Ok(()), "{second}");
        assert_eq!(here.auth.key_sources()[0].key_ids(), ["a"], "{second}");
    }
}
