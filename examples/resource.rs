//! Tokens of another issuer: a server that fetches the keys of `examples/issuer.rs` and mints nothing.
//!
//! ```text
//! ISSUER_URL=http://127.0.0.1:8081 PORT=8082 cargo run --example resource
//! ```
//!
//! Start the issuer first. It prints the `curl` line for this server, which answers 200 and names the key.

use actix_web::{App, HttpResponse, HttpServer, Responder, get, web};
use flask_pyjwt::{AuthManager, Config, CurrentToken, Issuer, require_token};
use serde_json::json;

/// Requires a token with the scope `read`.
#[require_token(scope = contains("read"))]
#[get("/protected")]
async fn protected(token: CurrentToken) -> impl Responder {
    web::Json(json!({ "sub": token.sub(), "iss": token.iss(), "kid": token.header()["kid"] }))
}

/// Tells a load balancer whether the keys of the issuer are known.
#[get("/ready")]
async fn ready(auth: AuthManager) -> impl Responder {
    let sources = auth.key_sources();
    let mut answer = if sources.iter().all(flask_pyjwt::KeySourceState::is_usable) {
        HttpResponse::Ok()
    } else {
        HttpResponse::ServiceUnavailable()
    };
    let told = sources.iter().map(|source| {
        json!({
            "issuer": source.issuer(),
            "keys": source.key_ids(),
            "fetched_at": source.fetched_at().map(time::OffsetDateTime::unix_timestamp),
            "error": source.error(),
        })
    });
    answer.json(told.collect::<Vec<_>>())
}

fn routes(app: &mut web::ServiceConfig) {
    app.service(protected).service(ready);
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt().with_target(false).init();
    let port: u16 = std::env::var("PORT").map_or(Ok(8082), |port| port.parse())?;
    let issuer_url = std::env::var("ISSUER_URL").unwrap_or("http://127.0.0.1:8081".to_owned());

    let issuer = Issuer::new(&issuer_url)
        .discovery()
        .allow_http_on_loopback(true) // only because both run on this machine
        .audience("example-api");
    let auth = AuthManager::new(Config::for_issuers([issuer]))?;
    for source in auth.fetch_keys().await {
        if let Some(error) = source.error() {
            println!("{}: {error}; this server tries again", source.issuer());
        }
    }
    let server = HttpServer::new(move || App::new().app_data(auth.clone()).configure(routes))
        .workers(2)
        .bind(("127.0.0.1", port))
        .map_err(|error| format!("port {port}: {error}. Choose another one with `PORT=8090`"))?;
    for address in server.addrs() {
        println!("Listening on http://{address}, for tokens of {issuer_url}.");
    }
    server.run().await?;
    println!("stopped");
    Ok(())
}

#[cfg(test)]
mod tests {
    use flask_pyjwt::testing::{TestAuth, audit};

    use super::*;

    /// `audit/resource.txt` says who may enter: a change of it is a change of who may do what.
    #[actix_web::test]
    async fn every_route_refuses_what_it_has_to() {
        let auth = TestAuth::new();
        let open = ["GET /ready"];
        let report = audit(|| App::new().app_data(auth.manager()).configure(routes));
        let report = report.public(&open).await;
        report.assert_public(&open);
        assert_eq!(report.to_string(), include_str!("audit/resource.txt"));
    }
}
