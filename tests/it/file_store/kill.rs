//! A process that is killed while it works: what it has told is there, and what it has ended stays so.

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

/// What marks the process's lines among the test harness's.
const MARK: &str = "told: ";
/// How many lines of work go on in the process at the same time.
const LINES: usize = 6;

/// Tells something in one write.
fn tell(line: &str) {
    let mut output = std::io::stdout().lock();
    output
        .write_all(format!("{MARK}{line}\n").as_bytes())
        .expect("heard");
}

/// Opens sessions, rotates their tokens and revokes, and tells before and after each step.
async fn work(store: &FileStore, round: &str, line: usize) {
    let subject = format!("subject-{line}");
    for number in 0.. {
        let id = format!("{round}.{line}.{number}");
        tell(&format!("{subject} {id} open?"));
        store
            .open(&opening(&subject, &id, NOW), NOW)
            .await
            .expect("opened");
        tell(&format!("{subject} {id} open"));
        for rotated in 0..(number + line) % 4 {
            tell(&format!("{subject} {id} rotate?"));
            let rotation = rotation(&subject, &id, rotated, NOW);
            let rotated = store.rotate(&rotation).await.expect("answered");
            assert!(matches!(rotated, Rotated::Won(_)), "{rotated:?}");
            tell(&format!("{subject} {id} rotate"));
        }
        // One that is forgotten with the same change or the next.
        let forgotten = revoke_token(&subject, &format!("{id}-forgotten"), Moment::UNIX_EPOCH);
        store.revoke(&forgotten, NOW).await.expect("revoked");
        let revocation = revoke_token(&subject, &id, NOW);
        store.revoke(&revocation, NOW).await.expect("revoked");
        tell(&format!("{subject} {id} token"));
        if number % 2 == 0 {
            tell(&format!("{subject} {id} end?"));
            store
                .revoke(&end_session(&subject, &id), NOW)
                .await
                .expect("ended");
            tell(&format!("{subject} {id} end"));
        } else if number % 5 == 0 {
            tell(&format!("{subject} - end?"));
            let revocation = revoke_subject(&subject, NOW, NOW);
            store.revoke(&revocation, NOW).await.expect("revoked");
            tell(&format!("{subject} - end"));
        }
    }
}

/// Another test runs this as a process of its own, and kills it.
#[actix_web::test]
async fn the_process() {
    if std::env::var_os("FILE_STORE_ROUND").is_none() {
        return;
    }
    let variable = |name| std::env::var(name).expect("said by the other test");
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

/// A process, which ends with this in any case.
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

    /// Listens until it has told so much, does that, kills it, and gives everything it told.
    fn kill_after(mut self, told: usize, before: impl Fn()) -> Vec<String> {
        let output = BufReader::new(self.0.stdout.take().expect("piped"));
        let mut lines = Vec::new();
        for line in output.split(b'\n') {
            let line = String::from_utf8(line.expect("read")).expect("text");
            let Some((_, line)) = line.split_once(MARK) else {
                continue;
            };
            lines.push(line.to_owned());
            if lines.len() == told {
                before();
                self.0.kill().expect("killed");
            }
        }
        let status = self.0.wait().expect("ended");
        assert!(
            !status.success() && lines.len() >= told,
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

/// How far a session has come, as was told.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// To be opened, and perhaps open.
    #[default]
    Begun,
    Open,
    /// To be ended, and perhaps ended.
    Ending,
    Ended,
}

/// What was told of a session.
#[derive(Debug, Default)]
struct Told {
    subject: String,
    stage: Stage,
    rotated: usize,
    /// It is to be rotated once more, and perhaps was.
    rotating: bool,
    /// The token of no session of its name is revoked.
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

/// Everything that was told, over all rounds.
#[derive(Default)]
struct Ledger(HashMap<String, Told>);

impl Ledger {
    fn hear(&mut self, line: &str) {
        let mut words = line.split(' ');
        let mut word = || words.next().unwrap_or_default();
        let (subject, id, what) = (word(), word(), word());
        if id == "-" {
            let sessions = self.0.values_mut();
            for told in sessions.filter(|told| told.subject == subject) {
                told.stage = told.stage.max(stage(what));
            }
            return;
        }
        let told = self.0.entry(id.to_owned()).or_default();
        subject.clone_into(&mut told.subject);
        match what {
            "rotate?" => told.rotating = true,
            "rotate" => {
                told.rotating = false;
                told.rotated += 1;
            }
            "token" => told.token = true,
            _ => told.stage = told.stage.max(stage(what)),
        }
    }

    /// Compares all of it with what is in the file. Gives how many sessions are good.
    async fn verify(&self, store: &FileStore, round: usize) -> usize {
        let mut good = 0;
        for (id, told) in &self.0 {
            let case = format!("{round}: {id} {told:?}");
            let refresh = async |number| {
                standing(store, &refresh_token(&told.subject, id, number), NOW).await
            };
            for number in 0..told.rotated {
                assert_ne!(refresh(number).await, Standing::Good, "{case}");
            }
            let (current, next) = (refresh(told.rotated).await, refresh(told.rotated + 1).await);
            match (current, next) {
                (Standing::Good, _) => assert!(told.stage < Stage::Ended, "{case}"),
                (Standing::Replayed, Standing::Good) => {
                    assert!(told.rotating && told.stage < Stage::Ended, "{case}");
                }
                (Standing::Revoked, _) => assert!(told.stage != Stage::Open, "{case}"),
                other => panic!("{other:?} {case}"),
            }
            if told.token {
                let token = plain_token(&told.subject, id, NOW);
                assert_eq!(
                    standing(store, &token, NOW).await,
                    Standing::Revoked,
                    "{case}"
                );
            }
            good += usize::from(told.stage == Stage::Open);
        }
        good
    }
}

#[actix_web::test]
async fn a_killed_process_has_lost_nothing_that_it_told() {
    let folder = Folder::new("file-store");
    let path = folder.file("sessions");
    let mut random = random(3);
    let mut ledger = Ledger::default();
    let mut good = 0;
    for round in 0..24 {
        // In the first rounds, also right after the beginning.
        let told = 1 + random(if round < 8 { 20 } else { 300 });
        for line in Process::start(&path, round).kill_after(told, || {}) {
            ledger.hear(&line);
        }
        let store = FileStore::open(&path).unwrap_or_else(|error| panic!("{round}: {error:?}"));
        good += ledger.verify(&store, round).await;
    }
    let sessions = ledger.0.len();
    assert!(good > 100 && sessions > 100, "{good} of {sessions}");
}

#[test]
fn a_file_that_another_process_has_open_is_in_use_until_that_has_ended() {
    let folder = Folder::new("file-store");
    let path = folder.file("sessions");
    Process::start(&path, 0).kill_after(1, || {
        let error = FileStore::open(&path).expect_err("in use");
        assert!(matches!(error, StoreError::InUse), "{error:?}");
    });
    FileStore::open(&path).expect("free");
}
