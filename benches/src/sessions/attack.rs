//! An account that uses as many resources as it can: logins at its limit, and lists of its sessions.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use actix_web::rt::{System, spawn, time};
use flask_pyjwt::{
    RedisStore,
    store::{Opening, SessionRecord},
};
use serde::{Deserialize, Serialize};

use super::{AT_ONCE, NOW, Room, Store, Subject, session};
use crate::process::{self, Process};

/// The argument that starts the bench as the process of such an account.
pub(crate) const MODE: &str = "attack-strangers";

/// The limit of sessions for a subject: the default.
const MOST: usize = 100;
/// How many calls list the sessions of the account concurrently, and how often: as fast as a client with this
/// many connections gets responses over a network.
/// client with so many connections gets its answers over a network.
const LISTS: usize = 4;
const PERIOD: Duration = Duration::from_millis(10);

/// The results of the account.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Taken {
    pub(super) lists: u32,
    pub(super) logins: u32,
}

/// A running attack.
pub(super) enum Attack {
    /// In the process of the other accounts, if the store requires it.
    Here(Arc<AtomicBool>, thread::JoinHandle<Taken>),
    /// In the process of another server.
    There(Process),
}

impl Attack {
    pub(super) fn start(subject: &Subject) -> io::Result<Self> {
        if let Room::Redis(server) = &subject.room {
            // The parent can have a priority that this client must not inherit.
            let ordinary = ["chrt", "--other", "0"];
            let mut process = Process::start(&ordinary, MODE, &server.url())?;
            process.line()?; // It is connected.
            return Ok(Self::There(process));
        }
        let (store, ends) = (Arc::clone(&subject.store), Arc::<AtomicBool>::default());
        let is_over = Arc::clone(&ends);
        let thread = thread::spawn(move || System::new().block_on(attack(&store, &is_over)));
        Ok(Self::Here(ends, thread))
    }

    pub(super) fn end(self) -> io::Result<Taken> {
        match self {
            Self::Here(ends, thread) => {
                ends.store(true, Ordering::Relaxed);
                Ok(thread.join().expect("it ends"))
            }
            Self::There(process) => serde_json::from_str(&process.end()?).map_err(io::Error::other),
        }
    }
}

/// The body of such a process.
pub(crate) fn carry_out() -> io::Result<()> {
    let url: String = process::order()?;
    let ends = Arc::<AtomicBool>::default();
    let is_over = Arc::clone(&ends);
    thread::spawn(move || {
        process::wait_for_end();
        ends.store(true, Ordering::Relaxed);
    });
    let taken = System::new().block_on(async {
        let store = RedisStore::connect(url).await.map_err(io::Error::other)?;
        let store: Store = Arc::new(store);
        println!();
        Ok::<_, io::Error>(attack(&store, &is_over).await)
    })?;
    println!("{}", serde_json::to_string(&taken)?);
    Ok(())
}

async fn attack(store: &Store, ends: &AtomicBool) -> Taken {
    let mut taken = Taken::default();
    let mut period = time::interval(PERIOD);
    period.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !ends.load(Ordering::Relaxed) {
        period.tick().await;
        let calls: Vec<_> = (0..LISTS)
            .map(|_| {
                let store = Arc::clone(store);
                spawn(async move {
                    let listed = store.sessions("mallory", MOST, NOW).await;
                    assert_eq!(listed.expect("listed").len(), MOST);
                })
            })
            .collect();
        open(store, own(taken.logins as usize)).await;
        for call in calls {
            call.await.expect("it ends");
        }
        taken.logins += 1;
        taken.lists += 4;
    }
    taken
}

/// Logs the account in so many times.
pub(super) async fn log_in(store: &Store, count: usize) {
    for first in (0..count).step_by(AT_ONCE) {
        let opening: Vec<_> = (first..count.min(first + AT_ONCE))
            .map(|number| {
                let store = Arc::clone(store);
                spawn(async move { open(&store, own(number)).await })
            })
            .collect();
        for opening in opening {
            opening.await.expect("it ends");
        }
    }
}

pub(super) async fn open(store: &Store, session: SessionRecord) {
    let opening = Opening::new(session, MOST);
    store.open(&opening, NOW).await.expect("opened");
}

fn own(number: usize) -> SessionRecord {
    let mut session = session(number);
    session.subject = String::from("mallory");
    session
}
