//! Row 33: what is logged of a refusal, and how often.

use actix_web::{HttpResponse, http::StatusCode, test::TestRequest, web};
use flask_pyjwt::{AuthType, CurrentToken, RequireToken, TokenCheckError, require_token};
use serde_json::json;

use super::{pieces, shows_none_of};
use support::{
    NOW, SECRET, claims_with,
    forge::{Key, forge},
    header, hs256, log, manager,
    site::Site,
};

#[require_token(sub = "name", scope = {"admin": true}, override = {"root": true})]
async fn page(_name: web::Path<String>) -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token]
async fn typed(_: CurrentToken<std::collections::BTreeMap<String, u64>>) -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(sub = path("nmae"))]
async fn mistaken(_name: web::Path<String>) -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[actix_web::test]
async fn threat_33_a_refusal_is_one_event_with_its_reason_and_without_the_token() {
    let retry_after = time::Duration::seconds(7);
    let auth = manager(hs256().token_check(move |token| {
        std::future::ready(match token.claim("check").and_then(|it| it.as_str()) {
            Some("revoked") => Err(TokenCheckError::Revoked),
            Some("down") => Err(TokenCheckError::Unavailable { retry_after }),
            _ => Ok(()),
        })
    }));
    let site = Site::new(|app| {
        app.app_data(auth.clone())
            .route("/page/{name}", web::get().to(page))
            .route("/typed", web::get().to(typed))
            .route("/mistaken/{name}", web::get().to(mistaken))
            .service(
                web::scope("/wrapped")
                    .wrap(RequireToken::auth().scope(json!({"admin": true})))
                    .route("/typed", web::get().to(typed)),
            );
    })
    .await;
    let with = |changes| {
        let payload = claims_with(changes);
        format!(
            "Bearer {}",
            forge(header(AuthType::HS256), payload, &Key::Hs256(SECRET))
        )
    };
    let log = log::capture();
    for (path, value, status, reason) in [
        ("/page/x", String::new(), 401, "missing_credentials"),
        (
            "/page/x",
            "Basic marker".to_owned(),
            401,
            "missing_credentials",
        ),
        (
            "/page/x",
            "Bearer  marker".to_owned(),
            401,
            "malformed_credentials",
        ),
        (
            "/page/x",
            "Bearer m, Bearer marker".to_owned(),
            400,
            "several_authorizations",
        ),
        ("/page/x", "Bearer marker".to_owned(), 401, "token_form"),
        (
            "/page/x",
            with(json!({"exp": NOW, "x": "marker"})),
            401,
            "token_expired",
        ),
        (
            "/page/x",
            with(json!({"type": "refresh"})),
            401,
            "token_wrong_type",
        ),
        (
            "/page/x",
            with(json!({"check": "revoked"})),
            401,
            "token_revoked",
        ),
        (
            "/page/x",
            with(json!({"check": "down"})),
            503,
            "unavailable",
        ),
        (
            "/page/x",
            with(json!({"sub": "marker"})),
            403,
            "claim_not_met",
        ),
        (
            "/page/marker",
            with(json!({"scope": "marker"})),
            403,
            "claim_not_met",
        ),
        (
            "/page/alice",
            with(json!({"scope": "marker"})),
            403,
            "scope_not_met",
        ),
        (
            "/typed",
            with(json!({"sub": "marker"})),
            403,
            "claims_do_not_fit",
        ),
        (
            "/wrapped/typed",
            with(json!({"sub": "marker"})),
            403,
            "scope_not_met",
        ),
        (
            "/wrapped/typed",
            with(json!({"scope": {"admin": true}})),
            403,
            "claims_do_not_fit",
        ),
        (
            "/mistaken/marker",
            with(json!({"sub": "marker"})),
            500,
            "route_mistake",
        ),
    ] {
        let what = format!("{path} {value} {reason}");
        let mut request = TestRequest::get().uri(path);
        if !value.is_empty() {
            request = request.insert_header(("authorization", value.as_str()));
        }
        let reply = site.ask(request).await;
        assert_eq!(reply.outcome(), (status, reason), "{what}");
        let everything = log.text();
        let lines = log.take();
        let [line] = lines.as_slice() else {
            panic!("{what} is not one event: {lines:?}");
        };
        assert_eq!(line.reason.as_deref(), Some(reason), "{what}");
        assert_eq!(line.status, Some(u64::from(status)), "{what}");
        let level = if status < 500 { "INFO" } else { "ERROR" };
        assert_eq!(line.level, level, "{what}");
        let mut hidden = pieces(&[value.trim_start_matches("Bearer ")]);
        hidden.push("marker".to_owned());
        hidden.push(std::str::from_utf8(SECRET).expect("a text").to_owned());
        shows_none_of(&hidden, &everything);
        shows_none_of(&hidden, &format!("{reply:?} {}", reply.text()));
    }
    // The path of a valid token logs nothing.
    let good = with(json!({"scope": {"admin": true}}));
    for path in ["/page/alice", "/page/alice"] {
        let request = TestRequest::get()
            .uri(path)
            .insert_header(("authorization", good.as_str()));
        assert_eq!(site.ask(request).await.status, StatusCode::OK);
        assert_eq!(log.text(), "");
    }
}
