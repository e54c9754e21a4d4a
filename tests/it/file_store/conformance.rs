//! The whole conformance suite, including a store that is closed and opened again.

use flask_pyjwt::{
    FileStore,
    store::{
        Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
        StoreFuture, TokenIdentity,
    },
    store_conformance,
};
use support::folder::Folder;

/// A store that removes its file when it is dropped.
#[derive(Debug)]
struct Kept {
    store: FileStore,
    folder: Folder,
}

impl Kept {
    fn open(folder: Folder) -> Self {
        let store = FileStore::open(folder.file("sessions.redb")).expect("it opens");
        Self { store, folder }
    }

    fn reopen(self) -> Self {
        drop(self.store);
        Self::open(self.folder)
    }
}

impl SessionStore for Kept {
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
}

store_conformance!(
    suite,
    || async { Kept::open(Folder::new("file-store")) },
    |store: Kept| async { store.reopen() },
);
