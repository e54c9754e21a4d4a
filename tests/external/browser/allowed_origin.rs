//! A page of another origin that is allowed: it cannot read the cookie of the CSRF proof, and gets the proof in
//! a response.

use actix_cors::Cors;
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, HeaderName},
    web,
};
use flask_pyjwt::{
    AuthManager, CurrentToken, MemoryStore, Rejection, require_token, testing::SystemClock,
};
use serde_json::json;

use super::{
    cross_site::{elsewhere, origins},
    page::{CSRF, Page, with_page},
};
use support::{hs256, manager, wire::Server};

async fn login(auth: AuthManager, request: HttpRequest) -> Result<HttpResponse, Rejection> {
    auth.check_origin(&request)?;
    let mut answer = HttpResponse::NoContent();
    auth.set_cookies(&mut answer, &auth.login("alice").await?)?;
    Ok(answer.finish())
}

#[require_token("auth", "cookies")]
async fn csrf(auth: AuthManager, token: CurrentToken) -> Result<HttpResponse, Rejection> {
    let proof = auth.csrf_proof(&token)?;
    let mut answer = HttpResponse::Ok();
    Ok(answer
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(proof))
}

#[require_token("auth", "cookies")]
async fn note() -> &'static str {
    "kept"
}

/// An API whose pages are all on another origin.
fn api(allowed: &str) -> Server {
    let clock = SystemClock::default();
    let config = hs256().clock(clock).session_store(MemoryStore::default());
    let auth = manager(config.allowed_origins([allowed]));
    let allowed = allowed.to_owned();
    Server::start(move |app| {
        let cors = Cors::default()
            .allowed_origin(&allowed)
            .allowed_methods(["GET", "POST"])
            .allowed_header(HeaderName::from_static("x-csrf-token"))
            .supports_credentials();
        let routes = web::scope("")
            .wrap(cors)
            .route("/login", web::post().to(login))
            .route("/csrf", web::get().to(csrf))
            .route("/note", web::post().to(note));
        app.app_data(auth.clone()).service(routes);
    })
}

#[actix_web::test]
async fn only_an_allowed_page_can_read_the_proof_in_a_response() {
    with_page(&[], async |page: &Page| {
        let pages = elsewhere();
        let [(stranger, _), (allowed, _)] = origins(&pages);
        let api = api(&allowed);
        let api = format!("http://127.0.0.1:{}", api.port);
        for (origin, expected) in [
            (&allowed, json!([204, 200, 403, 200])),
            // Now the browser has the cookies, and another page is open.
            (
                &stranger,
                json!(["TypeError", "TypeError", "TypeError", "TypeError"]),
            ),
        ] {
            page.goto(origin).await;
            let statuses = page.run_with(USE_THE_API, api.as_str()).await;
            assert_eq!(statuses, expected, "{origin}");
        }
        assert!(page.cookie(CSRF).await.is_some());
    })
    .await;
}

const USE_THE_API: &str = "
    const api = arguments[0], credentials = 'include';
    let proof = 'none';
    const ask = async (path, options) => {
        try {
            const answer = await fetch(api + path, {credentials, ...options});
            if (path === '/csrf') proof = await answer.text();
            return answer.status;
        } catch (error) {
            return error.name;
        }
    };
    const login = await ask('/login', {method: 'POST'});
    const look = await ask('/csrf', {});
    const without = await ask('/note', {method: 'POST'});
    const note = await ask('/note', {method: 'POST', headers: {'X-CSRF-Token': proof}});
    return [login, look, without, note];";
