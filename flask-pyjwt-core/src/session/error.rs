//! Why a store did not do what it was asked.

use std::error::Error;

use crate::error_chain::debug_is_the_sentence;

/// Why a [`SessionStore`](crate::store::SessionStore) did not answer.
///
/// Whatever the reason, nobody is let in: the client gets 503 with `Retry-After`, the log this.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It is out of reach, or failed.
    #[error("the session store cannot be reached or failed")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// It did not answer within [`Config::store_timeout`](crate::Config::store_timeout).
    #[error("the session store did not answer within {milliseconds} ms")]
    Timeout {
        /// The limit in milliseconds.
        milliseconds: u128,
    },
    /// It is bounded, and holds as much as it may.
    #[error("the session store is full: it holds {limit} entries")]
    Full {
        /// How many entries it may hold.
        limit: usize,
    },
    /// As many tokens are revoked by their ids, of this subject or of all, as are remembered one by one.
    /// Nothing was revoked: the session or the subject has to be, in place of the token.
    #[error("the session store remembers at most {limit} revoked tokens one by one")]
    TooManyTokens {
        /// How many that are.
        limit: usize,
    },
    /// Its file is open already, in this process or another: one at a time may have it.
    #[error("the session store's file is in use: one process at a time may have it open")]
    InUse,
    /// Its file is not this process's alone: somebody else could read it, change it or put it there.
    #[error("the session store's file is not private: {reason}")]
    NotPrivate {
        /// What is wrong with the file, and what to do.
        reason: String,
    },
    /// What it holds cannot be read.
    #[error("the session store holds what it did not write: {reason}")]
    Corrupt {
        /// What is wrong, without the content itself.
        reason: String,
    },
}

debug_is_the_sentence!(StoreError);

impl StoreError {
    /// The error of a store that is out of reach, or failed.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    /// The error of a store that holds what it did not write.
    pub fn corrupt(reason: impl std::fmt::Display) -> Self {
        Self::Corrupt {
            reason: reason.to_string(),
        }
    }
}
