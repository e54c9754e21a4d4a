//! The limits of time and number, by a clock that only moves when everything waits.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration as Wait,
};

use flask_pyjwt::{AuthType, MintError, SignerFailure};
use futures_util::future::join_all;
use support::manager;
use time::Duration;

use super::{Service, config, failure, never};

/// How many calls run at once, and the most that ever did.
#[derive(Default)]
struct Running {
    now: AtomicUsize,
    most: AtomicUsize,
}

struct Call(Arc<Running>);

impl Call {
    fn begin(running: &Arc<Running>) -> Self {
        let now = running.now.fetch_add(1, Ordering::SeqCst) + 1;
        running.most.fetch_max(now, Ordering::SeqCst);
        Self(Arc::clone(running))
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A signer that takes this long, and what it counts.
fn slow(takes: Wait) -> (Service, Arc<Running>) {
    let running = Arc::<Running>::default();
    let counted = Arc::clone(&running);
    let service = Service::new(AuthType::EdDSA, move |_, signature| {
        let running = Arc::clone(&counted);
        Box::pin(async move {
            let _call = Call::begin(&running);
            tokio::time::sleep(takes).await;
            Ok(signature)
        })
    });
    (service, running)
}

#[tokio::test(start_paused = true)]
async fn no_more_signatures_than_configured_are_made_at_once() {
    for concurrency in [1, 3, 32] {
        let (service, running) = slow(Wait::from_millis(10));
        let auth = manager(config(service.key().concurrency(concurrency)));
        let all = join_all((0..100).map(|user| auth.auth_token(user).sign_async())).await;
        assert!(all.iter().all(Result::is_ok));
        assert_eq!(service.calls(), 100);
        assert_eq!(running.most.load(Ordering::SeqCst), concurrency);
        assert_eq!(running.now.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_logins_at_a_slow_signer_end_in_time() {
    let (service, running) = slow(Wait::from_millis(500));
    let auth = service.manager();
    let began = tokio::time::Instant::now();
    let all = join_all((0..1_000).map(|user| auth.auth_token(user).sign_async())).await;
    // Waiting takes 2 seconds at most, and a signature half a second.
    assert!(
        began.elapsed() <= Wait::from_millis(2_500),
        "{:?}",
        began.elapsed()
    );
    let minted = all.iter().filter(|token| token.is_ok()).count();
    let is_busy = |error: &MintError| {
        let busy = SignerFailure::Busy {
            concurrency: 32,
            milliseconds: 2_000,
        };
        *error == MintError::Signer(busy)
    };
    let busy = all
        .iter()
        .filter(|token| token.as_ref().is_err_and(is_busy))
        .count();
    assert_eq!(minted + busy, 1_000);
    // Four or five groups of 32: whether the fifth gets its place at the last moment is up to the timer.
    assert!((128..=160).contains(&minted), "{minted}");
    // Nobody who gave up was signed for.
    assert_eq!(service.calls(), minted);
    assert_eq!(running.most.load(Ordering::SeqCst), 32);
    assert!(auth.auth_token("later").sign_async().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_hanging_signer_frees_its_places() {
    let service = Service::new(AuthType::EdDSA, |call, signature| match call {
        0 => never(),
        _ => super::now(Ok(signature)),
    });
    let key = service
        .key()
        .concurrency(1)
        .timeout(Duration::milliseconds(300));
    let auth = manager(config(key));
    let (first, second) = tokio::join!(failure(&auth), auth.auth_token("bob").sign_async());
    assert!(
        matches!(first, SignerFailure::Timeout { milliseconds: 300 }),
        "{first}"
    );
    // It waited for the place in the meantime, which became free at the last moment or a moment too late.
    if let Err(error) = second {
        assert!(
            matches!(error, MintError::Signer(SignerFailure::Busy { .. })),
            "{error}"
        );
    }
    assert!(auth.auth_token("bob").sign_async().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_caller_frees_its_place_and_drops_the_call() {
    let (service, running) = slow(Wait::from_secs(1));
    let auth = manager(config(service.key().concurrency(1)));
    let minting = auth.auth_token("alice").sign_async();
    let given_up = tokio::time::timeout(Wait::from_millis(1), minting).await;
    assert!(given_up.is_err());
    assert_eq!(
        running.now.load(Ordering::SeqCst),
        0,
        "the call was dropped"
    );
    assert!(auth.auth_token("bob").sign_async().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn pauses_between_attempts_hold_no_place() {
    let times = Arc::<Mutex<Vec<_>>>::default();
    let called = Arc::clone(&times);
    let service = Service::new(AuthType::EdDSA, move |_, _| {
        called
            .lock()
            .expect("not poisoned")
            .push(tokio::time::Instant::now());
        super::now(Err(flask_pyjwt::signer::SignerError::temporary(
            "throttled",
        )))
    });
    let auth = manager(config(service.key().retries(3)));
    failure(&auth).await;
    let times = times.lock().expect("not poisoned").clone();
    let pauses: Vec<_> = times
        .windows(2)
        .map(|two| (two[1] - two[0]).as_millis())
        .collect();
    assert_eq!(pauses.len(), 3);
    // The timer counts whole milliseconds.
    for (pause, least) in pauses.into_iter().zip([50, 100, 200]) {
        assert!((least..=least + 1).contains(&pause), "{pause}");
    }
}
