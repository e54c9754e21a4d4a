//! The conformance suite for a store in PostgreSQL, and `kill -9` of PostgreSQL, which must not lose a change.

use std::sync::Mutex;

use flask_pyjwt::{
    MemoryStore,
    store::{
        Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
        StoreFuture, TokenIdentity,
    },
    store_conformance,
};

use super::{
    records::connected,
    server::{Server, is_there},
};

/// A store with its own server, which stops when it is dropped. If no PostgreSQL is installed, this was printed, and
/// another store is used.
#[derive(Debug)]
struct Own {
    store: Box<dyn Debugged>,
    server: Mutex<Option<Server>>,
}

trait Debugged: SessionStore + std::fmt::Debug {}
impl<S: SessionStore + std::fmt::Debug> Debugged for S {}

async fn fresh() -> Own {
    if !is_there() {
        return Own {
            store: Box::new(MemoryStore::default()),
            server: Mutex::new(None),
        };
    }
    let server = Server::start();
    Own {
        store: Box::new(connected(&server).await),
        server: Mutex::new(Some(server)),
    }
}

/// The store after a crash of the server.
async fn reopened(own: Own) -> Own {
    let Some(mut server) = own.server.lock().expect("not poisoned").take() else {
        return own;
    };
    server.restart();
    Own {
        store: Box::new(connected(&server).await),
        server: Mutex::new(Some(server)),
    }
}

impl SessionStore for Own {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        self.store.open(opening, now)
    }
    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        self.store.rotate(rotation)
    }
    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.store.standing(token, now)
    }
    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.store.mark_used(token, now)
    }
    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>> {
        self.store.revoke(revocation, now)
    }
    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        self.store.sessions(subject, most, now)
    }
    fn adopt<'a>(
        &'a self,
        subject: &'a str,
        sessions: &'a [SessionRecord],
        now: Moment,
    ) -> StoreFuture<'a, bool> {
        self.store.adopt(subject, sessions, now)
    }

    fn first_use<'a>(
        &'a self,
        id: &'a str,
        ends_at: Moment,
        now: Moment,
    ) -> StoreFuture<'a, Option<bool>> {
        self.store.first_use(id, ends_at, now)
    }
}

store_conformance!(rules, fresh, reopened);
