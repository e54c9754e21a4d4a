//! What a description of the interface says of guarded operations.

use actix_web::{App, Responder, get, post, web};
use flask_pyjwt::{
    AuthManager, AuthType, Config, Cookies, Issuer, RequireToken, TokenLocation,
    openapi::SecurityAddon, require_token,
};
use serde_json::{Value, json};
use utoipa::{Modify as _, OpenApi};
use utoipa_actix_web::AppExt as _;

macro_rules! handlers {
    ($($name:ident($($rules:tt)*))*) => {$(
        #[utoipa::path(get, path = "/x", responses((status = 200, body = String)))]
        #[require_token($($rules)*)]
        #[expect(dead_code, reason = "only its description is used")]
        async fn $name() -> impl Responder {
            ""
        }
    )*};
}

handlers! {
    any()
    refresh("refresh")
    optional(optional)
    all(scope = all("read", "write"))
    one_of(scope = any("read", "admin"))
    value(scope = {"admin": true}, role = "editor")
    cookies("auth", "cookies")
    refresh_cookies("refresh", "cookies")
    places(location = ["header", "cookies"], scope = any("a", "b"))
    own_cookie("auth", "cookies", cookie_name = "session")
    query(location = "query", query_name = "ticket")
    socket(location = "websocket")
}

/// What the author says himself stays.
///
/// In these words.
#[utoipa::path(
    get,
    path = "/x",
    security(("own" = ["a"])),
    responses((status = 200, body = String), (status = 401, description = "own words"), (status = "5XX", description = "down")),
)]
#[require_token(scope = contains("read"))]
#[expect(dead_code, reason = "only its description is used")]
async fn own() -> impl Responder {
    ""
}

/// The operation of one handler in a document of its own.
macro_rules! operation {
    ($name:ident, $modify:expr) => {{
        #[derive(OpenApi)]
        #[openapi(paths($name))]
        struct Api;

        let mut document = Api::openapi();
        let modify: &dyn Fn(&mut utoipa::openapi::OpenApi) = &$modify;
        modify(&mut document);
        let document = serde_json::to_value(document).expect("JSON");
        (document["paths"]["/x"]["get"].clone(), document)
    }};
}

fn manager() -> Config {
    Config::new("service", AuthType::HS256, [7; 32])
}

fn addon(config: Config) -> impl Fn(&mut utoipa::openapi::OpenApi) {
    let auth = AuthManager::new(config).expect("a manager");
    move |document| SecurityAddon::new(&auth).modify(document)
}

macro_rules! security {
    ($name:ident) => {
        operation!($name, |_| {}).0["security"].clone()
    };
}

#[test]
fn each_place_and_scope_is_a_security_requirement() {
    for (security, expected) in [
        (security!(any), json!([{"bearer": []}])),
        (security!(refresh), json!([{"bearer": []}])),
        (security!(optional), json!([{"bearer": []}, {}])),
        (security!(all), json!([{"bearer": ["read", "write"]}])),
        (
            security!(one_of),
            json!([{"bearer": ["read"]}, {"bearer": ["admin"]}]),
        ),
        (security!(value), json!([{"bearer": []}])),
        (security!(cookies), json!([{"cookie": []}])),
        (security!(refresh_cookies), json!([{"refresh_cookie": []}])),
        (
            security!(places),
            json!([{"bearer": ["a"]}, {"bearer": ["b"]}, {"cookie": ["a"]}, {"cookie": ["b"]}]),
        ),
        (security!(own_cookie), json!([{"cookie_session": []}])),
        (security!(query), json!([{"query_ticket": []}])),
        (security!(socket), json!([{"websocket": []}])),
        (security!(own), json!([{"own": ["a"]}])),
    ] {
        assert_eq!(security, expected);
    }
}

#[test]
fn the_answers_of_the_guard_have_bodies_and_fields() {
    let (operation, _) = operation!(any, |_| {});
    let answers = &operation["responses"];
    for status in ["400", "401", "403", "503"] {
        let schema = &answers[status]["content"]["application/json"]["schema"];
        assert_eq!(
            schema["required"],
            json!(["error", "error_description"]),
            "{status}"
        );
    }
    for status in ["400", "401", "403"] {
        assert!(
            answers[status]["headers"]["WWW-Authenticate"].is_object(),
            "{status}"
        );
    }
    assert_eq!(
        answers["503"]["headers"]["Retry-After"]["schema"]["type"],
        "integer"
    );

    let (own, _) = operation!(own, |_| {});
    assert_eq!(own["responses"]["401"], json!({"description": "own words"}));
    assert_eq!(own["responses"].get("503"), None);
    assert!(own["responses"]["403"].is_object());
    assert_eq!(
        own["description"],
        "In these words.\n\nNeeds an auth token whose scope contains `read`."
    );
}

#[test]
fn the_addon_adds_the_schemes_and_the_configured_places() {
    let locations = [TokenLocation::DefaultCookie, TokenLocation::Header];
    let cookies = Cookies::default().auth_name("at").refresh_name("rt");
    let config = || {
        manager()
            .locations(locations.clone())
            .cookies(cookies.clone())
    };
    let (operation, document) = operation!(one_of, addon(config()));
    assert_eq!(
        operation["security"],
        json!([{"cookie": ["read"]}, {"cookie": ["admin"]}, {"bearer": ["read"]}, {"bearer": ["admin"]}])
    );
    assert_eq!(operation.get("x-flask-pyjwt-places"), None);
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(
        schemes["bearer"],
        json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    );
    assert_eq!(
        (&schemes["cookie"]["in"], &schemes["cookie"]["name"]),
        (&json!("cookie"), &json!("at"))
    );
    assert_eq!(schemes.as_object().map(serde_json::Map::len), Some(2));

    let (operation, document) = operation!(refresh, addon(config()));
    assert_eq!(
        operation["security"],
        json!([{"refresh_cookie": []}, {"bearer": []}])
    );
    assert_eq!(
        document["components"]["securitySchemes"]["refresh_cookie"]["name"],
        "rt"
    );
    let (operation, _) = operation!(optional, addon(config()));
    assert_eq!(
        operation["security"],
        json!([{"cookie": []}, {"bearer": []}, {}])
    );

    for (document, name, kind, place) in [
        (
            operation!(query, addon(manager())).1,
            "query_ticket",
            "query",
            "ticket",
        ),
        (
            operation!(own_cookie, addon(manager())).1,
            "cookie_session",
            "cookie",
            "session",
        ),
        (
            operation!(socket, addon(manager())).1,
            "websocket",
            "header",
            "Sec-WebSocket-Protocol",
        ),
    ] {
        let scheme = &document["components"]["securitySchemes"][name];
        assert_eq!(
            (&scheme["in"], &scheme["name"]),
            (&json!(kind), &json!(place))
        );
    }
}

#[test]
fn issuers_with_discovery_are_openid_connect() {
    let issuer = |name: &str| Issuer::new(name).audience("api");
    let config = manager()
        .trust(issuer("https://sso.example/realms/our").discovery())
        .trust(issuer("https://keys.example").jwks_url("https://keys.example/jwks.json"));
    let (_, document) = operation!(any, addon(config));
    let schemes = document["components"]["securitySchemes"]
        .as_object()
        .expect("schemes")
        .clone();
    let names: Vec<_> = schemes.keys().collect();
    assert_eq!(names, ["bearer", "openid_sso_example_realms_our"]);
    assert_eq!(
        schemes["openid_sso_example_realms_our"]["openIdConnectUrl"],
        "https://sso.example/realms/our/.well-known/openid-configuration"
    );
}

#[utoipa::path(responses((status = 200, body = String)))]
#[require_token(scope = contains("a"))]
#[get("/a/{id}")]
async fn above(_: web::Path<u32>) -> impl Responder {
    ""
}

#[require_token(scope = contains("b"))]
#[utoipa::path(responses((status = 200, body = String)))]
#[post("/b")]
async fn between() -> impl Responder {
    ""
}

#[utoipa::path(responses((status = 200, body = String)))]
#[get("/c")]
#[require_token(scope = contains("c"))]
async fn below() -> impl Responder {
    ""
}

#[utoipa::path(responses((status = 200, body = String)))]
#[get("/admin/x")]
async fn in_a_scope() -> impl Responder {
    ""
}

#[actix_web::test]
async fn utoipas_application_has_it_in_every_order() {
    let (_, document) = App::new()
        .into_utoipa_app()
        .service(above)
        .service(between)
        .service(below)
        .service(in_a_scope)
        .split_for_parts();
    let mut document = document;
    let auth = AuthManager::new(manager()).expect("a manager");
    let guard = RequireToken::auth().claim("admin", true);
    SecurityAddon::new(&auth)
        .guard("/admin", &guard)
        .modify(&mut document);
    let document = serde_json::to_value(document).expect("JSON");
    let security = |path: &str, method: &str| document["paths"][path][method]["security"].clone();
    assert_eq!(security("/a/{id}", "get"), json!([{"bearer": ["a"]}]));
    assert_eq!(security("/b", "post"), json!([{"bearer": ["b"]}]));
    assert_eq!(security("/c", "get"), json!([{"bearer": ["c"]}]));
    assert_eq!(security("/admin/x", "get"), json!([{"bearer": []}]));
    let description = &document["paths"]["/admin/x"]["get"]["description"];
    assert_eq!(
        description,
        &json!("Needs an auth token whose `admin` is true.")
    );
    let _: Value = document;
}
