//! Sessions and tokens of `alice`, and stores to move between.

use std::sync::Arc;

use flask_pyjwt::{
    MemoryStore, MigratingStore,
    store::{
        Generation, Moment, Opening, Rotation, SessionRecord, SessionStore, Standing, TokenIdentity,
    },
};
use time::Duration;

pub(super) const NOW: Moment = Moment::from_milliseconds(1_800_000_000_000);
pub(super) const IDLE: Duration = Duration::hours(2);
pub(super) const LIFETIME: Duration = Duration::hours(6);
pub(super) const GRACE: Duration = Duration::seconds(10);

pub(super) fn generation(name: &str, now: Moment) -> Generation {
    let mut generation = Generation::new(format!("r-{name}"), format!("a-{name}"), now);
    generation.repeatable_until = Some(now + Duration::minutes(20));
    generation
}

/// A session that is opened now, with the pair of tokens `a-<id>` and `r-<id>`.
pub(super) fn session(id: &str, now: Moment) -> SessionRecord {
    let mut first = generation(id, now);
    first.repeatable_until = None;
    let mut session = SessionRecord::new(id, "alice", first, LIFETIME);
    session.expires_at = now + IDLE;
    session
}

pub(super) fn opening(id: &str, most: usize, now: Moment) -> Opening {
    Opening::new(session(id, now), most)
}

/// The rotation of `r-<from>` to the pair `to`.
pub(super) fn rotation(id: &str, from: &str, to: &str, now: Moment) -> Rotation {
    let mut rotation = Rotation::new("alice", id, format!("r-{from}"), generation(to, now), IDLE);
    rotation.grace = GRACE;
    rotation
}

pub(super) fn auth(session: Option<&str>, id: Option<&str>) -> TokenIdentity {
    let mut token = TokenIdentity::new("alice", NOW);
    token.session = session.map(str::to_owned);
    token.id = id.map(|id| format!("a-{id}"));
    token
}

pub(super) fn refresh(session: &str, id: &str) -> TokenIdentity {
    let mut token = auth(Some(session), None);
    token.id = Some(format!("r-{id}"));
    token.grace = Some(GRACE);
    token
}

/// Two stores and the one that moves sessions between them.
pub(super) struct Move {
    pub(super) old: Arc<MemoryStore>,
    pub(super) new: Arc<MemoryStore>,
    pub(super) moving: MigratingStore,
}

impl Move {
    /// The old store has the sessions `s` and `t`.
    pub(super) async fn begin() -> Self {
        let (old, new) = (Arc::<MemoryStore>::default(), Arc::<MemoryStore>::default());
        for id in ["s", "t"] {
            let opening = opening(id, 10, NOW);
            old.open(&opening, NOW).await.expect("opened");
        }
        Self {
            moving: MigratingStore::new(Arc::clone(&old), Arc::clone(&new)),
            old,
            new,
        }
    }
}

pub(super) async fn standing(
    store: &impl SessionStore,
    token: &TokenIdentity,
    now: Moment,
) -> Standing {
    store.standing(token, now).await.expect("an answer")
}

/// The ids of the open sessions, sorted.
pub(super) async fn open_ids(store: &impl SessionStore, now: Moment) -> Vec<String> {
    let sessions = store.sessions("alice", 1_000, now).await.expect("listed");
    let mut ids: Vec<_> = sessions.into_iter().map(|session| session.id).collect();
    ids.sort();
    ids
}
