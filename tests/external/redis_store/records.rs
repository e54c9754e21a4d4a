//! Sessions, tokens and rotations to store, and shorter names for what a store is asked.

use flask_pyjwt::{
    Generation, Opening, RedisStore, RedisStoreBuilder, Revocation, Rotated, Rotation,
    SessionRecord, SessionStore, Standing, StoreError, TokenIdentity,
};

use super::server::Server;

/// In milliseconds since 1970.
pub(crate) const NOW: i64 = 1_800_000_000_000;
pub(crate) const SECOND: i64 = 1_000;
pub(crate) const HOUR: i64 = 3_600 * SECOND;
pub(crate) const DAY: i64 = 24 * HOUR;
pub(crate) const IDLE: i64 = 7 * DAY;
pub(crate) const GRACE: i64 = 10 * SECOND;

/// A pair of tokens with the ids `r-…` and `a-…`.
pub(crate) fn generation(name: &str, issued_at: i64) -> Generation {
    Generation {
        refresh_id: format!("r-{name}"),
        auth_id: format!("a-{name}"),
        issued_at,
        ..Generation::default()
    }
}

/// A session that was just opened, with the refresh token `r-0`.
pub(crate) fn session(subject: &str, id: &str, now: i64) -> SessionRecord {
    SessionRecord {
        id: id.to_owned(),
        subject: subject.to_owned(),
        opened_at: now,
        expires_at: now + IDLE,
        ends_at: now + 30 * DAY,
        label: Some("a browser".to_owned()),
        claims: r#"{"scope":["read"]}"#.to_owned(),
        generations: vec![generation("0", now)],
    }
}

pub(crate) fn opening(subject: &str, id: &str, now: i64) -> Opening {
    Opening::new(session(subject, id, now), 1_000)
}

/// The rotation of `r-<from>` into the generation `to`.
pub(crate) fn rotation(subject: &str, id: &str, from: &str, to: &str, now: i64) -> Rotation {
    Rotation {
        subject: subject.to_owned(),
        session: id.to_owned(),
        refresh_id: format!("r-{from}"),
        successor: generation(to, now),
        idle: IDLE,
        grace: GRACE,
        claims: None,
    }
}

/// The auth token `a-<name>` of a session.
pub(crate) fn auth(subject: &str, session: &str, name: &str) -> TokenIdentity {
    TokenIdentity {
        subject: subject.to_owned(),
        session: Some(session.to_owned()),
        id: Some(format!("a-{name}")),
        issued_at: NOW,
        grace: None,
    }
}

/// The refresh token `r-<name>` of a session.
pub(crate) fn refresh(subject: &str, session: &str, name: &str) -> TokenIdentity {
    TokenIdentity {
        id: Some(format!("r-{name}")),
        grace: Some(GRACE),
        ..auth(subject, session, name)
    }
}

/// A token of no session.
pub(crate) fn lone(subject: &str, id: Option<&str>, issued_at: i64) -> TokenIdentity {
    TokenIdentity {
        subject: subject.to_owned(),
        session: None,
        id: id.map(str::to_owned),
        issued_at,
        grace: None,
    }
}

pub(crate) fn revoke_token(subject: &str, id: &str, until: i64) -> Revocation {
    Revocation::Token {
        subject: subject.to_owned(),
        id: id.to_owned(),
        until,
    }
}

pub(crate) fn revoke_session(subject: &str, session: &str) -> Revocation {
    Revocation::Session {
        subject: subject.to_owned(),
        session: session.to_owned(),
    }
}

pub(crate) fn revoke_subject(subject: &str, issued_until: i64, until: i64) -> Revocation {
    Revocation::Subject {
        subject: subject.to_owned(),
        issued_until,
        until,
    }
}

/// A store in tests that are not about time: on a busy machine it waits for as long as it takes.
pub(crate) fn patient() -> RedisStoreBuilder {
    RedisStore::builder().timeout(time::Duration::seconds(30))
}

/// Such a store on one server.
pub(crate) async fn connected(server: &Server) -> RedisStore {
    let store = patient().connect(server.url()).await;
    store.expect("connected")
}

/// What a store answers that has to answer.
pub(crate) trait Answers: SessionStore {
    async fn opens(&self, session: &SessionRecord, now: i64) {
        let evicted = self.opens_of(session, 1_000, now).await;
        assert_eq!(evicted, [""; 0]);
    }

    /// Opens a session of a subject that may have so many, and gives the ids of those that ended for it.
    async fn opens_of(&self, session: &SessionRecord, most: usize, now: i64) -> Vec<String> {
        let opening = Opening::new(session.clone(), most);
        self.open(&opening, now).await.expect("opened")
    }

    async fn rotates(&self, rotation: &Rotation) -> Rotated {
        self.rotate(rotation).await.expect("an answer")
    }

    async fn says(&self, token: &TokenIdentity, now: i64) -> Standing {
        self.standing(token, now).await.expect("an answer")
    }

    async fn revokes(&self, revocation: &Revocation, now: i64) {
        self.revoke(revocation, now).await.expect("revoked");
    }

    async fn lists(&self, subject: &str, now: i64) -> Vec<SessionRecord> {
        let mut sessions = self.sessions(subject, 1_000, now).await.expect("listed");
        sessions.sort_by(|a, b| a.id.cmp(&b.id));
        sessions
    }
}

impl<S: SessionStore> Answers for S {}

/// The reason of an error: of its sources the innermost.
pub(crate) fn reason(error: &StoreError) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), ToString::to_string)
}
