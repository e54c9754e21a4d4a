//! The threads that call the HSM, which blocks.

use std::{
    convert::Infallible,
    io,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{
            Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel,
        },
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use flask_pyjwt_core::{AuthType, signer::SignerError};
use tokio::sync::oneshot;

use crate::{
    Pkcs11Error,
    mechanism::mechanism,
    token::{Opened, Token},
};

/// How many signatures may wait for a thread. The limit of the key (`Key::concurrency`) usually is below it.
const MOST_WAITING: usize = 1_024;

/// How long a signer that is dropped waits for its threads. A hanging HSM must not keep the process from ending.
const LONGEST_END: Duration = Duration::from_secs(2);

type Answer = oneshot::Sender<Result<Vec<u8>, Pkcs11Error>>;

/// A signature to make.
struct Job {
    input: Vec<u8>,
    answer: Answer,
}

/// Threads with a session each. They end when this is dropped.
pub(crate) struct Workers {
    /// `None` while it is dropped.
    jobs: Option<SyncSender<Job>>,
    threads: Vec<JoinHandle<()>>,
    /// Disconnected when the last thread has closed its session. Nothing is ever sent.
    all_ended: Mutex<Receiver<Infallible>>,
}

impl Workers {
    /// Starts the threads. The first of them takes over the session that is open already.
    pub(crate) fn start(
        token: &Arc<Token>,
        auth_type: AuthType,
        opened: Opened,
        count: usize,
    ) -> Result<Self, Pkcs11Error> {
        let (sender, receiver) = sync_channel(MOST_WAITING);
        let receiver = Arc::new(Mutex::new(receiver));
        let (running, all_ended) = channel();
        let mut threads = Vec::with_capacity(count);
        let mut opened = Some(opened);
        for number in 0..count {
            let mut worker = Worker {
                token: Arc::clone(token),
                auth_type,
                opened: opened.take(),
                _running: Sender::clone(&running),
            };
            let receiver = Arc::clone(&receiver);
            let thread = thread::Builder::new()
                .name(format!("flask-pyjwt-hsm-{number}"))
                .spawn(move || worker.run(&receiver))
                .map_err(Pkcs11Error::Threads)?;
            threads.push(thread);
        }
        Ok(Self {
            jobs: Some(sender),
            threads,
            all_ended: Mutex::new(all_ended),
        })
    }

    /// Signs in one of the threads.
    pub(crate) async fn sign(&self, input: Vec<u8>) -> Result<Vec<u8>, SignerError> {
        let (answer, receiver) = oneshot::channel();
        let jobs = self.jobs.as_ref().ok_or_else(ended)?;
        jobs.try_send(Job { input, answer })
            .map_err(|error| match error {
                TrySendError::Full(_) => {
                    SignerError::temporary("too many signatures wait for the HSM")
                }
                TrySendError::Disconnected(_) => ended(),
            })?;
        match receiver.await {
            Ok(answer) => answer.map_err(Into::into),
            Err(_) => Err(ended()),
        }
    }
}

impl Drop for Workers {
    /// Waits for the threads, which finish their signatures. A process that unloads the module under them crashes.
    fn drop(&mut self) {
        self.jobs = None;
        let all_ended = self.all_ended.get_mut();
        let all_ended = all_ended.unwrap_or_else(PoisonError::into_inner);
        if all_ended.recv_timeout(LONGEST_END) == Err(RecvTimeoutError::Timeout) {
            tracing::warn!("a signer is dropped while the HSM does not answer");
            return;
        }
        for thread in self.threads.drain(..) {
            // A thread that panicked has ended, too.
            drop(thread.join());
        }
    }
}

fn ended() -> SignerError {
    let ended = io::Error::other("a thread has ended");
    SignerError::permanent(Pkcs11Error::Threads(ended))
}

/// One thread.
struct Worker {
    token: Arc<Token>,
    auth_type: AuthType,
    /// `None` before the first signature, and after an error.
    opened: Option<Opened>,
    /// Dropped after the session.
    _running: Sender<Infallible>,
}

impl Worker {
    fn run(&mut self, jobs: &Mutex<Receiver<Job>>) {
        loop {
            let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(Job { input, answer }) = job else {
                return;
            };
            // Nobody waits any more: the request took too long, or its client has gone.
            if answer.is_closed() {
                continue;
            }
            drop(answer.send(self.sign(&input)));
        }
    }

    /// Signs, with a new session if the old one does not work.
    fn sign(&mut self, input: &[u8]) -> Result<Vec<u8>, Pkcs11Error> {
        let mechanism = mechanism(self.auth_type)?;
        if let Some(opened) = &self.opened {
            match opened.sign(&mechanism, input) {
                Err(error) if error.is_worth_a_new_session() => {
                    tracing::warn!("a session with the HSM is opened again: {error}");
                }
                answer => return answer,
            }
        }
        // Closes the old session before the new one is opened: an HSM has a limited number of them.
        self.opened = None;
        let opened = self.token.open()?;
        let signature = opened.sign(&mechanism, input)?;
        self.opened = Some(opened);
        Ok(signature)
    }
}
