//! One store for several managers.

use std::sync::Arc;

use super::{
    Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
    StoreFuture, TokenIdentity,
};

/// Lets several managers share one store. What one of them revokes is revoked for all.
impl<S: SessionStore + ?Sized> SessionStore for Arc<S> {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        (**self).open(opening, now)
    }

    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        (**self).rotate(rotation)
    }

    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        (**self).standing(token, now)
    }

    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        (**self).mark_used(token, now)
    }

    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>> {
        (**self).revoke(revocation, now)
    }

    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        (**self).sessions(subject, most, now)
    }

    fn adopt<'a>(
        &'a self,
        subject: &'a str,
        sessions: &'a [SessionRecord],
        now: Moment,
    ) -> StoreFuture<'a, bool> {
        (**self).adopt(subject, sessions, now)
    }

    fn first_use<'a>(
        &'a self,
        id: &'a str,
        ends_at: Moment,
        now: Moment,
    ) -> StoreFuture<'a, Option<bool>> {
        (**self).first_use(id, ends_at, now)
    }
}
