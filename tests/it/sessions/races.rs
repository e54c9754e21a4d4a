//! `docs/threats.md` 37: a thousand concurrent refreshes with one token, by several threads, a hundred times.

use std::{collections::HashSet, sync::Barrier, thread};

use actix_web::rt::System;
use flask_pyjwt::{AuthManager, Token};
use futures_util::future::join_all;

use super::{clock, with_memory};

const ROUNDS: usize = 100;
const THREADS: usize = 4;
const OF_EACH: usize = 250;

/// The refresh tokens that all refreshes of one round returned.
fn refresh_at_once(auth: &AuthManager, token: &Token) -> HashSet<String> {
    let barrier = Barrier::new(THREADS);
    let refresh = || {
        System::new().block_on(async {
            barrier.wait();
            let pairs = join_all((0..OF_EACH).map(|_| async { auth.refresh(token).await })).await;
            let text = |pair: flask_pyjwt::TokenPair| pair.refresh.signed().to_owned();
            let texts = pairs.into_iter().map(|pair| pair.map(text));
            texts
                .collect::<Result<HashSet<_>, _>>()
                .expect("within the grace window")
        })
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(refresh)).collect();
        let texts = threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("it ends"));
        texts.collect()
    })
}

#[test]
fn threat_37_a_thousand_concurrent_refreshes_have_one_successor() {
    let auth = with_memory(&clock());
    for round in 0..ROUNDS {
        let pair = System::new()
            .block_on(async { auth.login("alice").await })
            .expect("opened");
        let successors = refresh_at_once(&auth, &pair.refresh);
        assert_eq!(successors.len(), 1, "in round {round}");
        let open = System::new()
            .block_on(async {
                let open = auth.sessions("alice").await;
                auth.logout(&pair.auth).await.expect("ended");
                open
            })
            .expect("listed");
        assert_eq!(open.len(), 1, "in round {round}");
    }
}
