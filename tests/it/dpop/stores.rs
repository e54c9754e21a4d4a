//! Which proofs were used, in a store that several servers share: a fleet, a store that fails, one that hangs.

use std::{
    future::{pending, ready},
    sync::{Arc, Mutex},
};

use flask_pyjwt::{
    MemoryStore,
    store::{
        Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
        StoreError, StoreFuture, TokenIdentity,
    },
};
use time::Duration;

use super::*;

/// How the store answers about proofs.
#[derive(Clone)]
pub(crate) enum Proofs {
    Shared(Arc<Mutex<Vec<String>>>),
    Failing,
    Hanging,
}

pub(crate) struct Store {
    pub(crate) sessions: MemoryStore,
    pub(crate) proofs: Proofs,
}

impl SessionStore for Store {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        self.sessions.open(opening, now)
    }

    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        self.sessions.rotate(rotation)
    }

    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.sessions.standing(token, now)
    }

    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.sessions.mark_used(token, now)
    }

    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>> {
        self.sessions.revoke(revocation, now)
    }

    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        self.sessions.sessions(subject, most, now)
    }

    fn first_use<'a>(
        &'a self,
        id: &'a str,
        ends_at: Moment,
        now: Moment,
    ) -> StoreFuture<'a, Option<bool>> {
        assert!(id.len() == 43 && ends_at > now);
        match &self.proofs {
            Proofs::Shared(used) => {
                let mut used = used.lock().expect("not poisoned");
                let is_first = !used.iter().any(|known| known == id);
                used.push(id.to_owned());
                Box::pin(ready(Ok(Some(is_first))))
            }
            Proofs::Failing => Box::pin(ready(Err(StoreError::unavailable("out of order")))),
            Proofs::Hanging => Box::pin(pending()),
        }
    }
}

fn with(proofs: &Proofs) -> AuthManager {
    let store = Store {
        sessions: MemoryStore::default(),
        proofs: proofs.clone(),
    };
    let config = hs256().store_timeout(Duration::milliseconds(20));
    manager(config.session_store(store))
}

#[actix_web::test]
async fn threat_63_a_proof_is_used_once_in_a_fleet() {
    let proofs = Proofs::Shared(Arc::default());
    let [one, other] = [with(&proofs), with(&proofs)];
    let token = token(&one);
    let [one, other] = [site(&one).await, site(&other).await];
    let proof = Proof::new("GET", BOUND).of(&token).sign();
    assert_eq!(
        present(&one, BOUND, &token, &proof).await.outcome(),
        (200, "")
    );
    for site in [&other, &one] {
        let reply = present(site, BOUND, &token, &proof).await;
        is_refused(
            &reply,
            "invalid_dpop_proof",
            "dpop_replayed",
            "on another server",
        );
    }
}

#[actix_web::test]
async fn threat_63_a_store_that_cannot_tell_lets_nobody_in() {
    for proofs in [Proofs::Failing, Proofs::Hanging] {
        let auth = with(&proofs);
        let token = token(&auth);
        let site = site(&auth).await;
        let proof = Proof::new("GET", BOUND).of(&token).sign();
        let reply = present(&site, BOUND, &token, &proof).await;
        assert_eq!(reply.outcome(), (503, "unavailable"));
        assert!(!reply.field("retry-after").is_empty());
    }
}

/// A future that is dropped while the store is asked has used the proof up: it is never accepted twice.
#[actix_web::test]
async fn threat_63_a_request_that_is_given_up_does_not_free_its_proof() {
    let auth = with(&Proofs::Hanging);
    let token = token(&auth);
    let site = site(&auth).await;
    let proof = Proof::new("GET", BOUND).of(&token).sign();
    {
        let asked = std::pin::pin!(present(&site, BOUND, &token, &proof));
        assert!(futures_util::poll!(asked).is_pending());
    }
    let reply = present(&site, BOUND, &token, &proof).await;
    is_refused(&reply, "invalid_dpop_proof", "dpop_replayed", "given up");
}
