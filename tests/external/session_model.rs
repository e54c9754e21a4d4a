//! Random histories of logins, rotations, replays, logouts, revocations and passing time, for every store,
//! compared with a model that is written from the rules alone.

mod model;
mod moved;

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};
use support::redis as server;

use flask_pyjwt::{
    AuthManager, MemoryStore, SessionError, SessionEvent, Token, TokenError, TokenPair,
    store::SessionStore, testing::FrozenClock,
};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config as Cases, TestRunner},
};
use time::{Duration, OffsetDateTime};

use self::model::{Event, Model, Presented, Refused};
use support::{NOW, at, hs256, manager};

/// One step of a history. Sessions and tokens have numbers, modulo how many there are.
#[derive(Debug, Clone)]
enum Step {
    Login {
        subject: u8,
    },
    Refresh {
        token: u8,
    },
    Check {
        token: u8,
        refresh: bool,
    },
    Logout {
        token: u8,
        refresh: bool,
    },
    RevokeToken {
        token: u8,
        refresh: bool,
    },
    RevokeSession {
        subject: u8,
        token: u8,
    },
    RevokeSubject {
        subject: u8,
    },
    List {
        subject: u8,
    },
    /// From now on, sessions move to another store, if the store can do that.
    Move,
    Pass {
        milliseconds: i64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let moment = prop_oneof![
        4 => 0_i64..2_000,
        3 => 2_000_i64..12_000,
        2 => 60_000_i64..1_200_000,
        1 => 1_200_000_i64..4_000_000,
    ];
    prop_oneof![
        3 => (0_u8..3).prop_map(|subject| Step::Login { subject }),
        8 => any::<u8>().prop_map(|token| Step::Refresh { token }),
        6 => any::<(u8, bool)>().prop_map(|(token, refresh)| Step::Check { token, refresh }),
        1 => any::<(u8, bool)>().prop_map(|(token, refresh)| Step::Logout { token, refresh }),
        2 => any::<(u8, bool)>().prop_map(|(token, refresh)| Step::RevokeToken { token, refresh }),
        1 => (0_u8..3, any::<u8>()).prop_map(|(subject, token)| Step::RevokeSession { subject, token }),
        1 => (0_u8..3).prop_map(|subject| Step::RevokeSubject { subject }),
        2 => (0_u8..3).prop_map(|subject| Step::List { subject }),
        1 => Just(Step::Move),
        5 => moment.prop_map(|milliseconds| Step::Pass { milliseconds }),
    ]
}

const SUBJECTS: [&str; 3] = ["alice", "bob", "carol"];
const GRACE: i64 = 10_000;
const LOST_ANSWER_WINDOW: i64 = 1_200_000;
const IDLE: i64 = 1_800_000;
const LIFETIME: i64 = 7_200_000;
const AUTH_MAX_AGE: i64 = 600_000;
const MAX_SESSIONS: usize = 3;

/// Whether the sessions are moving to another store.
pub(crate) type Moves = Arc<AtomicBool>;
/// The IDs of the sessions that were ended to make room.
type Evicted = Arc<Mutex<Vec<String>>>;
/// The other session events.
type Reported = Arc<Mutex<Vec<SessionEvent>>>;

fn taken(evicted: &Evicted) -> Vec<String> {
    std::mem::take(&mut *evicted.lock().expect("no panic"))
}

fn configured(
    clock: &FrozenClock,
    store: impl SessionStore,
    evicted: &Evicted,
    reported: &Reported,
) -> AuthManager {
    let (evicted, reported) = (Arc::clone(evicted), Arc::clone(reported));
    let milliseconds = Duration::milliseconds;
    let config = hs256()
        .clock(clock.clone())
        .auth_max_age(milliseconds(AUTH_MAX_AGE))
        .refresh_grace(milliseconds(GRACE))
        .session_idle(milliseconds(IDLE))
        .session_lifetime(milliseconds(LIFETIME))
        .max_sessions(MAX_SESSIONS)
        .on_session_event(move |event| match event {
            SessionEvent::Evicted { session, .. } => {
                evicted.lock().expect("no panic").push(session.clone());
            }
            SessionEvent::Replayed { .. }
            | SessionEvent::Repeated { .. }
            | SessionEvent::LostAnswer { .. } => {
                reported.lock().expect("not poisoned").push(event.clone());
            }
            _ => {}
        })
        .store_timeout(Duration::seconds(30))
        .lost_answer_window(milliseconds(LOST_ANSWER_WINDOW))
        .session_store(store);
    manager(config)
}

/// The same event as the manager reports it.
fn expected_event(event: &Event, sessions: &[(String, String)], now: i64) -> SessionEvent {
    let (Event::Replayed { session }
    | Event::Repeated { session, .. }
    | Event::LostAnswer { session, .. }) = *event;
    let (subject, session) = sessions[session].clone();
    let repeated_at = moment(now);
    match *event {
        Event::Replayed { .. } => SessionEvent::Replayed {
            subject,
            session,
            at: repeated_at,
        },
        Event::Repeated { rotated_at, .. } => SessionEvent::Repeated {
            subject,
            session,
            rotated_at: moment(rotated_at),
            repeated_at,
        },
        Event::LostAnswer { rotated_at, .. } => SessionEvent::LostAnswer {
            subject,
            session,
            rotated_at: moment(rotated_at),
            repeated_at,
        },
    }
}

fn moment(milliseconds: i64) -> OffsetDateTime {
    at(0) + Duration::milliseconds(milliseconds)
}

/// One token of a pair, with its type.
fn of_kind(
    (auth, refresh, pair): (Token, Token, usize),
    is_refresh: bool,
) -> (Token, Presented, usize) {
    if is_refresh {
        (refresh, Presented::Refresh, pair)
    } else {
        (auth, Presented::Auth, pair)
    }
}

/// The model of the manager that is configured above.
fn model() -> Model {
    Model::new(
        GRACE,
        LOST_ANSWER_WINDOW,
        IDLE,
        LIFETIME,
        AUTH_MAX_AGE,
        MAX_SESSIONS,
    )
}

/// Runs a history on a store and on the model, and compares every answer.
async fn run(history: &[Step], store: impl SessionStore, moves: &Moves) {
    let (clock, evicted) = (FrozenClock::new(at(NOW)), Evicted::default());
    let reported = Reported::default();
    let auth = configured(&clock, store, &evicted, &reported);
    let mut model = model();
    // The subject and the ID of each session of the model.
    let mut sessions: Vec<(String, String)> = Vec::new();
    // Every pair that was issued: the pair of the store, and its number in the model.
    let mut pairs: Vec<(Token, Token, usize)> = Vec::new();
    let mut now = NOW * 1_000;
    for (number, step) in history.iter().enumerate() {
        let what = format!("step {number}, {step:?}");
        let pick = |token: u8| pairs.get(usize::from(token) % pairs.len().max(1)).cloned();
        match *step {
            Step::Move => moves.store(true, Ordering::SeqCst),
            Step::Pass { milliseconds } => {
                clock.advance(Duration::milliseconds(milliseconds));
                now += milliseconds;
            }
            Step::Login { subject } => {
                let subject = SUBJECTS[usize::from(subject)];
                let pair = auth.login(subject).await.expect(&what);
                let id = pair.auth.session_id().expect("of a session");
                sessions.push((subject.to_owned(), id.to_owned()));
                let (number, expected) = model.login(subject, id, now);
                assert_eq!(taken(&evicted), expected, "{what}");
                pairs.push((pair.auth, pair.refresh, number));
            }
            Step::Refresh { token } => {
                let Some((_, refresh, pair)) = pick(token) else {
                    continue;
                };
                // The guard of a route refuses an expired token before the rotation.
                if auth.verify_token(refresh.signed()).is_err() {
                    continue;
                }
                let rotated = auth.refresh(&refresh).await;
                compare_rotations(rotated, model.refresh(pair, now), &mut pairs, &what);
            }
            Step::Check { token, refresh } => {
                let Some((token, presented, pair)) = pick(token).map(|it| of_kind(it, refresh))
                else {
                    continue;
                };
                let expected = model.check(pair, presented, now).map_err(rejection);
                assert_eq!(auth.check_revocation(&token).await, expected, "{what}");
            }
            Step::Logout { token, refresh } => {
                let Some((auth_token, refresh_token, pair)) = pick(token) else {
                    continue;
                };
                let token = if refresh { refresh_token } else { auth_token };
                auth.logout(&token).await.expect(&what);
                model.logout(pair);
            }
            Step::RevokeToken { token, refresh } => {
                let Some((token, presented, pair)) = pick(token).map(|it| of_kind(it, refresh))
                else {
                    continue;
                };
                auth.revoke_token(&token).await.expect(&what);
                model.revoke_token(pair, presented);
            }
            Step::RevokeSession { subject, token } => {
                let Some((auth_token, _, pair)) = pick(token) else {
                    continue;
                };
                let subject = SUBJECTS[usize::from(subject)];
                let session = auth_token.session_id().expect("of a session");
                auth.revoke_session(subject, session).await.expect(&what);
                model.revoke_session(subject, pair);
            }
            Step::RevokeSubject { subject } => {
                let subject = SUBJECTS[usize::from(subject)];
                auth.revoke_subject(subject).await.expect(&what);
                model.revoke_subject(subject);
            }
            Step::List { subject } => {
                let subject = SUBJECTS[usize::from(subject)];
                let listed = auth.sessions(subject).await.expect(&what);
                assert_eq!(listed.len(), model.open_sessions(subject, now), "{what}");
            }
        }
        let events = model.take_events();
        let expected: Vec<_> = events
            .iter()
            .map(|it| expected_event(it, &sessions, now))
            .collect();
        let reported = std::mem::take(&mut *reported.lock().expect("not poisoned"));
        assert_eq!(reported, expected, "{what}");
    }
}

/// Compares the outcomes of a rotation in the store and in the model, and records a new pair.
fn compare_rotations(
    rotated: Result<TokenPair, SessionError>,
    expected: Result<usize, Refused>,
    pairs: &mut Vec<(Token, Token, usize)>,
    what: &str,
) {
    match (rotated, expected) {
        (Ok(given), Ok(successor)) => {
            let known = pairs.iter().find(|(_, _, known)| *known == successor);
            if let Some((auth, refresh, _)) = known {
                assert_eq!(given.auth.signed(), auth.signed(), "{what}");
                assert_eq!(given.refresh.signed(), refresh.signed(), "{what}");
            } else {
                pairs.push((given.auth, given.refresh, successor));
            }
        }
        (Err(error), Err(refused)) => assert_eq!(error, rejection(refused), "{what}"),
        (given, expected) => panic!("{what}: {given:?} and not {expected:?}"),
    }
}

fn rejection(refused: Refused) -> SessionError {
    match refused {
        Refused::Expired => TokenError::Expired.into(),
        Refused::Revoked => TokenError::Revoked.into(),
        Refused::Replayed => TokenError::Replayed.into(),
    }
}

/// Tries so many histories on new stores. A history that fails is shrunk before it is shown.
pub(crate) fn try_histories<S: SessionStore>(cases: u32, fresh: impl AsyncFn(Moves) -> S) {
    let config = Cases {
        cases,
        failure_persistence: None,
        ..Cases::default()
    };
    TestRunner::new(config)
        .run(&vec(step(), 1..120), |history| {
            actix_web::rt::System::new().block_on(async {
                let moves = Moves::default();
                run(&history, fresh(Arc::clone(&moves)).await, &moves).await;
            });
            Ok(())
        })
        .expect("the store does what the model does");
}

#[test]
fn a_store_in_a_file_agrees_with_the_model() {
    use flask_pyjwt::FileStore;

    let folder = std::env::temp_dir().join(format!("flask-pyjwt-model-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder is created");
    let number = std::cell::Cell::new(0);
    try_histories(40, async |_| {
        number.set(number.get() + 1);
        let path = folder.join(format!("{}.redb", number.get()));
        FileStore::open(path).expect("it opens")
    });
    std::fs::remove_dir_all(&folder).expect("the folder is removed");
}

#[test]
fn a_store_in_memory_agrees_with_the_model() {
    try_histories(600, async |_| MemoryStore::default());
}

/// Each history has its own keys.
#[test]
fn a_store_in_redis_agrees_with_the_model() {
    use std::sync::atomic::AtomicUsize;

    use flask_pyjwt::RedisStore;

    server::needs_redis!();
    let server = server::Server::start();
    let number = AtomicUsize::new(0);
    try_histories(100, async |_| {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let builder = RedisStore::builder().prefix(format!("history-{number}"));
        let builder = builder.timeout(Duration::seconds(20));
        builder.connect(server.url()).await.expect("connected")
    });
}

/// Each history has its own tables.
#[cfg(all(unix, feature = "postgres-store"))]
#[test]
fn a_store_in_postgres_agrees_with_the_model() {
    use std::cell::Cell;

    use flask_pyjwt::PostgresStore;
    use support::postgres;

    postgres::needs_postgres!();
    let server = postgres::Server::start();
    let number = Cell::new(0);
    try_histories(60, async |_| {
        number.set(number.get() + 1);
        let url = server.url();
        let pool = flask_pyjwt::sqlx::PgPool::connect_lazy(&url).expect("a URL");
        let store = PostgresStore::builder(pool)
            .table_prefix(format!("history_{}_", number.get()))
            .timeout(Duration::seconds(20))
            .build()
            .expect("valid settings");
        store.migrate().await.expect("migrated");
        store
    });
}
