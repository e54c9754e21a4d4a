//! Errors of sessions and of minting in handlers: `?` answers with the [`Rejection`] that they convert to.

use actix_web::{HttpResponse, web};
use flask_pyjwt::{
    MemoryStore, MintError, Rejection, RequireToken, SessionError, TokenError, require_token,
};

use crate::sessions::checks::Broken;
use support::{REASON, hs256, log, manager, site::Site};

/// Status, error, description and reason.
type Row = (u16, &'static str, &'static str, &'static str);

/// An error of each kind, with what the client and the log get.
const KINDS: [(&str, Row); 12] = [
    (
        "wrong type",
        (
            401,
            "invalid_token",
            "A token of another type is required",
            "token_wrong_type",
        ),
    ),
    (
        "revoked",
        (
            401,
            "invalid_token",
            "The token is not valid",
            "token_revoked",
        ),
    ),
    (
        "replayed",
        (
            401,
            "invalid_token",
            "The token is not valid",
            "token_replayed",
        ),
    ),
    (
        "expired",
        (
            401,
            "invalid_token",
            "The token has expired",
            "token_expired",
        ),
    ),
    (
        "no keys",
        (
            503,
            "temporarily_unavailable",
            "The token cannot be checked at the moment",
            "unavailable",
        ),
    ),
    (
        "store",
        (
            503,
            "temporarily_unavailable",
            "The token cannot be checked at the moment",
            "unavailable",
        ),
    ),
    (
        "too deep",
        (
            503,
            "temporarily_unavailable",
            "The token cannot be checked at the moment",
            "unavailable",
        ),
    ),
    (
        "not revocable",
        (
            400,
            "invalid_request",
            "The token cannot be revoked",
            "not_revocable",
        ),
    ),
    (
        "session claims",
        (
            500,
            "server_error",
            "The server is misconfigured",
            "not_minted",
        ),
    ),
    (
        "empty subject",
        (
            500,
            "server_error",
            "The server is misconfigured",
            "not_minted",
        ),
    ),
    (
        "no clock",
        (
            401,
            "invalid_token",
            "The token is not valid",
            "token_clock",
        ),
    ),
    (
        "no store",
        (
            500,
            "server_error",
            "The server is misconfigured",
            "no_session_store",
        ),
    ),
];

/// Returns an error of this kind. Most come from real calls, the others are constructed.
async fn failure(kind: &str) -> SessionError {
    let auth = manager(hs256().session_store(MemoryStore::default()));
    let plain = auth.auth_token("alice").sign().expect("minted");
    match kind {
        "wrong type" => auth.refresh(&plain).await.expect_err("an auth token"),
        "revoked" | "replayed" => {
            let config = hs256().lost_answer_window(time::Duration::ZERO);
            let config = config.refresh_grace(time::Duration::ZERO);
            let auth = manager(config.session_store(MemoryStore::default()));
            let pair = auth.login("alice").await.expect("opened");
            if kind == "replayed" {
                auth.refresh(&pair.refresh).await.expect("rotated");
            } else {
                auth.logout(&pair.auth).await.expect("ended");
            }
            auth.refresh(&pair.refresh).await.expect_err(kind)
        }
        "expired" => TokenError::Expired.into(),
        "no keys" => {
            let retry_after = time::Duration::SECOND;
            TokenError::KeysUnavailable { retry_after }.into()
        }
        "store" => {
            let auth = manager(hs256().session_store(Broken::Down));
            auth.sessions("alice").await.expect_err("no answer")
        }
        "too deep" => SessionError::TooDeep,
        "not revocable" => auth.revoke_token(&plain).await.expect_err("no id"),
        "session claims" => {
            let error = serde_json::from_str::<u8>("{").expect_err("no number");
            let source = error.into();
            MintError::SessionClaims { source }.into()
        }
        "empty subject" => auth.login("").await.map(drop).expect_err("nobody"),
        "no clock" => MintError::Refused(TokenError::Clock).into(),
        _ => manager(hs256())
            .login("alice")
            .await
            .map(drop)
            .expect_err("no store"),
    }
}

type Kind = web::Path<String>;

async fn by_session_error(kind: Kind) -> actix_web::Result<HttpResponse> {
    Err(failure(&kind).await)?
}

async fn by_typed_session_error(kind: Kind) -> Result<HttpResponse, SessionError> {
    Err(failure(&kind).await)
}

async fn by_rejection(kind: Kind) -> Result<HttpResponse, Rejection> {
    Err(failure(&kind).await)?
}

#[require_token]
async fn guarded_by_session_error(kind: Kind) -> actix_web::Result<HttpResponse> {
    by_session_error(kind).await
}

#[require_token]
async fn guarded_by_rejection(kind: Kind) -> Result<HttpResponse, Rejection> {
    by_rejection(kind).await
}

#[actix_web::test]
async fn a_session_error_in_a_handler_is_answered_and_logged_as_its_rejection() {
    let auth = manager(hs256());
    let token = auth.auth_token("alice").sign().expect("minted");
    let site = Site::new(|app| {
        app.app_data(auth)
            .route("/open/error/{kind}", web::get().to(by_session_error))
            .route("/open/typed/{kind}", web::get().to(by_typed_session_error))
            .route("/open/rejection/{kind}", web::get().to(by_rejection))
            .route(
                "/attribute/error/{kind}",
                web::get().to(guarded_by_session_error),
            )
            .route(
                "/attribute/rejection/{kind}",
                web::get().to(guarded_by_rejection),
            )
            .service(
                web::scope("/wrapped")
                    .wrap(RequireToken::auth())
                    .route("/error/{kind}", web::get().to(by_session_error))
                    .route("/typed/{kind}", web::get().to(by_typed_session_error))
                    .route("/rejection/{kind}", web::get().to(by_rejection)),
            );
    })
    .await;
    for (kind, (status, error, description, reason)) in KINDS {
        for guard in ["open", "attribute", "wrapped"] {
            let is_guarded = guard != "open";
            let mut headers = Vec::new();
            for by in ["error", "typed", "rejection"] {
                if (guard, by) == ("attribute", "typed") {
                    continue;
                }
                let what = format!("{kind}, {guard}, {by}");
                let log = log::capture();
                let path = format!("/{guard}/{by}/{}", kind.replace(' ', "%20"));
                let reply = site.get(&path, token.signed()).await;
                assert_eq!(reply.status, status, "{what}");
                let body = format!(r#"{{"error":"{error}","error_description":"{description}"}}"#);
                assert_eq!(reply.text(), body, "{what}");
                // The hook and the realm are the guard's.
                let hook = if is_guarded { reason } else { "" };
                assert_eq!(reply.field(REASON), hook, "{what}");
                let realm = if is_guarded {
                    r#"realm="https://issuer.example", "#
                } else {
                    ""
                };
                let challenge = match status {
                    400 | 401 => format!(
                        r#"Bearer {realm}error="{error}", error_description="{description}""#
                    ),
                    _ => String::new(),
                };
                assert_eq!(reply.field("www-authenticate"), challenge, "{what}");
                let retry_after = if status == 503 { "1" } else { "" };
                assert_eq!(reply.field("retry-after"), retry_after, "{what}");
                let events = log.take().into_iter();
                let events = events.filter(|line| line.target == Rejection::EVENT_TARGET);
                let logged: Vec<_> = events.map(|line| (line.reason, line.status)).collect();
                let expected = (Some(reason.to_owned()), Some(u64::from(status)));
                assert_eq!(logged, [expected], "{what}");
                let fields = reply.headers.iter();
                let mut fields: Vec<_> = fields.map(|field| format!("{field:?}")).collect();
                fields.sort();
                headers.push(fields);
            }
            headers.dedup();
            assert_eq!(headers.len(), 1, "{kind}, {guard}: {headers:?}");
        }
    }
}

async fn mints() -> actix_web::Result<HttpResponse> {
    let auth = manager(hs256());
    let token = auth.auth_token("alice").claim("iss", "mallory").sign()?;
    Ok(HttpResponse::Ok().body(token.signed().to_owned()))
}

async fn mints_as_rejection() -> Result<HttpResponse, Rejection> {
    let auth = manager(hs256());
    let token = auth.auth_token("alice").claim("iss", "mallory").sign()?;
    Ok(HttpResponse::Ok().body(token.signed().to_owned()))
}

#[actix_web::test]
async fn a_mint_error_in_a_handler_is_500_without_details_and_one_event_with_them() {
    let auth = manager(hs256());
    let token = auth.auth_token("alice").sign().expect("minted");
    let site = Site::new(|app| {
        app.app_data(auth)
            .route("/error", web::get().to(mints))
            .route("/rejection", web::get().to(mints_as_rejection))
            .service(
                web::scope("/wrapped")
                    .wrap(RequireToken::auth())
                    .route("/error", web::get().to(mints))
                    .route("/rejection", web::get().to(mints_as_rejection)),
            );
    })
    .await;
    for path in [
        "/error",
        "/rejection",
        "/wrapped/error",
        "/wrapped/rejection",
    ] {
        let log = log::capture();
        let reply = site.get(path, token.signed()).await;
        let body = r#"{"error":"server_error","error_description":"The server is misconfigured"}"#;
        assert_eq!((reply.status, reply.text()), (500, body), "{path}");
        let is_guarded = path.starts_with("/wrapped");
        let asked = if is_guarded { "not_minted" } else { "" };
        assert_eq!(reply.field(REASON), asked, "{path}");
        let lines = log.take();
        let [line] = &lines[..] else {
            panic!("{path}: {lines:?}");
        };
        assert_eq!(line.target, Rejection::EVENT_TARGET, "{path}");
        assert_eq!(line.reason.as_deref(), Some("not_minted"), "{path}");
        assert!(
            line.text.contains("the claim `iss` is reserved"),
            "{path}: {line:?}"
        );
    }
}
