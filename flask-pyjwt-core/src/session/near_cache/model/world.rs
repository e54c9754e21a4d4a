//! The servers, the processes, and one random step of them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    super::{
        super::{Moment, StoreError},
        answer::Answer,
        open::Question,
        subscription::Under,
    },
    connection::{Connection, Message, Request},
    process::{MAX_SILENCE, Process, key, subject},
    random::Random,
};

const PROCESSES: usize = 3;
const SERVERS: usize = 2;
const SUBJECTS: usize = 4;

/// What servers announce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Announcing {
    /// The next change of each subject that was read on the same connection.
    WhatWasRead,
    /// All changes. Subjects are read on other connections, which are not ordered.
    Everything,
}

pub(super) struct World {
    random: Random,
    announcing: Announcing,
    now: Instant,
    /// For each subject, when each version ended. The last one lasts.
    ended: Vec<Vec<Instant>>,
    processes: Vec<Process>,
    /// Questions and answers on other connections: process, server, request or message.
    separate: Vec<(usize, u64, usize, Option<i64>)>,
    pub(super) hits: u64,
}

fn server(subject: usize) -> usize {
    subject % SERVERS
}

impl World {
    pub(super) fn new(seed: u64, announcing: Announcing) -> Self {
        let now = Instant::now();
        Self {
            random: Random(seed),
            announcing,
            now,
            ended: vec![Vec::new(); SUBJECTS],
            processes: (0..PROCESSES)
                .map(|_| Process::new(SERVERS, SUBJECTS, now))
                .collect(),
            separate: Vec::new(),
            hits: 0,
        }
    }

    pub(super) fn step(&mut self) {
        let process = self.random.below(PROCESSES);
        let at = self.random.below(SERVERS);
        let subject = self.random.below(SUBJECTS);
        let separate = match self.announcing {
            Announcing::WhatWasRead => 15,
            Announcing::Everything => 70,
        };
        match self.random.below(100) {
            0..6 => self.now += Duration::from_millis(self.random.below(100) as u64),
            6 if self.random.one_in(20) => self.now += Duration::from_secs(3),
            7..35 => self.ask(process, subject),
            35..84 if self.random.below(100) < separate => self.read_separately(),
            35..60 => self.serve(process, at),
            60..84 => self.hear(process, at),
            84..87 => self.begin_change(process, subject),
            87..93 => self.go_on_with_change(process),
            93..97 => {
                let asked = Request::Heartbeat(self.now);
                self.processes[process].connections[at].request(asked);
            }
            97 if self.random.one_in(8) => self.processes[process].connections[at].cut(),
            98 => self.reconnect(process, at),
            99 if self.random.one_in(8) => self.change_all(at),
            _ => self.lose_patience(process),
        }
        for process in 0..PROCESSES {
            for (subject, least, answer) in self.processes[process].answered() {
                // Nobody gets an answer that is older than his question.
                assert!(
                    version(answer) >= least,
                    "subject {subject}: {answer:?}, at least {least}"
                );
            }
        }
    }

    fn current(&self, subject: usize) -> i64 {
        i64::try_from(self.ended[subject].len()).expect("few versions")
    }

    fn ask(&mut self, process: usize, subject: usize) {
        let token = Process::token(&mut self.random);
        let current = self.current(subject);
        let it = &mut self.processes[process];
        if let Some(answer) = it.cache.answer(&key(subject), &token, self.now) {
            self.hits += 1;
            let version = version(answer);
            assert!(
                version >= it.told[subject],
                "older than what the process was told"
            );
            let is_known = it.connections[server(subject)]
                .subscription
                .is_alive(self.now);
            assert!(is_known, "the server may have announced a change");
            let place = usize::try_from(version).expect("a version");
            let ended = self.ended[subject].get(place);
            let is_recent = |ended: &Instant| self.now - *ended < MAX_SILENCE;
            assert!(
                ended.is_none_or(is_recent),
                "older than the last sign of life"
            );
        } else if let Some(question) = it.join(subject, current, &token) {
            self.send(process, question);
        }
    }

    /// Sends a question. Without a connection that is alive, the store is asked without a cache.
    fn send(&mut self, process: usize, mut question: Question) {
        let subject = subject(&question);
        let it = &mut self.processes[process];
        let number = it.number();
        let connection = &mut it.connections[server(subject)];
        if connection.subscription.is_alive(self.now) {
            let subscription = Arc::clone(&connection.subscription);
            question.under = Some(Under::new(subscription, self.now));
            match self.announcing {
                Announcing::WhatWasRead => connection.request(Request::Ask(number, subject)),
                Announcing::Everything => self.separate.push((process, number, subject, None)),
            }
        } else {
            self.separate.push((process, number, subject, None));
        }
        it.asked.insert(number, (server(subject), question));
    }

    /// A server handles a request.
    fn serve(&mut self, process: usize, at: usize) {
        let connection = &mut self.processes[process].connections[at];
        match connection.requests.pop_front() {
            Some(Request::Ask(number, subject)) => {
                connection.read.insert(subject);
                let version = self.current(subject);
                self.processes[process].connections[at].send(Message::Answer(number, version));
            }
            Some(Request::Heartbeat(asked)) => connection.send(Message::Alive(asked)),
            None => {}
        }
    }

    /// A process handles a message.
    fn hear(&mut self, process: usize, at: usize) {
        let it = &mut self.processes[process];
        let connection = &mut it.connections[at];
        match connection.messages.pop_front() {
            Some(Message::Answer(number, version)) => self.answer(process, number, version),
            Some(Message::Alive(asked)) => {
                let _ = connection.subscription.confirm(asked, self.now);
            }
            Some(Message::Changed(subject, version)) => {
                it.cache.forget(&key(subject));
                it.told[subject] = it.told[subject].max(version);
            }
            Some(Message::AllChanged) => connection.subscription.forget_all(),
            None => {}
        }
    }

    /// A question on a separate connection is read or answered, in any order.
    fn read_separately(&mut self) {
        if self.separate.is_empty() {
            return;
        }
        let place = self.random.below(self.separate.len());
        let (process, number, subject, read) = self.separate[place];
        if let Some(version) = read {
            self.separate.swap_remove(place);
            self.answer(process, number, version);
        } else {
            self.separate[place].3 = Some(self.current(subject));
        }
    }

    fn answer(&mut self, process: usize, number: u64, version: i64) {
        let it = &mut self.processes[process];
        let Some((_, question)) = it.asked.remove(&number) else {
            return;
        };
        let answer = Answer::GoodUntil(Moment::from_milliseconds(version));
        let tokens: Vec<_> = question.waiters.keys().cloned().collect();
        let answers = tokens.into_iter().map(|token| (token, Ok(answer)));
        if let Some(next) = it.cache.answered(question, answers.collect(), self.now) {
            self.send(process, next);
        }
    }

    fn begin_change(&mut self, process: usize, subject: usize) {
        let it = &mut self.processes[process];
        let changing = it.cache.changing(&key(subject)[..]);
        it.changing.push((subject, None, changing));
    }

    /// A change that was sent is made, or its answer comes.
    fn go_on_with_change(&mut self, process: usize) {
        let pending = self.processes[process].changing.len();
        if pending == 0 {
            return;
        }
        let place = self.random.below(pending);
        let (subject, made) = {
            let (subject, made, _) = &self.processes[process].changing[place];
            (*subject, *made)
        };
        let Some(version) = made else {
            self.change(subject);
            self.processes[process].changing[place].1 = Some(self.current(subject));
            return;
        };
        let it = &mut self.processes[process];
        drop(it.changing.swap_remove(place));
        it.told[subject] = it.told[subject].max(version);
    }

    fn change(&mut self, subject: usize) {
        self.ended[subject].push(self.now);
        let version = self.current(subject);
        for process in &mut self.processes {
            let connection = &mut process.connections[server(subject)];
            if connection.read.remove(&subject) || self.announcing == Announcing::Everything {
                connection.send(Message::Changed(subject, version));
            }
        }
    }

    /// All subjects of a server change, and it only says that.
    fn change_all(&mut self, at: usize) {
        for subject in (0..SUBJECTS).filter(|it| server(*it) == at) {
            self.ended[subject].push(self.now);
        }
        for process in &mut self.processes {
            process.connections[at].send(Message::AllChanged);
            process.connections[at].read.clear();
        }
    }

    /// A process notices that a connection was lost, and opens the next one.
    fn reconnect(&mut self, process: usize, at: usize) {
        let it = &mut self.processes[process];
        let connection = &mut it.connections[at];
        let is_alive = connection.subscription.is_alive(self.now);
        if is_alive && !(connection.is_cut || self.random.one_in(10)) {
            return;
        }
        connection.subscription.end();
        *connection = Connection::new(it.cache.subscribe(self.now));
        if self.announcing == Announcing::Everything {
            return;
        }
        let is_lost = |(_, (server, question)): (&u64, &mut (usize, Question))| {
            *server == at && question.under.is_some()
        };
        let lost: Vec<_> = it
            .asked
            .extract_if(|number, asked| is_lost((number, asked)))
            .collect();
        for (_, (_, question)) in lost {
            let error = StoreError::unavailable("lost");
            if let Some(next) = self.processes[process].cache.failed(question, error) {
                self.send(process, next);
            }
        }
    }

    fn lose_patience(&mut self, process: usize) {
        let it = &mut self.processes[process];
        let next: Vec<_> = it
            .asked
            .values()
            .filter_map(|(_, question)| it.cache.overdue(question))
            .collect();
        for question in next {
            self.send(process, question);
        }
    }
}

fn version(answer: Answer) -> i64 {
    match answer {
        Answer::GoodUntil(version) => version.milliseconds(),
        other => panic!("{other:?}"),
    }
}
