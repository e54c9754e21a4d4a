//! Many concurrent requests that need an issuer to be resolved.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use actix_web::rt::task;
use flask_pyjwt::{AuthType, TokenError};
use futures_util::future::join_all;

use super::{
    SECRET, config, manager,
    resolver::{PATTERN, is_unavailable, of_tenant, resolving, site, tenant},
};

#[actix_web::test]
async fn waiting_requests_share_one_call_which_survives_the_first_client() {
    let (is_open, calls) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
    let own = config(AuthType::HS256, SECRET);
    let auth = manager({
        let (is_open, calls) = (Arc::clone(&is_open), Arc::clone(&calls));
        own.resolve_issuers(PATTERN, move |issuer: String| {
            calls.fetch_add(1, Ordering::SeqCst);
            let is_open = Arc::clone(&is_open);
            async move {
                while !is_open.load(Ordering::SeqCst) {
                    task::yield_now().await;
                }
                Ok::<_, String>(Some(tenant(&issuer)))
            }
        })
    });
    let site = site(&auth).await;
    let token = of_tenant("https://t1.example");
    // The client that came first disconnects while the function runs.
    {
        let first = std::pin::pin!(site.get("/", &token));
        let called = std::pin::pin!(async {
            while calls.load(Ordering::SeqCst) == 0 {
                task::yield_now().await;
            }
        });
        let either = futures_util::future::select(first, called).await;
        assert!(matches!(either, futures_util::future::Either::Right(_)));
    }
    let waiting = join_all((0..100).map(|_| site.get("/", &token)));
    let opening = async {
        for _ in 0..10 {
            task::yield_now().await;
        }
        is_open.store(true, Ordering::SeqCst);
    };
    let (replies, ()) = futures_util::future::join(waiting, opening).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    assert_eq!(calls.load(Ordering::SeqCst), 1);
}

/// `docs/threats.md` 59.
#[actix_web::test]
async fn a_hundred_thousand_unknown_names_do_not_affect_known_issuers() {
    let (auth, tenants, _clock) = resolving();
    let known = of_tenant("https://t1.example");
    assert!(auth.verify_token_async(&known).await.is_ok());
    let names: Vec<_> = (0..100_000)
        .map(|n| format!("https://x{n}.example"))
        .collect();
    let calls = || tenants.calls.load(Ordering::SeqCst);
    for names in names.chunks(1_000) {
        let flood = names.iter().map(|name| {
            let (auth, token) = (&auth, of_tenant(name));
            async move { auth.verify_token_async(&token).await.map(drop) }
        });
        for outcome in join_all(flood).await {
            assert!(outcome == Err(TokenError::Issuer) || is_unavailable(&outcome));
        }
        assert!(auth.verify_token(&known).is_ok());
    }
    // At most 256 of each thousand concurrent requests wait, and at most 12 call the function.
    assert!(calls() <= 1 + 25_600, "{}", calls());
    assert!(tenants.most_running.load(Ordering::SeqCst) <= 12);
    assert!(
        auth.verify_token_async(&of_tenant("https://t2.example"))
            .await
            .is_ok()
    );
}
