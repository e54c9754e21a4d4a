//! A token that is bound to a key of the browser (DPoP, RFC 9449): a copy of it is of no use elsewhere.

use actix_web::{HttpRequest, HttpResponse, Responder, get, post, web};
use flask_pyjwt::{AuthManager, CurrentToken, Rejection, require_token};
use serde_json::json;

use super::Login;

/// Answers with a token that is bound to the key of the request's proof, if the password is right.
#[post("/bound/login")]
pub(crate) async fn login(
    auth: AuthManager,
    request: HttpRequest,
    form: web::Form<Login>,
) -> Result<HttpResponse, Rejection> {
    auth.check_origin(&request)?;
    // Before the proof, which has to be remembered: strangers must not fill that memory.
    if !form.is_right() {
        return Ok(HttpResponse::Unauthorized().json(json!({"error": "wrong_login"})));
    }
    let proof = auth.dpop_proof(&request).await?;
    if proof.is_none() {
        return Ok(HttpResponse::BadRequest().json(json!({
            "error": "proof_required",
            "error_description": "Send a DPoP proof: the token is bound to its key",
        })));
    }
    let token = auth.auth_token(&form.username).bind(&proof).sign()?;
    Ok(HttpResponse::Ok().json(json!({"auth_token": token.signed()})))
}

/// For bound tokens with their proof. It needs no CSRF proof: no other site can make a browser send `Authorization`.
#[require_token(bound, location = "header")]
#[get("/bound/vault")]
pub(crate) async fn vault(token: CurrentToken) -> impl Responder {
    web::Json(json!({"vault_of": token.sub()}))
}
