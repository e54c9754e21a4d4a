//! The store: implements each method of [`SessionStore`] as one command or one script.

use std::{fmt, future::ready, sync::Arc};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use redis::Value;
use time::Duration;

use super::{
    super::{
        Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
        StoreError, StoreFuture, TokenIdentity,
        near_cache::{Cache, NearCacheCounts, Questions},
        opening::{MAX_TOKENS, MOST_SESSIONS, OVERFULL},
        subject::{MARGIN, last_end},
    },
    encoding,
    near::{about_field, token_field},
    outcome::{ids, rotated},
    reply,
    script::{ADOPT, FIRST_USE, MARK_USED, OPEN, REVOKE, ROTATE, Script, count, number},
    servers::Servers,
    worker::Worker,
};

/// Keeps sessions in Redis 7 or Valkey: for deployments with several processes, which share the
/// sessions.
///
/// Each subject has one hash with the key `flask-pyjwt:<subject in base64url>`. Every question is
/// one command and every change one script. Each takes one round trip to one node and is atomic, in
/// a cluster as well. Keys expire by themselves, and ended sessions are removed from hashes that
/// stay in use.
///
/// The store fails closed when Redis does not answer. A server that is down, loading, out of memory
/// or slow gives an error. So does a server that has become a replica, which is checked about once
/// a second. Configure Redis so that it does not lose data:
///
/// - **`maxmemory-policy noeviction`.** With any other policy, Redis removes revocations when its
///   memory is full.
/// - **`appendonly yes`** and **`appendfsync always`**. With `everysec`, a crash of Redis may undo
///   the changes of the last second; without `appendonly`, those since the last snapshot. Rotated
///   tokens are then treated as replayed, which logs users out, and revoked tokens are accepted
///   again.
/// - **Replicas** lag a little. A failover undoes the changes that the new primary does not have,
///   unless [`wait_for_replicas`](super::RedisStoreBuilder::wait_for_replicas) is set. A primary
///   that is cut off from its replicas and sentinels keeps answering clients that are cut off with
///   it. `min-replicas-to-write 1` prevents it from accepting changes.
/// - **The clock of Redis** only decides when keys expire, which is an hour after their content.
///
/// Every check asks Redis, unless the store has a
/// [near cache](super::RedisStoreBuilder::near_cache).
///
/// ```no_run
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, RedisStore};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RedisStore::connect("redis://127.0.0.1:6379").await?;
/// let config = Config::new("shop", AuthType::HS256, "change-me: at least 32 bytes of secret")
///     .session_store(store);
/// let auth = AuthManager::new(config)?;
///
/// let pair = auth.login("alice").await?;
/// assert!(auth.check_revocation(&pair.auth).await.is_ok());
/// auth.logout(&pair.auth).await?;
/// assert!(auth.check_revocation(&pair.auth).await.is_err());
/// # Ok(())
/// # }
/// ```
#[doc(alias = "blocklist")]
#[doc(alias = "token_in_blocklist_loader")]
#[doc(alias = "Valkey")]
pub struct RedisStore {
    servers: Arc<Servers>,
    worker: Worker,
    prefix: String,
    near: Option<Arc<Questions<Arc<Servers>>>>,
}

impl RedisStore {
    /// A store on connected servers.
    pub(super) fn new(
        servers: Arc<Servers>,
        worker: Worker,
        prefix: String,
        cache: Option<Arc<Cache>>,
    ) -> Self {
        let near = cache.map(|cache| {
            let runtime = worker.runtime().clone();
            let places = Arc::clone(worker.places());
            Questions::new(cache, Arc::clone(&servers), runtime, places)
        });
        Self {
            servers,
            worker,
            prefix,
            near,
        }
    }

    /// What the near cache has counted. `None` for a store without one.
    ///
    /// ```no_run
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{NearCache, RedisStore};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = RedisStore::builder().near_cache(NearCache::new());
    /// let store = store.connect("redis://127.0.0.1:6379").await?;
    /// if let Some(counts) = store.near_cache_counts() {
    ///     println!("{} of {} checks asked Redis", counts.misses, counts.hits + counts.misses);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn near_cache_counts(&self) -> Option<NearCacheCounts> {
        self.near.as_ref().map(|near| near.cache().counts())
    }

    /// The key of a subject's hash.
    fn key(&self, subject: &str) -> Vec<u8> {
        // One allocation, also for the last few letters.
        let mut key = String::with_capacity(self.prefix.len() + 4 + subject.len() / 3 * 4 + 4);
        key.push_str(&self.prefix);
        key.push(':');
        BASE64_URL_SAFE_NO_PAD.encode_string(subject, &mut key);
        key.into_bytes()
    }

    /// The key of a message that was used. No subject has it: `!` is not in base64url.
    fn key_of_used(&self, id: &str) -> Vec<u8> {
        format!("{}:!{id}", self.prefix).into_bytes()
    }

    /// Runs a read command on the hash of a subject.
    async fn read(
        &self,
        subject: &str,
        command: &str,
        fields: &[String],
    ) -> Result<Vec<Value>, StoreError> {
        let servers = Arc::clone(&self.servers);
        let key = self.key(subject);
        let mut question = redis::cmd(command);
        question.arg(&key).arg(fields);
        let asking = async move { servers.read(&key, question).await };
        reply::array(self.worker.run(asking).await?)
    }

    /// Runs a script on the hash of a subject.
    async fn write(
        &self,
        subject: &str,
        script: &'static Script,
        now: Moment,
        args: impl IntoIterator<Item = Vec<u8>>,
    ) -> Result<Value, StoreError> {
        let servers = Arc::clone(&self.servers);
        let key = self.key(subject);
        let mut all = self.beginning(now, MARGIN)?;
        all.extend(args);
        let cache = self.near.as_ref().map(|near| Arc::clone(near.cache()));
        let changing = async move {
            // Until the answer is known, or is known to be unknown.
            let _changing = cache.map(|cache| cache.changing(&*key));
            servers.write(&key, script, &all).await
        };
        self.worker.run(changing).await
    }

    /// The first arguments of every script.
    fn beginning(&self, now: Moment, margin: Duration) -> Result<Vec<Vec<u8>>, StoreError> {
        Ok(vec![
            number(encoding::moment(now)?),
            number(encoding::duration(margin)),
            number(i64::from(self.servers.waits())),
        ])
    }
}

impl SessionStore for RedisStore {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        Box::pin(async move {
            let session = &opening.session;
            let replaced = opening.replaces.iter();
            let args = [
                session.id.clone().into_bytes(),
                encoding::encode(session)?.into_bytes(),
                number(encoding::moment(session.expires_at)?),
                count(opening.most),
                count(OVERFULL),
            ]
            .into_iter()
            .chain(replaced.map(|id| id.clone().into_bytes()));
            let answer = self.write(&session.subject, &OPEN, now, args).await?;
            ids(answer)
        })
    }

    fn rotate<'a>(&'a self, rotation: &'a Rotation) -> StoreFuture<'a, Rotated> {
        Box::pin(async move {
            let successor = &rotation.successor;
            let mut args = vec![
                rotation.session.clone().into_bytes(),
                rotation.refresh_id.clone().into_bytes(),
                successor.refresh_id.clone().into_bytes(),
                successor.auth_id.clone().into_bytes(),
                successor
                    .repeatable_until
                    .map_or_else(Vec::new, |it| number(encoding::nearest_moment(it))),
                number(encoding::duration(rotation.idle)),
                number(encoding::duration(rotation.grace)),
            ];
            args.extend(rotation.claims.clone().map(String::into_bytes));
            let now = successor.issued_at;
            let answer = self.write(&rotation.subject, &ROTATE, now, args).await?;
            rotated(rotation, reply::array(answer)?)
        })
    }

    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        let near = self.near.as_ref();
        let near = near.map(|near| (near, self.key(&token.subject)));
        if let Some((near, key)) = &near
            && let Some(standing) = near.hit(key, token, now)
        {
            return Box::pin(ready(Ok(standing)));
        }
        Box::pin(async move {
            if let Some((near, key)) = near
                && let Some(standing) = near.standing(&key, token, now).await?
            {
                return Ok(standing);
            }
            let mut fields = Vec::with_capacity(2);
            fields.push(about_field(token.session.as_deref()));
            fields.extend(token.id.as_deref().map(token_field));
            let found = self.read(&token.subject, "HMGET", &fields).await?;
            if found.len() != fields.len() {
                return Err(reply::unexpected());
            }
            let mut found = found.into_iter();
            let about = reply::field(found.next())?;
            if token.id.is_some() && reply::field(found.next())?.is_some() {
                return Ok(Standing::Revoked);
            }
            let Some(id) = &token.session else {
                let issued_until = about.map(|it| encoding::issued_until(&it)).transpose()?;
                return Ok(match issued_until {
                    Some(issued_until) if token.issued_at <= issued_until => Standing::Revoked,
                    _ => Standing::Good,
                });
            };
            let Some(stored) = about else {
                return Ok(Standing::Revoked);
            };
            let session = encoding::decode(&token.subject, id, &stored)?;
            Ok(session.standing(token, now))
        })
    }

    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        Box::pin(async move {
            let (Some(session), Some(id)) = (&token.session, &token.id) else {
                return self.standing(token, now).await;
            };
            let kind = if token.grace.is_none() {
                "auth"
            } else {
                "refresh"
            };
            let args = [&**session, &**id, kind].map(|text| text.as_bytes().to_vec());
            let answer = self.write(&token.subject, &MARK_USED, now, args).await?;
            match &reply::array(answer)?[..] {
                [] => Ok(Standing::Revoked),
                [Value::Int(1), Value::BulkString(stored)] => {
                    Ok(encoding::decode(&token.subject, session, stored)?.standing(token, now))
                }
                [Value::Int(5)] => Err(StoreError::corrupt("a session")),
                _ => Err(reply::unexpected()),
            }
        })
    }

    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>> {
        Box::pin(async move {
            let what = match revocation {
                Revocation::Token { id, until, .. } => vec![
                    b"token".to_vec(),
                    id.clone().into_bytes(),
                    number(encoding::nearest_moment(*until)),
                    count(MAX_TOKENS),
                    count(OVERFULL),
                ],
                Revocation::Session { session, .. } => {
                    vec![b"session".to_vec(), session.clone().into_bytes()]
                }
                Revocation::Subject {
                    issued_until,
                    until,
                    ..
                } => vec![
                    b"subject".to_vec(),
                    number(encoding::nearest_moment(*issued_until)),
                    number(encoding::nearest_moment(*until)),
                    count(OVERFULL),
                ],
            };
            match self.write(revocation.subject(), &REVOKE, now, what).await? {
                Value::Int(2) => Err(StoreError::TooManyTokens { limit: MAX_TOKENS }),
                ended => ids(ended),
            }
        })
    }

    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        Box::pin(async move {
            // All fields if the subject is within the limits, otherwise any of them. Ended sessions
            // may still be there, and do not count.
            let fields = MOST_SESSIONS + MAX_TOKENS + 2;
            let some = [fields.to_string(), "WITHVALUES".to_owned()];
            let all = self.read(subject, "HRANDFIELD", &some).await?;
            let mut sessions = Vec::new();
            let mut all = all.into_iter();
            while let Some(field) = reply::field(all.next().or(Some(Value::Nil)))? {
                let value = reply::field(all.next())?.ok_or_else(reply::unexpected)?;
                if let Some(id) = field.strip_prefix(b"s:") {
                    let id = std::str::from_utf8(id)
                        .map_err(|_| StoreError::corrupt("the id of a session"))?;
                    sessions.push(encoding::decode(subject, id, &value)?);
                }
            }
            sessions.retain(|session| session.is_live(now));
            sessions.truncate(most);
            Ok(sessions)
        })
    }

    fn adopt<'a>(
        &'a self,
        subject: &'a str,
        sessions: &'a [SessionRecord],
        now: Moment,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let mut args = Vec::with_capacity(1 + 2 * sessions.len());
            args.push(number(encoding::nearest_moment(last_end(sessions, now))));
            for session in sessions {
                args.push(session.id.clone().into_bytes());
                args.push(encoding::encode(session)?.into_bytes());
            }
            match self.write(subject, &ADOPT, now, args).await? {
                Value::Int(adopted @ (0 | 1)) => Ok(adopted == 1),
                _ => Err(reply::unexpected()),
            }
        })
    }

    fn first_use<'a>(
        &'a self,
        id: &'a str,
        ends_at: Moment,
        now: Moment,
    ) -> StoreFuture<'a, Option<bool>> {
        Box::pin(async move {
            // The margin makes up for the difference of the servers' clocks.
            let mut args = self.beginning(now, Duration::MINUTE)?;
            args.push(number(encoding::nearest_moment(ends_at)));
            let (servers, key) = (Arc::clone(&self.servers), self.key_of_used(id));
            let noting = async move { servers.write(&key, &FIRST_USE, &args).await };
            match self.worker.run(noting).await? {
                Value::Int(first @ (0 | 1)) => Ok(Some(first == 1)),
                _ => Err(reply::unexpected()),
            }
        })
    }
}

/// Shows the addresses without credentials.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("servers", &format_args!("{}", self.servers))
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}
