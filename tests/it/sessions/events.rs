//! What happens to sessions, as events.

use std::{collections::BTreeMap, future::ready};

use actix_web::{http::header, rt::task::yield_now, test::TestRequest};
use flask_pyjwt::{
    AuthManager, Config, EndedBy, MemoryStore, SessionError, SessionEvent, SessionEvents,
    TokenPair,
    store::{
        Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore, Standing,
        StoreError, StoreFuture, TokenIdentity,
    },
    testing::FrozenClock,
};
use futures_util::{FutureExt as _, future::join_all};
use time::Duration;

use super::{clock, with_memory};
use support::{NOW, at, hs256, manager};

pub(super) fn configured(
    clock: &FrozenClock,
    change: impl FnOnce(Config) -> Config,
) -> AuthManager {
    let config = hs256().clock(clock.clone());
    manager(change(config.session_store(MemoryStore::default())))
}

pub(super) fn id(pair: &TokenPair) -> String {
    pair.auth.session_id().expect("a session").to_owned()
}

/// The events that are there already.
pub(super) async fn taken(events: &mut SessionEvents) -> Vec<SessionEvent> {
    let (mut taken, mut misses) = (Vec::new(), 0);
    while misses < 2 {
        if let Some(event) = events.recv().now_or_never().flatten() {
            taken.push(event.expect("none was lost"));
            misses = 0;
        } else {
            // A task that has received much gets nothing until its next turn.
            yield_now().await;
            misses += 1;
        }
    }
    taken
}

/// Kind, session and who has ended it.
pub(super) fn named(
    events: &[SessionEvent],
) -> Vec<(&'static str, Option<String>, Option<EndedBy>)> {
    let by = |event: &SessionEvent| match event {
        SessionEvent::Ended { by, .. } => Some(*by),
        _ => None,
    };
    let named = events
        .iter()
        .map(|it| (it.name(), it.session().map(str::to_owned), by(it)));
    named.collect()
}

#[actix_web::test]
async fn each_way_to_end_a_session_is_named_in_its_event() {
    let clock = clock();
    let auth = configured(&clock, |config| config.max_sessions(2));
    let mut events = auth.session_events().expect("a store");
    let login = async || {
        let pair = auth.login("alice").await.expect("opened");
        (id(&pair), pair)
    };
    let (session, pair) = login().await;
    auth.logout(&pair.auth).await.expect("ended");
    auth.logout(&pair.refresh).await.expect("ended before");
    let expected = [
        ("opened", Some(session.clone()), None),
        ("ended", Some(session), Some(EndedBy::Logout)),
    ];
    assert_eq!(named(&taken(&mut events).await), expected);

    let (session, _) = login().await;
    assert_eq!(auth.revoke_session("bob", &session).await, Ok(false));
    assert_eq!(auth.revoke_session("alice", &session).await, Ok(true));
    assert_eq!(auth.revoke_session("alice", &session).await, Ok(false));
    let expected = [
        ("opened", Some(session.clone()), None),
        ("ended", Some(session), Some(EndedBy::RevokeSession)),
    ];
    assert_eq!(named(&taken(&mut events).await), expected);

    let (first, second) = (login().await.0, login().await.0);
    auth.revoke_subject("alice").await.expect("ended");
    let mut ended = named(&taken(&mut events).await[2..]);
    ended[..2].sort_by_key(|(_, session, _)| *session != Some(first.clone()));
    let by = Some(EndedBy::RevokeSubject);
    let expected = [
        ("ended", Some(first), by),
        ("ended", Some(second), by),
        ("subject_revoked", None, None),
    ];
    assert_eq!(ended, expected);

    let (first, _) = login().await;
    clock.advance(Duration::SECOND);
    let (_, second) = (login().await, login().await.0);
    let expected = [
        ("opened", Some(second), None),
        ("evicted", Some(first), None),
    ];
    assert_eq!(named(&taken(&mut events).await[2..]), expected);
}

#[actix_web::test]
async fn a_session_that_a_login_replaces_ends_by_that_login() {
    let auth = with_memory(&clock());
    let mut events = auth.session_events().expect("a store");
    let replaced = Some(EndedBy::Login);
    for subject in ["alice", "bob"] {
        let old = auth.login("alice").await.expect("opened");
        let cookie = format!("__Host-auth={}", old.auth.signed());
        let request = TestRequest::default().insert_header((header::COOKIE, cookie));
        let request = request.to_http_request();
        let new = auth
            .login(subject)
            .replacing(&request)
            .await
            .expect("opened");
        let later = auth
            .login(subject)
            .replacing(&request)
            .await
            .expect("opened");
        let expected = [
            ("opened", Some(id(&old)), None),
            ("opened", Some(id(&new)), None),
            ("ended", Some(id(&old)), replaced),
            ("opened", Some(id(&later)), None),
        ];
        assert_eq!(named(&taken(&mut events).await), expected, "{subject}");
    }
}

#[actix_web::test]
async fn refreshes_replays_and_single_tokens_are_reported_once() {
    let clock = clock();
    let auth = configured(&clock, |config| config.refresh_grace(Duration::SECOND));
    let mut events = auth.session_events().expect("a store");
    let login = auth.login("alice").label("phone").address("192.0.2.1");
    let first = login.user_agent("Firefox").await.expect("opened");
    let (subject, session) = ("alice".to_owned(), id(&first));
    let second = auth.refresh(&first.refresh).await.expect("rotated");
    clock.advance(Duration::milliseconds(7));
    auth.refresh(&first.refresh).await.expect("again");
    auth.revoke_token(&first.auth).await.expect("revoked");
    auth.revoke_token(&first.auth)
        .await
        .expect("revoked before");
    auth.check_revocation(&second.auth).await.expect("valid");
    clock.advance(Duration::SECOND);
    let replays = (0..5).map(|_| auth.refresh(&first.refresh).into_future());
    for refused in join_all(replays).await {
        assert!(refused.is_err());
    }
    // What is refused is no event.
    assert!(auth.login("").await.is_err());
    assert!(auth.refresh(&second.auth).await.is_err());
    let plain = auth.auth_token("alice").sign().expect("minted");
    assert_eq!(auth.logout(&plain).await, Err(SessionError::NotRevocable));

    let token = first
        .auth
        .claim("jti")
        .and_then(|id| Some(id.as_str()?.to_owned()));
    let expected = [
        SessionEvent::Opened {
            subject: subject.clone(),
            session: session.clone(),
            at: at(NOW),
            label: Some("phone".to_owned()),
            address: Some("192.0.2.1".to_owned()),
            user_agent: Some("Firefox".to_owned()),
        },
        SessionEvent::Refreshed {
            subject: subject.clone(),
            session: session.clone(),
            at: at(NOW),
        },
        SessionEvent::Repeated {
            subject: subject.clone(),
            session: session.clone(),
            rotated_at: at(NOW),
            repeated_at: at(NOW) + Duration::milliseconds(7),
        },
        SessionEvent::TokenRevoked {
            subject: subject.clone(),
            session: Some(session.clone()),
            token: token.expect("an ID"),
            at: at(NOW) + Duration::milliseconds(7),
        },
        SessionEvent::Replayed {
            subject,
            session,
            at: at(NOW) + Duration::milliseconds(1_007),
        },
    ];
    assert_eq!(taken(&mut events).await, expected);
}

/// `docs/threats.md` 36: guards notice an old refresh token too, at several requests at once.
#[actix_web::test]
async fn a_replay_that_several_checks_notice_at_once_is_one_event() {
    let clock = clock();
    let auth = configured(&clock, |config| config.refresh_grace(Duration::ZERO));
    let mut events = auth.session_events().expect("a store");
    let first = auth.login("alice").await.expect("opened");
    let second = auth.refresh(&first.refresh).await.expect("rotated");
    auth.refresh(&second.refresh).await.expect("rotated");
    let checks = (0..8).map(|_| auth.check_revocation(&first.refresh));
    for refused in join_all(checks).await {
        assert!(refused.is_err());
    }
    let session = Some(id(&first));
    let expected = ["opened", "refreshed", "refreshed", "replayed"];
    let expected = expected.map(|name| (name, session.clone(), None));
    assert_eq!(named(&taken(&mut events).await), expected);
}

/// A store whose revocations are made, and then not answered.
struct Forgetful(MemoryStore);

impl SessionStore for Forgetful {
    fn open<'a>(&'a self, opening: &'a Opening, now: Moment) -> StoreFuture<'a, Vec<String>> {
        self.0.open(opening, now)
    }
    fn rotate<'a>(&'a self, _: &'a Rotation) -> StoreFuture<'a, Rotated> {
        Box::pin(ready(Err(StoreError::unavailable("no route to host"))))
    }
    fn standing<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.0.standing(token, now)
    }
    fn mark_used<'a>(&'a self, token: &'a TokenIdentity, now: Moment) -> StoreFuture<'a, Standing> {
        self.0.mark_used(token, now)
    }
    fn revoke<'a>(
        &'a self,
        revocation: &'a Revocation,
        now: Moment,
    ) -> StoreFuture<'a, Vec<String>> {
        Box::pin(async move {
            self.0.revoke(revocation, now).await?;
            Err(StoreError::unavailable("the answer is lost"))
        })
    }
    fn sessions<'a>(
        &'a self,
        subject: &'a str,
        most: usize,
        now: Moment,
    ) -> StoreFuture<'a, Vec<SessionRecord>> {
        self.0.sessions(subject, most, now)
    }
}

#[actix_web::test]
async fn a_change_whose_outcome_is_unknown_is_no_event() {
    let store = Forgetful(MemoryStore::default());
    let auth = manager(hs256().clock(clock()).session_store(store));
    let mut events = auth.session_events().expect("a store");
    let pair = auth.login("alice").await.expect("opened");
    assert!(auth.refresh(&pair.refresh).await.is_err());
    assert!(auth.logout(&pair.auth).await.is_err());
    assert!(auth.revoke_subject("alice").await.is_err());
    assert!(
        auth.check_revocation(&pair.auth).await.is_err(),
        "it was ended"
    );
    let expected = [("opened", Some(id(&pair)), None)];
    assert_eq!(named(&taken(&mut events).await), expected);
}

#[actix_web::test]
async fn an_event_as_json_has_the_name_that_it_says_and_contains_no_token() {
    let clock = clock();
    let auth = configured(&clock, |config| config.max_sessions(2));
    let mut events = auth.session_events().expect("a store");
    let mut tokens = Vec::new();
    for grace in [0, 60] {
        let pair = auth.login("al\"ice").await.expect("opened");
        auth.revoke_token(&pair.auth).await.expect("revoked");
        let next = auth.refresh(&pair.refresh).await.expect("rotated");
        auth.refresh(&pair.refresh).await.expect("again");
        clock.advance(Duration::MINUTE);
        if grace > 0 {
            auth.refresh(&pair.refresh).await.expect("a lost answer");
            auth.check_revocation(&next.auth).await.expect("valid");
            clock.advance(Duration::MINUTE);
            assert!(auth.refresh(&pair.refresh).await.is_err());
        }
        tokens.extend([pair.auth, pair.refresh, next.auth, next.refresh]);
    }
    for _ in 0..3 {
        auth.login("al\"ice").await.expect("opened");
    }
    auth.revoke_subject("al\"ice").await.expect("revoked");
    let mut names = BTreeMap::new();
    for event in taken(&mut events).await {
        let json = serde_json::to_string(&event).expect("it has a JSON form");
        let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(read["event"], event.name());
        assert_eq!(read["subject"], event.subject());
        assert_eq!(read["session"].as_str(), event.session());
        let moment = read["at"].as_str().expect("a text");
        assert!(moment.ends_with('Z') && moment.len() == 24, "{moment}");
        let all = format!("{json}{event:?}");
        assert!(!tokens.iter().any(|token| all.contains(token.signed())));
        *names.entry(event.name()).or_insert(0) += 1;
    }
    let expected = [
        ("ended", 2),
        ("evicted", 2),
        ("lost_answer", 1),
        ("opened", 5),
        ("refreshed", 2),
        ("repeated", 2),
        ("replayed", 1),
        ("subject_revoked", 1),
        ("token_revoked", 2),
    ];
    assert_eq!(names, BTreeMap::from(expected));
}
