//! A near cache: answers of a shared store that are kept in this process, because the store says
//! when they change.
//!
//! It serves any store whose server announces changes: [`Cache`] keeps the answers, a
//! [`Subscription`] is one connection on which changes are announced, and [`Questions`] asks the
//! store, once for all who want to know the same. An answer is stored only if nothing has been
//! announced about its subject since before the question was sent, and it is used only while its
//! subscription is known to be alive.
//!
//! Imports go one way: questions, cache, shard, then kept and open, and below them the rest.

mod answer;
mod cache;
mod counts;
mod kept;
#[cfg(test)]
mod model;
mod open;
mod questions;
mod settings;
mod shard;
mod subscription;
#[cfg(test)]
mod tests;

pub use self::{
    answer::{Answer, AuthToken},
    cache::{Cache, Changing},
    counts::NearCacheCounts,
    questions::{Asked, Questions, Source},
    settings::NearCache,
    subscription::Subscription,
};
