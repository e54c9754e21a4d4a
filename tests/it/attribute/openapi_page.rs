//! The code on docs/guide/guarding.md that describes a guarded route.

use actix_web::{Responder, get};
use flask_pyjwt::require_token;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

#[utoipa::path(
    security(("bearer" = [])),
    responses(
        (status = 200, description = "All notes", body = String),
        (status = 401, description = "No valid token"),
        (status = 403, description = "A token without the scope notes:read"),
    )
)]
#[require_token(scope = contains("notes:read"))]
#[get("/notes")]
async fn list_notes() -> impl Responder {
    "buy milk"
}

/// Adds the security scheme `bearer`.
struct Bearer;

impl Modify for Bearer {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let http = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .build();
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(http));
    }
}

#[derive(OpenApi)]
#[openapi(paths(list_notes), modifiers(&Bearer))]
struct Api;

#[test]
fn the_code_of_the_page_describes_a_guarded_route() {
    let (_, code) = include_str!("openapi_page.rs")
        .split_once("\n\n")
        .expect("code");
    let (code, _) = code.split_once("\n#[test]").expect("a test");
    let page = include_str!("../../../docs/guide/guarding.md");
    assert!(
        page.contains(&format!("```rs\n{code}```\n")),
        "guarding.md has other code"
    );

    let document = serde_json::to_value(Api::openapi()).expect("JSON");
    let operation = &document["paths"]["/notes"]["get"];
    assert_eq!(operation["security"], serde_json::json!([{"bearer": []}]));
    assert_eq!(
        document["components"]["securitySchemes"]["bearer"],
        serde_json::json!({"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
    );
}

/// The two other forms that the page names.
#[test]
fn a_cookie_is_a_scheme_and_an_optional_token_is_an_empty_requirement() {
    use utoipa::openapi::security::{ApiKey, ApiKeyValue};

    #[utoipa::path(get, path = "/", security((), ("bearer" = [])))]
    #[expect(dead_code, reason = "only its description is used")]
    fn optional() {}

    #[derive(OpenApi)]
    #[openapi(paths(optional))]
    struct Optional;

    let scheme = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("__Host-auth")));
    assert_eq!(
        serde_json::to_value(scheme).expect("JSON"),
        serde_json::json!({"type": "apiKey", "in": "cookie", "name": "__Host-auth"})
    );
    let document = serde_json::to_value(Optional::openapi()).expect("JSON");
    assert_eq!(
        document["paths"]["/"]["get"]["security"],
        serde_json::json!([{}, {"bearer": []}])
    );
}
