//! Endpoints that give no answer, and configurations that cannot work.

use flask_pyjwt::{AuthManager, AuthType, Config, IntrospectionClient, Issuer, Key};
use futures_util::future::join_all;
use serde_json::json;
use time::Duration;

use super::{ISSUER, OPAQUE, PATH, Setting, active, issuer, unavailable};
use crate::remote_keys::server::{Answer, BadServer};
use support::{SECRET, hs256, log, manager};

#[actix_web::test]
async fn what_is_no_answer_is_503_and_is_asked_again() {
    let log = log::capture();
    let claims = active().to_string();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    let as_text = |active: &str| Answer::json(claims.replacen(r#""active":true"#, active, 1));
    let long = format!(r#"{{"active":true,"x":"{}"}}"#, "x".repeat(64 * 1024));
    for (what, answer) in [
        ("a text", as_text(r#""active":"true""#)),
        ("a number", as_text(r#""active":1"#)),
        ("null", as_text(r#""active":null"#)),
        ("no `active`", as_text(r#""alive":true"#)),
        ("twice", as_text(r#""active":false,"active":true"#)),
        (
            "twice, escaped",
            as_text(r#""active":true,"\u0061ctive":true"#),
        ),
        ("another twice", as_text(r#""active":true,"sub":"mallory""#)),
        ("an array", Answer::json(json!([active()]))),
        ("no JSON", Answer::json("active")),
        ("rest", Answer::json(format!("{claims} {{}}"))),
        ("empty", Answer::json("")),
        (
            "no UTF-8",
            Answer::Bytes([head.as_bytes(), b"\r\n\"\xff\""].concat()),
        ),
        ("too long", Answer::json(long)),
        ("endless", Answer::Endless(format!("{head}\r\n"))),
        (
            "HTML",
            Answer::with("200 OK", "Content-Type: text/html\r\n", &claims),
        ),
        (
            "packed",
            Answer::with(
                "200 OK",
                "Content-Type: application/json\r\nContent-Encoding: gzip\r\n",
                &claims,
            ),
        ),
        (
            "created",
            Answer::with("201 Created", "Content-Type: application/json\r\n", &claims),
        ),
        (
            "an error",
            Answer::with("500 Internal Server Error", "", ""),
        ),
        ("unknown", Answer::with("404 Not Found", "", "")),
        (
            "bad",
            Answer::with(
                "400 Bad Request",
                "Content-Type: application/json\r\n",
                &claims,
            ),
        ),
        (
            "refused",
            Answer::with(
                "401 Unauthorized",
                "Content-Type: application/json\r\n",
                &claims,
            ),
        ),
        (
            "forbidden",
            Answer::with(
                "403 Forbidden",
                "Content-Type: application/json\r\n",
                &claims,
            ),
        ),
        ("busy", Answer::with("429 Too Many Requests", "", "")),
        (
            "moved",
            Answer::with("307 Temporary Redirect", "Location: /elsewhere\r\n", ""),
        ),
        (
            "cut",
            Answer::Bytes(format!("{head}Content-Length: 9999\r\n\r\n{claims}").into()),
        ),
        ("closed", Answer::Bytes(Vec::new())),
    ] {
        let setting = Setting::new(answer);
        setting.server.answers("/elsewhere", Answer::json(active()));
        let site = setting.site().await;
        let reply = site.get("/any", OPAQUE).await;
        reply.is_refused(503, "temporarily_unavailable", "unavailable", what);
        assert_eq!(reply.field("retry-after"), "5", "{what}");
        assert_eq!(setting.verify(OPAQUE).await, Err(unavailable(5)), "{what}");
        assert_eq!(setting.server.requests(), 2, "{what}");
        // It is neither kept as active nor as inactive.
        setting.server.answers(PATH, Answer::json(active()));
        assert_eq!(
            setting.verify(OPAQUE).await.as_deref(),
            Ok("alice"),
            "{what}"
        );
    }
    let text = log.text();
    for secret in [OPAQUE, "s:cret", "s%3Acret", "mallory"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[actix_web::test]
async fn an_endpoint_that_is_down_is_503() {
    let server = BadServer::start();
    let issuer = issuer(&server).introspection(
        "http://127.0.0.1:1/introspect",
        IntrospectionClient::basic("a", "b"),
    );
    let auth = manager(hs256().trust(issuer));
    let refused = auth.verify_token_async(OPAQUE).await.map(drop);
    assert_eq!(refused, Err(unavailable(5)));
}

#[actix_web::test]
async fn an_endpoint_that_hangs_is_503() {
    let setting = Setting::new(Answer::Silent(String::new()));
    let both = [setting.verify(OPAQUE), setting.verify(OPAQUE)];
    for refused in join_all(both).await {
        assert_eq!(refused, Err(unavailable(5)));
    }
    assert_eq!(setting.server.requests(), 1);
}

#[test]
fn what_cannot_work_is_an_error_at_start() {
    let server = BadServer::start();
    let client = || IntrospectionClient::basic("our-api", "never shown");
    let plain = |name: &str| Issuer::new(name).audience("our-api");
    let asked = |url: &str| plain(ISSUER).introspection(url, client());
    let https = "https://accounts.example/introspect";
    for (issuers, expected) in [
        (vec![asked("http://accounts.example/x")], "is not https"),
        (vec![asked(&server.url(PATH))], "allow_http_on_loopback"),
        (vec![asked("https://u:p@accounts.example/x")], "a user"),
        (vec![asked("file:///etc/passwd")], "is not https"),
        (vec![asked("introspect")], "absolute URL"),
        (
            vec![plain(ISSUER).introspection(https, IntrospectionClient::basic("", "x"))],
            "empty ID",
        ),
        (
            vec![plain(ISSUER).introspection(https, IntrospectionClient::basic("x", ""))],
            "empty secret",
        ),
        (
            vec![asked(https).introspection_cache(Duration::seconds(-1))],
            "0 to 3600",
        ),
        (
            vec![asked(https).introspection_cache(Duration::seconds(3_601))],
            "0 to 3600",
        ),
        (
            vec![
                plain(ISSUER)
                    .introspection_cache(Duration::SECOND)
                    .key(Key::new(AuthType::HS256, SECRET)),
            ],
            "no `introspection(",
        ),
        (
            vec![
                Issuer::template("https://{shop}.example/admin")
                    .audience("our-api")
                    .introspection(https, client()),
            ],
            "one of many",
        ),
        (
            vec![
                asked(https),
                plain("https://other.example").introspection(https, client()),
            ],
            "two issuers with `introspection(",
        ),
        (vec![plain(ISSUER)], "has no key"),
    ] {
        let refused = AuthManager::new(Config::for_issuers(issuers));
        let refused = refused.expect_err(expected).to_string();
        assert!(refused.contains(expected), "{expected}: {refused}");
        assert!(!refused.contains("never shown"), "{refused}");
    }
    assert!(AuthManager::new(Config::for_issuers([asked(https)])).is_ok());
    let shown = format!("{:?} {:?}", client(), asked(https));
    assert!(!shown.contains("never shown"), "{shown}");
}
