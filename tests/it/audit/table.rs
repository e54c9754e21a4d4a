//! The table of who may enter, of an application in which everything is right.

use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::{App, HttpResponse, Responder, delete, get, guard, post, routes, web};
use flask_pyjwt::{
    AuthManager, CurrentToken, ExpectedClaim, RequireToken, SilentRenewal, TokenLocation,
    require_token,
    testing::{Entry, TestAuth, audit},
};
use serde_json::{Value, json};

/// How often a handler has run.
static RUNS: AtomicUsize = AtomicUsize::new(0);

async fn run() -> HttpResponse {
    RUNS.fetch_add(1, Ordering::Relaxed);
    HttpResponse::Ok().finish()
}

#[post("/login")]
async fn login(_: AuthManager) -> impl Responder {
    run().await
}

#[post("/register")]
async fn register(_: web::Json<Value>) -> impl Responder {
    run().await
}

#[require_token(sub = "username", override = {"admin": true})]
#[get("/users/{username}")]
async fn profile(_: web::Path<String>, _: CurrentToken) -> impl Responder {
    run().await
}

#[get("/news")]
#[require_token(optional)]
async fn news(_: Option<CurrentToken>) -> impl Responder {
    run().await
}

#[require_token("refresh")]
#[post("/refresh")]
async fn refresh() -> impl Responder {
    run().await
}

#[require_token(scope = all("read", "write"), role = any("editor", "owner"), team = 7)]
#[routes]
#[get("/articles/{id}")]
#[delete("/articles/{id}")]
async fn article(_: web::Path<u32>) -> impl Responder {
    run().await
}

#[require_token("auth", "cookies", acr = any("urn:example:mfa", "urn:example:hwk"), max_age = 60)]
#[post("/payments")]
async fn pay() -> impl Responder {
    run().await
}

#[require_token(fresh = true, location = ["header", "cookies"])]
#[delete(r"/accounts/{id:\d{4}}")]
async fn close(_: web::Path<u32>) -> impl Responder {
    run().await
}

#[require_token(issuer = "test", org = {"role": "owner", "level": 3})]
async fn by_function() -> impl Responder {
    run().await
}

#[require_token(scope = any("a", "b"))]
async fn inner() -> impl Responder {
    run().await
}

fn routes(app: &mut web::ServiceConfig) {
    let query = [
        TokenLocation::Header,
        TokenLocation::Query("token".to_owned()),
    ];
    let header = RequireToken::auth()
        .header("X-Token")
        .expect_claim("ban", ExpectedClaim::Absent);
    app.service((login, register, profile, news, refresh, article, pay, close))
        .route("/", web::get().to(by_function))
        .service(
            web::scope("/admin")
                .wrap(RequireToken::auth().scope(json!({"admin": true})))
                .service(web::resource("").get(run).post(run))
                .service(web::scope("/deep").route("/{tail:.*}", web::put().to(run)))
                .route("/inner", web::get().to(inner)),
        )
        .service(
            web::resource("/feed")
                .wrap(RequireToken::auth().locations(query))
                .get(run),
        )
        .service(web::resource("/proxied").wrap(header).to(run))
        .service(
            web::scope("/tenant")
                .guard(guard::Host("tenant.example.com"))
                .wrap(RequireToken::auth().claim("tenant", 7))
                .route("/x", web::get().to(run)),
        )
        .external_resource("docs", "https://docs.example.com/{page}");
}

const TABLE: &str = r#"GET     /                                    auth; org = {"level":3,"role":"owner"}; issuer = "test"
DELETE  /accounts/{id:\d{4}}                 auth; fresh = true; in header, cookies
GET     /admin                               auth; scope = {"admin":true}
POST    /admin                               auth; scope = {"admin":true}
PUT     /admin/deep/{tail:.*}                auth; scope = {"admin":true}
GET     /admin/inner                         auth; scope = {"admin":true}
DELETE  /articles/{id}                       auth; role = any("editor", "owner"), team = 7, scope = all("read", "write")
GET     /articles/{id}                       auth; role = any("editor", "owner"), team = 7, scope = all("read", "write")
GET     /feed                                auth; in header, query "token"
POST    /login                               open
GET     /news                                auth; optional
POST    /payments                            auth; acr = any("urn:example:mfa", "urn:example:hwk"); max_age = 60; in cookies
ANY     /proxied                             auth; ban = absent; in header "x-token"
POST    /refresh                             refresh
POST    /register                            open
GET     /tenant/x (host: tenant.example.com)  auth; tenant = 7
GET     /users/{username}                    auth; sub = path("username"), override = {"admin":true}
"#;

#[actix_web::test]
async fn everybody_is_told_who_may_enter_and_no_handler_runs() {
    let auth = TestAuth::new();
    let report = audit(|| App::new().app_data(auth.manager()).configure(routes))
        .variable("id", "2000")
        .await;
    report.assert_public(&["POST /login", "POST /register", "GET /news"]);
    assert_eq!(RUNS.load(Ordering::Relaxed), 0, "a handler has run");
    let squeezed = |text: &str| {
        let lines = text
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        lines.collect::<Vec<_>>()
    };
    assert_eq!(squeezed(&report.to_string()), squeezed(TABLE), "\n{report}");
    assert_eq!(
        report.external_resources(),
        ["https://docs.example.com/{page}"]
    );
    for route in report.routes() {
        let is_guarded = matches!(route.entry, Entry::Guarded(_) | Entry::Optional(_));
        assert_eq!(route.attacks > 10, is_guarded, "{route:?}");
        assert_eq!(route.unproven, None, "{route:?}");
    }
    let json = report.to_json();
    assert_eq!(json[0]["method"], "GET");
    assert_eq!(json[0]["path"], "/");
    assert_eq!(json[0]["entry"], "guarded");
    assert_eq!(json[0]["findings"], json!([]));

    // A middleware in between changes nothing.
    let again = audit(|| {
        let app = App::new().app_data(auth.manager()).configure(routes);
        app.wrap(SilentRenewal::new())
            .wrap(actix_web::middleware::Logger::default())
    });
    assert_eq!(
        again.variable("id", "2000").await.to_string(),
        report.to_string()
    );
    assert_eq!(RUNS.load(Ordering::Relaxed), 0, "a handler has run");
}

#[actix_web::test]
async fn inner_guards_are_found_if_that_is_asked_for() {
    let auth = TestAuth::new();
    let app = || {
        let inside = web::scope("/admin").wrap(RequireToken::auth().claim("admin", true));
        App::new()
            .app_data(auth.manager())
            .service(inside.route("/x", web::get().to(inner)))
    };
    assert_eq!(
        audit(app).await.to_string(),
        "GET  /admin/x  auth; admin = true\n"
    );
    let report = audit(app).look_inside(true).await;
    assert_eq!(
        report.to_string(),
        "GET  /admin/x  auth; admin = true, then auth; scope = any(\"a\", \"b\")\n"
    );
    report.assert_public(&[]);
    assert_eq!(report.routes()[0].unproven, None);
}
