//! Passwords are stored as argon2id hashes, which cost time and memory on purpose.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Duration,
};

use actix_web::{rt::time::timeout, web};
use argon2::{
    Argon2, Block, Params,
    password_hash::{
        Error as HashError, PasswordVerifier as _,
        phc::{Output, ParamsString, PasswordHash, Salt},
    },
};
use tokio::sync::Semaphore;

use crate::error::Error;

/// Computes and checks hashes, a few at a time: each takes 19 MiB, and a flood of logins must not exhaust the memory.
#[derive(Clone)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    /// How long a login may wait for its turn.
    patience: Duration,
    memory: Arc<Mutex<Vec<Vec<Block>>>>,
    /// The hash of a random password, for users who do not exist.
    nobody: Arc<str>,
}

impl Passwords {
    pub(crate) fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let mut random = [0; 32];
        getrandom::fill(&mut random)?;
        let mut memory = new_memory();
        let nobody = hash(&random, Salt::generate(), &mut memory)?;
        let at_once = thread::available_parallelism().map_or(2, usize::from);
        Ok(Self {
            turns: Arc::new(Semaphore::new(at_once.min(8))),
            patience: Duration::from_secs(5),
            memory: Arc::new(Mutex::new(vec![memory])),
            nobody: nobody.to_string().into(),
        })
    }

    /// The hash of a new password. Its text includes the parameters and a random salt.
    pub(crate) async fn hash(&self, password: String) -> Result<String, Error> {
        self.in_turn(move |memory| {
            Ok(hash(password.as_bytes(), Salt::generate(), memory)?.to_string())
        })
        .await
    }

    /// Whether a hash is the password's. Without a hash, because there is no such user, the answer is no and takes
    /// as long: the time does not tell which users exist.
    pub(crate) async fn is_right(
        &self,
        password: String,
        of: Option<String>,
    ) -> Result<bool, Error> {
        let is_known = of.is_some();
        let expected = of.map_or_else(|| Arc::clone(&self.nobody), Arc::from);
        self.in_turn(move |memory| {
            Ok(is_password_of(password.as_bytes(), &expected, memory)? && is_known)
        })
        .await
    }

    /// Runs the work on a thread that may block, so that the worker continues with other requests.
    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut [Block]) -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, Error> {
        let turn = timeout(self.patience, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(Error::Busy);
        };
        let pool = Arc::clone(&self.memory);
        let working = web::block(move || {
            let mut memory = lock(&pool).pop().unwrap_or_else(new_memory);
            let result = work(&mut memory);
            lock(&pool).push(memory);
            // Here, and not in the request's future: the work continues when the client hangs up.
            drop(turn);
            result
        });
        // The outer error: the server is shutting down.
        Ok(working.await.map_err(|_| Error::Busy)??)
    }
}

/// The memory for one hash. It is reused, because glibc does not return freed memory of this kind to the system: with
/// new memory for each hash, the process grows to several times the size.
fn new_memory() -> Vec<Block> {
    vec![Block::default(); Argon2::default().params().block_count()]
}

fn lock(pool: &Mutex<Vec<Vec<Block>>>) -> std::sync::MutexGuard<'_, Vec<Vec<Block>>> {
    pool.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does what `Argon2::hash_password` does, in memory that the caller provides. The defaults are the parameters that OWASP
/// recommends: argon2id with 19 MiB, two passes and one lane.
fn hash(password: &[u8], salt: Salt, memory: &mut [Block]) -> Result<PasswordHash, HashError> {
    let argon2 = Argon2::default();
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    argon2.hash_password_into_with_memory(password, &salt, &mut output, memory)?;
    Ok(PasswordHash {
        algorithm: argon2::Algorithm::default().ident(),
        version: Some(argon2::Version::default().into()),
        params: ParamsString::try_from(argon2.params())?,
        salt: Some(salt),
        hash: Some(Output::new(&output)?),
    })
}

fn is_password_of(
    password: &[u8],
    expected: &str,
    memory: &mut [Block],
) -> Result<bool, HashError> {
    let expected = PasswordHash::new(expected)?;
    if let Some(salt) = expected.salt {
        let computed = hash(password, salt, memory)?;
        // `==` compares the outputs in constant time.
        if computed.params == expected.params {
            return Ok(computed == expected);
        }
    }
    // The parameters have changed since this hash was made.
    match Argon2::default().verify_password(password, &expected) {
        Ok(()) => Ok(true),
        Err(HashError::PasswordInvalid) => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use argon2::password_hash::PasswordHasher as _;

    use super::*;

    #[test]
    fn hashes_are_those_of_argon2_whatever_was_in_the_memory() {
        let mut memory = new_memory();
        for password in ["down the rabbit hole", "", "ä ö ü"] {
            let ours = hash(password.as_bytes(), Salt::generate(), &mut memory);
            let ours = ours.expect("a hash").to_string();
            let verified = Argon2::default().verify_password(password.as_bytes(), ours.as_str());
            assert_eq!(verified, Ok(()));
            assert!(
                ours.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
                "{ours}"
            );

            let theirs = Argon2::default().hash_password(password.as_bytes());
            let theirs = theirs.expect("a hash").to_string();
            for hash in [ours, theirs] {
                let mut is_right =
                    |password: &str| is_password_of(password.as_bytes(), &hash, &mut memory);
                assert_eq!(is_right(password), Ok(true));
                assert_eq!(is_right("another"), Ok(false));
            }
        }
    }

    #[test]
    fn hashes_with_other_parameters_are_still_checked() {
        let params = Params::new(64, 1, 1, None).expect("small parameters");
        let small = Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
        let hash = small.hash_password(b"right").expect("a hash").to_string();
        let mut memory = new_memory();
        assert_eq!(is_password_of(b"right", &hash, &mut memory), Ok(true));
        assert_eq!(is_password_of(b"wrong", &hash, &mut memory), Ok(false));
    }

    #[actix_web::test]
    async fn nobody_has_a_password() {
        let passwords = Passwords::new().expect("random bytes");
        for password in ["", "down the rabbit hole"] {
            let is_right = passwords.is_right(password.to_owned(), None).await;
            assert!(matches!(is_right, Ok(false)));
        }
    }

    #[actix_web::test]
    async fn no_more_memory_is_kept_than_works_at_once() {
        let passwords = Passwords::new().expect("random bytes");
        let turns = passwords.turns.available_permits();
        let hashing = (0..4 * turns).map(|_| {
            let passwords = passwords.clone();
            actix_web::rt::spawn(async move { passwords.hash("password".to_owned()).await })
        });
        for hash in hashing.collect::<Vec<_>>() {
            hash.await.expect("no panic").expect("a hash");
        }
        assert!(lock(&passwords.memory).len() <= turns);
    }

    #[actix_web::test]
    async fn a_login_that_waits_in_vain_is_answered_busy() {
        let mut passwords = Passwords::new().expect("random bytes");
        passwords.patience = Duration::ZERO;
        let turns = passwords.turns.available_permits();
        let all = u32::try_from(turns).expect("a few");
        let taken = Arc::clone(&passwords.turns).acquire_many_owned(all).await;
        let hash = passwords.hash("password".to_owned()).await;
        assert!(matches!(hash, Err(Error::Busy)));
        drop(taken);
        assert!(passwords.hash("password".to_owned()).await.is_ok());
    }
}
