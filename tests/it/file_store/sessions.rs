//! Sessions and tokens to ask a store about.

use flask_pyjwt::{
    FileStore,
    store::{
        Generation, Moment, Opening, Revocation, Rotation, SessionRecord, SessionStore as _,
        Standing, TokenIdentity,
    },
};

use time::Duration;

/// The time of the tests, and an hour.
pub(crate) const NOW: Moment = Moment::from_milliseconds(1_800_000_000_000);
pub(crate) const HOUR: Duration = Duration::HOUR;

/// Pair `number` of the tokens of a session.
pub(crate) fn generation(session: &str, number: usize, issued_at: Moment) -> Generation {
    let (refresh, auth) = (
        format!("{session}-r{number}"),
        format!("{session}-a{number}"),
    );
    Generation::new(refresh, auth, issued_at)
}

/// A session that ends after an hour without a refresh, and after ten hours in any case.
pub(crate) fn session(subject: &str, id: &str, now: Moment) -> SessionRecord {
    let mut session = SessionRecord::new(id, subject, generation(id, 0, now), 10 * HOUR);
    session.expires_at = now + HOUR;
    session.label = Some("a browser".to_owned());
    session.address = Some("192.0.2.1".to_owned());
    session.claims = r#"{"scope":{"admin":true}}"#.into();
    session
}

pub(crate) fn opening(subject: &str, id: &str, now: Moment) -> Opening {
    Opening::new(session(subject, id, now), 1_000)
}

/// Requests the successor of pair `number`, without a grace window.
pub(crate) fn rotation(subject: &str, session: &str, number: usize, now: Moment) -> Rotation {
    let presented = generation(session, number, now).refresh_id;
    let successor = generation(session, number + 1, now);
    Rotation::new(subject, session, presented, successor, HOUR)
}

/// The refresh token of pair `number`.
pub(crate) fn refresh_token(subject: &str, session: &str, number: usize) -> TokenIdentity {
    let epoch = Moment::UNIX_EPOCH;
    let mut token = TokenIdentity::new(subject, epoch);
    token.session = Some(session.to_owned());
    token.id = Some(generation(session, number, epoch).refresh_id);
    token.grace = Some(Duration::ZERO);
    token
}

/// A token without a session.
pub(crate) fn plain_token(subject: &str, id: &str, issued_at: Moment) -> TokenIdentity {
    let mut token = TokenIdentity::new(subject, issued_at);
    token.id = Some(id.to_owned());
    token
}

pub(crate) fn end_session(subject: &str, session: &str) -> Revocation {
    Revocation::of_session(subject, session)
}

pub(crate) fn revoke_token(subject: &str, id: &str, until: Moment) -> Revocation {
    Revocation::of_token(subject, id, until)
}

pub(crate) fn revoke_subject(subject: &str, issued_until: Moment, until: Moment) -> Revocation {
    Revocation::of_subject(subject, issued_until, until)
}

/// The standing of a token.
pub(crate) async fn standing(store: &FileStore, token: &TokenIdentity, now: Moment) -> Standing {
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
