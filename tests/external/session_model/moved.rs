//! The same histories, while sessions move from one store to another.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use flask_pyjwt::{
    FileStore, MemoryStore, MigratingStore, RedisStore,
    store::{
        Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
        StoreFuture, TokenIdentity,
    },
};
use support::{folder::Folder, redis as server};
use time::Duration;

use super::{Moves, try_histories};

/// The old store alone until `moves`, and then two stores that move its sessions to another one, in turn.
struct Moving {
    old: Arc<dyn SessionStore>,
    processes: [MigratingStore; 2],
    moves: Moves,
    next: AtomicUsize,
}

impl Moving {
    fn new(old: impl SessionStore, new: impl SessionStore, moves: Moves) -> Self {
        let (old, new): (Arc<dyn SessionStore>, Arc<dyn SessionStore>) =
            (Arc::new(old), Arc::new(new));
        let moving = || MigratingStore::new(Arc::clone(&old), Arc::clone(&new));
        Self {
            processes: [moving(), moving()],
            old,
            moves,
            next: AtomicUsize::new(0),
        }
    }

    fn current(&self) -> &dyn SessionStore {
        if self.moves.load(Ordering::SeqCst) {
            &self.processes[self.next.fetch_add(1, Ordering::Relaxed) % 2]
        } else {
            &*self.old
        }
    }
}

impl SessionStore for Moving {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        self.current().open(opening, now)
    }
    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        self.current().rotate(rotation)
    }
    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.current().standing(token, now)
    }
    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.current().mark_used(token, now)
    }
    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>> {
        self.current().revoke(revocation, now)
    }
    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        self.current().sessions(subject, most, now)
    }
}

#[test]
fn sessions_that_move_from_memory_to_memory_agree_with_the_model() {
    try_histories(600, async |moves| {
        Moving::new(MemoryStore::default(), MemoryStore::default(), moves)
    });
}

#[test]
fn sessions_that_move_from_memory_to_a_file_agree_with_the_model() {
    let folder = Folder::new("moved");
    let number = AtomicUsize::new(0);
    try_histories(40, async |moves| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let file = FileStore::open(folder.file(&format!("{number}.redb"))).expect("it opens");
        Moving::new(MemoryStore::default(), file, moves)
    });
}

async fn redis(server: &server::Server, prefix: String) -> RedisStore {
    let builder = RedisStore::builder().prefix(prefix);
    let builder = builder.timeout(Duration::seconds(20));
    builder.connect(server.url()).await.expect("connected")
}

#[test]
fn sessions_that_move_from_a_file_to_redis_agree_with_the_model() {
    server::needs_redis!();
    let (server, folder) = (server::Server::start(), Folder::new("moved"));
    let number = AtomicUsize::new(0);
    try_histories(40, async |moves| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let file = FileStore::open(folder.file(&format!("{number}.redb"))).expect("it opens");
        let new = redis(&server, format!("new-{number}")).await;
        Moving::new(file, new, moves)
    });
}

#[test]
fn sessions_that_move_from_redis_to_redis_agree_with_the_model() {
    server::needs_redis!();
    let server = server::Server::start();
    let number = AtomicUsize::new(0);
    try_histories(60, async |moves| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let old = redis(&server, format!("old-{number}")).await;
        let new = redis(&server, format!("new-{number}")).await;
        Moving::new(old, new, moves)
    });
}
