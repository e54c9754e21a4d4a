//! Fetches the key sets of other issuers in the background, and keeps them fresh.

mod address;
mod client;
mod fetch;
mod freshness;
mod introspection;
mod pool;
mod source;
mod state;
mod worker;

pub use self::state::KeySourceState;
pub(crate) use self::{
    address::{Address, HttpServer, Place, PlainHttp},
    client::{Connections, ProxyChoice},
    fetch::Request,
    introspection::{Answer, Endpoint, Introspection, Question, basic},
    pool::SourcePool,
    source::{RemoteKeys, RemoteRules, Snapshot},
    worker::Worker,
};
