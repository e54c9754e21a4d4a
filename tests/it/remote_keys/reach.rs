//! Servers of keys that are not reached by https alone, and responses that an option accepts.

use flask_pyjwt::{AuthManager, AuthType, ConfigError, Issuer};
use serde_json::json;

use super::{Answer, BadServer, PATH, Setting, jwk, set};
use support::{SECRET, config, folder::Folder, frozen, keys, manager};

fn good() -> Answer {
    set(&[jwk(&keys::ED25519, "a")])
}

/// The error of an issuer's keys, if they could not be fetched.
pub(super) async fn error_of(issuer: Issuer) -> Option<String> {
    let config = config(AuthType::HS256, SECRET).clock(frozen());
    let auth = manager(config.trust(issuer.audience("api")));
    auth.fetch_keys().await[0].error().map(str::to_owned)
}

pub(super) fn refused(issuer: Issuer) -> String {
    let config = config(AuthType::HS256, SECRET).trust(issuer.audience("api"));
    let error = AuthManager::new(config).expect_err("refused");
    assert!(matches!(error, ConfigError::Invalid { key: "trust", .. }));
    error.to_string()
}

#[actix_web::test]
async fn plain_http_is_used_for_the_configured_server_only() {
    let server = BadServer::start();
    server.answers(PATH, good());
    let issuer = || Issuer::new("https://sso.example").jwks_url(server.url(PATH));
    let named = server.url("");
    assert_eq!(error_of(issuer().allow_insecure_http(&named)).await, None);

    for other in [
        "http://127.0.0.1",
        "http://127.0.0.2:80",
        "http://keycloak:8080",
    ] {
        let error = refused(issuer().allow_insecure_http(other));
        assert!(error.contains("is not https"), "{error}");
    }
    for no_server in [
        "keycloak:8080",
        "https://keycloak",
        "http://keycloak/realms",
        "http://",
    ] {
        let error = refused(issuer().allow_insecure_http(no_server));
        assert!(
            error.contains("not of the form `http://host:port`"),
            "{error}"
        );
    }
}

#[actix_web::test]
async fn a_discovery_document_cannot_name_another_server_by_plain_http() {
    let (server, other) = (BadServer::start(), BadServer::start());
    server.answers(PATH, good());
    other.answers(PATH, good());
    let place = "/.well-known/openid-configuration";
    let document = |uri| Answer::json(json!({"issuer": "https://sso.example", "jwks_uri": uri}));
    let issuer = || {
        Issuer::new("https://sso.example")
            .discovery_url(server.url(place))
            .allow_insecure_http(server.url(""))
    };
    server.answers(place, document(other.url(PATH)));
    let error = error_of(issuer()).await.expect("refused");
    assert!(error.contains("`jwks_uri` is not https"), "{error}");
    assert_eq!(other.requests(), 0);

    server.answers(place, document(server.url(PATH)));
    assert_eq!(error_of(issuer()).await, None);
}

#[actix_web::test]
async fn fields_and_tokens_are_sent_to_the_configured_server_only() {
    let (server, other) = (BadServer::start(), BadServer::start());
    let folder = Folder::new("jwks-token");
    let file = folder.path().join("token");
    std::fs::write(&file, "first-secret\n").expect("written");
    let place = "/.well-known/openid-configuration";
    server.answers(
        place,
        Answer::json(json!({"issuer": "https://sso.example", "jwks_uri": other.url(PATH)})),
    );
    server.answers(PATH, good());
    other.answers(PATH, good());
    let with_fields = |issuer: Issuer| {
        issuer
            .allow_http_on_loopback(true)
            .request_header("X-Api-Key", "key-secret")
            .bearer_token_file(&file)
    };
    let issuer = Issuer::new("https://sso.example");
    let direct = with_fields(issuer.clone().jwks_url(server.url(PATH)));
    let debug = format!("{direct:?}");
    assert!(!debug.contains("secret"), "{debug}");
    assert_eq!(error_of(direct.clone()).await, None);
    let head = server.heads().pop().expect("asked");
    assert!(
        head.contains("authorization: bearer first-secret\r\n"),
        "{head}"
    );
    assert!(head.contains("x-api-key: key-secret\r\n"), "{head}");

    // The token file is replaced.
    std::fs::write(&file, "second-secret").expect("written");
    assert_eq!(error_of(direct.clone()).await, None);
    let head = server.heads().pop().expect("asked");
    assert!(
        head.contains("authorization: bearer second-secret\r\n"),
        "{head}"
    );

    let discovered = with_fields(issuer.discovery_url(server.url(place)));
    assert_eq!(error_of(discovered).await, None);
    let head = server.heads().pop().expect("asked");
    assert!(head.contains("second-secret"), "{head}");
    let head = other.heads().pop().expect("asked");
    assert!(!head.contains("secret"), "{head}");

    let too_long = "x".repeat(17 << 10);
    for (content, message) in [
        ("", "is empty"),
        ("a\nb", "a header field cannot have"),
        (&*too_long, "larger than 16 KiB"),
    ] {
        std::fs::write(&file, content).expect("written");
        let error = error_of(direct.clone()).await.expect("refused");
        assert!(error.contains(message), "{error}");
    }
    std::fs::remove_file(&file).expect("removed");
    let error = error_of(direct.clone()).await.expect("refused");
    assert!(error.contains("`bearer_token_file`"), "{error}");
    std::fs::create_dir(&file).expect("made");
    let error = error_of(direct).await.expect("refused");
    assert!(error.contains("not a regular file"), "{error}");
}

#[test]
fn fields_that_cannot_be_sent_are_refused_at_startup() {
    let issuer = || Issuer::new("https://sso.example").discovery();
    let fixed = || Issuer::new("https://sso.example").jwk_set("{}");
    for (issuer, message) in [
        (
            issuer().request_header("a b", "x"),
            "the invalid name `a b`",
        ),
        (
            issuer().request_header("X-Key", "s\necret"),
            "`x-key` whose value",
        ),
        (
            issuer().request_header("Host", "secret"),
            "`host`, which the HTTP client sets",
        ),
        (
            issuer()
                .request_header("Authorization", "secret")
                .bearer_token_file("/x"),
            "keep one of them",
        ),
        (
            fixed().request_header("a", "secret"),
            "although `request_header` is set",
        ),
        (
            fixed().proxy("http://u:secret@p"),
            "although a proxy is set",
        ),
        (
            fixed().allow_insecure_http("http://a"),
            "although `allow_insecure_http` is set",
        ),
        (
            issuer().proxy("secret proxy"),
            "not of the form `http://host:port`",
        ),
        // The HTTP client would ignore these, or could not connect.
        (
            issuer().proxy("ftp://secret:1"),
            "not of the form `http://host:port`",
        ),
        (
            issuer().proxy("socks5://secret:1"),
            "not of the form `http://host:port`",
        ),
        (
            issuer().proxy("unix:///secret"),
            "not of the form `http://host:port`",
        ),
        (
            issuer().proxy("http://p:1/secret"),
            "not of the form `http://host:port`",
        ),
        (issuer().proxy(""), "not of the form `http://host:port`"),
    ] {
        let error = refused(issuer);
        assert!(error.contains(message), "{error}");
        assert!(!error.contains("ecret"), "{error}");
    }
}

#[actix_web::test]
async fn localhost_and_literal_addresses_are_reached_by_ipv6() {
    let (four, six) = (BadServer::start(), BadServer::start_on_ipv6());
    for server in [&four, &six] {
        server.answers(PATH, good());
    }
    for url in [
        six.url_of("localhost", PATH),
        six.url_of("[::1]", PATH),
        four.url_of("localhost", PATH),
    ] {
        let issuer = Issuer::new("https://sso.example").jwks_url(&url);
        assert_eq!(
            error_of(issuer.allow_http_on_loopback(true)).await,
            None,
            "{url}"
        );
    }
}

#[actix_web::test]
async fn responses_are_accepted_by_their_content_type_or_by_an_option() {
    let body = json!({"keys": [jwk(&keys::ED25519, "a")]}).to_string();
    let json = "Content-Type: application/json\r\n";
    let gzip = format!("{json}Content-Encoding: gzip\r\n");
    let marked = format!("\u{feff}{body}");
    for (fields, body, any_type, is_taken) in [
        (json, &*body, false, true),
        (
            "Content-Type: application/jwk-set+json\r\n",
            &body,
            false,
            true,
        ),
        (
            "Content-Type: Application/JSON; charset=utf-8\r\n",
            &body,
            false,
            true,
        ),
        (json, &marked, false, true),
        ("Content-Type: text/plain\r\n", &body, false, false),
        ("Content-Type: text/plain\r\n", &body, true, true),
        (
            "Content-Type: application/octet-stream\r\n",
            &body,
            true,
            true,
        ),
        ("", &body, true, true),
        ("Content-Type: text/html\r\n", "<html>", true, false),
        (&gzip, &body, true, false),
    ] {
        let server = BadServer::start();
        server.answers(PATH, Answer::with("200 OK", fields, body));
        let issuer = Issuer::new("https://sso.example")
            .jwks_url(server.url(PATH))
            .allow_http_on_loopback(true)
            .accept_any_content_type(any_type);
        let error = error_of(issuer).await;
        assert_eq!(error.is_none(), is_taken, "{fields} {error:?}");
    }
}

#[actix_web::test]
async fn keys_with_a_short_cache_lifetime_are_not_fetched_for_each_request() {
    let body = json!({"keys": [jwk(&keys::ED25519, "a")]}).to_string();
    for control in ["max-age=0", "no-store", "no-cache", "max-age=1"] {
        let fields = format!("Content-Type: application/json\r\nCache-Control: {control}\r\n");
        let here = Setting::new(Some(Answer::with("200 OK", &fields, &body)));
        here.auth.fetch_keys().await;
        let known = here.token(&keys::ED25519, "a");
        let before = here.server.requests();
        for _ in 0..20 {
            assert_eq!(here.outcome(&known).await, Ok(()), "{control}");
        }
        assert_eq!(here.server.requests(), before, "{control}");
    }
}
