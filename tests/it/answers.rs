//! The response to each refused request. It is the same from attribute, middleware and extractor, and layers
//! around them can add to it.
#![expect(clippy::too_many_lines, reason = "tables")]
#![expect(
    clippy::items_after_statements,
    reason = "a handler is next to its use"
)]

mod events;
mod hooks;
mod looking;
mod managers;
mod reentry;
mod refusals;
mod routes;
mod sentences;
mod session_errors;
mod signers;

use std::collections::BTreeMap;

use actix_web::test::TestRequest;
use flask_pyjwt::{Config, Misconfiguration, Rejection, TokenCheckError};
use serde_json::{Value, json};

use support::{
    NOW, SECRET, claims_with,
    forge::{Key, forge},
    header as good_header, hs256, manager,
    site::{Reply, Site},
};

const REALM: &str = r#"Bearer realm="https://issuer.example""#;

/// `revoked` and `down` as claims configure the token check.
fn config() -> Config {
    hs256().token_check(|token| {
        let retry_after = time::Duration::seconds(9);
        std::future::ready(match token.sub() {
            "revoked" => Err(TokenCheckError::Revoked),
            "down" => Err(TokenCheckError::Unavailable { retry_after }),
            _ => Ok(()),
        })
    })
}

async fn site(config: Config) -> Site {
    let auth = manager(config);
    Site::new(|app| routes::routes(app.app_data(auth))).await
}

fn token(changes: Value) -> String {
    let header = good_header(flask_pyjwt::AuthType::HS256);
    forge(header, claims_with(changes), &Key::Hs256(SECRET))
}

fn bearer(changes: Value) -> Vec<(&'static str, String)> {
    vec![("authorization", format!("Bearer {}", token(changes)))]
}

fn field(name: &'static str, value: impl Into<String>) -> (&'static str, String) {
    (name, value.into())
}

async fn ask(site: &Site, path: &str, fields: &[(&'static str, String)]) -> Reply {
    let mut request = TestRequest::get().uri(path);
    for (name, value) in fields {
        request = request.append_header((*name, value.as_str()));
    }
    site.ask(request).await
}

#[actix_web::test]
async fn claims_that_do_not_fit_the_handlers_type_are_403() {
    let site = site(config()).await;
    let attribute = ["/member", "/perhaps_member", "/result_of_member"];
    for team in [
        json!("7"),
        json!(-1),
        json!(1.5),
        json!([7]),
        json!(u64::MAX),
        Value::Null,
    ] {
        for path in attribute.into_iter().chain(["/wrapped/member"]) {
            let mut fields = bearer(json!({"team": team}));
            if team.is_null() {
                fields = bearer(json!({"other": 1}));
            }
            let reply = ask(&site, path, &fields).await;
            let what = format!("{path} {team}");
            reply.is_refused(403, "insufficient_scope", "claims_do_not_fit", &what);
        }
    }
    for (path, text) in [
        ("/member", "7"),
        ("/wrapped/member", "7"),
        ("/perhaps_member", "Some(Member { team: 7 })"),
        ("/result_of_member", "Ok(Member { team: 7 })"),
    ] {
        let reply = ask(&site, path, &bearer(json!({"team": 7}))).await;
        assert_eq!((reply.outcome(), reply.text()), ((200, ""), text), "{path}");
    }
}

#[actix_web::test]
async fn an_optional_guard_accepts_a_missing_token_and_refuses_a_bad_one() {
    let site = site(config()).await;
    let twice = vec![field("authorization", "x"), field("authorization", "y")];
    let none = [
        vec![],
        vec![field("authorization", "Basic eDp5")],
        vec![field("authorization", "")],
        vec![field("cookie", "auth_token=x")],
    ];
    let bad = [
        (
            vec![field("authorization", "Bearer")],
            401,
            "invalid_token",
            "malformed_credentials",
        ),
        (
            vec![field("authorization", "Bearer a.b.c")],
            401,
            "invalid_token",
            "token_encoding",
        ),
        (
            bearer(json!({"exp": NOW})),
            401,
            "invalid_token",
            "token_expired",
        ),
        (
            bearer(json!({"type": "refresh"})),
            401,
            "invalid_token",
            "token_wrong_type",
        ),
        (
            bearer(json!({"sub": "revoked"})),
            401,
            "invalid_token",
            "token_revoked",
        ),
        (
            bearer(json!({"sub": "down"})),
            503,
            "temporarily_unavailable",
            "unavailable",
        ),
        (twice, 400, "invalid_request", "several_authorizations"),
    ];
    for prefix in ["", "/wrapped"] {
        for path in ["/perhaps", "/perhaps_editor", "/optional_but_wanted"] {
            let path = format!("{prefix}{path}");
            for fields in &none {
                let reply = ask(&site, &path, fields).await;
                let what = format!("{path} {fields:?}");
                if path.ends_with("wanted") {
                    reply.is_refused(401, "unauthorized", "missing_credentials", &what);
                } else {
                    assert_eq!(
                        (reply.outcome(), reply.text()),
                        ((200, ""), "nobody"),
                        "{what}"
                    );
                }
            }
            for (fields, status, error, reason) in &bad {
                let reply = ask(&site, &path, fields).await;
                reply.is_refused(*status, error, reason, &path);
            }
            let reply = ask(&site, &path, &bearer(json!({"role": "reader"}))).await;
            if path.ends_with("editor") {
                reply.is_refused(403, "insufficient_scope", "claim_not_met", &path);
            } else {
                assert_eq!(
                    (reply.outcome(), reply.text()),
                    ((200, ""), "alice"),
                    "{path}"
                );
            }
            let reply = ask(&site, &path, &bearer(json!({"role": "editor"}))).await;
            assert_eq!(
                (reply.outcome(), reply.text()),
                ((200, ""), "alice"),
                "{path}"
            );
        }
    }
}

#[test]
fn every_kind_of_rejection_has_its_status_error_and_code() {
    use flask_pyjwt::{TokenError, TokenType};
    let rows = [
        (Rejection::MissingCredentials, 401, "unauthorized"),
        (Rejection::MalformedCredentials, 401, "invalid_token"),
        (Rejection::SeveralAuthorizations, 400, "invalid_request"),
        (Rejection::SeveralCookies, 400, "invalid_request"),
        (Rejection::SeveralPlaces, 400, "invalid_request"),
        (Rejection::CsrfProofNotFirst, 403, "csrf_failed"),
        (
            Rejection::InvalidToken(TokenError::Expired),
            401,
            "invalid_token",
        ),
        (
            Rejection::InvalidToken(TokenError::Revoked),
            401,
            "invalid_token",
        ),
        (
            Rejection::InvalidToken(TokenError::WrongType {
                expected: TokenType::Refresh,
            }),
            401,
            "invalid_token",
        ),
        (
            Rejection::ClaimNotMet { name: "sub".into() },
            403,
            "insufficient_scope",
        ),
        (Rejection::ScopeNotMet, 403, "insufficient_scope"),
        (Rejection::ClaimsDoNotFit, 403, "insufficient_scope"),
        (
            Rejection::Unavailable {
                retry_after: time::Duration::ZERO,
            },
            503,
            "temporarily_unavailable",
        ),
        (Misconfiguration::MissingManager.into(), 500, "server_error"),
        (
            Misconfiguration::SeveralManagers.into(),
            500,
            "server_error",
        ),
        (Misconfiguration::Unguarded.into(), 500, "server_error"),
        (
            Misconfiguration::RouteMistake("why".into()).into(),
            500,
            "server_error",
        ),
    ];
    let mut codes = BTreeMap::new();
    for (rejection, status, error) in rows {
        assert_eq!(rejection.status().as_u16(), status, "{rejection}");
        assert_eq!(rejection.oauth_error(), error, "{rejection}");
        let earlier = codes.insert(rejection.reason(), rejection.to_string());
        assert_eq!(earlier, None, "{rejection}");
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(rejection.reason().bytes().all(is_plain), "{rejection}");
        let is_quotable = |byte: u8| byte.is_ascii_alphanumeric() || byte == b' ';
        assert!(
            rejection.description().bytes().all(is_quotable),
            "{rejection}"
        );
    }
}
