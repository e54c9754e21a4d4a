//! Names that issuers use for claims are claims, and every other name in quotes.
#![deny(warnings)]

use actix_web::{App, get, web};
use flask_pyjwt::require_token;

#[require_token(
    role = "editor", roles = any("admin", "owner"), perms = ["read"], permissions = ["read"],
    groups = contains("staff"), team = 7, org = {"role": "owner"}, aud = "api", iss = "issuer",
    typ = "Bearer", type = "x", email_verified = true, scp = "read", acr = "1", user_id = 5,
)]
#[get("/a")]
async fn claims() -> &'static str {
    ""
}

#[require_token(
    "refresh" = true, "locations" = ["a"], "fresh_only" = true, "verify_type" = false,
    "skip_revocation_check" = true, "roles_required" = ["admin"], "scopes" = ["read"],
    "audience" = "api", "header_name" = "x", "optional" = true, "claims" = {"a": 1},
)]
async fn in_quotes() -> &'static str {
    ""
}

#[require_token(
    location = "header",
    header_name = "X-Goog-IAP-JWT-Assertion",
    role = "editor"
)]
async fn named_header() -> &'static str {
    ""
}

#[require_token("auth", "header", header_name = "Authorization")]
async fn usual_header() -> &'static str {
    ""
}

fn main() {
    let _ = App::new()
        .service(claims)
        .route("/b", web::get().to(in_quotes))
        .route("/c", web::get().to(named_header))
        .route("/d", web::get().to(usual_header));
}
