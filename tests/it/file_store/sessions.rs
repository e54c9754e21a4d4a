//! Sessions and tokens to ask a store about.

use flask_pyjwt::{
    FileStore, Generation, Opening, Revocation, Rotation, SessionRecord, SessionStore as _,
    Standing, TokenIdentity,
};

/// The moment at which the tests stand, and an hour, in milliseconds.
pub(crate) const NOW: i64 = 1_800_000_000_000;
pub(crate) const HOUR: i64 = 3_600_000;

/// The pair of tokens of this number of a session.
pub(crate) fn generation(session: &str, number: usize, issued_at: i64) -> Generation {
    Generation {
        refresh_id: format!("{session}-r{number}"),
        auth_id: format!("{session}-a{number}"),
        issued_at,
        ..Generation::default()
    }
}

/// A session that lives for an hour unless it is refreshed, and ten hours at the most.
pub(crate) fn session(subject: &str, id: &str, now: i64) -> SessionRecord {
    SessionRecord {
        id: id.to_owned(),
        subject: subject.to_owned(),
        opened_at: now,
        expires_at: now + HOUR,
        ends_at: now + 10 * HOUR,
        label: Some("a browser".to_owned()),
        claims: r#"{"scope":{"admin":true}}"#.to_owned(),
        generations: vec![generation(id, 0, now)],
    }
}

pub(crate) fn opening(subject: &str, id: &str, now: i64) -> Opening {
    Opening::new(session(subject, id, now), 1_000)
}

/// Asks for the successor of the pair of this number. There is no grace window.
pub(crate) fn rotation(subject: &str, session: &str, number: usize, now: i64) -> Rotation {
    Rotation {
        subject: subject.to_owned(),
        session: session.to_owned(),
        refresh_id: generation(session, number, now).refresh_id,
        successor: generation(session, number + 1, now),
        idle: HOUR,
        grace: 0,
        claims: None,
    }
}

/// The refresh token of this number.
pub(crate) fn refresh_token(subject: &str, session: &str, number: usize) -> TokenIdentity {
    TokenIdentity {
        subject: subject.to_owned(),
        session: Some(session.to_owned()),
        id: Some(generation(session, number, 0).refresh_id),
        issued_at: 0,
        grace: Some(0),
    }
}

/// A token of no session.
pub(crate) fn plain_token(subject: &str, id: &str, issued_at: i64) -> TokenIdentity {
    TokenIdentity {
        subject: subject.to_owned(),
        session: None,
        id: Some(id.to_owned()),
        issued_at,
        grace: None,
    }
}

pub(crate) fn end_session(subject: &str, session: &str) -> Revocation {
    Revocation::Session {
        subject: subject.to_owned(),
        session: session.to_owned(),
    }
}

pub(crate) fn revoke_token(subject: &str, id: &str, until: i64) -> Revocation {
    Revocation::Token {
        subject: subject.to_owned(),
        id: id.to_owned(),
        until,
    }
}

pub(crate) fn revoke_subject(subject: &str, issued_until: i64, until: i64) -> Revocation {
    Revocation::Subject {
        subject: subject.to_owned(),
        issued_until,
        until,
    }
}

/// How a token stands.
pub(crate) async fn standing(store: &FileStore, token: &TokenIdentity, now: i64) -> Standing {
    store.standing(token, now).await.expect("answered")
}

/// Numbers that look random, the same for the same seed (`SplitMix64`).
pub(crate) fn random(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % below as u64).expect("below a usize")
    }
}
