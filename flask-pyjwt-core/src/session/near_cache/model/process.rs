//! A process with a near cache.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::{Semaphore, oneshot};

use super::{
    super::{
        super::{Moment, StoreError, TokenIdentity},
        answer::{Answer, AuthToken},
        cache::{Cache, Changing},
        open::{Question, Waiter},
        settings::NearCache,
    },
    connection::Connection,
    random::Random,
};

pub(super) const MAX_SILENCE: Duration = Duration::from_secs(1);
const TOKENS: usize = 3;

/// Somebody who waits for an answer.
pub(super) struct Asker {
    pub(super) subject: usize,
    /// The oldest version that may be answered.
    pub(super) least: i64,
    pub(super) answer: oneshot::Receiver<Result<Answer, Arc<StoreError>>>,
}

pub(super) struct Process {
    pub(super) cache: Arc<Cache>,
    /// One for each server.
    pub(super) connections: Vec<Connection>,
    /// Questions that were sent, by number, with their server.
    pub(super) asked: HashMap<u64, (usize, Question)>,
    pub(super) askers: Vec<Asker>,
    /// Changes that were sent: the subject, and its version once the change was made.
    pub(super) changing: Vec<(usize, Option<i64>, Changing)>,
    /// For each subject, the latest version of which this process was told.
    pub(super) told: Vec<i64>,
    places: Arc<Semaphore>,
    numbers: u64,
}

impl Process {
    pub(super) fn new(servers: usize, subjects: usize, at: Instant) -> Self {
        // Little room, so that entries are evicted, too.
        let settings = NearCache::new().max_entries(8);
        let cache = Cache::new(&settings).expect("in range");
        let connection = |_| Connection::new(cache.subscribe(at));
        Self {
            connections: (0..servers).map(connection).collect(),
            cache,
            asked: HashMap::new(),
            askers: Vec::new(),
            changing: Vec::new(),
            told: vec![0; subjects],
            places: Arc::new(Semaphore::new(1_000_000)),
            numbers: 0,
        }
    }

    /// A token of any subject.
    pub(super) fn token(random: &mut Random) -> TokenIdentity {
        let mut token = TokenIdentity::new("", Moment::UNIX_EPOCH);
        token.id = Some(random.below(TOKENS).to_string());
        token
    }

    /// Joins those who ask. Returns a question to send.
    pub(super) fn join(
        &mut self,
        subject: usize,
        least: i64,
        token: &TokenIdentity,
    ) -> Option<Question> {
        let (sender, answer) = oneshot::channel();
        let place = Arc::clone(&self.places).try_acquire_owned();
        let waiter = Waiter {
            answer: sender,
            _place: place.expect("there is room"),
        };
        self.askers.push(Asker {
            subject,
            least,
            answer,
        });
        let token = AuthToken::of(token).expect("an auth token");
        self.cache.join(&key(subject), token, waiter)
    }

    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// The answers that have come.
    pub(super) fn answered(&mut self) -> Vec<(usize, i64, Answer)> {
        let mut answered = Vec::new();
        self.askers
            .retain_mut(|asker| match asker.answer.try_recv() {
                Ok(Ok(answer)) => {
                    answered.push((asker.subject, asker.least, answer));
                    false
                }
                Ok(Err(_)) => false,
                Err(oneshot::error::TryRecvError::Empty) => true,
                Err(oneshot::error::TryRecvError::Closed) => panic!("nobody will answer"),
            });
        answered
    }
}

pub(super) fn key(subject: usize) -> [u8; 1] {
    [u8::try_from(subject).expect("few subjects")]
}

pub(super) fn subject(question: &Question) -> usize {
    usize::from(question.key[0])
}
