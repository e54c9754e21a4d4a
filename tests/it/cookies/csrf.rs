//! `docs/threats.md` 31: browsers send cookies for any page, but only a page of this server has a CSRF proof of
//! the session.

use actix_cors::Cors;
use actix_web::{
    App, HttpRequest, HttpResponse,
    http::{Method, header::ContentType},
    test::{self, TestRequest},
    web,
};
use flask_pyjwt::{
    AuthManager, AuthType, Config, Cookies, MemoryStore, Rejection, RequireToken, TokenPair,
    require_token,
};

use super::{login, with};
use support::{config, hs256, keys, manager, site::Site};

#[require_token(location = ["header", "cookies"])]
async fn note(body: web::Bytes) -> HttpResponse {
    HttpResponse::Ok().body(body)
}

#[require_token("auth", "cookies", csrf = false)]
async fn open() -> &'static str {
    "in"
}

#[require_token("auth", "cookies", role = "editor")]
async fn editors(form: web::Form<Vec<(String, String)>>) -> String {
    form.0.len().to_string()
}

async fn echo(body: web::Bytes) -> HttpResponse {
    HttpResponse::Ok().body(body)
}

fn routes(auth: &AuthManager) -> impl FnOnce(&mut web::ServiceConfig) {
    let auth = auth.clone();
    move |app| {
        let wrapped = web::resource("/wrapped")
            .wrap(RequireToken::auth().cookies())
            .to(echo);
        app.app_data(auth)
            .route("/note", web::to(note))
            .route("/open", web::to(open))
            .route("/editors", web::to(editors))
            .service(wrapped);
    }
}

fn request(method: Method, path: &str, pair: &TokenPair) -> TestRequest {
    let cookie = format!("__Host-auth={}", pair.auth.signed());
    TestRequest::with_uri(path)
        .method(method)
        .insert_header(("cookie", cookie))
}

#[actix_web::test]
async fn unsafe_methods_need_a_proof_of_this_session() {
    let auth = with(Cookies::default());
    let (pair, other) = (login(&auth).await, login(&auth).await);
    let mallory = auth.login("mallory").await.expect("opened");
    let proof = auth.csrf_proof(&pair.auth).expect("made");
    let foreign = [
        auth.csrf_proof(&other.auth).expect("made"),
        auth.csrf_proof(&mallory.auth).expect("made"),
        auth.csrf_proof(&auth.auth_token("alice").sign().expect("minted"))
            .expect("made"),
    ];
    assert_ne!(
        auth.csrf_proof(&pair.refresh).expect("made"),
        proof,
        "each is another"
    );
    let site = Site::new(routes(&auth)).await;
    for path in ["/note", "/wrapped"] {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE] {
            let reply = site.ask(request(method, path, &pair)).await;
            assert_eq!(reply.outcome(), (200, ""), "{path}");
        }
        let unknown = Method::from_bytes(b"PURGE").expect("a method");
        for method in [
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
            unknown,
        ] {
            let ask = async |proofs: &[&str]| {
                let mut request = request(method.clone(), path, &pair);
                for proof in proofs {
                    request = request.append_header(("x-csrf-token", *proof));
                }
                site.ask(request).await
            };
            assert_eq!(ask(&[&proof]).await.outcome(), (200, ""), "{method} {path}");
            let none = ask(&[]).await;
            none.is_refused(403, "csrf_failed", "csrf_proof_missing", path);
            let (random, mac) = proof.split_once('.').expect("two parts");
            let mut wrong = vec![
                String::new(),
                ".".to_owned(),
                random.to_owned(),
                format!("{random}."),
                format!("A{}.{mac}", &random[1..]),
                format!("{random}.{}", &mac[..mac.len() - 1]),
                format!("{random}.{}", "A".repeat(mac.len())),
                format!("{random}.{mac}.{mac}"),
                format!("{proof} "),
                "x".repeat(10_000),
                pair.auth.session_id().expect("of a session").to_owned(),
            ];
            wrong.extend(foreign.clone());
            wrong.retain(|wrong| wrong.trim() != proof);
            for wrong in &wrong {
                let reply = ask(&[wrong]).await;
                reply.is_refused(
                    403,
                    "csrf_failed",
                    "csrf_proof_wrong",
                    &format!("{wrong:.90}"),
                );
            }
            let twice = ask(&[&proof, &proof]).await;
            twice.is_refused(403, "csrf_failed", "csrf_proof_wrong", "twice");
        }
    }
    let reply = site.ask(request(Method::POST, "/open", &pair)).await;
    assert_eq!(reply.outcome(), (200, ""), "csrf = false");
    // Browsers do not send this header by themselves.
    let bearer = ("authorization", format!("Bearer {}", pair.auth.signed()));
    let reply = site
        .ask(TestRequest::post().uri("/note").insert_header(bearer))
        .await;
    assert_eq!(reply.outcome(), (200, ""));
}

#[actix_web::test]
async fn a_page_of_another_site_is_refused_even_with_a_valid_proof() {
    let auth = with(Cookies::default());
    let auth_with_app = manager(
        hs256()
            .session_store(MemoryStore::default())
            .allowed_origins(["https://app.example"]),
    );
    for (auth, app_is_in) in [(auth, false), (auth_with_app, true)] {
        let pair = login(&auth).await;
        let proof = auth.csrf_proof(&pair.auth).expect("made");
        let site = Site::new(routes(&auth)).await;
        for (site_field, origin, is_in) in [
            ("same-origin", "https://shop.example", true),
            ("none", "", true),
            ("", "https://shop.example", true),
            ("", "", true),
            ("cross-site", "https://app.example", app_is_in),
            ("same-site", "https://app.example", app_is_in),
            ("", "https://app.example", app_is_in),
            ("cross-site", "https://evil.example", false),
            ("same-site", "https://blog.shop.example", false),
            ("", "https://evil.example", false),
            ("", "null", false),
            ("cross-site", "", false),
        ] {
            let mut request = request(Method::POST, "/note", &pair)
                .insert_header(("host", "shop.example"))
                .insert_header(("x-csrf-token", proof.as_str()));
            for (name, value) in [("sec-fetch-site", site_field), ("origin", origin)] {
                if !value.is_empty() {
                    request = request.insert_header((name, value));
                }
            }
            let reply = site.ask(request).await;
            let what = format!("{site_field} {origin}");
            if is_in {
                assert_eq!(reply.outcome(), (200, ""), "{what}");
            } else {
                reply.is_refused(403, "csrf_failed", "cross_site", &what);
            }
        }
    }
}

/// A program, or a browser that hides the page's origin: the proof is sufficient.
#[actix_web::test]
async fn the_proof_alone_decides_for_requests_without_an_origin() {
    async fn log_in(auth: AuthManager, request: HttpRequest) -> Result<&'static str, Rejection> {
        auth.check_origin(&request)?;
        Ok("in")
    }
    let auth = with(Cookies::default());
    let (pair, other) = (login(&auth).await, login(&auth).await);
    let own = auth.csrf_proof(&pair.auth).expect("made");
    let foreign = auth.csrf_proof(&other.auth).expect("made");
    let site = Site::new(|app| {
        routes(&auth)(app);
        app.route("/log_in", web::post().to(log_in));
    })
    .await;
    for (proof, expected) in [
        (own.as_str(), (200, "")),
        (foreign.as_str(), (403, "csrf_proof_wrong")),
        ("", (403, "csrf_proof_missing")),
    ] {
        for path in ["/note", "/wrapped"] {
            let mut request = request(Method::POST, path, &pair);
            if !proof.is_empty() {
                request = request.insert_header(("x-csrf-token", proof));
            }
            assert_eq!(site.ask(request).await.outcome(), expected, "{path}");
        }
    }
    // Before a login there is nothing to prove.
    let reply = site.ask(TestRequest::post().uri("/log_in")).await;
    assert_eq!(reply.status, 200);
    for (name, value) in [
        ("origin", "null"),
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let request = TestRequest::post().uri("/log_in");
        let reply = site.ask(request.insert_header((name, value))).await;
        assert_eq!(reply.status, 403, "{name}: {value}");
    }
}

#[actix_web::test]
async fn a_form_field_is_accepted_as_proof_and_the_handler_gets_the_whole_form() {
    let auth = with(Cookies::default());
    let pair = login(&auth).await;
    let proof = auth.csrf_proof(&pair.auth).expect("made");
    let other = login(&auth).await;
    let foreign = auth.csrf_proof(&other.auth).expect("made");
    let site = Site::new(routes(&auth)).await;
    let post = async |path: &str, form: &str| {
        let request = request(Method::POST, path, &pair)
            .insert_header(ContentType::form_url_encoded())
            .set_payload(form.to_owned());
        site.ask(request).await
    };
    for path in ["/note", "/wrapped"] {
        let form = format!("text=hello+there&csrf_token={proof}&more=%26");
        let reply = post(path, &form).await;
        assert_eq!((reply.outcome(), reply.text()), ((200, ""), form.as_str()));
        for (form, reason) in [
            ("text=hello", "csrf_proof_missing"),
            ("", "csrf_proof_missing"),
            ("csrf_token=", "csrf_proof_wrong"),
            (&format!("csrf_token={foreign}"), "csrf_proof_wrong"),
            (
                &format!("csrf_token={proof}&csrf_token={proof}"),
                "csrf_proof_wrong",
            ),
            (
                &format!("a={}&csrf_token={proof}", "x".repeat(300_000)),
                "csrf_proof_missing",
            ),
        ] {
            let reply = post(path, form).await;
            reply.is_refused(403, "csrf_failed", reason, &format!("{form:.60}"));
        }
    }
    // Claims are checked before the body is read.
    let reply = post("/editors", &format!("csrf_token={proof}")).await;
    reply.is_refused(403, "insufficient_scope", "claim_not_met", "an editor");
    // A body of another type is not searched for a proof.
    let request = request(Method::POST, "/note", &pair)
        .insert_header(ContentType::json())
        .set_payload(format!("csrf_token={proof}"));
    let reply = site.ask(request).await;
    reply.is_refused(403, "csrf_failed", "csrf_proof_missing", "JSON");
}

#[actix_web::test]
async fn a_server_that_only_verifies_needs_a_secret_for_csrf_proofs() {
    let private = keys::secret(AuthType::EdDSA);
    let public = keys::public(AuthType::EdDSA).expect("it has one");
    let issuer = manager(config(AuthType::EdDSA, &private));
    let token = issuer.auth_token("alice").sign().expect("minted");
    let proof = issuer
        .csrf_proof(&token)
        .expect("derived from the private key");
    let secret = "a secret of 32 bytes for all proofs";
    let verify_only = || {
        Config::verify_only(support::ISSUER, AuthType::EdDSA, &public).clock(
            flask_pyjwt::testing::FrozenClock::new(super::at(super::NOW)),
        )
    };
    let shared = manager(config(AuthType::EdDSA, &private).csrf_secret(secret));
    let shared = shared.csrf_proof(&token).expect("made");
    for (config, proof, expected) in [
        (verify_only(), &proof, 500),
        (verify_only().csrf_secret(secret), &proof, 403),
        (verify_only().csrf_secret(secret), &shared, 200),
    ] {
        let site = Site::new(routes(&manager(config))).await;
        let cookie = format!("__Host-auth={}", token.signed());
        let request = TestRequest::post()
            .uri("/note")
            .insert_header(("cookie", cookie))
            .insert_header(("x-csrf-token", proof.as_str()));
        assert_eq!(site.ask(request).await.status, expected);
    }
}

#[actix_web::test]
async fn cors_middleware_adds_its_fields_to_refusals() {
    let auth = manager(
        hs256()
            .session_store(MemoryStore::default())
            .allowed_origins(["https://app.example"]),
    );
    let cors = Cors::default()
        .allowed_origin("https://app.example")
        .allow_any_method()
        .allow_any_header()
        .supports_credentials();
    let app = App::new().configure(routes(&auth)).wrap(cors);
    let app = test::init_service(app).await;
    let preflight = TestRequest::default()
        .method(Method::OPTIONS)
        .uri("/note")
        .insert_header(("origin", "https://app.example"))
        .insert_header(("access-control-request-method", "POST"))
        .insert_header(("access-control-request-headers", "x-csrf-token"));
    let answer = test::call_service(&app, preflight.to_request()).await;
    assert_eq!(answer.status(), 200);
    assert!(
        answer
            .headers()
            .contains_key("access-control-allow-headers")
    );
    let pair = login(&auth).await;
    for path in ["/note", "/wrapped"] {
        for request in [
            TestRequest::post().uri(path),
            request(Method::POST, path, &pair),
        ] {
            let request = request.insert_header(("origin", "https://app.example"));
            let answer = test::call_service(&app, request.to_request()).await;
            assert!([401, 403].contains(&answer.status().as_u16()), "{path}");
            let allowed = answer.headers().get("access-control-allow-origin");
            assert_eq!(allowed.expect("kept"), "https://app.example", "{path}");
        }
    }
}
