//! Processes with a near cache, servers, and the messages between them, in random order: delayed,
//! reordered between connections, and lost with their connection.
//!
//! Each change of a subject is a new version, and an answer is the version that was read. So it can
//! be checked how old an answer is.

mod connection;
mod process;
mod random;
mod world;

use self::world::{Announcing, World};

const STEPS: usize = 4_000;
const SEEDS: u64 = 20;

/// Answers on the connection that announces changes of what was read on it, as in Redis.
#[test]
fn no_answer_is_outdated_when_the_server_answers_and_announces_on_one_connection() {
    run(Announcing::WhatWasRead);
}

/// Answers on any other connection, while all changes are announced, as in `PostgreSQL`.
#[test]
fn no_answer_is_outdated_when_the_server_answers_and_announces_on_separate_connections() {
    run(Announcing::Everything);
}

fn run(announcing: Announcing) {
    let mut hits = 0;
    for seed in 0..SEEDS {
        let mut world = World::new(seed, announcing);
        for _ in 0..STEPS {
            world.step();
        }
        hits += world.hits;
    }
    // Otherwise this has tested nothing.
    assert!(hits > SEEDS * STEPS as u64 / 100, "{hits} hits");
}
