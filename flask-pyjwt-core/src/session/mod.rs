//! Sessions: lines of refresh tokens that are rotated, can be listed and ended, and the stores that
//! remember them.
//!
//! The way of a request: `check` asks the store about a verified token; a handler calls `login`,
//! `refresh` or `end`; each is one step of the [`SessionStore`]. Nothing here knows of HTTP.

mod authority;
mod change;
mod check;
#[cfg(feature = "store-conformance")]
#[expect(
    clippy::missing_panics_doc,
    reason = "they are tests: a law that is broken panics"
)]
pub mod conformance;
mod end;
mod error;
mod event;
#[cfg(feature = "file-store")]
mod file;
mod issuer;
mod login;
#[cfg(feature = "memory-store")]
mod memory;
mod moment;
mod opening;
mod policy;
mod record;
#[cfg(feature = "redis-store")]
mod redis;
mod refresh;
mod session_error;
mod sorted;
mod store;
mod subject;
mod two_memories;
mod unsettled;

#[cfg(feature = "file-store")]
pub use self::file::FileStore;
#[cfg(feature = "memory-store")]
pub use self::memory::MemoryStore;
#[cfg(feature = "redis-store")]
pub use self::redis::{RedisStore, RedisStoreBuilder};
pub(crate) use self::{
    check::Holder,
    end::own_session,
    event::EventHook,
    issuer::SessionIssuer,
    login::Login,
    opening::MOST_SESSIONS,
    policy::{Policy, Sessions},
    two_memories::{memory_of, note as note_memory},
};
pub use self::{
    end::Session,
    error::StoreError,
    event::SessionEvent,
    login::TokenPair,
    moment::Moment,
    opening::Opening,
    record::{Generation, Rotated, Rotation, SessionRecord},
    session_error::SessionError,
    store::{Revocation, SessionStore, Standing, StoreFuture, TokenIdentity},
    subject::SubjectRecord,
};
