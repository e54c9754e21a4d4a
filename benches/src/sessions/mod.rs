//! Section `sessions`: the cost of session stores, its growth, and the space that they take.

pub(crate) mod attack;
pub(crate) mod near;
mod own_process;
#[cfg(feature = "postgres-store")]
mod postgres;
mod redis_server;
mod room;
pub(crate) mod strangers;

use std::{
    cell::RefCell,
    fs,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::rt::spawn;
use flask_pyjwt::{
    FileStore, MemoryStore, RedisStore,
    store::{
        Generation, Moment, Opening, Rotated, Rotation, SessionRecord, SessionStore, Standing,
        TokenIdentity,
    },
};
use serde::{Deserialize, Serialize};

pub(crate) use self::own_process::{MODE, carry_out};
use self::{own_process::Order, redis_server::RedisServer, room::Room};
use crate::{
    race::percentile,
    report::{Cell, Chart, Report, Table},
    settings::Settings,
};

/// The time of all operations.
const NOW: Moment = Moment::from_milliseconds(1_800_000_000_000);
const DAY: time::Duration = time::Duration::DAY;
/// Sessions that are opened concurrently to fill a store.
const AT_ONCE: usize = 256;
/// Concurrent callers where many are measured.
const CALLERS: usize = 64;

type Store = Arc<dyn SessionStore>;

/// A measured store, and what must live as long.
struct Subject {
    store: Store,
    room: Room,
}

pub(crate) fn run(settings: &Settings, report: &mut Report) {
    let counts: &[usize] = if settings.quick {
        &[100, 1_000]
    } else {
        &[1_000, 100_000, 1_000_000]
    };
    let columns = [
        "store, sessions",
        "checks/s",
        "p99 µs",
        "of the fewest",
        "checks/s, 64 at once",
        "rotations/s",
        "p99 µs",
        "rotations/s, 64 at once",
        "bytes each",
    ];
    let mut table = Table::new("Sessions: checks, rotations and room", &columns);
    let mut bars = Vec::new();
    for name in names() {
        let mut fewest = None;
        let mut last = f64::NAN;
        for count in counts {
            settings.progress(&format!("sessions: {name}, {count}"));
            let order = Order {
                name: name.to_owned(),
                count: *count,
                budget: settings.budget(1.5),
            };
            let measured = match order.carry_out() {
                Ok(Some(measured)) => measured,
                Ok(None) => {
                    eprintln!("sessions: the server of {name} is not installed: it is skipped");
                    break;
                }
                Err(error) => {
                    eprintln!("sessions: {name}, {count}: {error}");
                    break;
                }
            };
            if let Some(commands) = measured.commands {
                let what = format!("{name}, {count} sessions: commands of a check");
                report.at_most(what, 1.0, commands);
            }
            let first = *fewest.get_or_insert(measured.check);
            last = measured.check / first;
            let per_second = |microseconds: f64| Cell::Number(1e6 / microseconds, 0);
            let cells = [
                per_second(measured.check),
                Cell::Number(measured.check_p99, 0),
                Cell::Number(last, 2),
                per_second(measured.check_of_many),
                per_second(measured.rotation),
                Cell::Number(measured.rotation_p99, 0),
                per_second(measured.rotation_of_many),
                Cell::Number(measured.bytes, 0),
            ];
            table.row(&format!("{name}, {count}"), cells);
            if count == counts.last().unwrap_or(&0) {
                bars.push((format!("{name}: check"), measured.check));
                bars.push((format!("{name}: rotation"), measured.rotation));
            }
        }
        report.at_most(
            format!("{name}: a check of the most sessions, of the fewest"),
            2.0,
            last,
        );
    }
    report.table(table);
    report.charts.push(Chart {
        title: "One check and one rotation at a time (µs)".to_owned(),
        bars,
    });
}

/// The measured stores.
fn names() -> Vec<&'static str> {
    let mut names = vec!["memory", "file", "redis"];
    if cfg!(feature = "postgres-store") {
        names.extend(["postgres", "postgres near"]);
    }
    names
}

/// Microseconds for each operation, and bytes for each session.
#[derive(Serialize, Deserialize)]
struct Measured {
    check: f64,
    check_p99: f64,
    check_of_many: f64,
    rotation: f64,
    rotation_p99: f64,
    rotation_of_many: f64,
    bytes: f64,
    /// Commands that a server receives for a check.
    commands: Option<f64>,
}

/// Fills a new store with so many sessions, and measures it. Returns `None` if there is no server for it.
async fn measure(order: &Order) -> Option<Measured> {
    let (count, budget) = (order.count, order.budget);
    let subject = Subject::fresh(&order.name).await?;
    let before = subject.room.bytes();
    fill(&subject.store, count).await;
    let bytes = (subject.room.bytes() - before) / count as f64;

    let check = |number: usize| {
        let (store, token) = (Arc::clone(&subject.store), token(number % count));
        async move {
            let standing = store.standing(&token, NOW).await.expect("an answer");
            assert_eq!(standing, Standing::Good);
        }
    };
    let generations = Rc::new(RefCell::new(vec![0_u32; count]));
    let rotate = |number: usize| {
        let number = number % count;
        let generation = {
            let mut generations = generations.borrow_mut();
            generations[number] += 1;
            generations[number] - 1
        };
        let (store, rotation) = (Arc::clone(&subject.store), rotation(number, generation));
        async move {
            let rotated = store.rotate(&rotation).await.expect("an answer");
            assert!(matches!(rotated, Rotated::Won(_)), "{rotated:?}");
        }
    };
    let (checks, rotations) = (
        one_by_one(budget, check).await,
        one_by_one(budget, rotate).await,
    );
    let commands = match &subject.room {
        Room::Redis(server) => Some(commands_of_a_check(server, &subject.store, count).await),
        _ => None,
    };
    Some(Measured {
        check: percentile(checks.clone(), 50),
        check_p99: percentile(checks, 99),
        check_of_many: many(budget, check).await,
        rotation: percentile(rotations.clone(), 50),
        rotation_p99: percentile(rotations, 99),
        rotation_of_many: many(budget, rotate).await,
        bytes,
        commands,
    })
}

impl Subject {
    async fn fresh(name: &str) -> Option<Self> {
        let (store, room): (Store, _) = match name {
            "memory" => (Arc::new(MemoryStore::new(1 << 22)), Room::Memory),
            "file" => {
                let file = format!("flask-pyjwt-benches-{}.redb", std::process::id());
                let path = std::env::temp_dir().join(file);
                let store = FileStore::open(&path).expect("it opens");
                (Arc::new(store), Room::File(path))
            }
            #[cfg(feature = "postgres-store")]
            "postgres" | "postgres near" => postgres::fresh(name == "postgres near").await?,
            _ => {
                let server = RedisServer::start()?;
                // Many concurrent logins of one account can take longer than one request may.
                let builder = RedisStore::builder().timeout(time::Duration::seconds(30));
                let store = builder.connect(server.url()).await.expect("it connects");
                (Arc::new(store), Room::Redis(server))
            }
        };
        Some(Self { store, room })
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        if let Room::File(path) = &self.room {
            drop(fs::remove_file(path));
        }
    }
}

async fn fill(store: &Store, count: usize) {
    for first in (0..count).step_by(AT_ONCE) {
        let opening: Vec<_> = (first..count.min(first + AT_ONCE))
            .map(|number| {
                let store = Arc::clone(store);
                spawn(async move {
                    let session = session(number);
                    store
                        .open(&Opening::new(session, 1_000), NOW)
                        .await
                        .expect("opened");
                })
            })
            .collect();
        for opening in opening {
            opening.await.expect("it ends");
        }
    }
}

/// A number far from the previous one, so that no cache helps. Every number comes once before any is repeated.
fn scattered(step: usize) -> usize {
    step.wrapping_mul(2_654_435_761) >> 4
}

/// Microseconds for each operation, one after the other.
async fn one_by_one<F: Future<Output = ()>>(
    budget: Duration,
    operation: impl Fn(usize) -> F,
) -> Vec<f64> {
    let (began, mut times) = (Instant::now(), Vec::new());
    while began.elapsed() < budget {
        let started = Instant::now();
        operation(scattered(times.len())).await;
        times.push(started.elapsed().as_secs_f64() * 1e6);
    }
    times
}

/// Microseconds for each operation with many concurrent callers.
async fn many<F: Future<Output = ()> + 'static>(
    budget: Duration,
    operation: impl Fn(usize) -> F,
) -> f64 {
    let (began, mut done) = (Instant::now(), 0_usize);
    while began.elapsed() < budget {
        let asking: Vec<_> = (0..CALLERS)
            .map(|caller| spawn(operation(scattered(done + caller))))
            .collect();
        for asking in asking {
            asking.await.expect("it ends");
        }
        done += CALLERS;
    }
    began.elapsed().as_secs_f64() * 1e6 / done as f64
}

/// Commands that the server receives for each of a hundred checks.
async fn commands_of_a_check(server: &RedisServer, store: &Store, count: usize) -> f64 {
    let commands = || {
        server
            .info("stats", "total_commands_processed")
            .unwrap_or(f64::NAN)
    };
    let one_info = {
        let before = commands();
        commands() - before
    };
    let before = commands();
    for number in 0..100 {
        let standing = store.standing(&token(number % count), NOW).await;
        assert_eq!(standing.expect("an answer"), Standing::Good);
    }
    (commands() - before - one_info) / 100.0
}

fn subject(number: usize) -> String {
    format!("user{number:07}@example.com")
}

fn id(number: usize) -> String {
    format!("session-{number:014}")
}

fn generation(number: usize, generation: u32) -> Generation {
    let id = |kind| format!("{kind}{generation:04}-{number:016}");
    Generation::new(id('r'), id('a'), NOW)
}

fn session(number: usize) -> SessionRecord {
    let first = generation(number, 0);
    let mut session = SessionRecord::new(id(number), subject(number), first, 30 * DAY);
    session.expires_at = NOW + 7 * DAY;
    session.label = Some("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0".to_owned());
    session.claims = String::from(r#"{"scope":{"read":true,"write":false},"team":7}"#);
    session
}

/// The auth token of a session.
fn token(number: usize) -> TokenIdentity {
    let mut token = TokenIdentity::new(subject(number), NOW);
    token.session = Some(id(number));
    token.id = Some(generation(number, 0).auth_id);
    token
}

fn rotation(number: usize, from: u32) -> Rotation {
    let presented = generation(number, from).refresh_id;
    let successor = generation(number, from + 1);
    let mut rotation = Rotation::new(subject(number), id(number), presented, successor, 7 * DAY);
    rotation.grace = time::Duration::seconds(10);
    rotation
}
