//! Guards in a guarded scope read tokens from where the outer guard reads them. `docs/threats.md` 31.

use actix_web::http::header::ContentType;

use super::*;

#[require_token(role = "editor")]
async fn editors(token: CurrentToken, body: web::Bytes) -> String {
    format!("{} {}", token.sub(), body.len())
}

#[require_token("refresh")]
async fn refreshed(token: CurrentToken) -> String {
    token.sub().to_owned()
}

async fn editor(auth: &AuthManager, subject: &'static str) -> TokenPair {
    let login = auth.login(subject).claim("role", "editor");
    login.await.expect("opened")
}

/// A scope that reads cookies, and in it guards without a location, and one with a location.
async fn site(auth: &AuthManager, outer: RequireToken) -> Site {
    let auth = auth.clone();
    Site::new(|app| {
        let nested = web::scope("/nested")
            .wrap(RequireToken::auth().claim("role", "editor"))
            .route("/editors", web::to(editors))
            .route("/hand", web::to(by_hand));
        app.app_data(auth)
            .service(
                web::scope("/in")
                    .wrap(outer)
                    .service(nested)
                    .route("/editors", web::to(editors))
                    .route("/header", web::to(by_header)),
            )
            .route("/out", web::to(editors));
    })
    .await
}

#[actix_web::test]
async fn handlers_in_a_guarded_scope_get_the_token_of_the_guard() {
    let auth = with(|config| config);
    let (editor, reader) = (editor(&auth, "alice").await, login(&auth, "bob").await);
    let site = site(&auth, RequireToken::auth().cookies()).await;
    for (path, pair, expected) in [
        ("/in/editors", &editor, (200, "")),
        ("/in/nested/editors", &editor, (200, "")),
        ("/in/nested/hand", &editor, (200, "")),
        ("/in/editors", &reader, (403, "claim_not_met")),
        ("/in/nested/editors", &reader, (403, "claim_not_met")),
        ("/in/header", &editor, (401, "missing_credentials")),
        // No guard is around these routes.
        ("/out", &editor, (401, "missing_credentials")),
    ] {
        let reply = site.ask(in_cookie(Method::GET, path, pair)).await;
        assert_eq!(reply.outcome(), expected, "{path}");
    }
    for path in ["/in/editors", "/in/nested/editors"] {
        // The inner guards do not look where the outer one does not.
        let request = in_cookie(Method::GET, path, &editor).insert_header(bearer(&reader));
        let reply = site.ask(request).await;
        assert_eq!((reply.status, reply.text()), (200, "alice 0"), "{path}");
        let reply = site.get(path, editor.auth.signed()).await;
        assert_eq!(reply.outcome(), (401, "missing_credentials"), "{path}");
    }
    // A guard with its own location passes on the token that it found there.
    let request = in_cookie(Method::GET, "/in/header", &editor).insert_header(bearer(&reader));
    assert_eq!(site.ask(request).await.text(), "bob");
}

#[actix_web::test]
async fn the_enclosing_guard_overrides_the_configuration() {
    let auth = with(|config| config.locations([TokenLocation::Query("t".to_owned())]));
    let editor = editor(&auth, "alice").await;
    let site = site(&auth, RequireToken::auth().locations(places())).await;
    let query = |path: &str| format!("{path}?t={}", editor.auth.signed());
    for (request, expected) in [
        (in_cookie(Method::GET, "/in/editors", &editor), 200),
        (in_cookie(Method::GET, "/in/nested/editors", &editor), 200),
        (
            TestRequest::get()
                .uri("/in/editors")
                .insert_header(bearer(&editor)),
            200,
        ),
        (
            in_cookie(Method::GET, "/in/editors", &editor).insert_header(bearer(&editor)),
            400,
        ),
        (TestRequest::get().uri(&query("/in/editors")), 401),
        (TestRequest::get().uri(&query("/out")), 200),
        (in_cookie(Method::GET, "/out", &editor), 401),
    ] {
        let reply = site.ask(request).await;
        assert_eq!(reply.status, expected, "{}", reply.text());
    }
}

#[actix_web::test]
async fn threat_31_a_disabled_csrf_check_is_not_inherited_with_the_locations() {
    let auth = with(|config| config);
    let editor = editor(&auth, "alice").await;
    let proof = auth.csrf_proof(&editor.auth).expect("made");
    let own_page = ("sec-fetch-site", "same-origin");
    let strict = site(&auth, RequireToken::auth().cookies()).await;
    let waived = site(&auth, RequireToken::auth().cookies().csrf(false)).await;
    for (site, name) in [(&strict, "strict"), (&waived, "waived")] {
        for path in ["/in/editors", "/in/nested/editors"] {
            let post = || in_cookie(Method::POST, path, &editor).insert_header(own_page);
            let reply = site.ask(post()).await;
            let expected = (403, "csrf_proof_missing");
            assert_eq!(reply.outcome(), expected, "{name} {path}");
            let reply = site
                .ask(post().insert_header(("x-csrf-token", &*proof)))
                .await;
            assert_eq!(reply.outcome(), (200, ""), "{name} {path}");
            // The proof is in the body: each guard reads it, and the handler gets the whole body.
            let form = format!("csrf_token={proof}");
            let length = form.len();
            let request = post().insert_header(ContentType::form_url_encoded());
            let reply = site.ask(request.set_payload(form)).await;
            let expected = format!("alice {length}");
            assert_eq!(
                (reply.status, reply.text()),
                (200, &*expected),
                "{name} {path}"
            );
        }
    }
}

#[actix_web::test]
async fn a_guard_for_the_other_token_type_reads_the_cookie_of_that_type() {
    let auth = with(|config| config);
    let pair = login(&auth, "alice").await;
    let site = Site::new(|app| {
        app.app_data(auth.clone()).service(
            web::scope("/in")
                .wrap(RequireToken::auth().cookies())
                .route("/renew", web::to(refreshed)),
        );
    })
    .await;
    let request = in_cookie(Method::GET, "/in/renew", &pair);
    assert_eq!(
        site.ask(request).await.outcome(),
        (401, "missing_credentials")
    );
    let both = format!(
        "__Host-auth={}; __Secure-refresh={}",
        pair.auth.signed(),
        pair.refresh.signed()
    );
    let request = TestRequest::get()
        .uri("/in/renew")
        .insert_header(("cookie", both));
    assert_eq!(site.ask(request).await.text(), "alice");
}

#[actix_web::test]
async fn locations_of_an_optional_guard_are_inherited() {
    let auth = with(|config| config);
    let editor = editor(&auth, "alice").await;
    let site = site(&auth, RequireToken::auth().cookies().optional(true)).await;
    let request = in_cookie(Method::GET, "/in/editors", &editor);
    assert_eq!(site.ask(request).await.outcome(), (200, ""));
    let request = TestRequest::get().uri("/in/editors");
    assert_eq!(
        site.ask(request).await.outcome(),
        (401, "missing_credentials")
    );
}
