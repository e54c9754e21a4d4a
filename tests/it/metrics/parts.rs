//! The table, minting, the session store, sessions, keys of other issuers, and users.

use actix_web::web;
use flask_pyjwt::{
    AuthManager, CurrentUser, MemoryStore, metrics, require_token,
    testing::{TestAuth, TestIssuer},
};
use support::{hs256, manager, site::Site};
use time::Duration;

use super::{assert_as_listed, recorded, scrape};

#[test]
fn the_table_and_minting_are_counted() {
    recorded(async {
        let auth = manager(hs256());
        let token = auth.auth_token("alice").sign().expect("minted");
        auth.refresh_token("alice").sign().expect("minted");
        assert!(auth.auth_token("").sign().is_err());
        for _ in 0..9 {
            auth.verify_token(token.signed()).expect("valid");
        }
        assert!(auth.verify_token("a.b.c").is_err());
        let scraped = scrape();
        let lookups = |result| scraped.sum(metrics::TABLE_LOOKUPS, &[("result", result)]);
        // A thread reports eight hits at once, or at the end of a guard.
        assert_eq!((lookups("hit"), lookups("miss")), (8.0, 2.0));
        for (token_type, count) in [("auth", 1.0), ("refresh", 1.0)] {
            let labels = [("token_type", token_type), ("algorithm", "HS256")];
            assert_eq!(scraped.sum(metrics::MINTED, &labels), count);
        }
        assert_as_listed(&scraped);
    });
}

#[test]
fn the_session_store_and_sessions_are_counted_and_timed() {
    recorded(async {
        let auth = TestAuth::around(hs256().session_store(MemoryStore::default()));
        let (clock, auth) = (auth.clock(), auth.manager());
        let first = auth.login("alice").await.expect("opened");
        let second = auth.refresh(&first.refresh).await.expect("refreshed");
        auth.check_revocation(&second.auth).await.expect("open");
        auth.sessions("alice").await.expect("listed");
        clock.advance(Duration::hours(2));
        assert!(auth.refresh(&first.refresh).await.is_err(), "a replay");
        auth.revoke_subject("alice").await.expect("revoked");
        let scraped = scrape();
        for (operation, count) in [
            ("open", 1.0),
            ("rotate", 2.0),
            ("list", 1.0),
            ("mark_used", 1.0),
        ] {
            let labels = [("operation", operation), ("result", "ok")];
            assert_eq!(
                scraped.sum(metrics::STORE_CALLS, &labels),
                count,
                "{scraped:#?}"
            );
            let timed = format!("{}_count", metrics::STORE_CALL_DURATION);
            let timed = scraped.sum(&timed, &[("operation", operation)]);
            assert_eq!(timed, count, "{operation}");
        }
        for event in ["opened", "refreshed", "replayed", "subject_revoked"] {
            let count = scraped.sum(metrics::SESSION_EVENTS, &[("event", event)]);
            assert_eq!(count, 1.0, "{event} {scraped:#?}");
        }
        assert_as_listed(&scraped);
    });
}

/// Prometheus counts the increase between two scrapes: a counter that begins with one hides its first event.
#[test]
fn counters_of_rare_events_begin_at_zero() {
    recorded(async {
        let _auth = manager(hs256().session_store(MemoryStore::default()));
        let scraped = scrape();
        for (name, label, value) in [
            (metrics::SESSION_EVENTS, "event", "replayed"),
            (metrics::SESSION_EVENTS, "event", "lost_answer"),
            (metrics::STORE_CALLS, "result", "timeout"),
            (metrics::STORE_CALLS, "result", "full"),
        ] {
            let series = scraped.0.iter().filter(|(series, _)| {
                series.starts_with(name) && series.contains(&format!("{label}=\"{value}\""))
            });
            let values: Vec<_> = series.map(|(_, value)| *value).collect();
            assert!(!values.is_empty(), "{value}: {scraped:#?}");
            assert!(values.iter().all(|value| *value == 0.0), "{scraped:#?}");
        }
        assert_as_listed(&scraped);
    });
}

#[test]
fn a_store_that_fails_or_hangs_is_counted_as_such() {
    use flask_pyjwt::store::{
        Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
        StoreError, StoreFuture, TokenIdentity,
    };

    /// Fails to open, and never answers a check.
    struct Broken;

    impl SessionStore for Broken {
        fn open<'a>(&'a self, _: &'a Opening, _: Moment) -> StoreFuture<'a, Vec<String>> {
            Box::pin(async { Err(StoreError::unavailable("it is gone")) })
        }
        fn rotate<'a>(&'a self, _: &'a Rotation) -> StoreFuture<'a, Rotated> {
            Box::pin(std::future::pending())
        }
        fn standing<'a>(&'a self, _: &'a TokenIdentity, _: Moment) -> StoreFuture<'a, Standing> {
            Box::pin(std::future::pending())
        }
        fn mark_used<'a>(&'a self, _: &'a TokenIdentity, _: Moment) -> StoreFuture<'a, Standing> {
            Box::pin(std::future::pending())
        }
        fn revoke<'a>(&'a self, _: &'a Revocation, _: Moment) -> StoreFuture<'a, Vec<String>> {
            Box::pin(std::future::pending())
        }
        fn sessions<'a>(
            &'a self,
            _: &'a str,
            _: usize,
            _: Moment,
        ) -> StoreFuture<'a, Vec<SessionRecord>> {
            Box::pin(std::future::pending())
        }
        fn adopt<'a>(
            &'a self,
            _: &'a str,
            _: &'a [SessionRecord],
            _: Moment,
        ) -> StoreFuture<'a, bool> {
            Box::pin(std::future::pending())
        }
    }

    recorded(async {
        let config = hs256()
            .session_store(Broken)
            .store_timeout(Duration::milliseconds(1));
        let auth = manager(config);
        assert!(auth.login("alice").await.is_err());
        let token = auth.auth_token("alice").sign().expect("minted");
        assert!(auth.check_revocation(&token).await.is_err());
        {
            let checked = std::pin::pin!(auth.check_revocation(&token));
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(checked.poll(&mut context).is_pending());
        }
        let scraped = scrape();
        for (operation, result) in [
            ("open", "error"),
            ("check", "timeout"),
            ("check", "dropped"),
        ] {
            let labels = [("operation", operation), ("result", result)];
            assert_eq!(
                scraped.sum(metrics::STORE_CALLS, &labels),
                1.0,
                "{scraped:#?}"
            );
        }
        assert_as_listed(&scraped);
    });
}

#[require_token]
async fn me(user: CurrentUser<String>) -> String {
    user.to_string()
}

#[test]
fn users_are_counted_and_timed() {
    recorded(async {
        let config = hs256()
            .user_cache(Duration::MINUTE)
            .user_loader(|token| async move {
                match token.sub() {
                    "gone" => Ok(None),
                    "broken" => Err(std::io::Error::other("no")),
                    name => Ok(Some(name.to_owned())),
                }
            });
        let auth = manager(config);
        let registered = auth.clone();
        let site = Site::new(|app| {
            app.app_data(registered).route("/me", web::get().to(me));
        })
        .await;
        let token = |subject: &str| auth.auth_token(subject).sign().expect("minted");
        let alice = token("alice");
        for token in [&alice, &alice, &token("gone"), &token("broken")] {
            site.get("/me", token.signed()).await;
        }
        let scraped = scrape();
        for result in ["found", "cached", "gone", "error"] {
            let count = scraped.sum(metrics::USER_LOADS, &[("result", result)]);
            assert_eq!(count, 1.0, "{result}");
        }
        let timed = scraped.sum(&format!("{}_count", metrics::USER_LOAD_DURATION), &[]);
        assert_eq!(timed, 3.0);
        assert_as_listed(&scraped);
    });
}

/// Keys are fetched on a thread of their own, so this test has the recorder of the process.
#[test]
fn fetches_of_keys_are_counted_and_their_time_is_known() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    super::HANDLE.set(Some(recorder.handle()));
    // Another test of this process may have been first, where tests share one.
    if ::metrics::set_global_recorder(recorder).is_err() {
        return;
    }
    actix_web::rt::System::new().block_on(async {
        let issuer = TestIssuer::auth0();
        let auth = AuthManager::new(flask_pyjwt::Config::for_issuers([issuer.issuer()]));
        let auth = auth.expect("valid");
        let states = auth.fetch_keys().await;
        assert!(
            states.iter().all(flask_pyjwt::KeySourceState::is_usable),
            "{states:?}"
        );
        let scraped = scrape();
        let fetches = scraped.sum(metrics::KEY_FETCHES, &[("result", "ok")]);
        assert!(fetches >= 1.0, "{scraped:#?}");
        let fetched_at = scraped.sum(metrics::KEYS_FETCHED_AT, &[]);
        assert!(fetched_at > 1_700_000_000.0, "{scraped:#?}");
    });
}
