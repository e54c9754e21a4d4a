//! Routes that accept one issuer.

use actix_web::{HttpResponse, get, web};
use flask_pyjwt::{RequireToken, require_token};
use serde_json::json;

use super::{other, third, token};
use support::{ISSUER, hs256, manager, site::Site};

#[require_token(issuer = "https://other.example", scope = contains("read"))]
#[get("/other")]
async fn of_other() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token]
#[get("/any")]
async fn of_any() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token("refresh")]
#[get("/refresh")]
async fn refresh() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(issuer = "https://nobody.example")]
#[get("/nobody")]
async fn of_nobody() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[actix_web::test]
async fn a_route_can_be_limited_to_one_issuer() {
    let auth = manager(
        hs256()
            .trust(other().map_claim("scope", "scp"))
            .trust(third()),
    );
    let own = auth
        .auth_token("alice")
        .scope("read")
        .sign()
        .expect("minted");
    let foreign = token(json!({ "scp": ["read"] }));
    let site = Site::new(|app| {
        app.app_data(auth)
            .service(of_other)
            .service(of_any)
            .service(of_nobody)
            .service(refresh)
            .service(
                web::scope("/own")
                    .wrap(RequireToken::auth().issuer(ISSUER))
                    .route("", web::get().to(HttpResponse::Ok)),
            );
    })
    .await;
    let without = token(json!({ "scope": "read" }));
    for (path, token, outcome) in [
        ("/any", own.signed(), (200, "")),
        ("/any", &foreign, (200, "")),
        ("/other", own.signed(), (401, "token_issuer")),
        ("/other", &foreign, (200, "")),
        ("/other", &without, (403, "scope_not_met")),
        ("/own", own.signed(), (200, "")),
        ("/own", &foreign, (401, "token_issuer")),
        ("/nobody", own.signed(), (500, "route_mistake")),
        ("/nobody", &foreign, (500, "route_mistake")),
        ("/refresh", &foreign, (401, "token_wrong_type")),
    ] {
        assert_eq!(site.get(path, token).await.outcome(), outcome, "{path}");
    }
}
