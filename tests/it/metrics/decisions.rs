//! Decisions of guards, refusals by extractors, and the bounds of the labels.

use actix_web::{test::TestRequest, web};
use flask_pyjwt::{
    AuthManager, AuthType, Config, CurrentToken, CurrentUser, Issuer, Key, RequireToken,
    metrics::{DECISIONS, TABLE_LOOKUPS},
    require_token,
};
use support::{SECRET, config, frozen, hs256, keys, manager, site::Site};

use super::{assert_as_listed, recorded, scrape};

#[require_token(sub = "name")]
async fn user(token: CurrentToken) -> String {
    token.sub().to_owned()
}

#[require_token("refresh")]
async fn refresh() -> &'static str {
    "refresh"
}

#[require_token(optional)]
async fn anybody() -> &'static str {
    "anybody"
}

#[require_token]
async fn loaded(_: CurrentUser<()>) -> &'static str {
    "loaded"
}

#[require_token]
async fn several() -> &'static str {
    "several"
}

async fn site(auth: AuthManager) -> Site {
    Site::new(|app| {
        let scope = web::scope("/scope/{team}").wrap(RequireToken::auth().claim("team", "red"));
        app.app_data(auth)
            .route("/users/{name}", web::get().to(user))
            .route("/refresh", web::get().to(refresh))
            .route("/anybody", web::get().to(anybody))
            .route("/loaded", web::get().to(loaded))
            .route("/a/{x}", web::get().to(several))
            .route("/b/{x}", web::get().to(several))
            .route(r"/c/{x:\d{2}}/{rest}*", web::get().to(several))
            .service(scope.route("/{x}", web::get().to(|| async { "inside" })));
    })
    .await
}

fn signed(auth: &AuthManager, subject: &str) -> String {
    let token = auth.auth_token(subject).claim("team", "red").sign();
    token.expect("minted").signed().to_owned()
}

#[test]
fn each_decision_is_counted_by_outcome_reason_route_type_and_issuer() {
    recorded(async {
        let auth = manager(hs256());
        let site = site(auth.clone()).await;
        let alice = signed(&auth, "alice");
        let renew = auth.refresh_token("alice").sign().expect("minted");
        for _ in 0..3 {
            assert_eq!(site.get("/users/alice", &alice).await.status, 200);
        }
        for (path, token, status) in [
            ("/users/bob", &*alice, 403),
            ("/users/alice", "a.b.c", 401),
            ("/refresh", renew.signed(), 200),
            ("/refresh", &*alice, 401),
            ("/scope/red/x", &*alice, 200),
            ("/loaded", &*alice, 500),
        ] {
            assert_eq!(site.get(path, token).await.status, status, "{path}");
        }
        for (path, status) in [("/anybody", 200), ("/users/alice", 401)] {
            let reply = site.ask(TestRequest::get().uri(path)).await;
            assert_eq!(reply.status, status, "{path}");
        }
        let scraped = scrape();
        let user = "/users/{name}";
        for (outcome, reason, route, token_type, issuer, count) in [
            ("accepted", "none", user, "auth", support::ISSUER, 3.0),
            (
                "refused",
                "claim_not_met",
                user,
                "auth",
                support::ISSUER,
                1.0,
            ),
            ("refused", "token_encoding", user, "auth", "none", 1.0),
            ("refused", "missing_credentials", user, "auth", "none", 1.0),
            (
                "accepted",
                "none",
                "/refresh",
                "refresh",
                support::ISSUER,
                1.0,
            ),
            (
                "refused",
                "token_wrong_type",
                "/refresh",
                "refresh",
                support::ISSUER,
                1.0,
            ),
            ("accepted", "none", "/anybody", "auth", "none", 1.0),
            (
                "accepted",
                "none",
                "/scope/{team}/{x}",
                "auth",
                support::ISSUER,
                1.0,
            ),
            ("accepted", "none", "/loaded", "auth", support::ISSUER, 1.0),
            (
                "failed",
                "no_user_loader",
                "/loaded",
                "auth",
                support::ISSUER,
                1.0,
            ),
        ] {
            let labels = [
                ("outcome", outcome),
                ("reason", reason),
                ("route", route),
                ("token_type", token_type),
                ("issuer", issuer),
            ];
            assert_eq!(
                scraped.sum(DECISIONS, &labels),
                count,
                "{labels:?} {scraped:#?}"
            );
        }
        assert_eq!(scraped.sum(DECISIONS, &[]), 12.0);
        // Alice's token comes seven times, the first time for the first time.
        let hits = scraped.sum(TABLE_LOOKUPS, &[("result", "hit")]);
        assert_eq!(hits, 6.0, "{scraped:#?}");
        assert_as_listed(&scraped);
    });
}

/// The counter of an accepted request is kept: it has to be that of its route.
#[test]
fn one_handler_on_several_routes_is_counted_by_route() {
    recorded(async {
        let auth = manager(hs256());
        let site = site(auth.clone()).await;
        let alice = signed(&auth, "alice");
        for _ in 0..2 {
            for path in [
                "/a/1",
                "/b/1",
                "/a/2",
                "/c/12/a/b",
                "/c/34/x",
                "/a/a%2Fb",
                "/b/b",
            ] {
                assert_eq!(site.get(path, &alice).await.status, 200, "{path}");
            }
        }
        let scraped = scrape();
        for (route, count) in [
            ("/a/{x}", 6.0),
            ("/b/{x}", 4.0),
            (r"/c/{x:\\d{2}}/{rest}*", 4.0),
        ] {
            let sum = scraped.sum(DECISIONS, &[("route", route)]);
            assert_eq!(sum, count, "{route} {scraped:#?}");
        }
    });
}

/// What a client chooses is in no label.
#[test]
fn clients_cannot_make_series() {
    recorded(async {
        let public = keys::public(AuthType::ES256).expect("a public key");
        let template = Issuer::template("https://login.example/{tenant}/v2.0")
            .key(Key::verify_only(AuthType::ES256, public))
            .audience("api");
        let auth = manager(hs256().trust(template));
        let site = site(auth.clone()).await;
        let mut tokens = Vec::new();
        for number in 0..20 {
            tokens.push(signed(&auth, &format!("user{number}")));
            tokens.push(format!("a{number}.b.c"));
            let issuer = format!("https://login.example/tenant{number}/v2.0");
            let tenant = Config::new(issuer, AuthType::ES256, keys::secret(AuthType::ES256));
            let tenant = manager(tenant.audience("api").clock(frozen()));
            tokens.push(signed(&tenant, "alice"));
        }
        for (number, token) in tokens.iter().enumerate() {
            site.get(&format!("/a/{number}"), token).await;
            site.get(&format!("/nowhere/{number}"), token).await;
            site.get(&format!("/scope/{number}/{number}"), token).await;
        }
        let scraped = scrape();
        let series = scraped
            .0
            .keys()
            .filter(|series| series.starts_with(DECISIONS));
        assert!(series.count() <= 8, "{scraped:#?}");
        let template = [
            ("issuer", "https://login.example/{tenant}/v2.0"),
            ("outcome", "accepted"),
        ];
        assert_eq!(scraped.sum(DECISIONS, &template), 40.0, "{scraped:#?}");
    });
}

#[test]
fn a_manager_with_another_key_is_counted_under_its_own_issuer() {
    recorded(async {
        let other = config(AuthType::HS256, SECRET).issuer("https://another.example");
        for auth in [manager(hs256()), manager(other)] {
            let token = signed(&auth, "alice");
            assert_eq!(site(auth).await.get("/a/1", &token).await.status, 200);
        }
        let scraped = scrape();
        for issuer in [support::ISSUER, "https://another.example"] {
            assert_eq!(
                scraped.sum(DECISIONS, &[("issuer", issuer)]),
                1.0,
                "{scraped:#?}"
            );
        }
    });
}
