//! Tokens that the provider binds to the key of `openid-client` (DPoP, RFC 9449), at a server of this package.

use actix_web::{Responder, get, web};
use flask_pyjwt::{Config, CurrentToken, Issuer, require_token};
use serde_json::json;

use super::provider::{CLIENT_SECRET, OPAQUE, Provider};
use crate::npm::check;
use support::{manager, wire::Server};

#[require_token(bound, scope = contains("read"))]
#[get("/bound")]
async fn bound(token: CurrentToken) -> impl Responder {
    client_and_key(&token)
}

#[require_token(scope = contains("read"))]
#[get("/read")]
async fn read(token: CurrentToken) -> impl Responder {
    client_and_key(&token)
}

fn client_and_key(token: &CurrentToken) -> impl Responder + use<> {
    let binding = token.claims().get("cnf");
    let key = binding.and_then(|binding| binding.get("jkt"));
    web::Json(json!({ "client": token.sub(), "key": key }))
}

/// A server that accepts only the tokens of this issuer.
fn server(issuer: Issuer, demands_nonces: bool) -> Server {
    let config = Config::for_issuers([issuer]).dpop_nonce(demands_nonces);
    let auth = manager(config);
    Server::start(move |app| {
        app.app_data(auth.clone()).service(bound).service(read);
    })
}

/// Checks a server, with nonces at both servers and without.
fn check_both(form: &str, resource: &str, issuer: impl Fn(&Provider) -> Issuer) {
    for mode in ["plain", "nonce"] {
        let Some(provider) = Provider::start(&["ES256", mode]) else {
            return;
        };
        let server = server(issuer(&provider), mode == "nonce");
        let address = format!("http://127.0.0.1:{}", server.port);
        let arguments = [&provider.issuer(), &*address, resource, form, mode];
        check("bound.mjs", &arguments, &[("CREDENTIAL", CLIENT_SECRET)]);
    }
}

#[test]
fn a_bound_jwt_of_the_provider_is_accepted_with_its_key_only() {
    let resource = "https://api.example";
    check_both("jwt", resource, |provider| {
        Issuer::new(provider.issuer())
            .discovery()
            .allow_http_on_loopback(true)
            .access_token_profile()
            .audience(resource)
    });
}

#[test]
fn a_bound_opaque_token_of_the_provider_is_accepted_with_its_key_only() {
    check_both("opaque", OPAQUE, |provider| provider.asked(OPAQUE));
}
