//! Tokens that are bound to a key of the client, and the proofs of it (RFC 9449). `docs/threats.md` 34 and 63.

mod addresses;
mod attacks;
mod certificates;
mod login;
mod nonces;
pub(crate) mod stores;

use actix_web::{HttpResponse, http::Method, test::TestRequest, web};
use flask_pyjwt::{AuthManager, Config, CurrentToken, RequireToken, require_token};

use support::{
    dpop::{Proof, thumbprint},
    hs256,
    keys::P256,
    manager,
    site::{Reply, Site},
};

const BOUND: &str = "http://localhost:8080/bound";
const ANY: &str = "http://localhost:8080/any";

#[require_token(bound)]
async fn bound(token: CurrentToken) -> String {
    token.sub().to_owned()
}

#[require_token]
async fn any(token: CurrentToken) -> String {
    token.sub().to_owned()
}

async fn site(auth: &AuthManager) -> Site {
    let auth = auth.clone();
    Site::new(|app| {
        app.app_data(auth)
            .route("/bound", web::route().to(bound))
            .route("/any", web::route().to(any))
            .service(
                web::scope("/nested")
                    .wrap(RequireToken::auth())
                    .wrap(RequireToken::auth().bound(true))
                    .route("/bound", web::get().to(bound)),
            )
            .service(
                web::resource("/wrapped")
                    .wrap(RequireToken::auth().bound(true))
                    .get(HttpResponse::Ok),
            );
    })
    .await
}

/// A token that is bound to the key of [`Proof::new`].
fn token(auth: &AuthManager) -> String {
    let token = auth.auth_token("alice").bind_to(thumbprint(&P256)).sign();
    token.expect("minted").signed().to_owned()
}

/// A request with these credentials and proofs.
async fn ask(site: &Site, address: &str, authorization: &str, proofs: &[&str]) -> Reply {
    ask_with(site, Method::GET, address, authorization, proofs).await
}

async fn ask_with(
    site: &Site,
    method: Method,
    address: &str,
    authorization: &str,
    proofs: &[&str],
) -> Reply {
    let (_, rest) = address.split_once("://").expect("an address");
    let (host, path) = rest.split_once('/').expect("a path");
    let mut request = TestRequest::default()
        .method(method)
        .uri(&format!("/{path}"))
        .insert_header(("host", host))
        .insert_header(("authorization", authorization));
    for proof in proofs {
        request = request.append_header(("dpop", *proof));
    }
    site.ask(request).await
}

/// With a good token and this proof.
async fn present(site: &Site, address: &str, token: &str, proof: &str) -> Reply {
    ask(site, address, &format!("DPoP {token}"), &[proof]).await
}

#[track_caller]
fn is_refused(reply: &Reply, error: &str, reason: &str, what: &str) {
    assert_eq!(reply.outcome(), (401, reason), "{what}");
    assert_eq!(reply.json()["error"], error, "{what}");
    let challenge = reply.field("www-authenticate");
    assert!(
        challenge.starts_with("DPoP realm=\""),
        "{what}: {challenge}"
    );
    let error = format!("error=\"{error}\"");
    assert!(challenge.contains(&error), "{what}: {challenge}");
    assert!(challenge.contains("algs=\"RS256 "), "{what}: {challenge}");
}

#[actix_web::test]
async fn a_bound_token_is_accepted_with_its_proof_on_every_route() {
    let auth = manager(hs256());
    let site = site(&auth).await;
    let token = token(&auth);
    // Three guards look at one proof of a request in the nested scope.
    for path in ["bound", "any", "wrapped", "nested/bound"] {
        let address = format!("http://localhost:8080/{path}");
        // Twice, since a token that was seen before goes another way.
        for _ in 0..2 {
            let proof = Proof::new("GET", &address).of(&token).sign();
            let reply = present(&site, &address, &token, &proof).await;
            assert_eq!(reply.outcome(), (200, ""), "{path}");
        }
    }
    let proof = Proof::new("POST", BOUND).of(&token).sign();
    let scheme = format!("dpop {token}");
    let reply = ask_with(&site, Method::POST, BOUND, &scheme, &[&proof]).await;
    assert_eq!((reply.outcome(), reply.text()), ((200, ""), "alice"));
    let nested = "http://localhost:8080/nested/bound";
    let proof = Proof::new("GET", nested).of(&token).sign();
    assert_eq!(
        present(&site, nested, &token, &proof).await.outcome(),
        (200, "")
    );
    let again = present(&site, nested, &token, &proof).await;
    is_refused(&again, "invalid_dpop_proof", "dpop_replayed", "nested");
}

#[actix_web::test]
async fn threat_34_a_bound_token_is_refused_as_bearer_everywhere() {
    let auth = manager(hs256());
    let site = site(&auth).await;
    let token = token(&auth);
    for path in ["bound", "any", "wrapped"] {
        let address = format!("http://localhost:8080/{path}");
        let proof = Proof::new("GET", &address).of(&token).sign();
        for proofs in [&[][..], &[&*proof]] {
            for scheme in ["Bearer", "bearer"] {
                let reply = ask(&site, &address, &format!("{scheme} {token}"), proofs).await;
                is_refused(&reply, "invalid_token", "token_bound", path);
            }
        }
        // The proof was not used up by that.
        let reply = present(&site, &address, &token, &proof).await;
        assert_eq!(reply.outcome(), (200, ""), "{path}");
    }
    assert!(auth.verify_token(&token).is_err());
    assert!(auth.verify_token_async(&token).await.is_err());
}

#[actix_web::test]
async fn threat_63_a_token_that_is_not_bound_is_refused_with_a_proof_where_bound_is_asked() {
    let auth = manager(hs256());
    let site = site(&auth).await;
    let unbound = auth.auth_token("alice").sign().expect("minted");
    let token = unbound.signed();
    for (address, scheme, expected) in [
        (BOUND, "Bearer", 401),
        (BOUND, "DPoP", 401),
        (ANY, "DPoP", 401),
        (ANY, "Bearer", 200),
    ] {
        let proof = Proof::new("GET", address).of(token).sign();
        let reply = ask(&site, address, &format!("{scheme} {token}"), &[&proof]).await;
        assert_eq!(reply.status, expected, "{address} {scheme}");
        if expected == 401 {
            is_refused(&reply, "invalid_token", "token_not_bound", address);
        }
    }
    // A request without credentials learns what the route asks for.
    let reply = site.ask(TestRequest::with_uri("/bound")).await;
    assert_eq!(reply.outcome(), (401, "missing_credentials"));
    assert!(reply.field("www-authenticate").starts_with("DPoP realm="));
    let reply = site.ask(TestRequest::with_uri("/any")).await;
    assert!(reply.field("www-authenticate").starts_with("Bearer realm="));
}

#[actix_web::test]
async fn a_manager_can_require_bound_tokens_on_all_routes() {
    let auth = manager(hs256().require_bound(true));
    let site = site(&auth).await;
    let unbound = auth.auth_token("alice").sign().expect("minted");
    for address in [BOUND, ANY] {
        let reply = ask(&site, address, &format!("Bearer {}", unbound.signed()), &[]).await;
        is_refused(&reply, "invalid_token", "token_not_bound", address);
        let token = token(&auth);
        let proof = Proof::new("GET", address).of(&token).sign();
        assert_eq!(
            present(&site, address, &token, &proof).await.outcome(),
            (200, "")
        );
    }
}

/// A proof proves the key only: the token's own rules come with it.
#[actix_web::test]
async fn a_bound_token_keeps_all_other_rules() {
    let clock = support::frozen();
    let auth = manager(hs256().clock(clock.clone()));
    let site = site(&auth).await;
    let token = token(&auth);
    clock.advance(time::Duration::hours(2));
    let now = support::NOW + 7_200;
    let proof = Proof::new("GET", BOUND).of(&token).claim("iat", now).sign();
    let reply = present(&site, BOUND, &token, &proof).await;
    is_refused(&reply, "invalid_token", "token_expired", "expired");
    let refresh = auth
        .refresh_token("alice")
        .bind_to(thumbprint(&P256))
        .sign();
    let refresh = refresh.expect("minted");
    let proof = Proof::new("GET", BOUND)
        .of(refresh.signed())
        .claim("iat", now)
        .sign();
    let reply = present(&site, BOUND, refresh.signed(), &proof).await;
    is_refused(&reply, "invalid_token", "token_wrong_type", "refresh");
}

#[test]
fn what_cannot_work_is_refused_at_startup() {
    use flask_pyjwt::AuthType;
    use time::Duration;

    let refused = |config: Config, key: &str| {
        let error = AuthManager::new(config).expect_err(key);
        assert_eq!(error.key(), key, "{error}");
    };
    refused(hs256().dpop_algorithms([]), "dpop_algorithms");
    refused(
        hs256().dpop_algorithms([AuthType::ES256, AuthType::HS256]),
        "dpop_algorithms",
    );
    for age in [
        Duration::ZERO,
        Duration::seconds(601),
        Duration::milliseconds(1_500),
    ] {
        refused(hs256().dpop_max_age(age), "dpop_max_age");
    }
    refused(
        hs256().dpop_nonce_secret("short").dpop_nonce(true),
        "dpop_nonce_secret",
    );
    for address in [
        "api.example",
        "ftp://api.example",
        "https://user@api.example",
        "",
    ] {
        refused(hs256().public_urls([address]), "public_urls");
    }
}
