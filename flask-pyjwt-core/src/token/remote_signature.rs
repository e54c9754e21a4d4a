//! Signs with a key that is elsewhere: limits of time and number, further attempts, and the check of what comes back.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
    time::Duration,
};

use tokio::{runtime::Handle, sync::SemaphorePermit, time};

use crate::{
    error::{SignerError, SignerFailure},
    error_chain::Chain,
    keys::{RemoteKey, SigningKey},
    log_limit::admits,
    meters,
};

/// The pause before the second attempt. It doubles before each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// Signs a message. The signature was verified with the key.
pub(super) async fn sign(
    remote: &RemoteKey,
    signing: &SigningKey,
    message: &[u8],
) -> Result<Vec<u8>, SignerFailure> {
    if Handle::try_current().is_err() {
        return Err(SignerFailure::NoRuntime);
    }
    let mut retries = remote.retries;
    let mut pause = FIRST_PAUSE;
    loop {
        let attempt =
            meters::remote_signature(attempt(remote, signing, message), SignerFailure::name);
        let failure = match attempt.await {
            Ok(signature) => return Ok(signature),
            Err(failure) => failure,
        };
        let is_worth_another =
            matches!(&failure, SignerFailure::Failed(error) if error.is_temporary());
        if !is_worth_another || retries == 0 {
            log(&failure, signing);
            return Err(failure);
        }
        retries -= 1;
        time::sleep(pause).await;
        pause *= 2;
    }
}

/// Asks the signer once, and checks what it returns.
async fn attempt(
    remote: &RemoteKey,
    signing: &SigningKey,
    message: &[u8],
) -> Result<Vec<u8>, SignerFailure> {
    let _place = place(remote).await?;
    let answer = time::timeout(remote.timeout, answer(remote, message)).await;
    let signature = answer.map_err(|_| SignerFailure::Timeout {
        milliseconds: remote.timeout.as_millis(),
    })??;
    remote.check_length(&signature)?;
    if signing.key.verify(message, &signature) {
        Ok(signature)
    } else {
        Err(SignerFailure::WrongSignature)
    }
}

/// Waits for a place among the signatures that are made at once.
async fn place(remote: &RemoteKey) -> Result<SemaphorePermit<'_>, SignerFailure> {
    if let Ok(place) = remote.places.try_acquire() {
        return Ok(place);
    }
    match time::timeout(remote.timeout, remote.places.acquire()).await {
        Ok(Ok(place)) => Ok(place),
        // The semaphore is never closed.
        Ok(Err(_)) | Err(_) => Err(SignerFailure::Busy {
            concurrency: remote.concurrency,
            milliseconds: remote.timeout.as_millis(),
        }),
    }
}

/// Calls the application's signer. A panic is a failure of this signature alone.
async fn answer(remote: &RemoteKey, message: &[u8]) -> Result<Vec<u8>, SignerFailure> {
    // The call is inside the future, because it may panic as well.
    let mut call = pin!(async { remote.signer.sign(message).await });
    let answered: Result<Vec<u8>, SignerError> = poll_fn(|context| {
        // After a panic, the future is not polled again.
        match catch_unwind(AssertUnwindSafe(|| call.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(_) => Poll::Ready(Err(SignerFailure::Panicked)),
        }
    })
    .await?;
    answered.map_err(SignerFailure::Failed)
}

/// Logs a failure. The caller may not report it.
fn log(failure: &SignerFailure, signing: &SigningKey) {
    if admits("remote_signer_fails") {
        let kid = &signing.key.id;
        tracing::error!(kid, reason = failure.name(), "{}", Chain(failure));
    }
}
