//! The session store for a move from one store to another.
//!
//! The sessions of a subject move together, in one atomic step of the new store, before anything of
//! the subject changes there. The old store is never changed, so what it answers about a subject
//! that has not moved stays true, however late the answer arrives. A slow process cannot bring back
//! what has ended since: the new store adopts the sessions of a subject only once.

use std::{collections::HashSet, fmt};

use super::{
    MOST_SESSIONS, Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore,
    Standing, StoreError, StoreFuture, TokenIdentity,
    subject::{ADOPTED, horizon},
};

/// Moves users from one session store to another without logging anybody out.
///
/// Sessions of both stores are good. A user's sessions move to the new store with the user's first
/// login, refresh, logout or revocation, all at once; all changes are made there. The old store is
/// only read.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use std::sync::Arc;
///
/// use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore, MigratingStore, store::SessionStore};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// fn manager(store: impl SessionStore) -> Result<AuthManager, flask_pyjwt::ConfigError> {
///     let config = Config::new("shop", AuthType::HS256, "change-me: at least 32 bytes of secret");
///     AuthManager::new(config.session_store(store))
/// }
/// let (old, new) = (Arc::new(MemoryStore::default()), Arc::new(MemoryStore::default()));
/// let before = manager(Arc::clone(&old))?;
/// let [phone, laptop] = [before.login("alice").await?, before.login("alice").await?];
///
/// // Accepts the tokens of the old store.
/// let moving = manager(MigratingStore::new(old, Arc::clone(&new)))?;
/// assert!(moving.check_revocation(&phone.auth).await.is_ok());
/// moving.logout(&phone.auth).await?;
///
/// // Later, with the new store alone: the other session is there, the ended one is refused.
/// let after = manager(new)?;
/// assert!(after.refresh(&laptop.refresh).await.is_ok());
/// assert!(after.check_revocation(&phone.auth).await.is_err());
/// # Ok(())
/// # }
/// ```
///
/// # How to move
///
/// 1. Use an empty new store: another file, another Redis or prefix, another database or table. It
///    has to implement [`SessionStore::adopt`], as all other stores of this crate do. Keep the
///    issuer and the keys, because they seal the sessions.
/// 2. **Stop every process that uses the old store alone**, then start them with this store. A
///    process that still uses the old store alone does not see what the others change. It refuses
///    sessions that were opened or refreshed there, and **accepts those that were ended there**. A
///    logout at such a process has no effect on a session that has moved.
/// 3. Wait until everything in the old store has expired: the longest of
///    [`session_idle`](crate::Config::session_idle), [`auth_max_age`](crate::Config::auth_max_age),
///    [`refresh_max_age`](crate::Config::refresh_max_age) and
///    [`max_lifetime`](crate::Config::max_lifetime), plus twice the
///    leeway. Nothing in the old store is extended after step 2.
/// 4. Use the new store alone, process by process, and delete the old one.
///
/// Do not go back to the old store: it does not know which sessions have ended. To go back, move
/// again, to an empty third store. The new store must not lose its data during the move, or
/// sessions that ended since step 2 are good again until they expire.
///
/// # While moving
///
/// Both stores have to answer. If the old one is down, requests get a 503 response. Only users who
/// have moved can still log in and log out, and their ended sessions are refused. Tokens that were revoked by their ids in the old store are
/// looked up there each time. A check asks each store once, or three questions in total if the
/// user has not moved. A change takes up to six. All of them have to be answered within
/// [`store_timeout`](crate::Config::store_timeout).
#[doc(alias = "migration")]
pub struct MigratingStore {
    old: Box<dyn SessionStore>,
    new: Box<dyn SessionStore>,
}

impl MigratingStore {
    /// Creates a store that has the sessions of both, and makes all changes in `new`. To use one of
    /// them elsewhere too, pass an `Arc` of it.
    #[must_use]
    pub fn new(old: impl SessionStore, new: impl SessionStore) -> Self {
        Self {
            old: Box::new(old),
            new: Box::new(new),
        }
    }

    /// Whether the new store has adopted the sessions of a subject. The old store then does not
    /// matter any more, except for tokens that it has revoked by their ids.
    async fn has_adopted(&self, subject: &str, now: Moment) -> Result<bool, StoreError> {
        let standing = self.new.standing(&lone(subject, ADOPTED), now).await?;
        Ok(standing == Standing::Revoked)
    }

    /// Lets the new store adopt the sessions of a subject. Returns `false` if the old store has
    /// none, which stays so.
    async fn adopt(&self, subject: &str, now: Moment) -> Result<bool, StoreError> {
        if self.has_adopted(subject, now).await? {
            return Ok(true);
        }
        // With those that expired within the last hour: they must not be good again when the clock
        // is set back.
        let sessions = self.old.sessions(subject, MOST_SESSIONS, horizon(now));
        let mut sessions = sessions.await?;
        sessions.retain(|session| session.subject == subject);
        sessions.truncate(MOST_SESSIONS);
        if sessions.is_empty() {
            return Ok(false);
        }
        // If another process was faster, nothing changes.
        self.new.adopt(subject, &sessions, now).await?;
        Ok(true)
    }

    /// Whether the old store has revoked a token of a session by its id.
    async fn was_revoked(&self, subject: &str, id: &str, now: Moment) -> Result<bool, StoreError> {
        let standing = self.old.standing(&lone(subject, id), now).await?;
        Ok(standing != Standing::Good)
    }

    /// The answer of the new store about a token, unless the old store has revoked the token.
    async fn unless_revoked(
        &self,
        token: &TokenIdentity,
        standing: Standing,
        now: Moment,
    ) -> Result<Standing, StoreError> {
        let revoked = match (&token.session, &token.id) {
            _ if standing == Standing::Revoked => false,
            (Some(_), Some(id)) => self.was_revoked(&token.subject, id, now).await?,
            (Some(_), None) => false,
            (None, _) => self.old.standing(token, now).await? != Standing::Good,
        };
        Ok(if revoked { Standing::Revoked } else { standing })
    }
}

/// A token with this id that belongs to no session and is never revoked with its subject.
fn lone(subject: &str, id: &str) -> TokenIdentity {
    TokenIdentity {
        id: Some(id.to_owned()),
        ..TokenIdentity::new(subject, Moment::MAX)
    }
}

impl SessionStore for MigratingStore {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        Box::pin(async move {
            self.adopt(&opening.session.subject, now).await?;
            self.new.open(opening, now).await
        })
    }

    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        Box::pin(async move {
            let (subject, now) = (&*rotation.subject, rotation.successor.issued_at);
            if self.was_revoked(subject, &rotation.refresh_id, now).await? {
                return Ok(Rotated::Gone);
            }
            let rotated = self.new.rotate(rotation).await?;
            if rotated != Rotated::Gone || !self.adopt(subject, now).await? {
                return Ok(rotated);
            }
            self.new.rotate(rotation).await
        })
    }

    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        Box::pin(async move {
            let mut standing = self.new.standing(token, now).await?;
            if standing == Standing::Revoked && token.session.is_some() {
                if !self.has_adopted(&token.subject, now).await? {
                    return self.old.standing(token, now).await;
                }
                // The sessions may have been adopted after the first answer.
                standing = self.new.standing(token, now).await?;
            }
            self.unless_revoked(token, standing, now).await
        })
    }

    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        Box::pin(async move {
            let Some(id) = token.id.as_ref().filter(|_| token.session.is_some()) else {
                return self.standing(token, now).await;
            };
            if self.was_revoked(&token.subject, id, now).await? {
                return Ok(Standing::Revoked);
            }
            let standing = self.new.mark_used(token, now).await?;
            if standing != Standing::Revoked || !self.adopt(&token.subject, now).await? {
                return Ok(standing);
            }
            self.new.mark_used(token, now).await
        })
    }

    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>> {
        Box::pin(async move {
            self.adopt(revocation.subject(), now).await?;
            self.new.revoke(revocation, now).await
        })
    }

    /// Only the new store is asked. A proof that was used before the move can be used again for the minute that it lasts.
    fn first_use<'a>(
        &'a self,
        id: &'a str,
        ends_at: Moment,
        now: Moment,
    ) -> StoreFuture<'a, Option<bool>> {
        self.new.first_use(id, ends_at, now)
    }

    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        Box::pin(async move {
            let mut sessions = self.new.sessions(subject, most, now).await?;
            if self.has_adopted(subject, now).await? {
                // The sessions may have been adopted after the first answer.
                return self.new.sessions(subject, most, now).await;
            }
            let old = self.old.sessions(subject, most, now).await?;
            let known: HashSet<_> = sessions.iter().map(|it| it.id.clone()).collect();
            sessions.extend(old.into_iter().filter(|it| !known.contains(&it.id)));
            sessions.truncate(most);
            Ok(sessions)
        })
    }
}

impl fmt::Debug for MigratingStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MigratingStore").finish_non_exhaustive()
    }
}
