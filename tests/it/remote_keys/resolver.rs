//! Issuers that a function resolves.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use actix_web::{HttpResponse, rt::task, web};
use flask_pyjwt::{
    AuthManager, AuthType, Config, Issuer, Key, RequireToken, TokenError, testing::FrozenClock,
};
use serde_json::json;
use time::Duration;

use super::{
    NOW, PATH, SECRET, at, claims_with, config, jwk, keys, manager, server::BadServer, set, token,
};
use support::site::Site;

pub(super) const PATTERN: &str = "https://{tenant}.example";

/// What the function does, and how often it was called.
#[derive(Default)]
pub(super) struct Tenants {
    pub(super) calls: AtomicUsize,
    /// The names of disabled tenants.
    off: Mutex<Vec<String>>,
    running: AtomicUsize,
    pub(super) most_running: AtomicUsize,
}

impl Tenants {
    fn switch_off(&self, issuer: &str) {
        let mut off = self.off.lock().expect("not poisoned");
        off.push(issuer.to_owned());
    }
}

/// A key of the tenant itself.
fn secret(issuer: &str) -> String {
    format!("the secret of 32 bytes or more of {issuer}")
}

pub(super) fn tenant(issuer: &str) -> Issuer {
    Issuer::new(issuer)
        .key(Key::new(AuthType::HS256, secret(issuer)))
        .audience("api")
}

pub(super) fn of_tenant(issuer: &str) -> String {
    let claims = claims_with(json!({ "iss": issuer, "aud": "api" }));
    let secret = secret(issuer);
    let key = super::forge::Key::Hs256(secret.as_bytes());
    super::forge(r#"{"alg":"HS256","typ":"JWT"}"#, claims, &key)
}

pub(super) fn is_unavailable<T>(outcome: &Result<T, TokenError>) -> bool {
    matches!(outcome, Err(TokenError::KeysUnavailable { .. }))
}

/// A manager whose tenants have names that begin with `t`. `err`, `panic`, `other` and `bad` are special.
pub(super) fn resolving() -> (AuthManager, Arc<Tenants>, FrozenClock) {
    let (tenants, clock) = (Arc::<Tenants>::default(), FrozenClock::new(at(NOW)));
    let own = config(AuthType::HS256, SECRET).clock(clock.clone());
    let auth = manager(with_tenants(own, &tenants));
    (auth, tenants, clock)
}

fn with_tenants(own: Config, tenants: &Arc<Tenants>) -> Config {
    let tenants = Arc::clone(tenants);
    own.resolve_issuers(PATTERN, move |issuer: String| {
        let tenants = Arc::clone(&tenants);
        async move {
            tenants.calls.fetch_add(1, Ordering::SeqCst);
            let running = tenants.running.fetch_add(1, Ordering::SeqCst) + 1;
            tenants.most_running.fetch_max(running, Ordering::SeqCst);
            task::yield_now().await;
            tenants.running.fetch_sub(1, Ordering::SeqCst);
            if tenants.off.lock().expect("not poisoned").contains(&issuer) {
                return Ok(None);
            }
            match issuer.trim_start_matches("https://").split('.').next() {
                Some("err") => Err("the database is away"),
                Some("panic") => panic!("as it was meant to"),
                Some("other") => Ok(Some(tenant("https://t1.example"))),
                Some("template") => Ok(Some(Issuer::template(PATTERN))),
                Some("bad") => Ok(Some(Issuer::new(&issuer))),
                Some("named") => Ok(Some(tenant(&issuer).named("nobodys"))),
                Some(name) if name.starts_with('t') => Ok(Some(tenant(&issuer))),
                _ => Ok(None),
            }
        }
    })
}

#[actix_web::test]
async fn an_issuer_is_resolved_once_and_used_for_five_minutes() {
    let (auth, tenants, clock) = resolving();
    let issuer = "https://t1.example";
    let good = of_tenant(issuer);
    assert!(
        is_unavailable(&auth.verify_token(&good)),
        "the function was not called yet"
    );
    let verified = auth.verify_token_async(&good).await.expect("valid");
    assert_eq!(verified.iss(), issuer);
    assert!(auth.verify_token(&good).is_ok(), "now it is known");
    let forged = of_tenant("https://t2.example");
    let forged = forged.split('.').zip(good.split('.')).map(|(a, b)| [a, b]);
    let [header, payload, signature]: [_; 3] =
        forged.collect::<Vec<_>>().try_into().expect("three");
    let forged = format!("{}.{}.{}", header[0], payload[1], signature[0]);
    assert_eq!(
        auth.verify_token(&forged).map(drop),
        Err(TokenError::Signature)
    );
    assert_eq!(tenants.calls.load(Ordering::SeqCst), 1);

    tenants.switch_off(issuer);
    clock.advance(Duration::seconds(239));
    assert!(auth.verify_token_async(&good).await.is_ok());
    assert!(auth.check_revocation(&verified).await.is_ok());
    clock.advance(Duration::seconds(61));
    assert!(
        is_unavailable(&auth.verify_token(&good)),
        "also from the table"
    );
    let outcome = auth.verify_token_async(&good).await.map(drop);
    assert_eq!(outcome, Err(TokenError::Issuer), "it was switched off");
    assert!(auth.check_revocation(&verified).await.is_err());
    assert_eq!(auth.verify_token(&good).map(drop), Err(TokenError::Issuer));
    assert_eq!(tenants.calls.load(Ordering::SeqCst), 2);

    tenants.off.lock().expect("not poisoned").clear();
    clock.advance(Duration::seconds(59));
    assert_eq!(
        auth.verify_token_async(&good).await.map(drop),
        Err(TokenError::Issuer)
    );
    clock.advance(Duration::seconds(1));
    assert!(
        auth.verify_token_async(&good).await.is_ok(),
        "a minute later"
    );
    // After a clock was set back, the function is called again.
    clock.set(at(NOW));
    assert!(is_unavailable(&auth.verify_token(&good)));
}

#[actix_web::test]
async fn a_resolved_issuer_is_used_while_it_is_renewed_and_not_after_it_expires() {
    let (tenants, clock) = (Arc::<Tenants>::default(), FrozenClock::new(at(NOW)));
    let own = config(AuthType::HS256, SECRET).clock(clock.clone());
    // Without the table, every token needs its issuer.
    let auth = manager(with_tenants(own.token_table(0, 0), &tenants));
    let calls = || tenants.calls.load(Ordering::SeqCst);
    let called = async |count: usize| {
        while calls() < count || tenants.running.load(Ordering::SeqCst) > 0 {
            task::yield_now().await;
        }
        task::yield_now().await;
    };
    let good = of_tenant("https://t1.example");
    assert!(auth.verify_token_async(&good).await.is_ok());
    clock.set(at(NOW + 239));
    assert!(auth.verify_token(&good).is_ok());
    assert_eq!(calls(), 1);
    clock.set(at(NOW + 240));
    for _ in 0..10 {
        assert!(auth.verify_token(&good).is_ok(), "no request waits");
    }
    called(2).await;
    clock.set(at(NOW + 479));
    assert!(
        auth.verify_token(&good).is_ok(),
        "five minutes from the second answer on"
    );
    assert_eq!(calls(), 2);
    // The function fails now: the resolved issuer is used until it expires.
    tenants.switch_off("https://t1.example");
    clock.set(at(NOW + 480));
    assert!(
        auth.verify_token(&good).is_ok(),
        "the last that is accepted"
    );
    called(3).await;
    assert_eq!(auth.verify_token(&good).map(drop), Err(TokenError::Issuer));
}

/// `docs/threats.md` 59.
#[actix_web::test]
async fn only_names_of_the_pattern_reach_the_function() {
    let tenants = Arc::<Tenants>::default();
    let configured = tenant("https://t9.example");
    let template = Issuer::template("https://{shop}.example/admin")
        .key(Key::new(AuthType::HS256, SECRET))
        .audience("api");
    let own = config(AuthType::HS256, SECRET);
    let auth = manager(with_tenants(
        own.trust(configured).trust(template),
        &tenants,
    ));
    let long = format!("https://{}.example", "t".repeat(256));
    for issuer in [
        "https://t1.example/",
        "https://t1.example.",
        "https://T1.EXAMPLE",
        "https://a.t1.example",
        "https://t1.example.evil.example",
        "https://{tenant}.example",
        "https://t%31.example",
        "http://t1.example",
        "",
        &long,
    ] {
        let outcome = auth.verify_token_async(&of_tenant(issuer)).await;
        assert_eq!(outcome.map(drop), Err(TokenError::Issuer), "{issuer}");
    }
    let exact = of_tenant("https://t9.example");
    assert!(auth.verify_token_async(&exact).await.is_ok());
    let shop = of_tenant("https://t1.example/admin");
    assert_eq!(
        auth.verify_token_async(&shop).await.map(drop),
        Err(TokenError::Signature)
    );
    assert_eq!(tenants.calls.load(Ordering::SeqCst), 0);
}

#[actix_web::test]
async fn a_failing_function_is_503() {
    let (auth, tenants, clock) = resolving();
    let site = site(&auth).await;
    for name in ["err", "panic", "other", "template", "bad", "named"] {
        let issuer = format!("https://{name}.example");
        let token = of_tenant(&issuer);
        let reply = site.get("/", &token).await;
        reply.is_refused(503, "temporarily_unavailable", "unavailable", name);
        let calls = tenants.calls.load(Ordering::SeqCst);
        assert!(
            is_unavailable(&auth.verify_token_async(&token).await),
            "{name}"
        );
        assert_eq!(
            tenants.calls.load(Ordering::SeqCst),
            calls,
            "not at once again: {name}"
        );
        clock.advance(Duration::seconds(2));
        assert!(
            is_unavailable(&auth.verify_token_async(&token).await),
            "{name}"
        );
        assert_eq!(tenants.calls.load(Ordering::SeqCst), calls + 1, "{name}");
    }
    assert!(
        auth.verify_token_async(&of_tenant("https://t1.example"))
            .await
            .is_ok()
    );
}

pub(super) async fn site(auth: &AuthManager) -> Site {
    let auth = auth.clone();
    Site::new(|app| {
        app.app_data(auth).service(
            web::scope("")
                .wrap(RequireToken::auth().issuer([PATTERN]))
                .route("/", web::get().to(HttpResponse::Ok)),
        );
    })
    .await
}

#[actix_web::test]
async fn resolved_issuers_with_one_address_share_a_fetch() {
    let server = BadServer::start();
    server.answers(PATH, set(&[jwk(&keys::ED25519, "a")]));
    let url = server.url(PATH);
    let clock = FrozenClock::new(at(NOW));
    let own = Config::for_issuers([]).clock(clock.clone());
    let auth = manager(own.resolve_issuers(PATTERN, move |issuer: String| {
        let found = Issuer::new(issuer)
            .jwks_url(&url)
            .allow_http_on_loopback(true)
            .audience("api");
        async move { Ok::<_, String>(Some(found)) }
    }));
    for number in 0..100 {
        let issuer = format!("https://t{number}.example");
        let token = token(&issuer, &keys::ED25519, "a");
        let verified = auth.verify_token_async(&token).await.expect("valid");
        assert_eq!(verified.iss(), issuer);
    }
    assert_eq!(server.requests(), 1);
    // Resolved again, they keep their source.
    clock.advance(Duration::seconds(299));
    let token = token("https://t1.example", &keys::ED25519, "a");
    assert!(auth.verify_token_async(&token).await.is_ok());
    assert_eq!(server.requests(), 1);
}

#[test]
fn patterns_that_cannot_work_are_refused_at_startup() {
    let nobody = |_: String| async { Ok::<_, String>(None) };
    let own = || config(AuthType::HS256, SECRET);
    let template = || {
        Issuer::template(PATTERN)
            .key(Key::new(AuthType::HS256, SECRET))
            .audience("a")
    };
    for (config, reason) in [
        (
            own().resolve_issuers("https://a.example", nobody),
            "has no placeholder",
        ),
        (
            own().resolve_issuers("{issuer}", nobody),
            "begins with a placeholder",
        ),
        (
            own().trust(template()).resolve_issuers(PATTERN, nobody),
            "is there twice",
        ),
        (
            own()
                .resolve_issuers(PATTERN, nobody)
                .resolve_issuers("https://{x}.example", nobody),
            "is there twice",
        ),
    ] {
        let error = AuthManager::new(config).expect_err(reason);
        assert!(error.to_string().contains(reason), "{error}");
    }
    // Outside tokio's runtime a call cannot wait, and does not panic.
    let auth = manager(own().resolve_issuers(PATTERN, nobody));
    assert!(is_unavailable(
        &auth.verify_token(&of_tenant("https://t1.example"))
    ));
}
