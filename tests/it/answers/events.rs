//! Every refusal is logged as one event, wherever it is made and however it is answered.

use std::fmt;

use actix_web::{
    HttpRequest, HttpResponse, ResponseError, http::StatusCode, test::TestRequest, web,
};
use flask_pyjwt::{
    AuthManager, CurrentToken, MemoryStore, Rejection, RequireToken, TokenError, require_token,
};
use serde_json::json;

use super::{REALM, bearer, routes::Member};
use support::{NOW, config as common_config, hs256, log, log::Line, manager, site::Site};

/// What refuses the request.
const SOURCES: [(&str, &str); 8] = [
    ("origin", "cross_site"),
    ("refresh", "token_wrong_type"),
    ("logout", "not_revocable"),
    ("revoke", "not_revocable"),
    ("login", "not_minted"),
    ("cookie", "cookie_too_large"),
    ("converted", "token_form"),
    ("own", "scope_not_met"),
];

async fn refuse(source: &str, auth: &AuthManager, request: &HttpRequest) -> Result<(), Rejection> {
    let token = auth.auth_token("alice").claim("x", "y").sign()?;
    match source {
        "origin" => auth.check_origin(request),
        "refresh" => Ok(auth.refresh(&token).await.map(drop)?),
        "logout" => Ok(auth.logout(&token).await?),
        "revoke" => Ok(auth.revoke_token(&token).await?),
        "login" => Ok(auth.login("").await.map(drop)?),
        "cookie" => {
            let large = auth.auth_token("alice").claim("x", "y".repeat(5_000));
            auth.auth_cookie(&large.sign()?).map(drop)
        }
        "converted" => Ok(auth.verify_token("nonsense").map(drop)?),
        _ => Err(Rejection::ScopeNotMet),
    }
}

/// An application's error that answers as the rejection does.
#[derive(Debug)]
struct Delegating(Rejection);

impl fmt::Display for Delegating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl ResponseError for Delegating {
    fn status_code(&self) -> StatusCode {
        self.0.status_code()
    }

    fn error_response(&self) -> HttpResponse {
        self.0.error_response()
    }
}

/// An application's error with a response of its own.
#[derive(Debug)]
struct InOwnWords;

impl fmt::Display for InOwnWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("in own words")
    }
}

impl From<Rejection> for InOwnWords {
    fn from(_: Rejection) -> Self {
        Self
    }
}

impl ResponseError for InOwnWords {}

type How = web::Path<(String, String)>;

async fn end(auth: AuthManager, request: HttpRequest, how: How) -> actix_web::Result<HttpResponse> {
    let (source, ending) = how.into_inner();
    let refused = refuse(&source, &auth, &request).await;
    match ending.as_str() {
        "as_it_is" => refused?,
        "delegating" => refused.map_err(Delegating)?,
        "in_own_words" => refused.map_err(InOwnWords::from)?,
        "ignored" => drop(refused),
        "respond" => return Ok(refused.expect_err("refused").respond(&request)),
        _ => {
            // While another refusal is logged and answered.
            let other = auth.check_origin(&request);
            drop(other.map_err(|other| other.error_response()));
            refused?;
        }
    }
    Ok(HttpResponse::Ok().finish())
}

#[require_token]
async fn guarded(
    auth: AuthManager,
    request: HttpRequest,
    how: How,
) -> actix_web::Result<HttpResponse> {
    end(auth, request, how).await
}

#[actix_web::test]
async fn a_refusal_in_a_handler_is_logged_once_whatever_the_handler_returns() {
    let auth = manager(
        common_config(flask_pyjwt::AuthType::HS256, support::SECRET)
            .session_store(MemoryStore::default()),
    );
    let site = Site::new(|app| {
        app.app_data(auth.clone())
            .route("/open/{source}/{ending}", web::post().to(end))
            .route("/attribute/{source}/{ending}", web::post().to(guarded))
            .service(
                web::scope("/wrapped")
                    .wrap(RequireToken::auth())
                    .route("/{source}/{ending}", web::post().to(end)),
            )
            .service(
                web::scope("/both")
                    .wrap(RequireToken::auth())
                    .route("/{source}/{ending}", web::post().to(guarded)),
            );
    })
    .await;
    // The token belongs to a session, since other tokens are refused where there is a store.
    let pair = auth.login("alice").await.expect("opened");
    let log = log::capture();
    for guard in ["open", "attribute", "wrapped", "both"] {
        for (source, reason) in SOURCES {
            for ending in [
                "as_it_is",
                "delegating",
                "in_own_words",
                "ignored",
                "respond",
            ] {
                // Twice: a refusal that was logged must not suppress the next one.
                for _ in 0..2 {
                    let path = format!("/{guard}/{source}/{ending}");
                    let request = TestRequest::post()
                        .uri(&path)
                        .insert_header(("origin", "https://evil.example"))
                        .insert_header(("authorization", format!("Bearer {}", pair.auth.signed())));
                    let reply = site.ask(request).await;
                    let lines = log.take();
                    // A refusal that the application makes and words itself is its own.
                    let is_ours = !matches!(source, "converted" | "own")
                        || !matches!(ending, "in_own_words" | "ignored");
                    let logged: Vec<_> = lines.iter().map(|line| line.reason.as_deref()).collect();
                    let expected = if is_ours { vec![Some(reason)] } else { vec![] };
                    assert_eq!(logged, expected, "{path}: {lines:?}");
                    for line in &lines {
                        assert_eq!(line.target, Rejection::EVENT_TARGET, "{path}");
                    }
                    // The hook of the tests' configuration names the reason.
                    let by_guard = ending == "respond" || (guard != "open" && ending == "as_it_is");
                    let asked = if by_guard { reason } else { "" };
                    assert_eq!(reply.field(support::REASON), asked, "{path}");
                    if reply.status == 401 {
                        let realm = reply.field("www-authenticate").starts_with(REALM);
                        assert_eq!(realm, by_guard, "{path}");
                    }
                }
            }
        }
    }
}

#[actix_web::test]
async fn an_ignored_refusal_does_not_hide_the_next_one() {
    async fn ignores(auth: AuthManager, request: HttpRequest) -> Result<&'static str, Rejection> {
        let token = auth.auth_token("alice").sign()?;
        drop(auth.refresh(&token).await);
        drop(auth.check_origin(&request));
        Ok("in")
    }
    async fn converts(auth: AuthManager) -> Result<&'static str, Rejection> {
        let expected = flask_pyjwt::TokenType::Refresh;
        drop(auth);
        Err(TokenError::WrongType { expected }.into())
    }
    let auth = manager(hs256().session_store(MemoryStore::default()));
    let site = Site::new(|app| {
        app.app_data(auth)
            .route("/ignores", web::get().to(ignores))
            .route("/converts", web::get().to(converts));
    })
    .await;
    let log = log::capture();
    for _ in 0..100 {
        let cross_site = ("sec-fetch-site", "cross-site");
        let request = TestRequest::with_uri("/ignores").insert_header(cross_site);
        assert_eq!(site.ask(request).await.status, 200);
        assert_eq!(log.take().len(), 2, "one for each refusal");
        let reply = site.ask(TestRequest::with_uri("/converts")).await;
        assert_eq!(reply.status, 401);
        assert_eq!(log.take().len(), 1);
    }
}

/// The only event.
#[track_caller]
pub(crate) fn only(log: &log::Captured, what: &str) -> Line {
    let mut lines = log.take();
    assert_eq!(lines.len(), 1, "{what}: {lines:?}");
    lines.remove(0)
}

#[actix_web::test]
async fn the_event_names_the_claim_and_if_configured_session_and_subject() {
    #[require_token(role = "editor", scope = all("read", "write"))]
    async fn editors() -> &'static str {
        "in"
    }
    #[require_token]
    async fn members(_: CurrentToken<Member>) -> &'static str {
        "in"
    }
    #[require_token(max_age = 60)]
    async fn recent() -> &'static str {
        "in"
    }
    for log_subjects in [false, true] {
        let auth = manager(hs256().log_subjects(log_subjects));
        let site = Site::new(|app| {
            app.app_data(auth)
                .route("/editors", web::get().to(editors))
                .route("/members", web::get().to(members))
                .route("/recent", web::get().to(recent));
        })
        .await;
        let log = log::capture();
        for (path, changes, reason, fields, has_token) in [
            (
                "/editors",
                json!({}),
                "claim_not_met",
                vec![r#"claim="role""#],
                true,
            ),
            (
                "/editors",
                json!({"role": "editor", "scope": "read"}),
                "scope_not_met",
                vec![r#"claim="scope""#, r#"scope="write""#],
                true,
            ),
            ("/members", json!({}), "claims_do_not_fit", vec![], true),
            (
                "/recent",
                json!({}),
                "login_too_old",
                vec![r#"claim="auth_time""#],
                true,
            ),
            (
                "/editors",
                json!({"type": "refresh", "rid": "r"}),
                "token_wrong_type",
                vec![r#"claim="type""#],
                true,
            ),
            (
                "/editors",
                json!({"exp": NOW}),
                "token_expired",
                vec![r#"claim="exp""#],
                false,
            ),
            (
                "/editors",
                json!({"aud": "x"}),
                "token_audience",
                vec![r#"claim="aud""#],
                false,
            ),
            (
                "/editors",
                json!({"cnf": {}}),
                "token_unknown_binding",
                vec![r#"claim="cnf""#],
                false,
            ),
        ] {
            let mut changes = changes;
            changes["sid"] = json!("session\n7");
            changes["sub"] = json!("carol");
            // Once verified, and once from the table of verified tokens.
            for _ in 0..2 {
                let mut request = TestRequest::with_uri(path);
                for (name, value) in bearer(changes.clone()) {
                    request = request.insert_header((name, value));
                }
                site.ask(request).await;
                let line = only(&log, reason);
                assert_eq!(line.reason.as_deref(), Some(reason));
                assert_eq!(line.target, "flask_pyjwt::refused");
                for field in &fields {
                    assert!(line.text.contains(field), "{field}: {line:?}");
                }
                let route = format!("route={path:?}");
                assert!(line.text.contains(&route), "{line:?}");
                // Claims of a token that is not verified are not logged.
                let session = line.text.contains(r"session\\u{a}7");
                assert_eq!(session, has_token, "{line:?}");
                let subject = line.text.contains(r#"sub="carol""#);
                assert_eq!(subject, has_token && log_subjects, "{line:?}");
                assert_eq!(line.text.contains("carol"), subject, "{line:?}");
            }
        }
    }
}

/// `docs/threats.md` 60.
#[actix_web::test]
async fn the_event_of_a_cross_site_refusal_names_both_origins() {
    async fn login(auth: AuthManager, request: HttpRequest) -> Result<&'static str, Rejection> {
        auth.check_origin(&request)?;
        Ok("in")
    }
    #[require_token("auth", "cookies")]
    async fn note() -> &'static str {
        "in"
    }
    let auth = manager(hs256());
    let token = auth.auth_token("alice").sign().expect("minted");
    let site = Site::new(|app| {
        app.app_data(auth)
            .route("/login", web::post().to(login))
            .route("/note", web::post().to(note));
    })
    .await;
    let log = log::capture();
    for path in ["/login", "/note"] {
        let request = TestRequest::post()
            .uri(path)
            .insert_header(("cookie", format!("__Host-auth={}", token.signed())))
            .insert_header(("host", "10.0.0.7:80"))
            .insert_header(("x-forwarded-host", "shop.example"))
            .insert_header(("x-forwarded-port", "8443"))
            .insert_header(("origin", "https://evil.example"));
        assert_eq!(site.ask(request).await.status, 403);
        let line = only(&log, path);
        for expected in [
            r#"origin="https://evil.example""#,
            "http://10.0.0.7:80",
            "http://shop.example:8443",
        ] {
            assert!(line.text.contains(expected), "{expected}: {line:?}");
        }
        let long = "x".repeat(4_000);
        let request = TestRequest::post()
            .uri(path)
            .insert_header(("cookie", format!("__Host-auth={}", token.signed())))
            .insert_header(("origin", format!("https://{long}")))
            .insert_header(("sec-fetch-site", format!("cross-site\u{e9}\t{long}")))
            .insert_header(("x-forwarded-host", long));
        assert_eq!(site.ask(request).await.status, 403);
        let line = only(&log, path);
        assert!(line.text.len() < 1_500, "{line:?}");
        assert!(!line.text.contains('\t'), "{line:?}");
    }
}
