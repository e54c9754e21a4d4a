//! DESIGN 6: what each refused request is answered with, the same from attribute, middleware and
//! extractor, and what layers around them add to it.
#![expect(clippy::too_many_lines, reason = "tables")]
#![expect(
    clippy::items_after_statements,
    reason = "a handler stands beside its use"
)]

mod common;

use std::collections::BTreeMap;

use actix_cors::Cors;
use actix_web::{
    HttpResponse,
    http::{Method, StatusCode, header},
    middleware::DefaultHeaders,
    test::TestRequest,
    web,
};
use flask_pyjwt::{
    AuthManager, CheckError, Config, CurrentToken, Location, Rejection, RequireToken, require_token,
};
use serde::Deserialize;
use serde_json::{Value, json};

use self::common::{
    NOW, SECRET, claims_with,
    forge::{Key, forge},
    header as good_header, hs256, log, manager,
    site::{Reply, Site},
    wire::Server,
};

const REALM: &str = r#"Bearer realm="https://issuer.example""#;

#[derive(Debug, Deserialize)]
struct Member {
    team: u32,
}

#[require_token(role = "editor", scope = {"admin": true})]
async fn plain(token: CurrentToken) -> String {
    token.sub().to_owned()
}

#[require_token("auth", "cookies", cookie_name = "auth_token")]
async fn by_cookie() -> &'static str {
    "in"
}

#[require_token(location = ["header", "cookies"], cookie_name = "auth_token")]
async fn by_either() -> &'static str {
    "in"
}

#[require_token]
async fn member(token: CurrentToken<Member>) -> String {
    token.typed().team.to_string()
}

#[require_token]
async fn perhaps_member(token: Option<CurrentToken<Member>>) -> String {
    format!("{:?}", token.map(CurrentToken::into_typed))
}

#[require_token]
async fn result_of_member(token: Result<CurrentToken<Member>, actix_web::Error>) -> String {
    format!("{:?}", token.map(CurrentToken::into_typed))
}

#[require_token(optional)]
async fn perhaps(token: Option<CurrentToken>) -> String {
    token.map_or("nobody".to_owned(), |token| token.sub().to_owned())
}

#[require_token(optional)]
async fn optional_but_wanted(token: CurrentToken) -> String {
    token.sub().to_owned()
}

#[require_token(optional, role = "editor")]
async fn perhaps_editor(token: Option<CurrentToken>) -> String {
    token.map_or("nobody".to_owned(), |token| token.sub().to_owned())
}

async fn subject(token: CurrentToken) -> String {
    token.sub().to_owned()
}

async fn whoever(token: Option<CurrentToken>) -> String {
    token.map_or("nobody".to_owned(), |token| token.sub().to_owned())
}

async fn team(token: CurrentToken<Member>) -> String {
    token.typed().team.to_string()
}

async fn nothing() -> &'static str {
    "in"
}

fn routes(app: &mut web::ServiceConfig) {
    let wrapped = |path, guard, handler| web::resource(path).wrap(guard).route(handler);
    let editors = || {
        RequireToken::auth()
            .claim("role", "editor")
            .scope(json!({"admin": true}))
    };
    let cookie = || Location::Cookie("auth_token".to_owned());
    app.route("/plain", web::get().to(plain))
        .route("/cookie", web::get().to(by_cookie))
        .route("/either", web::get().to(by_either))
        .route("/member", web::get().to(member))
        .route("/perhaps_member", web::get().to(perhaps_member))
        .route("/result_of_member", web::get().to(result_of_member))
        .route("/perhaps", web::get().to(perhaps))
        .route("/optional_but_wanted", web::get().to(optional_but_wanted))
        .route("/perhaps_editor", web::get().to(perhaps_editor))
        .route("/unguarded", web::get().to(subject))
        .service(
            web::scope("/wrapped")
                .service(wrapped("/plain", editors(), web::get().to(subject)))
                .service(wrapped(
                    "/cookie",
                    RequireToken::auth().cookie("auth_token"),
                    web::get().to(nothing),
                ))
                .service(wrapped(
                    "/either",
                    RequireToken::auth().locations([Location::Header, cookie()]),
                    web::get().to(nothing),
                ))
                .service(wrapped(
                    "/member",
                    RequireToken::auth(),
                    web::get().to(team),
                ))
                .service(wrapped(
                    "/perhaps",
                    RequireToken::auth().optional(true),
                    web::get().to(whoever),
                ))
                .service(wrapped(
                    "/optional_but_wanted",
                    RequireToken::auth().optional(true),
                    web::get().to(subject),
                ))
                .service(wrapped(
                    "/perhaps_editor",
                    RequireToken::auth().optional(true).claim("role", "editor"),
                    web::get().to(whoever),
                )),
        );
}

/// `revoked` and `down` as claims are believed.
fn config() -> Config {
    hs256().token_check(|token| {
        let retry_after = std::time::Duration::from_secs(9);
        std::future::ready(match token.sub() {
            "revoked" => Err(CheckError::Revoked),
            "down" => Err(CheckError::Unavailable { retry_after }),
            _ => Ok(()),
        })
    })
}

async fn site(config: Config) -> Site {
    let auth = manager(config);
    Site::new(|app| routes(app.app_data(auth))).await
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

/// Fields of a request; status, error, description of its answer; whether a challenge names them.
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
                vec![field("cookie", "auth_token=a; auth_token=a")],
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
        replaced.insert_header(("x-reason", rejection.code()));
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
async fn layers_around_a_guard_see_a_refusal_and_add_to_it() {
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

            // The browser asks first, without credentials.
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

#[actix_web::test]
async fn the_innermost_scopes_manager_decides() {
    let named = |issuer: &str, secret: u8| manager(hs256().issuer(issuer).secret([secret; 32]));
    let managers = [("outer", 1), ("inner", 2), ("innermost", 3)]
        .map(|(issuer, secret)| named(issuer, secret));
    let [outer, inner, _] = &managers;
    let tokens = managers.each_ref().map(|auth| {
        auth.auth_token("alice")
            .sign()
            .expect("minted")
            .signed()
            .to_owned()
    });
    // The same secret under another name, and the same name with another secret.
    let mixed = [named("inner", 1), named("outer", 2)].map(|auth| {
        auth.auth_token("alice")
            .sign()
            .expect("minted")
            .signed()
            .to_owned()
    });

    async fn minter(auth: AuthManager, token: CurrentToken) -> String {
        format!("{} {}", auth.issuer(), token.iss())
    }
    #[require_token]
    async fn guarded(auth: AuthManager, token: CurrentToken) -> String {
        format!("{} {}", auth.issuer(), token.iss())
    }
    fn both() -> [actix_web::Resource; 2] {
        let attribute = web::resource("/attribute").route(web::get().to(guarded));
        let wrapped = web::resource("/wrapped").route(web::get().to(minter));
        [attribute, wrapped]
    }

    for as_data in [false, true] {
        let site = Site::new(|app| {
            let mut scopes = managers.each_ref().map(|auth| {
                let scope = web::scope(&format!("/{}", auth.issuer()));
                if as_data {
                    scope.app_data(web::Data::new(auth.clone()))
                } else {
                    scope.app_data(auth.clone())
                }
            });
            for scope in &mut scopes {
                let [attribute, _] = both();
                let own = std::mem::replace(scope, web::scope("")).service(attribute);
                let [_, wrapped] = both();
                *scope = own.service(wrapped.wrap(RequireToken::auth()));
            }
            let [outer, inner, innermost] = scopes;
            app.service(outer.service(inner.service(innermost)));
        })
        .await;
        let paths = ["/outer", "/outer/inner", "/outer/inner/innermost"];
        for (place, path) in paths.into_iter().enumerate() {
            let own = managers[place].issuer();
            for kind in ["attribute", "wrapped"] {
                let path = format!("{path}/{kind}");
                for (number, token) in tokens.iter().chain(&mixed).enumerate() {
                    let reply = site.get(&path, token).await;
                    if number == place {
                        assert_eq!(
                            (reply.outcome(), reply.text()),
                            ((200, ""), &*format!("{own} {own}"))
                        );
                    } else {
                        let reason = reply.field("x-reason").to_owned();
                        assert!(
                            ["token_signature", "token_issuer"].contains(&&*reason),
                            "{reason}"
                        );
                        reply.is_refused(401, "invalid_token", &reason, &path);
                        let realm = format!("Bearer realm=\"{own}\"");
                        assert!(
                            reply.field("www-authenticate").starts_with(&realm),
                            "{path}"
                        );
                    }
                }
            }
        }
    }
    // A guard around a scope goes by the scope's own manager.
    let site = Site::new(|app| {
        let scope = web::scope("/inner")
            .app_data(inner.clone())
            .wrap(RequireToken::auth());
        let [attribute, wrapped] = both();
        app.app_data(outer.clone())
            .service(scope.service(attribute).service(wrapped));
    })
    .await;
    let reply = site.get("/inner/wrapped", &tokens[1]).await;
    assert_eq!((reply.outcome(), reply.text()), ((200, ""), "inner inner"));
    let reply = site.get("/inner/wrapped", &tokens[0]).await;
    reply.is_refused(401, "invalid_token", "token_signature", "the outer one's");
}

#[actix_web::test]
async fn one_manager_in_two_ways_is_one_and_two_are_a_mistake() {
    let auth = manager(config());
    let good = bearer(json!({"role": "editor", "scope": {"admin": true}}));
    let site = Site::new(|app| {
        routes(
            app.app_data(auth.clone())
                .app_data(web::Data::new(auth.clone())),
        );
    })
    .await;
    assert_eq!(ask(&site, "/plain", &good).await.outcome(), (200, ""));

    let other = manager(config());
    let site = Site::new(|app| {
        routes(app.app_data(auth.clone()).app_data(web::Data::new(other)));
    })
    .await;
    for path in ["/plain", "/wrapped/plain"] {
        for fields in [vec![], good.clone()] {
            is_a_mistake(&site, path, &fields, "several_managers", "web::Data").await;
        }
    }
}

#[actix_web::test]
async fn without_a_manager_every_guard_fails_closed() {
    let site = Site::new(routes).await;
    let good = bearer(json!({"role": "editor", "scope": {"admin": true}}));
    for path in [
        "/plain",
        "/wrapped/plain",
        "/perhaps",
        "/wrapped/perhaps",
        "/cookie",
    ] {
        for fields in [vec![], good.clone()] {
            is_a_mistake(
                &site,
                path,
                &fields,
                "missing_manager",
                ".app_data(auth.clone())",
            )
            .await;
        }
    }
    is_a_mistake(&site, "/unguarded", &good, "unguarded", "#[require_token]").await;
}

/// Asserts a 500 that tells the client nothing, and one logged error that tells what to do.
async fn is_a_mistake(
    site: &Site,
    path: &str,
    fields: &[(&'static str, String)],
    reason: &str,
    says: &str,
) {
    let log = log::capture();
    let reply = ask(site, path, fields).await;
    let what = format!("{path} {reply:?}");
    assert_eq!(reply.status, 500, "{what}");
    let body = json!({"error": "server_error", "error_description": "The server is misconfigured"});
    assert_eq!(reply.json(), body, "{what}");
    assert_eq!(reply.field("www-authenticate"), "", "{what}");
    assert_eq!(reply.field("cache-control"), "no-store", "{what}");
    let lines = log.take();
    assert_eq!(lines.len(), 1, "{what}: {lines:?}");
    assert_eq!(lines[0].reason.as_deref(), Some(reason), "{what}");
    assert_eq!(lines[0].level, "ERROR", "{what}");
    assert!(lines[0].text.contains(says), "{what}: {lines:?}");
}

#[require_token(sub = path("nmae"))]
async fn unknown_variable(_name: web::Path<String>) -> &'static str {
    "in"
}

#[require_token(role = "nmae")]
async fn nearly_a_variable(_name: web::Path<String>) -> &'static str {
    "in"
}

#[require_token(sub = path("nmae"), override = {"admin": true})]
async fn overridden(_name: web::Path<String>) -> &'static str {
    "in"
}

#[actix_web::test]
async fn a_mistaken_route_is_a_500_for_every_valid_token_and_says_why_in_the_log() {
    let auth = manager(config());
    let site = Site::new(|app| {
        let wrapped = RequireToken::auth().claim_from_path("role", "nmae");
        app.app_data(auth)
            .route("/unknown/{name}", web::get().to(unknown_variable))
            .route("/nearly/{name}", web::get().to(nearly_a_variable))
            .route("/overridden/{name}", web::get().to(overridden))
            .service(web::resource("/wrapped/{name}").wrap(wrapped).to(nothing));
    })
    .await;
    for path in ["/unknown/x", "/nearly/nmae", "/overridden/x", "/wrapped/x"] {
        for changes in [
            json!({}),
            json!({"admin": true}),
            json!({"role": "nmae", "sub": "nmae"}),
            json!({"role": "x", "sub": "x"}),
        ] {
            is_a_mistake(&site, path, &bearer(changes), "route_mistake", "nmae").await;
        }
        for fields in [vec![], bearer(json!({"exp": NOW}))] {
            assert_eq!(ask(&site, path, &fields).await.status, 401, "{path}");
        }
    }
}

#[actix_web::test]
async fn claims_that_do_not_fit_the_handlers_type_are_forbidden() {
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
async fn where_a_token_is_optional_only_its_absence_is_let_in() {
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
fn every_kind_of_rejection_says_its_status_error_and_code_itself() {
    use flask_pyjwt::{TokenError, TokenType};
    let rows = [
        (Rejection::MissingCredentials, 401, "unauthorized"),
        (Rejection::MalformedCredentials, 401, "invalid_token"),
        (Rejection::SeveralAuthorizations, 400, "invalid_request"),
        (Rejection::SeveralCookies, 400, "invalid_request"),
        (Rejection::SeveralPlaces, 400, "invalid_request"),
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
                retry_after: std::time::Duration::ZERO,
            },
            503,
            "temporarily_unavailable",
        ),
        (Rejection::MissingManager, 500, "server_error"),
        (Rejection::SeveralManagers, 500, "server_error"),
        (Rejection::Unguarded, 500, "server_error"),
        (Rejection::RouteMistake("why".into()), 500, "server_error"),
    ];
    let mut codes = BTreeMap::new();
    for (rejection, status, error) in rows {
        assert_eq!(rejection.status().as_u16(), status, "{rejection}");
        assert_eq!(rejection.error(), error, "{rejection}");
        let earlier = codes.insert(rejection.code(), rejection.to_string());
        assert_eq!(earlier, None, "{rejection}");
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(rejection.code().bytes().all(is_plain), "{rejection}");
        let is_quotable = |byte: u8| byte.is_ascii_alphanumeric() || byte == b' ';
        assert!(
            rejection.description().bytes().all(is_quotable),
            "{rejection}"
        );
    }
}
