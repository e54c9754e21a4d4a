//! Planted mistakes: each is found.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use actix_web::{
    App, HttpResponse, Responder, get, guard,
    http::Method,
    middleware::{Next, from_fn},
    post, web,
};
use flask_pyjwt::{
    CurrentToken, RequireToken, require_token,
    testing::{TestAuth, audit},
};

use super::failure;

async fn ok() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token]
async fn guarded() -> impl Responder {
    HttpResponse::Ok()
}

#[require_token]
#[get("/me")]
async fn me() -> impl Responder {
    HttpResponse::Ok()
}

#[post("/me")]
async fn change_me() -> impl Responder {
    HttpResponse::Ok()
}

#[require_token(optional)]
#[get("/secret")]
async fn secret() -> impl Responder {
    HttpResponse::Ok()
}

/// The handler asks for the token, and nobody has checked it.
#[get("/unchecked")]
async fn unchecked(token: CurrentToken) -> impl Responder {
    token.sub().to_owned()
}

type Routes = fn(&mut web::ServiceConfig);

/// Everything that the audit says about an application.
async fn findings(routes: Routes, public: &[&str]) -> String {
    let auth = TestAuth::new();
    let report = audit(|| App::new().app_data(auth.manager()).configure(routes)).await;
    failure(&report, public)
}

#[actix_web::test]
async fn each_open_route_is_found() {
    let cases: [(&str, Routes); 14] = [
        ("GET /x", |app| {
            app.route("/x", web::get().to(ok));
        }),
        ("DELETE /a/b/x", |app| {
            let inner = web::scope("/b").route("/x", web::delete().to(ok));
            app.service(
                web::scope("/a")
                    .service(inner)
                    .route("/y", web::get().to(guarded)),
            );
        }),
        ("POST /me", |app| {
            app.service(me).service(change_me);
        }),
        ("HEAD /x", |app| {
            let x = web::resource("/x")
                .route(web::get().to(guarded))
                .route(web::head().to(ok));
            app.service(x);
        }),
        ("PATCH /x", |app| {
            app.service(web::resource("/x").get(guarded).patch(ok));
        }),
        // The guard is around the scope beside it.
        ("GET /admin/x", |app| {
            app.service(
                web::scope("/admins")
                    .wrap(RequireToken::auth())
                    .route("/x", web::get().to(ok)),
            )
            .service(web::scope("/admin").route("/x", web::get().to(ok)));
        }),
        // The first resource answers, and the guarded one is never reached.
        ("GET /x", |app| {
            app.service(web::resource("/x").get(ok))
                .service(web::resource("/x").wrap(RequireToken::auth()).post(ok));
        }),
        ("ANY /x/{id}", |app| {
            app.service(web::resource("/x/{id}").to(ok))
                .service(web::resource("/x/me").get(guarded));
        }),
        ("GET /secret", |app| {
            app.service(secret);
        }),
        ("GET /*", |app| {
            app.service(me).default_service(web::to(ok));
        }),
        ("GET /a/*", |app| {
            let a = web::scope("/a").default_service(web::to(ok));
            app.service(a.route("/x", web::get().to(guarded)));
        }),
        ("ANY /x", |app| {
            app.service(
                web::resource("/x")
                    .route(web::get().to(guarded))
                    .route(web::to(ok)),
            );
        }),
        ("GET /x (host: admin.example.com)", |app| {
            let host = guard::Host("admin.example.com");
            app.service(web::resource("/x").guard(host).get(ok))
                .service(web::resource("/x").get(guarded));
        }),
        ("GET /x", |app| {
            app.route(
                "/x",
                web::route().method(Method::GET).to(|_: web::Bytes| ok()),
            );
        }),
    ];
    for (number, (route, routes)) in cases.into_iter().enumerate() {
        let text = findings(routes, &[]).await;
        let wanted = format!("- {route} is open by mistake");
        assert!(
            text.contains(&wanted),
            "{number}: {wanted} is not in\n{text}"
        );
    }
}

#[actix_web::test]
async fn a_route_that_another_one_shadows_is_found() {
    let cases: [(&str, Routes); 3] = [
        ("POST /x", |app| {
            app.service(web::resource("/x").get(guarded))
                .service(web::resource("/x").wrap(RequireToken::auth()).post(ok));
        }),
        ("GET /users/me", |app| {
            app.service(web::resource("/users/{id}").post(guarded))
                .service(web::resource("/users/me").get(guarded));
        }),
        ("GET /a/x", |app| {
            app.service(web::scope("/a").route("/y", web::get().to(guarded)))
                .service(web::resource("/a/x").get(guarded));
        }),
    ];
    for (route, routes) in cases {
        let text = findings(routes, &[]).await;
        assert!(
            text.contains(&format!("- {route} is never reached: ")),
            "{route}\n{text}"
        );
    }
}

#[actix_web::test]
async fn a_list_that_does_not_fit_is_found() {
    let routes: Routes = |app| {
        app.service(me).route("/health", web::get().to(ok));
    };
    let text = findings(routes, &["GET /health", "GET /me", "GET /gone"]).await;
    assert!(
        text.contains("- GET /me is not public: it requires auth"),
        "{text}"
    );
    assert!(
        text.contains("- GET /gone is no route of the application"),
        "{text}"
    );
    assert!(!text.contains("/health is"), "{text}");
}

#[actix_web::test]
async fn a_handler_that_takes_a_token_without_a_guard_is_found() {
    let text = findings(
        |app| {
            app.service(unchecked);
        },
        &[],
    )
    .await;
    assert!(
        text.contains("- GET /unchecked is open by mistake"),
        "{text}"
    );
}

#[actix_web::test]
async fn a_path_without_a_known_value_is_found() {
    let routes: Routes = |app| {
        app.route(r"/x/{id:[a-z]{3}[äöü]}", web::get().to(guarded));
    };
    let text = findings(routes, &[]).await;
    assert!(text.contains("`.variable(\"id\", …)`"), "{text}");
}

#[actix_web::test]
async fn declared_routes_are_asked_by_options_only() {
    let runs = Arc::new(AtomicUsize::new(0));
    let auth = TestAuth::new();
    let app = || {
        let runs = Arc::clone(&runs);
        let count = move || {
            runs.fetch_add(1, Ordering::Relaxed);
            ok()
        };
        App::new()
            .app_data(auth.manager())
            .route("/count", web::post().to(count))
    };
    let report = audit(app).public(&["POST /count"]).await;
    report.assert_public(&["POST /count"]);
    assert_eq!(runs.load(Ordering::Relaxed), 0);
    assert_eq!(report.to_string(), "POST  /count  open\n");
    let text = failure(&report, &[]);
    assert!(text.contains("- POST /count is declared"), "{text}");

    // What is not declared gets one request.
    let report = audit(app).await;
    assert_eq!(runs.load(Ordering::Relaxed), 1);
    assert!(failure(&report, &[]).contains("- POST /count is open by mistake"));
}

/// A middleware that lets in whoever says so.
async fn back_door(
    request: actix_web::dev::ServiceRequest,
    next: Next<actix_web::body::BoxBody>,
) -> Result<actix_web::dev::ServiceResponse, actix_web::Error> {
    let says = request
        .headers()
        .get("authorization")
        .and_then(|it| it.to_str().ok());
    if says.is_some_and(|it| it.ends_with("garbage")) {
        return Ok(request.into_response(HttpResponse::Ok().body("welcome")));
    }
    next.call(request).await
}

#[actix_web::test]
async fn a_middleware_that_answers_before_the_guard_is_found() {
    let auth = TestAuth::new();
    let app = || {
        App::new()
            .app_data(auth.manager())
            .service(me)
            .wrap(from_fn(back_door))
    };
    let text = failure(&audit(app).await, &[]);
    let wanted = "- GET /me does not refuse a request no token: 200\n  curl -i -H 'authorization: Bearer garbage' 'http://localhost:8080/me'";
    assert!(text.contains(wanted), "{text}");
}

/// Answers that tell less than they seem to.
#[actix_web::test]
async fn handlers_that_answer_404_or_are_selected_by_a_guard_of_the_application_are_found() {
    let cases: [(&str, Routes); 5] = [
        // The handler itself answers 404.
        ("GET /users/{id}", |app| {
            let none = || async { HttpResponse::NotFound().body("no such user") };
            app.route("/users/{id}", web::get().to(none));
        }),
        ("ANY /x", |app| {
            let none = || async { HttpResponse::NotFound().finish() };
            app.service(
                web::resource("/x")
                    .route(web::get().to(guarded))
                    .route(web::to(none)),
            );
        }),
        // actix-web's list does not have the method.
        ("POST /x", |app| {
            let is_post = guard::fn_guard(|context| context.head().method == Method::POST);
            let open = web::route().guard(is_post).to(ok);
            app.service(
                web::resource("/x")
                    .route(web::get().to(guarded))
                    .route(open),
            );
        }),
        // A default service behind a guard that lets everybody in.
        ("GET /a/*", |app| {
            let guard = RequireToken::auth().optional(true);
            let a = web::scope("/a").wrap(guard).default_service(web::to(ok));
            app.service(a);
        }),
        ("GET /*", |app| {
            app.service(me).default_service(web::to(secret_function));
        }),
    ];
    for (route, routes) in cases {
        let text = findings(routes, &[]).await;
        assert!(
            text.contains(&format!("- {route} is open by mistake")),
            "{route}\n{text}"
        );
    }
}

#[require_token(optional)]
async fn secret_function() -> impl Responder {
    HttpResponse::Ok()
}

/// A guard that is not ours, as many applications have one.
async fn by_key(
    request: actix_web::dev::ServiceRequest,
    next: Next<actix_web::body::BoxBody>,
) -> Result<actix_web::dev::ServiceResponse, actix_web::Error> {
    if request.headers().contains_key("x-api-key") {
        return next.call(request).await;
    }
    Ok(request.into_response(HttpResponse::Unauthorized().finish()))
}

#[actix_web::test]
async fn what_another_guard_refuses_is_not_open() {
    let auth = TestAuth::new();
    let app = || {
        let scope = web::scope("/keys")
            .wrap(from_fn(by_key))
            .route("/x", web::get().to(ok));
        App::new()
            .app_data(auth.manager())
            .service(scope)
            .service(me)
    };
    let report = audit(app).await;
    report.assert_public(&[]);
    assert!(
        report.to_string().contains("refused by another guard: 401"),
        "{report}"
    );
    let text = failure(&audit(app).header("x-api-key", "1").await, &[]);
    assert!(text.contains("- GET /keys/x is open by mistake"), "{text}");
}

#[actix_web::test]
async fn a_refusal_may_be_a_redirect() {
    let config = flask_pyjwt::Config::new("service", flask_pyjwt::AuthType::HS256, [7; 32]);
    let auth = TestAuth::around(config.on_rejection(|_, _, _| {
        HttpResponse::SeeOther()
            .insert_header(("location", "/login"))
            .finish()
    }));
    audit(|| App::new().app_data(auth.manager()).service(me))
        .await
        .assert_public(&[]);
}

#[require_token(scope = contains("admin"))]
async fn strict() -> impl Responder {
    HttpResponse::Ok()
}

/// A handler for all other methods has a row of its own, and is attacked by its own rules.
#[actix_web::test]
async fn a_weaker_guard_for_other_methods_is_seen() {
    let auth = TestAuth::new();
    let app = || {
        let weaker = web::resource("/x")
            .route(web::get().to(strict))
            .route(web::to(guarded));
        let around = web::resource("/y")
            .wrap(RequireToken::auth())
            .get(ok)
            .post(ok);
        App::new()
            .app_data(auth.manager())
            .service(weaker)
            .service(around)
    };
    let report = audit(app).await;
    report.assert_public(&[]);
    assert_eq!(
        report.to_string(),
        "ANY   /x  auth\nGET   /x  auth; scope = contains(\"admin\")\nGET   /y  auth\nPOST  /y  auth\n"
    );
}
