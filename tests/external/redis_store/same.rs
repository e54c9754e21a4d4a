//! The scripts decide like the Rust code: both run thousands of random steps.

use flask_pyjwt::store::{
    Generation, Moment, Opening, Revocation, Rotated, Rotation, SessionRecord, SessionStore,
    SubjectRecord, TokenIdentity,
};
use futures_util::future::join_all;
use proptest::{
    collection::vec,
    prelude::{BoxedStrategy, Just, Strategy, any},
    prop_oneof,
    strategy::ValueTree as _,
    test_runner::TestRunner,
};

use time::Duration;

use super::{
    records::{Answers as _, HOUR, NOW, connected, revoke_session, revoke_subject, revoke_token},
    server::{Server, needs_redis},
};

/// The latest time that the store accepts, in milliseconds.
const LAST: i64 = 1 << 53;

/// Times around now, at the edges of the grace windows, and at the limits of the number type.
fn moment() -> impl Strategy<Value = Moment> {
    let now = NOW.milliseconds();
    let milliseconds = prop_oneof![
        8 => (-30_i64..=30).prop_map(move |seconds| now + seconds * 1_000),
        4 => (-12_000_i64..=12_000).prop_map(move |it| now + it),
        1 => -LAST..=LAST,
        1 => prop_oneof![
            Just(0),
            Just(-1),
            Just(LAST),
            Just(-LAST),
            Just(LAST - 1),
            Just(253_402_300_799_999),
            Just(100_000_000_000_001),
        ],
    ];
    milliseconds.prop_map(Moment::from_milliseconds)
}

fn idle() -> impl Strategy<Value = Duration> {
    let milliseconds = prop_oneof![
        3 => prop_oneof![Just(0_i64), Just(1), Just(1_000), Just(604_800_000)],
        1 => prop_oneof![Just(i64::MAX), Just(LAST)],
    ];
    milliseconds.prop_map(Duration::milliseconds)
}

fn grace() -> impl Strategy<Value = Duration> {
    let milliseconds = prop_oneof![
        6 => prop_oneof![Just(0_i64), Just(1), Just(1_000), Just(10_000), Just(300_000)],
        2 => 0..20_000_i64,
        1 => prop_oneof![Just(-5_000_i64), Just(i64::MAX), Just(i64::MIN + 1), Just(LAST)],
    ];
    milliseconds.prop_map(Duration::milliseconds)
}

/// Few IDs, so that they meet. Some are hard to encode.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => (0..8_u8).prop_map(|it| char::from(b'a' + it).to_string()),
        1 => Just("/\\\"\n\u{0}\u{7f}\u{2028}é😀".to_owned()),
        1 => Just(String::new()),
        1 => Just("%d%s%%[],{}".to_owned()),
        1 => any::<String>(),
    ]
}

fn claims() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("{}".to_owned()),
        Just(r#"{"a":[],"b":{},"c":1.0,"d":12345678901234567890,"e":0.1,"f":1e300}"#.to_owned()),
        Just("{\"a\":\n\"\\u0000\\ud83d\\ude00 / \\/ é\"}\n\n".to_owned()),
        any::<String>(),
    ]
}

fn a_generation() -> impl Strategy<Value = Generation> {
    let until = prop_oneof![3 => Just(NOW + Duration::seconds(1_000)), 1 => moment()];
    let until = proptest::option::weighted(0.8, until);
    let repeated_at = proptest::option::weighted(0.2, moment());
    (id(), id(), moment(), until, repeated_at).prop_map(
        |(refresh_id, auth_id, issued_at, repeatable_until, repeated_at)| {
            let mut generation = Generation::new(refresh_id, auth_id, issued_at);
            generation.repeatable_until = repeatable_until;
            generation.repeated_at = repeated_at;
            generation
        },
    )
}

fn a_session(subject: String, id: String) -> BoxedStrategy<SessionRecord> {
    let expires_at = prop_oneof![4 => Just(NOW + Duration::seconds(100)), 1 => moment()];
    let text = || proptest::option::of(any::<String>());
    let texts = (text(), text(), text());
    let generations = prop_oneof![4 => vec(a_generation(), 1..4), 1 => vec(a_generation(), 0..20)];
    (moment(), expires_at, moment(), texts, claims(), generations)
        .prop_map(
            move |(opened_at, expires_at, ends_at, texts, claims, generations)| {
                let first = Generation::default();
                let mut session = SessionRecord::new(&id, &subject, first, Duration::ZERO);
                session.opened_at = opened_at;
                session.expires_at = expires_at;
                session.ends_at = ends_at;
                (session.label, session.address, session.user_agent) = texts;
                session.claims = claims;
                session.generations = generations;
                session
            },
        )
        .boxed()
}

fn a_rotation(subject: String, session: String) -> BoxedStrategy<Rotation> {
    // Its ID is new, like that of every successor.
    let successor = (0..u64::MAX, a_generation()).prop_map(|(number, mut successor)| {
        successor.refresh_id = format!("successor {number}");
        successor.repeated_at = None;
        successor
    });
    let claims = proptest::option::of(claims());
    (id(), successor, idle(), grace(), claims)
        .prop_map(move |(refresh_id, successor, idle, grace, claims)| {
            let mut rotation = Rotation::new(&subject, &session, refresh_id, successor, idle);
            rotation.grace = grace;
            rotation.claims = claims;
            rotation
        })
        .boxed()
}

#[actix_web::test]
async fn ten_thousand_rotations_have_the_same_outcome_as_in_rust() {
    needs_redis!();
    let server = Server::start();
    rotations_agree(&connected(&server).await, 100).await;
}

/// Compares so many batches of random rotations with those in Rust.
pub(crate) async fn rotations_agree(store: &impl SessionStore, batches: usize) {
    let mut runner = TestRunner::deterministic();
    let mut outcomes = [0_usize; 5];
    for batch in 0..batches {
        let cases = (0..100).map(|number| {
            let subject = format!("{batch}/{number}");
            let strategy = (
                a_session(subject.clone(), "s".to_owned()),
                vec(a_rotation(subject, "s".to_owned()), 1..4),
            );
            let tree = strategy.new_tree(&mut runner).expect("a case");
            tree.current()
        });
        let cases: Vec<_> = cases.collect();
        let done = cases.into_iter().map(async |(session, mut rotations)| {
            let mut model = SubjectRecord::default();
            model.open(
                &Opening::new(session.clone(), 1),
                Moment::from_milliseconds(-LAST),
            );
            store
                .opens(&session, Moment::from_milliseconds(-LAST))
                .await;
            let mut codes = Vec::new();
            for (number, rotation) in rotations.iter_mut().enumerate() {
                // Most rotations present a token that the session knows.
                let known = model.sessions(1, Moment::from_milliseconds(i64::MIN));
                if let Some(generation) = known
                    .first()
                    .and_then(|session| session.generations.iter().rev().nth(number))
                {
                    rotation.refresh_id.clone_from(&generation.refresh_id);
                }
                let rotation = &*rotation;
                let expected = model.rotate(rotation);
                let answer = store.rotates(rotation).await;
                assert_eq!(answer, expected, "{session:?} {rotation:?}");
                if number % 2 == 1 {
                    // The same attempt again.
                    let expected = model.rotate(rotation);
                    let answer = store.rotates(rotation).await;
                    assert_eq!(answer, expected, "{session:?} {rotation:?}");
                }
                let expected = model.sessions(1, Moment::from_milliseconds(-LAST));
                let horizon = rotation.successor.issued_at - HOUR;
                if expected.first().is_some_and(|it| it.expires_at <= horizon) {
                    // It ended over an hour ago, and may be forgotten.
                    break;
                }
                let left = store
                    .lists(&session.subject, Moment::from_milliseconds(-LAST))
                    .await;
                assert_eq!(left, expected, "{session:?} {rotation:?}");
                codes.push(match answer {
                    Rotated::Won(_) => 0,
                    Rotated::Again(..) => 1,
                    Rotated::Replayed => 2,
                    Rotated::Gone => 3,
                    Rotated::LostAnswer(..) => 4,
                    other => panic!("{other:?}"),
                });
            }
            codes
        });
        for code in join_all(done).await.into_iter().flatten() {
            outcomes[code] += 1;
        }
    }
    // Each outcome occurs often enough to be meaningful.
    assert!(outcomes.iter().all(|it| *it > batches), "{outcomes:?}");
    assert!(
        outcomes.iter().sum::<usize>() > 100 * batches,
        "{outcomes:?}"
    );
}

/// A step that a store can take.
#[derive(Debug, Clone)]
enum Step {
    Open(SessionRecord),
    Rotate(Rotation),
    Check(TokenIdentity),
    MarkUsed(TokenIdentity),
    Revoke(Revocation),
    Adopt(Vec<SessionRecord>),
}

/// All steps are about one subject.
const SUBJECT: &str = "somebody";

fn a_step() -> BoxedStrategy<Step> {
    let session = || prop_oneof![Just("1".to_owned()), Just("2".to_owned()), id()].boxed();
    let opens = (session(), a_session(SUBJECT.to_owned(), String::new()));
    let opens = opens.prop_map(|(id, mut session)| {
        session.id = id;
        session.expires_at = session.expires_at.max(NOW - Duration::milliseconds(1_000));
        session
    });
    let opens = opens.boxed();
    let adopts = vec(opens.clone(), 0..4).prop_map(Step::Adopt);
    let opens = opens.prop_map(Step::Open);
    let rotates = (session(), a_rotation(SUBJECT.to_owned(), String::new()));
    let rotates = rotates.prop_map(|(id, mut rotation)| {
        rotation.session = id;
        let issued_at = &mut rotation.successor.issued_at;
        *issued_at = (*issued_at).clamp(NOW - Duration::seconds(30), NOW + Duration::seconds(30));
        Step::Rotate(rotation)
    });
    let of_session = proptest::option::weighted(0.7, session());
    let grace = proptest::option::of(grace());
    let checks = (of_session, proptest::option::of(id()), moment(), grace);
    let checks = checks.prop_map(|(session, id, issued_at, grace)| {
        let mut token = TokenIdentity::new(SUBJECT, issued_at);
        token.session = session;
        token.id = id;
        token.grace = grace;
        token
    });
    let checks = checks.boxed();
    let marks = checks.clone().prop_map(Step::MarkUsed);
    let checks = checks.prop_map(Step::Check);
    // What ended over an hour ago may or may not be forgotten.
    let until = || moment().prop_map(|it| it.max(NOW));
    let tokens = (id(), until()).prop_map(|(id, until)| revoke_token(SUBJECT, &id, until));
    let sessions = session().prop_map(|session| revoke_session(SUBJECT, &session));
    let subjects = (moment(), until())
        .prop_map(|(issued_until, until)| revoke_subject(SUBJECT, issued_until, until));
    prop_oneof![
        6 => opens.boxed(),
        6 => rotates.boxed(),
        8 => checks.boxed(),
        4 => marks.boxed(),
        1 => tokens.prop_map(Step::Revoke).boxed(),
        1 => sessions.prop_map(Step::Revoke).boxed(),
        1 => subjects.prop_map(Step::Revoke).boxed(),
        1 => adopts.boxed(),
    ]
    .boxed()
}

#[actix_web::test]
async fn random_histories_have_the_same_outcome_as_in_rust() {
    needs_redis!();
    let server = Server::start();
    let clear = || drop(server.ask::<String>("FLUSHALL"));
    histories_agree(&connected(&server).await, 150, clear).await;
}

/// Compares so many random histories with those in Rust. Each begins with an empty store.
pub(crate) async fn histories_agree(store: &impl SessionStore, histories: usize, clear: impl Fn()) {
    let mut runner = TestRunner::deterministic();
    let strategy = a_step();
    for history in 0..histories {
        clear();
        let mut model = SubjectRecord::default();
        for number in 0..60 {
            let step = strategy.new_tree(&mut runner).expect("a step").current();
            let step = &step;
            let at = format!("history {history}, step {number}: {step:?}");
            match step {
                Step::Open(session) => {
                    let most = number % 4 + 1;
                    let opening = Opening::new(session.clone(), most);
                    let mut expected = model.open(&opening, NOW);
                    let mut evicted = store.opens_of(session, most, NOW).await;
                    expected.sort();
                    evicted.sort();
                    assert_eq!(evicted, expected, "{at}");
                }
                Step::Rotate(rotation) => {
                    assert_eq!(
                        store.rotates(rotation).await,
                        model.rotate(rotation),
                        "{at}"
                    );
                }
                Step::Check(token) => {
                    let standing = model.standing(token, NOW);
                    assert_eq!(store.standing_of(token, NOW).await, standing, "{at}");
                }
                Step::MarkUsed(token) => {
                    let standing = model.mark_used(token, NOW);
                    let marked = store.mark_used(token, NOW).await;
                    assert_eq!(marked.expect("marked"), standing, "{at}");
                }
                Step::Revoke(revocation) => {
                    let expected = model.revoke(revocation, NOW).expect("there is room");
                    let ended = store.revokes(revocation, NOW).await;
                    // Redis may have forgotten that a token was revoked once.
                    if !matches!(revocation, Revocation::Token { .. }) {
                        assert_eq!(ended, expected, "{at}");
                    }
                }
                Step::Adopt(sessions) => {
                    let adopted = store.adopt(SUBJECT, sessions, NOW).await;
                    assert_eq!(
                        adopted.expect("an answer"),
                        model.adopt(sessions, NOW),
                        "{at}"
                    );
                }
            }
            let mut sessions = model.sessions(1_000, NOW);
            sessions.sort_by(|a, b| a.id.cmp(&b.id));
            assert_eq!(store.lists(SUBJECT, NOW).await, sessions, "{at}");
        }
    }
}
