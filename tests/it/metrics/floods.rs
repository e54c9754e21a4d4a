//! A flood of refused requests does not flood the log.

use actix_web::web;
use flask_pyjwt::{AuthManager, metrics, require_token};
use support::{frozen, hs256, log::capture, manager, site::Site};
use time::Duration;

use super::{recorded, scrape};

#[require_token(team = "red")]
async fn red() -> &'static str {
    "red"
}

async fn site(auth: AuthManager) -> Site {
    Site::new(|app| {
        app.app_data(auth)
            .route("/", web::get().to(red))
            .route("/other", web::get().to(red));
    })
    .await
}

#[test]
fn beyond_the_limit_refusals_are_sampled_and_the_next_event_says_how_many_were_left_out() {
    recorded(async {
        let clock = frozen();
        let auth = manager(hs256().clock(clock.clone()).log_limit(10));
        let blue = auth.auth_token("alice").sign().expect("minted");
        let site = site(auth).await;
        let log = capture();
        let events = |reason: &str| {
            let mut lines = log.take();
            lines.retain(|line| line.reason.as_deref() == Some(reason));
            lines
        };
        for _ in 0..1_100 {
            assert_eq!(site.get("/", "a.b.c").await.status, 401);
        }
        let logged = events("token_encoding");
        assert_eq!(logged.len(), 11, "ten, and one sample");
        assert!(!logged[0].text.contains("not_logged"), "{logged:?}");
        assert!(logged[10].text.contains("999"), "{logged:?}");
        assert_eq!(scrape().sum(metrics::NOT_LOGGED, &[]), 1_089.0);

        // Another reason is not hidden by the flood.
        assert_eq!(site.get("/", blue.signed()).await.status, 403);
        assert_eq!(events("claim_not_met").len(), 1);

        // Nor is another route, and nothing is hidden there.
        assert_eq!(site.get("/other", "a.b.c").await.status, 401);
        let logged = events("token_encoding");
        assert!(
            logged.len() == 1 && !logged[0].text.contains("not_logged"),
            "{logged:?}"
        );

        clock.advance(Duration::SECOND);
        assert_eq!(site.get("/", "a.b.c").await.status, 401);
        let logged = events("token_encoding");
        assert_eq!(logged.len(), 1);
        assert!(logged[0].text.contains("90"), "{logged:?}");
        // Each is counted and answered.
        let refused = [("reason", "token_encoding")];
        assert_eq!(scrape().sum(metrics::DECISIONS, &refused), 1_102.0);
    });
}

#[actix_web::test]
async fn the_limit_is_a_hundred_unless_another_is_set() {
    for (config, expected) in [(hs256(), 100), (hs256().log_limit(u32::MAX), 150)] {
        let site = site(manager(config)).await;
        let log = capture();
        for _ in 0..150 {
            site.get("/", "a.b.c").await;
        }
        let lines = log.take();
        let refused = lines.iter().filter(|line| line.reason.is_some());
        assert_eq!(refused.count(), expected);
    }
}
