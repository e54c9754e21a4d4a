//! Those who are told about events: subscribers, and the hook.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    task::{Context, Waker},
};

use flask_pyjwt::{AuthManager, EndedBy, SessionEvent};
use futures_util::{FutureExt as _, StreamExt as _};

use super::{
    clock,
    events::{configured, id, named, taken},
    with_memory,
};

#[actix_web::test]
async fn each_subscriber_gets_every_event_and_a_slow_one_learns_how_many_it_lost() {
    let auth = with_memory(&clock());
    let mut attentive = auth.session_events().expect("a store");
    let mut slow = auth.session_events().expect("a store");
    let mut seen = 0;
    for number in 0..2_000 {
        auth.login(number % 100).await.expect("opened");
        seen += taken(&mut attentive).await.len();
    }
    let late = auth.session_events().expect("a store");
    assert_eq!(seen, 2_000, "evictions do not happen: 20 sessions each");
    let lost = slow
        .recv()
        .await
        .expect("not ended")
        .expect_err("it was slow");
    assert_eq!(lost.count(), 2_000 - 1_024);
    let sentence = "976 session events were lost: their subscriber was too slow";
    assert_eq!(
        (lost.to_string(), format!("{lost:?}")),
        (sentence.into(), sentence.into())
    );
    let rest = taken(&mut slow).await;
    assert_eq!(rest.len(), 1_024);
    assert_eq!(rest.last().map(SessionEvent::subject), Some("99"));

    drop(auth);
    for events in [attentive, slow, late] {
        let left: Vec<_> = events.collect().await;
        assert!(left.is_empty());
    }
}

#[actix_web::test]
async fn a_receive_that_is_dropped_loses_no_event_and_a_waiting_one_is_woken() {
    let auth = with_memory(&clock());
    let mut events = auth.session_events().expect("a store");
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..3 {
        let mut receiving = Box::pin(events.recv());
        assert!(receiving.as_mut().poll_unpin(&mut context).is_pending());
    }
    let waiting = actix_web::rt::spawn(async move { events.recv().await });
    actix_web::rt::task::yield_now().await;
    let pair = auth.login("alice").await.expect("opened");
    let event = waiting.await.expect("no panic").expect("not ended");
    let event = event.expect("none was lost");
    assert_eq!(event.session(), pair.auth.session_id());
}

#[actix_web::test]
async fn the_hook_gets_the_same_events_and_subscribers_get_those_that_it_causes() {
    let own = Arc::<Mutex<Option<AuthManager>>>::default();
    let hooked = Arc::<Mutex<Vec<SessionEvent>>>::default();
    let (manager_of_hook, noted) = (Arc::clone(&own), Arc::clone(&hooked));
    let auth = configured(&clock(), |config| {
        config.on_session_event(move |event| {
            noted.lock().expect("no panic").push(event.clone());
            let auth = manager_of_hook.lock().expect("no panic").clone();
            if let (
                Some(auth),
                SessionEvent::Opened {
                    subject, session, ..
                },
            ) = (auth, event)
            {
                let ended = auth.revoke_session(subject, session).now_or_never();
                assert_eq!(ended, Some(Ok(true)));
            }
        })
    });
    let mut events = auth.session_events().expect("a store");
    *own.lock().expect("no panic") = Some(auth.clone());
    let pair = auth.login("alice").await.expect("opened");
    own.lock().expect("no panic").take();
    let all = taken(&mut events).await;
    let by = Some(EndedBy::RevokeSession);
    let expected = [
        ("opened", Some(id(&pair)), None),
        ("ended", Some(id(&pair)), by),
    ];
    assert_eq!(named(&all), expected);
    assert_eq!(*hooked.lock().expect("no panic"), all[..1]);
}

/// Requests of two workers: the events of one session are in the order in which its requests were answered.
#[actix_web::test]
async fn events_of_concurrent_sessions_are_complete_and_in_order_for_each_session() {
    let auth = with_memory(&clock());
    let mut events = auth.session_events().expect("a store");
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let auth = auth.clone();
            std::thread::spawn(move || {
                actix_web::rt::System::new().block_on(async move {
                    for _ in 0..20 {
                        let mut pair = auth.login(number).await.expect("opened");
                        for _ in 0..3 {
                            pair = auth.refresh(&pair.refresh).await.expect("rotated");
                        }
                        auth.logout(&pair.auth).await.expect("ended");
                    }
                });
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no panic");
    }
    let mut of_sessions = BTreeMap::<_, Vec<_>>::new();
    for (name, session, _) in named(&taken(&mut events).await) {
        of_sessions.entry(session).or_default().push(name);
    }
    assert_eq!(of_sessions.len(), 80);
    let expected = ["opened", "refreshed", "refreshed", "refreshed", "ended"];
    assert!(of_sessions.values().all(|names| *names == expected));
}
