//! Every refusal, and how hooks and layers change it.

use actix_cors::Cors;
use actix_web::{
    HttpResponse,
    http::{Method, StatusCode, header},
    middleware::DefaultHeaders,
    test::TestRequest,
    web,
};
use flask_pyjwt::{Rejection, RequireToken};
use serde_json::json;

use super::{
    REALM, ask, bearer, config, field,
    routes::{plain, routes, subject},
    site, token,
};
use support::{NOW, manager, site::Site, wire::Server};

/// Header fields of a request, and status, error and description of the response.
type Row = (Vec<(&'static str, String)>, u16, &'static str, &'static str);

fn table() -> Vec<(&'static str, Row)> {
    let invalid = "The token is not valid";
    let twice = "Credentials are given more than once";
    let good = token(json!({"role": "editor", "scope": {"admin": true}}));
    vec![
        (
            "/plain",
            (vec![], 401, "unauthorized", "Credentials are required"),
        ),
        (
            "/plain",
            (
                vec![field("authorization", "Basic eDp5")],
                401,
                "unauthorized",
                "Credentials are required",
            ),
        ),
        (
            "/plain",
            (
                vec![field("authorization", "Bearer")],
                401,
                "invalid_token",
                "The credentials are malformed",
            ),
        ),
        (
            "/plain",
            (
                vec![field("authorization", "Bearer a.b.c")],
                401,
                "invalid_token",
                invalid,
            ),
        ),
        (
            "/plain",
            (
                bearer(json!({"exp": NOW})),
                401,
                "invalid_token",
                "The token has expired",
            ),
        ),
        (
            "/plain",
            (
                bearer(json!({"nbf": NOW + 1})),
                401,
                "invalid_token",
                "The token is not valid yet",
            ),
        ),
        (
            "/plain",
            (
                bearer(json!({"type": "refresh"})),
                401,
                "invalid_token",
                "A token of another type is required",
            ),
        ),
        (
            "/plain",
            (bearer(json!({"iss": "x"})), 401, "invalid_token", invalid),
        ),
        (
            "/plain",
            (
                bearer(json!({"sub": "revoked"})),
                401,
                "invalid_token",
                invalid,
            ),
        ),
        (
            "/plain",
            (
                bearer(json!({"role": "reader"})),
                403,
                "insufficient_scope",
                "The token does not allow this",
            ),
        ),
        (
            "/plain",
            (
                bearer(json!({"role": "editor"})),
                403,
                "insufficient_scope",
                "The token does not allow this",
            ),
        ),
        (
            "/member",
            (
                bearer(json!({})),
                403,
                "insufficient_scope",
                "The token does not allow this",
            ),
        ),
        (
            "/plain",
            (
                vec![
                    field("authorization", "Basic eDp5"),
                    field("authorization", "Basic eDp5"),
                ],
                400,
                "invalid_request",
                twice,
            ),
        ),
        (
            "/either",
            (
                vec![
                    field("authorization", format!("Bearer {good}")),
                    field("cookie", format!("auth_token={good}")),
                ],
                400,
                "invalid_request",
                twice,
            ),
        ),
        (
            "/cookie",
            (
                vec![field("cookie", "auth_token=a; auth_token=b")],
                400,
                "invalid_request",
                twice,
            ),
        ),
        (
            "/plain",
            (
                bearer(json!({"sub": "down"})),
                503,
                "temporarily_unavailable",
                "The token cannot be checked at the moment",
            ),
        ),
    ]
}

#[actix_web::test]
async fn every_refusal_has_its_status_challenge_and_body() {
    let site = site(config()).await;
    for (path, (fields, status, error, description)) in table() {
        for path in [path.to_owned(), format!("/wrapped{path}")] {
            let reply = ask(&site, &path, &fields).await;
            let what = format!("{path} {description} {reply:?}");
            assert_eq!(reply.status, status, "{what}");
            let body = json!({"error": error, "error_description": description});
            assert_eq!(reply.json(), body, "{what}");
            assert_eq!(reply.field("content-type"), "application/json", "{what}");
            assert_eq!(reply.field("cache-control"), "no-store", "{what}");
            let challenge = match error {
                "unauthorized" => REALM.to_owned(),
                "temporarily_unavailable" => String::new(),
                _ => format!(r#"{REALM}, error="{error}", error_description="{description}""#),
            };
            assert_eq!(reply.field("www-authenticate"), challenge, "{what}");
            let retry = if status == 503 { "9" } else { "" };
            assert_eq!(reply.field("retry-after"), retry, "{what}");
        }
    }
    let good = bearer(json!({"role": "editor", "scope": {"admin": true}, "team": 7}));
    for (path, text) in [
        ("/plain", "alice"),
        ("/member", "7"),
        ("/wrapped/plain", "alice"),
        ("/wrapped/member", "7"),
    ] {
        let reply = ask(&site, path, &good).await;
        assert_eq!((reply.status, reply.text()), (200, text), "{path}");
        assert_eq!(reply.field("cache-control"), "", "{path}");
    }
}

#[actix_web::test]
async fn one_hook_replaces_the_answers_of_attribute_middleware_and_extractor() {
    let auth = manager(config().on_rejection(|rejection, request, answer| {
        let mut replaced = HttpResponse::build(StatusCode::IM_A_TEAPOT);
        replaced.insert_header(("x-reason", rejection.reason()));
        replaced.insert_header(("x-path", request.path()));
        replaced.insert_header(("x-status", answer.status().as_str()));
        if matches!(rejection, Rejection::ClaimNotMet { name } if name == "role") {
            replaced.insert_header((header::CACHE_CONTROL, "private"));
        }
        replaced.body("replaced")
    }));
    let site = Site::new(|app| routes(app.app_data(auth))).await;
    for (path, (fields, status, ..)) in table() {
        for path in [path.to_owned(), format!("/wrapped{path}")] {
            let reply = ask(&site, &path, &fields).await;
            assert_eq!((reply.status, reply.text()), (418, "replaced"), "{path}");
            assert_eq!(reply.field("x-path"), path);
            assert_eq!(reply.field("x-status"), status.to_string(), "{path}");
            assert_eq!(reply.field("www-authenticate"), "", "{path}");
            let is_role = reply.field("x-reason") == "claim_not_met";
            let cache = if is_role { "private" } else { "no-store" };
            assert_eq!(reply.field("cache-control"), cache, "{path}");
        }
    }
    let reply = ask(&site, "/unguarded", &bearer(json!({}))).await;
    assert_eq!((reply.status, reply.field("x-reason")), (418, "unguarded"));
    assert_eq!(reply.field("cache-control"), "no-store");
}

#[actix_web::test]
async fn layers_around_a_guard_see_a_refusal_and_can_add_to_it() {
    let auth = manager(config());
    let site = Site::new(|app| {
        let cors = Cors::default()
            .allowed_origin("https://page.example")
            .allowed_methods(["GET", "POST"])
            .allowed_header(header::AUTHORIZATION)
            .supports_credentials();
        let layers = web::scope("")
            .wrap(DefaultHeaders::new().add(("x-frame-options", "DENY")))
            .wrap(cors);
        app.app_data(auth).service(layers.configure(routes));
    })
    .await;
    let origin = field("origin", "https://page.example");
    for (path, (fields, status, ..)) in table() {
        for path in [path.to_owned(), format!("/wrapped{path}")] {
            let fields = [fields.clone(), vec![origin.clone()]].concat();
            let reply = ask(&site, &path, &fields).await;
            assert_eq!(reply.status, status, "{path}");
            let allowed = reply.field("access-control-allow-origin");
            assert_eq!(allowed, "https://page.example", "{path} {status}");
            assert_eq!(
                reply.field("access-control-allow-credentials"),
                "true",
                "{path}"
            );
            assert_eq!(reply.field("x-frame-options"), "DENY", "{path} {status}");
            assert_eq!(reply.field("cache-control"), "no-store", "{path} {status}");

            // The browser sends a preflight request without credentials.
            let preflight = TestRequest::default()
                .method(Method::OPTIONS)
                .uri(&path)
                .insert_header(("origin", "https://page.example"))
                .insert_header(("access-control-request-method", "GET"))
                .insert_header(("access-control-request-headers", "authorization"));
            let reply = site.ask(preflight).await;
            assert_eq!(reply.status, 200, "{path}");
            assert_eq!(
                reply.field("access-control-allow-origin"),
                "https://page.example"
            );
            assert!(
                reply
                    .field("access-control-allow-headers")
                    .eq_ignore_ascii_case("authorization"),
                "{path}"
            );
        }
    }
    let fields = [bearer(json!({})), vec![origin]].concat();
    let reply = ask(&site, "/unguarded", &fields).await;
    assert_eq!(reply.status, 500);
    assert_eq!(
        reply.field("access-control-allow-origin"),
        "https://page.example"
    );
}

#[test]
fn a_refused_head_request_has_the_same_head_and_no_body() {
    let auth = manager(config());
    let server = Server::start(move |app| {
        app.app_data(auth.clone())
            .route("/attribute", web::head().to(plain))
            .service(
                web::resource("/wrapped")
                    .wrap(RequireToken::auth())
                    .to(subject),
            );
    });
    for path in ["/attribute", "/wrapped"] {
        for (authorization, challenge) in [
            ("", REALM.to_owned()),
            (
                "Authorization: Bearer a.b.c\r\n",
                format!(
                    r#"{REALM}, error="invalid_token", error_description="The token is not valid""#
                ),
            ),
        ] {
            let answer = server.send_and_drain(format!(
                "HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{authorization}\r\n"
            ));
            let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
            assert!(head.starts_with("HTTP/1.1 401 "), "{path}: {head}");
            assert!(
                head.contains(&format!("www-authenticate: {challenge}")),
                "{path}: {head}"
            );
            assert!(head.contains("cache-control: no-store"), "{path}: {head}");
            assert_eq!(body, "", "{path}");
        }
    }
}
