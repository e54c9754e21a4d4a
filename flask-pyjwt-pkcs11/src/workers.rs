//! The threads that call the HSM, which blocks.

use std::{
    io,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
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

type Answer = oneshot::Sender<Result<Vec<u8>, Pkcs11Error>>;

/// A signature to make.
struct Job {
    input: Vec<u8>,
    answer: Answer,
}

/// Threads with a session each. They end when this is dropped.
pub(crate) struct Workers(SyncSender<Job>);

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
        let mut opened = Some(opened);
        for number in 0..count {
            let mut worker = Worker {
                token: Arc::clone(token),
                auth_type,
                opened: opened.take(),
            };
            let receiver = Arc::clone(&receiver);
            thread::Builder::new()
                .name(format!("flask-pyjwt-hsm-{number}"))
                .spawn(move || worker.run(&receiver))
                .map_err(Pkcs11Error::Threads)?;
        }
        Ok(Self(sender))
    }

    /// Signs in one of the threads.
    pub(crate) async fn sign(&self, input: Vec<u8>) -> Result<Vec<u8>, SignerError> {
        let (answer, receiver) = oneshot::channel();
        self.0
            .try_send(Job { input, answer })
            .map_err(|error| match error {
                TrySendError::Full(_) => {
                    SignerError::temporary("too many signatures wait for the HSM")
                }
                TrySendError::Disconnected(_) => SignerError::permanent(ended()),
            })?;
        match receiver.await {
            Ok(answer) => answer.map_err(Into::into),
            Err(_) => Err(SignerError::permanent(ended())),
        }
    }
}

fn ended() -> Pkcs11Error {
    Pkcs11Error::Threads(io::Error::other("a thread has ended"))
}

/// One thread.
struct Worker {
    token: Arc<Token>,
    auth_type: AuthType,
    /// `None` before the first signature, and after an error.
    opened: Option<Opened>,
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
