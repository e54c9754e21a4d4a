//! Sessions: chains of rotated refresh tokens that can be listed and revoked, and the stores that
//! keep them.
//!
//! For each request, `check` asks the store about a verified token. Handlers call `login`,
//! `refresh` or the functions in `end`. Each call is one atomic step of the [`SessionStore`].
//! Nothing in this module depends on HTTP.

mod authority;
mod change;
mod check;
#[cfg(feature = "store-conformance")]
#[expect(
    clippy::missing_panics_doc,
    reason = "these are tests: they panic when a rule is broken"
)]
pub mod conformance;
mod device;
mod duplicate_memory;
mod end;
mod error;
mod event;
mod events;
#[cfg(feature = "file-store")]
mod file;
mod issuer;
mod login;
#[cfg(feature = "memory-store")]
mod memory;
mod migrating;
mod moment;
#[cfg(feature = "near-cache")]
pub mod near_cache;
mod opening;
mod page;
mod policy;
mod position;
mod proofs;
mod record;
#[cfg(feature = "redis-store")]
mod redis;
mod refresh;
mod reports;
mod revocation_epoch;
mod session_error;
mod shared_store;
mod sorted;
mod standing;
mod store;
mod subject;

#[cfg(feature = "file-store")]
pub use self::file::FileStore;
#[cfg(feature = "memory-store")]
pub use self::memory::MemoryStore;
#[cfg(feature = "near-cache")]
pub use self::near_cache::{NearCache, NearCacheCounts};
#[cfg(feature = "redis-store")]
pub use self::redis::{RedisStore, RedisStoreBuilder};
pub(crate) use self::{
    check::Holder,
    device::{LONGEST_ADDRESS, LONGEST_USER_AGENT, shortened},
    duplicate_memory::{memory_of, note as note_memory},
    end::own_session,
    events::EventHook,
    issuer::SessionIssuer,
    login::Login,
    policy::{Policy, Sessions},
};
pub use self::{
    end::Session,
    error::StoreError,
    event::{EndedBy, SessionEvent},
    events::{LostEvents, SessionEvents},
    login::TokenPair,
    migrating::MigratingStore,
    moment::Moment,
    opening::{MAX_TOKENS, MOST_SESSIONS, Opening},
    page::SessionPage,
    record::{Generation, Rotated, Rotation, SessionRecord},
    session_error::SessionError,
    standing::Known,
    store::{Revocation, SessionStore, Standing, StoreFuture, TokenIdentity},
    subject::{MARGIN, SubjectRecord},
};
