//! Routes for several issuers, by a list or by a label.

use actix_web::{HttpResponse, get, web};
use flask_pyjwt::{AuthManager, AuthType, Issuer, Key, RequireToken, require_token};
use serde_json::json;

use super::{OTHER, THIRD, forge, keys, other, public, third, token};
use support::{claims_with, hs256, manager, site::Site};

const SHOPS: &str = "https://{shop}.example/admin";

#[require_token(issuer = "partners")]
#[get("/partners")]
async fn of_partners() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(issuer = ["https://issuer.example", "https://third.example"])]
#[get("/two")]
async fn of_two() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(issuer = ["partners", "https://issuer.example"])]
#[get("/mixed")]
async fn of_mixed() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[require_token(issuer = ["https://other.example", "strangers"])]
#[get("/mistake")]
async fn of_nobody() -> HttpResponse {
    HttpResponse::Ok().finish()
}

fn shops() -> Issuer {
    Issuer::template(SHOPS)
        .key(Key::verify_only(AuthType::ES256, public(AuthType::ES256)).id("e"))
        .audience("api")
}

fn of_third() -> String {
    let claims = claims_with(json!({ "iss": THIRD, "aud": "api" }));
    forge(
        r#"{"alg":"EdDSA","typ":"JWT"}"#,
        claims,
        &keys::key(AuthType::EdDSA),
    )
}

#[actix_web::test]
async fn a_route_accepts_the_issuers_of_its_list_and_of_its_label() {
    let auth = manager(
        hs256()
            .trust(other().named("partners"))
            .trust(shops().named("partners"))
            .trust(third()),
    );
    let own = auth.auth_token("alice").sign().expect("minted");
    let guarded = |path: &str, guard: RequireToken| {
        web::scope(path)
            .wrap(guard)
            .route("", web::get().to(HttpResponse::Ok))
    };
    let none: [&str; 0] = [];
    let site = Site::new(|app| {
        let any = RequireToken::auth;
        app.app_data(auth)
            .service(of_partners)
            .service(of_two)
            .service(of_mixed)
            .service(of_nobody)
            .service(guarded("/shops", any().issuer(SHOPS)))
            .service(guarded("/shop", any().issuer("https://one.example/admin")))
            .service(guarded("/list", any().issuer([OTHER, THIRD])))
            .service(guarded("/vec", any().issuer(vec![OTHER.to_owned()])))
            .service(guarded("/none", any().issuer(none)))
            .service(guarded("/empty", any().issuer("")))
            .service(guarded("/case", any().issuer("Partners")));
    })
    .await;
    let (one, two) = (
        token(json!({ "iss": "https://one.example/admin" })),
        token(json!({ "iss": "https://two.example/admin" })),
    );
    let (other, third) = (token(json!({})), of_third());
    let tokens = [own.signed(), &other, &third, &one, &two];
    let (yes, no, mistake) = ((200, ""), (401, "token_issuer"), (500, "route_mistake"));
    for (path, expected) in [
        ("/partners", [no, yes, no, yes, yes]),
        ("/two", [yes, no, yes, no, no]),
        ("/mixed", [yes, yes, no, yes, yes]),
        ("/mistake", [mistake; 5]),
        ("/shops", [no, no, no, yes, yes]),
        ("/shop", [no, no, no, yes, no]),
        ("/list", [no, yes, yes, no, no]),
        ("/vec", [no, yes, no, no, no]),
        ("/none", [mistake; 5]),
        ("/empty", [mistake; 5]),
        ("/case", [mistake; 5]),
    ] {
        for (number, (token, expected)) in tokens.iter().zip(expected).enumerate() {
            let reply = site.get(path, token).await;
            assert_eq!(reply.outcome(), expected, "{path} {number}");
        }
    }
}

#[test]
fn a_label_that_could_be_an_issuer_is_refused_at_startup() {
    let short = |name: &str| {
        Issuer::new(name)
            .key(Key::verify_only(AuthType::ES256, public(AuthType::ES256)))
            .audience("api")
    };
    for (config, reason) in [
        (hs256().trust(other().named("")), "consists of letters"),
        (
            hs256().trust(other().named("https://x.example")),
            "consists of letters",
        ),
        (
            hs256().trust(other().named("accounts.google.com")),
            "consists of letters",
        ),
        (
            hs256().trust(other().named("{shop}")),
            "consists of letters",
        ),
        (hs256().trust(other().named("a b")), "consists of letters"),
        (
            hs256().trust(other().named("p\u{e4}rtner")),
            "consists of letters",
        ),
        (
            hs256().issuer("mine").trust(other().named("mine")),
            "also an issuer",
        ),
        (
            hs256().trust(other().named("bank")).trust(short("bank")),
            "also an issuer",
        ),
        (hs256().trust(short("bank").named("bank")), "also an issuer"),
        (
            hs256().trust(other().named("bank-7")).trust(
                Issuer::template("bank-{number}")
                    .key(Key::verify_only(AuthType::ES256, public(AuthType::ES256)))
                    .audience("api"),
            ),
            "also an issuer",
        ),
    ] {
        let error = AuthManager::new(config).expect_err(reason);
        assert!(error.to_string().contains(reason), "{error}");
    }
    assert!(AuthManager::new(hs256().trust(other().named("bank"))).is_ok());
}
