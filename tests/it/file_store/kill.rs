//! A process is killed while it works: what it has acknowledged is there, and what it has ended stays ended.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};
use support::folder::Folder;

use actix_web::rt;
use flask_pyjwt::{
    FileStore,
    store::{Moment, Rotated, SessionStore as _, Standing, StoreError},
};

use super::sessions::{
    NOW, end_session, opening, plain_token, random, refresh_token, revoke_subject, revoke_token,
    rotation, standing,
};

/// Marks the lines of the process among those of the test harness.
const MARK: &str = "test: ";
/// How many tasks the process runs concurrently.
const LINES: usize = 6;

/// Prints a line in one write.
fn print_line(line: &str) {
    let mut output = std::io::stdout().lock();
    output
        .write_all(format!("{MARK}{line}\n").as_bytes())
        .expect("printed");
}

/// Opens sessions, rotates their tokens and revokes them, and prints a line before and after each step.
async fn work(store: &FileStore, round: &str, line: usize) {
    let subject = format!("subject-{line}");
    for number in 0.. {
        let id = format!("{round}.{line}.{number}");
        print_line(&format!("{subject} {id} open?"));
        store
            .open(&opening(&subject, &id, NOW), NOW)
            .await
            .expect("opened");
        print_line(&format!("{subject} {id} open"));
        for rotated in 0..(number + line) % 4 {
            print_line(&format!("{subject} {id} rotate?"));
            let rotation = rotation(&subject, &id, rotated, NOW);
            let rotated = store.rotate(&rotation).await.expect("answered");
            assert!(matches!(rotated, Rotated::Won(_)), "{rotated:?}");
            print_line(&format!("{subject} {id} rotate"));
        }
        // A revocation that is forgotten with the same change or the next one.
        let forgotten = revoke_token(&subject, &format!("{id}-forgotten"), Moment::UNIX_EPOCH);
        store.revoke(&forgotten, NOW).await.expect("revoked");
        let revocation = revoke_token(&subject, &id, NOW);
        store.revoke(&revocation, NOW).await.expect("revoked");
        print_line(&format!("{subject} {id} token"));
        if number % 2 == 0 {
            print_line(&format!("{subject} {id} end?"));
            store
                .revoke(&end_session(&subject, &id), NOW)
                .await
                .expect("ended");
            print_line(&format!("{subject} {id} end"));
        } else if number % 5 == 0 {
            print_line(&format!("{subject} - end?"));
            let revocation = revoke_subject(&subject, NOW, NOW);
            store.revoke(&revocation, NOW).await.expect("revoked");
            print_line(&format!("{subject} - end"));
        }
    }
}

/// Another test runs this as a separate process, and kills it.
#[actix_web::test]
async fn the_process() {
    if std::env::var_os("FILE_STORE_ROUND").is_none() {
        return;
    }
    let variable = |name| std::env::var(name).expect("set by the other test");
    let round = variable("FILE_STORE_ROUND");
    let store = Arc::new(FileStore::open(variable("FILE_STORE_PATH")).expect("opened"));
    let lines = (0..LINES).map(|line| {
        let (store, round) = (Arc::clone(&store), round.clone());
        rt::spawn(async move { work(&store, &round, line).await })
    });
    for line in lines.collect::<Vec<_>>() {
        line.await.expect("no panic");
    }
}

/// A process that is killed when it is dropped.
struct Process(Child);

impl Process {
    fn start(path: &Path, round: usize) -> Self {
        let test = std::env::current_exe().expect("this test");
        let child = Command::new(test)
            .args(["--exact", "file_store::kill::the_process", "--nocapture"])
            .env("FILE_STORE_PATH", path)
            .env("FILE_STORE_ROUND", round.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        Self(child.expect("the process runs"))
    }

    /// Reads until the process has printed so many lines, runs `before`, kills it, and returns all its lines.
    fn kill_after(mut self, count: usize, before: impl Fn()) -> Vec<String> {
        let output = BufReader::new(self.0.stdout.take().expect("piped"));
        let mut lines = Vec::new();
        for line in output.split(b'\n') {
            let line = String::from_utf8(line.expect("read")).expect("text");
            let Some((_, line)) = line.split_once(MARK) else {
                continue;
            };
            lines.push(line.to_owned());
            if lines.len() == count {
                before();
                self.0.kill().expect("killed");
            }
        }
        let status = self.0.wait().expect("ended");
        assert!(
            !status.success() && lines.len() >= count,
            "{status}: {}",
            lines.len()
        );
        lines
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The state of a session, as far as the process has printed it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// It was about to be opened, and may be open.
    #[default]
    Begun,
    Open,
    /// It was about to be ended, and may have ended.
    Ending,
    Ended,
}

/// What the process has printed about a session.
#[derive(Debug, Default)]
struct History {
    subject: String,
    stage: Stage,
    rotated: usize,
    /// It was about to be rotated once more, and may have been.
    rotating: bool,
    /// A token without a session, named after this one, is revoked.
    token: bool,
}

fn stage(what: &str) -> Stage {
    match what {
        "open?" => Stage::Begun,
        "open" => Stage::Open,
        "end?" => Stage::Ending,
        "end" => Stage::Ended,
        other => panic!("{other}"),
    }
}

/// What the process has printed in all rounds.
#[derive(Default)]
struct Ledger(HashMap<String, History>);

impl Ledger {
    fn record(&mut self, line: &str) {
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap_or_default();
        let (subject, id, what) = (word(), word(), word());
        if id == "-" {
            let sessions = self.0.values_mut();
            for history in sessions.filter(|history| history.subject == subject) {
                history.stage = history.stage.max(stage(what));
            }
            return;
        }
        let history = self.0.entry(id.to_owned()).or_default();
        subject.clone_into(&mut history.subject);
        match what {
            "rotate?" => history.rotating = true,
            "rotate" => {
                history.rotating = false;
                history.rotated += 1;
            }
            "token" => history.token = true,
            _ => history.stage = history.stage.max(stage(what)),
        }
    }

    /// Compares the ledger with the file. Returns how many sessions are open.
    async fn verify(&self, store: &FileStore, round: usize) -> usize {
        let mut good = 0;
        for (id, history) in &self.0 {
            let case = format!("{round}: {id} {history:?}");
            let refresh = async |number| {
                standing(store, &refresh_token(&history.subject, id, number), NOW).await
            };
            for number in 0..history.rotated {
                assert_ne!(refresh(number).await, Standing::Good, "{case}");
            }
            let (current, next) = (
                refresh(history.rotated).await,
                refresh(history.rotated + 1).await,
            );
            match (current, next) {
                (Standing::Good, _) => assert!(history.stage < Stage::Ended, "{case}"),
                (Standing::Replayed, Standing::Good) => {
                    assert!(history.rotating && history.stage < Stage::Ended, "{case}");
                }
                (Standing::Revoked, _) => assert!(history.stage != Stage::Open, "{case}"),
                other => panic!("{other:?} {case}"),
            }
            if history.token {
                let token = plain_token(&history.subject, id, NOW);
                assert_eq!(
                    standing(store, &token, NOW).await,
                    Standing::Revoked,
                    "{case}"
                );
            }
            good += usize::from(history.stage == Stage::Open);
        }
        good
    }
}

#[actix_web::test]
async fn a_killed_process_has_lost_nothing_that_it_acknowledged() {
    let folder = Folder::new("file-store");
    let path = folder.file("sessions");
    let mut random = random(3);
    let mut ledger = Ledger::default();
    let mut good = 0;
    for round in 0..24 {
        // In the first rounds, right after the start, too.
        let count = 1 + random(if round < 8 { 20 } else { 300 });
        for line in Process::start(&path, round).kill_after(count, || {}) {
            ledger.record(&line);
        }
        let store = FileStore::open(&path).unwrap_or_else(|error| panic!("{round}: {error:?}"));
        good += ledger.verify(&store, round).await;
    }
    let sessions = ledger.0.len();
    assert!(good > 100 && sessions > 100, "{good} of {sessions}");
}

#[test]
fn a_file_is_in_use_until_the_process_that_has_it_open_ends() {
    let folder = Folder::new("file-store");
    let path = folder.file("sessions");
    Process::start(&path, 0).kill_after(1, || {
        let error = FileStore::open(&path).expect_err("in use");
        assert!(matches!(error, StoreError::InUse), "{error:?}");
    });
    FileStore::open(&path).expect("free");
}
