//! Errors of session stores.

use std::error::Error;

use crate::error_chain::debug_is_the_sentence;

/// Why a [`SessionStore`](crate::store::SessionStore) has failed.
///
/// The guard fails closed: the client gets 503 with `Retry-After`, and the log has this error.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The store cannot be reached, or has failed.
    #[error("the session store cannot be reached or failed")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// The store did not answer within [`Config::store_timeout`](crate::Config::store_timeout).
    #[error("the session store did not answer within {milliseconds} ms")]
    Timeout {
        /// The limit in milliseconds.
        milliseconds: u128,
    },
    /// The store has a limit, and is full.
    #[error("the session store is full: it holds {limit} entries")]
    Full {
        /// The largest number of entries.
        limit: usize,
    },
    /// The store has reached its limit of tokens that are revoked one by one. The token was not revoked: revoke its
    /// session or its subject.
    #[error(
        "the session store remembers at most {limit} tokens that are revoked one by one: revoke the session or the \
         subject"
    )]
    TooManyTokens {
        /// The largest number of such tokens, of this subject or of all.
        limit: usize,
    },
    /// The store's file is open already, in this process or another.
    #[error(
        "the session store's file is in use: one process at a time may have it open, and once; open it before \
         `HttpServer::new`, whose closure runs once for each worker"
    )]
    InUse,
    /// Other users could read, change or replace the store's file.
    #[error("the session store's file is not private: {reason}")]
    NotPrivate {
        /// What is wrong with the file, and what to do.
        reason: String,
    },
    /// The store's content is damaged, or of another program.
    #[error("the session store's content is damaged: {reason}")]
    Corrupt {
        /// What is wrong, without the content itself.
        reason: String,
    },
}

debug_is_the_sentence!(StoreError);

impl StoreError {
    /// Makes the error of a store that cannot be reached or has failed.
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    /// Makes the error of a store whose content is damaged.
    pub fn corrupt(reason: impl std::fmt::Display) -> Self {
        Self::Corrupt {
            reason: reason.to_string(),
        }
    }
}
