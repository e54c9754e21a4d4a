//! Which manager decides, and misconfigured servers.

use actix_web::web;
use flask_pyjwt::{AuthManager, CurrentToken, RequireToken, require_token};
use serde_json::json;

use super::{
    ask, bearer, config,
    routes::{nothing, routes},
};
use support::{NOW, hs256, log, manager, site::Site};

#[actix_web::test]
async fn the_innermost_scopes_manager_decides() {
    let named = |issuer: &str, secret: u8| manager(hs256().issuer(issuer).secret([secret; 32]));
    let managers = [("outer", 1), ("inner", 2), ("innermost", 3)]
        .map(|(issuer, secret)| named(issuer, secret));
    let [outer, inner, _] = &managers;
    let tokens = managers.each_ref().map(|auth| {
        auth.auth_token("alice")
            .sign()
            .expect("minted")
            .signed()
            .to_owned()
    });
    // The same secret with another issuer, and the same issuer with another secret.
    let mixed = [named("inner", 1), named("outer", 2)].map(|auth| {
        auth.auth_token("alice")
            .sign()
            .expect("minted")
            .signed()
            .to_owned()
    });

    async fn minter(auth: AuthManager, token: CurrentToken) -> String {
        format!("{} {}", auth.issuer(), token.iss())
    }
    #[require_token]
    async fn guarded(auth: AuthManager, token: CurrentToken) -> String {
        format!("{} {}", auth.issuer(), token.iss())
    }
    fn both() -> [actix_web::Resource; 2] {
        let attribute = web::resource("/attribute").route(web::get().to(guarded));
        let wrapped = web::resource("/wrapped").route(web::get().to(minter));
        [attribute, wrapped]
    }

    for as_data in [false, true] {
        let site = Site::new(|app| {
            let mut scopes = managers.each_ref().map(|auth| {
                let scope = web::scope(&format!("/{}", auth.issuer()));
                if as_data {
                    scope.app_data(web::Data::new(auth.clone()))
                } else {
                    scope.app_data(auth.clone())
                }
            });
            for scope in &mut scopes {
                let [attribute, _] = both();
                let own = std::mem::replace(scope, web::scope("")).service(attribute);
                let [_, wrapped] = both();
                *scope = own.service(wrapped.wrap(RequireToken::auth()));
            }
            let [outer, inner, innermost] = scopes;
            app.service(outer.service(inner.service(innermost)));
        })
        .await;
        let paths = ["/outer", "/outer/inner", "/outer/inner/innermost"];
        for (place, path) in paths.into_iter().enumerate() {
            let own = managers[place].issuer();
            for kind in ["attribute", "wrapped"] {
                let path = format!("{path}/{kind}");
                for (number, token) in tokens.iter().chain(&mixed).enumerate() {
                    let reply = site.get(&path, token).await;
                    if number == place {
                        assert_eq!(
                            (reply.outcome(), reply.text()),
                            ((200, ""), &*format!("{own} {own}"))
                        );
                    } else {
                        let reason = reply.field("x-reason").to_owned();
                        assert!(
                            ["token_signature", "token_issuer"].contains(&&*reason),
                            "{reason}"
                        );
                        reply.is_refused(401, "invalid_token", &reason, &path);
                        let realm = format!("Bearer realm=\"{own}\"");
                        assert!(
                            reply.field("www-authenticate").starts_with(&realm),
                            "{path}"
                        );
                    }
                }
            }
        }
    }
    // A guard around a scope uses the scope's own manager.
    let site = Site::new(|app| {
        let scope = web::scope("/inner")
            .app_data(inner.clone())
            .wrap(RequireToken::auth());
        let [attribute, wrapped] = both();
        app.app_data(outer.clone())
            .service(scope.service(attribute).service(wrapped));
    })
    .await;
    let reply = site.get("/inner/wrapped", &tokens[1]).await;
    assert_eq!((reply.outcome(), reply.text()), ((200, ""), "inner inner"));
    let reply = site.get("/inner/wrapped", &tokens[0]).await;
    reply.is_refused(401, "invalid_token", "token_signature", "the outer one's");
}

#[actix_web::test]
async fn one_manager_registered_twice_works_and_two_managers_are_a_500() {
    let auth = manager(config());
    let good = bearer(json!({"role": "editor", "scope": {"admin": true}}));
    let site = Site::new(|app| {
        routes(
            app.app_data(auth.clone())
                .app_data(web::Data::new(auth.clone())),
        );
    })
    .await;
    assert_eq!(ask(&site, "/plain", &good).await.outcome(), (200, ""));

    let other = manager(config());
    let site = Site::new(|app| {
        routes(app.app_data(auth.clone()).app_data(web::Data::new(other)));
    })
    .await;
    for path in ["/plain", "/wrapped/plain"] {
        for fields in [vec![], good.clone()] {
            is_a_mistake(&site, path, &fields, "several_managers", "web::Data").await;
        }
    }
}

#[actix_web::test]
async fn without_a_manager_every_guard_fails_closed() {
    let site = Site::new(routes).await;
    let good = bearer(json!({"role": "editor", "scope": {"admin": true}}));
    for path in [
        "/plain",
        "/wrapped/plain",
        "/perhaps",
        "/wrapped/perhaps",
        "/cookie",
    ] {
        for fields in [vec![], good.clone()] {
            is_a_mistake(
                &site,
                path,
                &fields,
                "missing_manager",
                ".app_data(auth.clone())",
            )
            .await;
        }
    }
    is_a_mistake(&site, "/unguarded", &good, "unguarded", "#[require_token]").await;
}

/// Asserts a 500 that shows the client nothing, and one logged error that says what to do.
async fn is_a_mistake(
    site: &Site,
    path: &str,
    fields: &[(&'static str, String)],
    reason: &str,
    expected_text: &str,
) {
    let log = log::capture();
    let reply = ask(site, path, fields).await;
    let what = format!("{path} {reply:?}");
    assert_eq!(reply.status, 500, "{what}");
    let body = json!({"error": "server_error", "error_description": "The server is misconfigured"});
    assert_eq!(reply.json(), body, "{what}");
    assert_eq!(reply.field("www-authenticate"), "", "{what}");
    assert_eq!(reply.field("cache-control"), "no-store", "{what}");
    let lines = log.take();
    assert_eq!(lines.len(), 1, "{what}: {lines:?}");
    assert_eq!(lines[0].reason.as_deref(), Some(reason), "{what}");
    assert_eq!(lines[0].level, "ERROR", "{what}");
    assert!(lines[0].text.contains(expected_text), "{what}: {lines:?}");
}

#[require_token(sub = path("nmae"))]
async fn unknown_variable(_name: web::Path<String>) -> &'static str {
    "in"
}

#[require_token(role = "nmae")]
async fn nearly_a_variable(_name: web::Path<String>) -> &'static str {
    "in"
}

#[require_token(sub = path("nmae"), override = {"admin": true})]
async fn overridden(_name: web::Path<String>) -> &'static str {
    "in"
}

#[actix_web::test]
async fn a_misconfigured_route_is_500_for_every_valid_token_and_logs_the_reason() {
    let auth = manager(config());
    let site = Site::new(|app| {
        let wrapped = RequireToken::auth().claim_from_path("role", "nmae");
        app.app_data(auth)
            .route("/unknown/{name}", web::get().to(unknown_variable))
            .route("/nearly/{name}", web::get().to(nearly_a_variable))
            .route("/overridden/{name}", web::get().to(overridden))
            .service(web::resource("/wrapped/{name}").wrap(wrapped).to(nothing));
    })
    .await;
    for path in ["/unknown/x", "/nearly/nmae", "/overridden/x", "/wrapped/x"] {
        for changes in [
            json!({}),
            json!({"admin": true}),
            json!({"role": "nmae", "sub": "nmae"}),
            json!({"role": "x", "sub": "x"}),
        ] {
            is_a_mistake(&site, path, &bearer(changes), "route_mistake", "nmae").await;
        }
        for fields in [vec![], bearer(json!({"exp": NOW}))] {
            assert_eq!(ask(&site, path, &fields).await.status, 401, "{path}");
        }
    }
}
