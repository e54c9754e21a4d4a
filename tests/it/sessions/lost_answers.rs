//! Refresh tokens that are presented again: by an owner whose response was lost, and by a thief, case by case.
//! The table is in `session/record.rs`.

use std::sync::{Arc, Mutex, OnceLock};

use flask_pyjwt::{
    AuthManager, MemoryStore, SessionError, SessionEvent, TokenError, TokenPair,
    testing::FrozenClock,
};
use futures_util::FutureExt as _;
use time::Duration;

use super::{clock, site};
use support::{NOW, at, hs256, log, manager};

const GRACE: Duration = Duration::seconds(10);

/// A manager, its clock, and the session events that it has reported.
struct Stage {
    clock: FrozenClock,
    auth: AuthManager,
    events: Arc<Mutex<Vec<SessionEvent>>>,
}

impl Stage {
    fn new(grace: Duration, window: Duration) -> Self {
        let (clock, events) = (clock(), Arc::<Mutex<Vec<SessionEvent>>>::default());
        let hook = Arc::clone(&events);
        let config = hs256()
            .clock(clock.clone())
            .refresh_grace(grace)
            .lost_answer_window(window)
            .session_store(MemoryStore::default())
            .on_session_event(move |event| {
                if !matches!(event.name(), "opened" | "refreshed") {
                    hook.lock().expect("not poisoned").push(event.clone());
                }
            });
        Self {
            clock,
            auth: manager(config),
            events,
        }
    }

    /// The names of the events since the last call.
    fn take_events(&self) -> Vec<&'static str> {
        let events = std::mem::take(&mut *self.events.lock().expect("not poisoned"));
        let name = |event: &SessionEvent| match event {
            SessionEvent::Replayed { .. } => "replayed",
            SessionEvent::Repeated { .. } => "repeated",
            SessionEvent::LostAnswer { .. } => "lost answer",
            _ => "another",
        };
        events.iter().map(name).collect()
    }

    fn later(&self) {
        self.clock.advance(Duration::minutes(20));
    }

    async fn rotate(&self, pair: &TokenPair) -> TokenPair {
        self.auth.refresh(&pair.refresh).await.expect("a pair")
    }

    async fn uses(&self, pair: &TokenPair) {
        self.auth.check_revocation(&pair.auth).await.expect("valid");
    }

    /// The session is revoked when the refresh token of this pair is presented.
    async fn catches(&self, pair: &TokenPair, last: &TokenPair) {
        let refused = self.auth.refresh(&pair.refresh).await;
        assert_eq!(
            refused.expect_err("a theft"),
            SessionError::from(TokenError::Replayed)
        );
        assert_eq!(self.take_events(), ["replayed"]);
        let revoked = self.auth.refresh(&last.refresh).await;
        assert_eq!(
            revoked.expect_err("revoked"),
            SessionError::from(TokenError::Revoked)
        );
        assert_eq!(self.auth.sessions("alice").await, Ok(vec![]));
    }
}

fn is_same(one: &TokenPair, other: &TokenPair) {
    assert_eq!(one.auth.signed(), other.auth.signed());
    assert_eq!(one.refresh.signed(), other.refresh.signed());
}

/// Each stage with the first two pairs of a session.
async fn stages() -> Vec<(Stage, TokenPair, TokenPair)> {
    let mut stages = Vec::new();
    for grace in [GRACE, Duration::ZERO] {
        let stage = Stage::new(grace, Duration::hours(1));
        let stolen = stage.auth.login("alice").await.expect("opened");
        let next = stage.rotate(&stolen).await;
        stages.push((stage, stolen, next));
    }
    stages
}

#[actix_web::test]
async fn an_owner_who_repeats_a_rotation_after_a_lost_response_gets_the_same_pair() {
    for (stage, first, lost) in stages().await {
        for _ in 0..2 {
            stage.later();
            is_same(&stage.rotate(&first).await, &lost);
            assert_eq!(stage.take_events(), ["lost answer"]);
        }
        stage.uses(&lost).await;
        // Later, another response can be lost.
        let next = stage.rotate(&lost).await;
        let last = stage.rotate(&next).await;
        stage.later();
        is_same(&stage.rotate(&next).await, &last);
        assert_eq!(stage.take_events(), ["lost answer"]);
    }
}

#[actix_web::test]
async fn a_thief_who_is_second_revokes_the_session_once_the_owner_has_used_the_pair() {
    for (stage, stolen, owners) in stages().await {
        stage.uses(&owners).await;
        stage.later();
        stage.catches(&stolen, &owners).await;
    }
    for (stage, stolen, owners) in stages().await {
        let next = stage.rotate(&owners).await;
        stage.later();
        stage.catches(&stolen, &next).await;
    }
}

#[actix_web::test]
async fn a_thief_who_is_first_and_uses_the_pair_is_detected_when_the_owner_refreshes() {
    for (stage, stolen, thiefs) in stages().await {
        stage.uses(&thiefs).await;
        stage.later();
        stage.catches(&stolen, &thiefs).await;
    }
}

#[actix_web::test]
async fn a_thief_who_is_first_and_uses_nothing_is_detected_at_the_next_rotation() {
    // Whoever rotates the disputed pair, and whether the successor is used or not.
    for is_used in [false, true] {
        for (stage, stolen, thiefs) in stages().await {
            stage.later();
            let owners = stage.rotate(&stolen).await;
            is_same(&owners, &thiefs);
            assert_eq!(stage.take_events(), ["lost answer"]);
            stage.uses(&owners).await;
            stage.later();
            let next = stage.rotate(&thiefs).await;
            if is_used {
                stage.uses(&next).await;
            }
            stage.later();
            stage.catches(&owners, &next).await;
        }
    }
}

#[actix_web::test]
async fn a_thief_who_uses_the_same_pair_keeps_access_until_the_auth_token_expires() {
    for (stage, stolen, thiefs) in stages().await {
        stage.later();
        let owners = stage.rotate(&stolen).await;
        stage.uses(&owners).await;
        stage.uses(&thiefs).await;
        stage.clock.advance(Duration::minutes(40));
        let expired = stage.auth.check_revocation(&thiefs.auth).await;
        assert_eq!(expired, Err(TokenError::Expired.into()));
        let next = stage.rotate(&owners).await;
        stage.take_events();
        stage.later();
        stage.catches(&thiefs, &next).await;
    }
}

#[actix_web::test]
async fn a_thief_who_waits_for_the_end_of_the_window_is_detected_when_the_owner_refreshes() {
    for (stage, stolen, thiefs) in stages().await {
        stage.clock.advance(Duration::hours(1));
        stage.catches(&stolen, &thiefs).await;
    }
}

#[actix_web::test]
async fn without_a_window_a_late_repetition_revokes_the_session() {
    for grace in [GRACE, Duration::ZERO] {
        let stage = Stage::new(grace, Duration::ZERO);
        let stolen = stage.auth.login("alice").await.expect("opened");
        let next = stage.rotate(&stolen).await;
        stage.clock.advance(grace);
        stage.catches(&stolen, &next).await;
    }
}

#[actix_web::test]
async fn concurrent_tabs_share_a_repeated_response() {
    let stage = Stage::new(GRACE, Duration::hours(1));
    let first = stage.auth.login("alice").await.expect("opened");
    let lost = stage.rotate(&first).await;
    stage.later();
    is_same(&stage.rotate(&first).await, &lost);
    stage.uses(&lost).await;
    stage.clock.advance(GRACE - Duration::milliseconds(1));
    is_same(&stage.rotate(&first).await, &lost);
    assert_eq!(stage.take_events(), ["lost answer", "repeated"]);
    stage.clock.advance(Duration::milliseconds(1));
    stage.catches(&first, &lost).await;
}

/// `docs/threats.md` 46, over HTTP: the guard of the refresh route sees the old token, too.
#[actix_web::test]
async fn threat_46_a_lost_response_is_repeated_and_reported() {
    for grace in [GRACE, Duration::ZERO] {
        let stage = Stage::new(grace, Duration::hours(1));
        let site = site(&stage.auth).await;
        let first = stage.auth.login("alice").await.expect("opened");
        let lost = site
            .get("/refresh", first.refresh.signed())
            .await
            .text()
            .to_owned();
        stage.later();
        let log = log::capture();
        let reply = site.get("/refresh", first.refresh.signed()).await;
        assert_eq!((reply.status, reply.text()), (200, &*lost));
        assert!(log.take().iter().any(|line| line.level == "WARN"));
        assert!(!log.text().contains(first.refresh.signed()));
        let event = SessionEvent::LostAnswer {
            subject: "alice".to_owned(),
            session: first.auth.session_id().expect("a session").to_owned(),
            rotated_at: at(NOW),
            repeated_at: at(NOW) + Duration::minutes(20),
        };
        assert_eq!(*stage.events.lock().expect("not poisoned"), [event]);

        // Once the client has used the new pair, the old token is a replay.
        let pair: [String; 2] = serde_json::from_str(&lost).expect("a pair");
        assert_eq!(site.get("/me", &pair[0]).await.text(), "alice");
        stage.clock.advance(GRACE);
        let reply = site.get("/refresh", first.refresh.signed()).await;
        reply.is_refused(401, "invalid_token", "token_replayed", "a copy");
        let reply = site.get("/me", &pair[0]).await;
        reply.is_refused(401, "invalid_token", "token_revoked", "after it");
    }
}

/// `docs/threats.md` 47, over HTTP.
#[actix_web::test]
async fn threat_47_each_repetition_within_the_grace_window_is_an_event() {
    let stage = Stage::new(GRACE, Duration::hours(1));
    let site = site(&stage.auth).await;
    let first = stage.auth.login("alice").await.expect("opened");
    let owners = site
        .get("/refresh", first.refresh.signed())
        .await
        .text()
        .to_owned();
    assert_eq!(stage.take_events(), [""; 0]);
    for milliseconds in [0, 1, 9_998] {
        stage.clock.advance(Duration::milliseconds(milliseconds));
        let log = log::capture();
        let reply = site.get("/refresh", first.refresh.signed()).await;
        assert_eq!((reply.status, reply.text()), (200, &*owners));
        assert!(log.take().iter().any(|line| line.level == "INFO"));
        assert!(!log.text().contains(first.refresh.signed()));
        let events = std::mem::take(&mut *stage.events.lock().expect("not poisoned"));
        let [
            SessionEvent::Repeated {
                subject,
                session,
                rotated_at,
                repeated_at,
            },
        ] = &events[..]
        else {
            panic!("{events:?}");
        };
        assert_eq!(subject, "alice");
        assert_eq!(Some(&**session), first.auth.session_id());
        assert_eq!(*rotated_at, at(NOW));
        let now = stage.clock.clone();
        assert_eq!(*repeated_at, flask_pyjwt::testing::Clock::now(&now));
    }
}

/// The hook may call the manager, for example to end the session at once.
#[actix_web::test]
async fn a_hook_that_ends_the_session_is_called_while_nothing_is_locked() {
    let manager_of_hook = Arc::<OnceLock<AuthManager>>::default();
    let (own, clock) = (Arc::clone(&manager_of_hook), clock());
    let config = hs256()
        .clock(clock.clone())
        .session_store(MemoryStore::default())
        .on_session_event(move |event| {
            let auth = own.get().expect("set");
            if let SessionEvent::Repeated {
                subject, session, ..
            }
            | SessionEvent::LostAnswer {
                subject, session, ..
            } = event
            {
                let ended = auth.revoke_session(subject, session).now_or_never();
                ended
                    .expect("a store in memory answers at once")
                    .expect("ended");
            }
        });
    let auth = manager(config);
    assert!(manager_of_hook.set(auth.clone()).is_ok());
    for late in [Duration::ZERO, Duration::minutes(20)] {
        let first = auth.login("alice").await.expect("opened");
        let second = auth.refresh(&first.refresh).await.expect("rotated");
        clock.advance(late);
        auth.refresh(&first.refresh).await.expect("the same pair");
        let revoked = auth.check_revocation(&second.auth).await;
        assert_eq!(revoked, Err(TokenError::Revoked.into()));
    }
}
