//! Passwords are kept as argon2id hashes, which cost time and memory on purpose.

use std::{sync::Arc, thread, time::Duration};

use actix_web::{rt::time::timeout, web};
use argon2::{
    Argon2,
    password_hash::{self, PasswordHasher as _, PasswordVerifier as _},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::Error;

/// How long a login may wait for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes and checks hashes, a few at a time: each takes 19 MiB, and a flood of logins must not take all memory.
#[derive(Clone)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    /// The hash of no password.
    nobody: Arc<str>,
}

impl Passwords {
    pub(crate) fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let mut unknown = [0; 32];
        getrandom::fill(&mut unknown)?;
        let at_once = thread::available_parallelism().map_or(2, usize::from);
        Ok(Self {
            turns: Arc::new(Semaphore::new(at_once.min(8))),
            nobody: hash(&unknown)?.into(),
        })
    }

    /// The hash of a new password, with the parameters and a random salt in its text.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Error> {
        let turn = self.turn().await?;
        blocking(turn, move || hash(password.as_bytes())).await
    }

    /// Whether the password is that of the hash. Without a hash, which is without a user, the answer is no, and
    /// takes as long: the time does not tell which users there are.
    pub(crate) async fn is_right(
        &self,
        password: String,
        of: Option<String>,
    ) -> Result<bool, Error> {
        let turn = self.turn().await?;
        let is_known = of.is_some();
        let expected = of.map_or_else(|| Arc::clone(&self.nobody), Arc::from);
        blocking(turn, move || {
            match Argon2::default().verify_password(password.as_bytes(), &*expected) {
                Ok(()) => Ok(is_known),
                Err(password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(error),
            }
        })
        .await
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, Error> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        match timeout(PATIENCE, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(Error::Busy),
        }
    }
}

/// The parameters are those that OWASP advises: 19 MiB, two passes, one lane.
fn hash(password: &[u8]) -> Result<String, password_hash::Error> {
    Ok(Argon2::default().hash_password(password)?.to_string())
}

/// Works on a thread that may wait, so that the worker goes on with other requests. The work has the turn, and
/// not the request: it goes on where the client hangs up.
async fn blocking<T: Send + 'static>(
    turn: OwnedSemaphorePermit,
    work: impl FnOnce() -> Result<T, password_hash::Error> + Send + 'static,
) -> Result<T, Error> {
    let working = web::block(move || {
        let _turn = turn;
        work()
    });
    Ok(working.await.map_err(|_| Error::Busy)??)
}
