//! Sessions, tokens and rotations for tests, and shorter names for the operations of a store.

use flask_pyjwt::{
    RedisStore,
    store::{
        Generation, Moment, Opening, RedisStoreBuilder, Revocation, Rotated, Rotation,
        SessionRecord, SessionStore, Standing, StoreError, TokenIdentity,
    },
};

use time::Duration;

use super::server::Server;

pub(crate) const NOW: Moment = Moment::from_milliseconds(1_800_000_000_000);
pub(crate) const SECOND: Duration = Duration::SECOND;
pub(crate) const HOUR: Duration = Duration::HOUR;
pub(crate) const DAY: Duration = Duration::DAY;
pub(crate) const IDLE: Duration = Duration::days(7);
pub(crate) const GRACE: Duration = Duration::seconds(10);

/// A duration in milliseconds, as Redis counts it.
pub(crate) fn milliseconds(duration: Duration) -> i64 {
    duration.whole_milliseconds().try_into().expect("short")
}

/// A pair of tokens with the IDs `r-…` and `a-…`.
pub(crate) fn generation(name: &str, issued_at: Moment) -> Generation {
    Generation::new(format!("r-{name}"), format!("a-{name}"), issued_at)
}

/// A session that was just opened, with the refresh token `r-0`.
pub(crate) fn session(subject: &str, id: &str, now: Moment) -> SessionRecord {
    let mut session = SessionRecord::new(id, subject, generation("0", now), 30 * DAY);
    session.expires_at = now + IDLE;
    session.label = Some("a browser".to_owned());
    session.user_agent = Some("Firefox".to_owned());
    session.claims = r#"{"scope":["read"]}"#.into();
    session
}

pub(crate) fn opening(subject: &str, id: &str, now: Moment) -> Opening {
    Opening::new(session(subject, id, now), 1_000)
}

/// The rotation of `r-<from>` into the generation `to`.
pub(crate) fn rotation(subject: &str, id: &str, from: &str, to: &str, now: Moment) -> Rotation {
    let successor = generation(to, now);
    let mut rotation = Rotation::new(subject, id, format!("r-{from}"), successor, IDLE);
    rotation.grace = GRACE;
    rotation
}

/// The auth token `a-<name>` of a session.
pub(crate) fn auth(subject: &str, session: &str, name: &str) -> TokenIdentity {
    let mut token = lone(subject, Some(&format!("a-{name}")), NOW);
    token.session = Some(session.to_owned());
    token
}

/// The refresh token `r-<name>` of a session.
pub(crate) fn refresh(subject: &str, session: &str, name: &str) -> TokenIdentity {
    let mut token = auth(subject, session, name);
    token.id = Some(format!("r-{name}"));
    token.grace = Some(GRACE);
    token
}

/// A token without a session.
pub(crate) fn lone(subject: &str, id: Option<&str>, issued_at: Moment) -> TokenIdentity {
    let mut token = TokenIdentity::new(subject, issued_at);
    token.id = id.map(str::to_owned);
    token
}

pub(crate) fn revoke_token(subject: &str, id: &str, until: Moment) -> Revocation {
    Revocation::of_token(subject, id, until)
}

pub(crate) fn revoke_session(subject: &str, session: &str) -> Revocation {
    Revocation::of_session(subject, session)
}

pub(crate) fn revoke_subject(subject: &str, issued_until: Moment, until: Moment) -> Revocation {
    Revocation::of_subject(subject, issued_until, until)
}

/// A store for tests that are not about time: on a busy machine it waits as long as necessary.
pub(crate) fn patient() -> RedisStoreBuilder {
    RedisStore::builder().timeout(time::Duration::seconds(30))
}

/// Such a store on one server.
pub(crate) async fn connected(server: &Server) -> RedisStore {
    let store = patient().connect(server.url()).await;
    store.expect("connected")
}

/// The operations of a store that must not fail.
pub(crate) trait Answers: SessionStore {
    async fn opens(&self, session: &SessionRecord, now: Moment) {
        let evicted = self.opens_of(session, 1_000, now).await;
        assert_eq!(evicted, [""; 0]);
    }

    /// Opens a session of a subject that may have so many, and returns the IDs of the sessions that it ended.
    async fn opens_of(&self, session: &SessionRecord, most: usize, now: Moment) -> Vec<String> {
        let opening = Opening::new(session.clone(), most);
        self.open(&opening, now).await.expect("opened")
    }

    async fn rotates(&self, rotation: &Rotation) -> Rotated {
        self.rotate(rotation).await.expect("an answer")
    }

    async fn standing_of(&self, token: &TokenIdentity, now: Moment) -> Standing {
        self.standing(token, now).await.expect("an answer")
    }

    /// Returns the IDs of what has ended, sorted.
    async fn revokes(&self, revocation: &Revocation, now: Moment) -> Vec<String> {
        let mut ended = self.revoke(revocation, now).await.expect("revoked");
        ended.sort();
        ended
    }

    async fn lists(&self, subject: &str, now: Moment) -> Vec<SessionRecord> {
        let mut sessions = self.sessions(subject, 1_000, now).await.expect("listed");
        sessions.sort_by(|a, b| a.id.cmp(&b.id));
        sessions
    }
}

impl<S: SessionStore> Answers for S {}

/// The reason of an error: its innermost source.
pub(crate) fn reason(error: &StoreError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), ToString::to_string)
}
