//! The sources of keys of one manager: issuers that would ask the same share one.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use reqwest::Client;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Connections, Place, RemoteKeys, RemoteRules};
use crate::error::Problem;

/// Sources and connections that are in use. Nothing here keeps one alive.
pub(crate) struct SourcePool {
    known: Mutex<Known>,
    /// To the worker, which fetches for each that is new.
    new: UnboundedSender<Arc<RemoteKeys>>,
    /// What the worker takes when it starts.
    receiver: Mutex<Option<UnboundedReceiver<Arc<RemoteKeys>>>>,
}

#[derive(Default)]
struct Known {
    /// By their addresses.
    sources: HashMap<String, Vec<Weak<RemoteKeys>>>,
    clients: Vec<(Connections, Weak<Client>)>,
}

impl Default for SourcePool {
    fn default() -> Self {
        let (new, receiver) = unbounded_channel();
        Self {
            known: Mutex::default(),
            new,
            receiver: Mutex::new(Some(receiver)),
        }
    }
}

impl SourcePool {
    /// What makes such connections. Making one reads all certificates of the system.
    ///
    /// # Errors
    ///
    /// What is wrong, as the end of a sentence about the keys.
    pub(crate) fn client(&self, connections: &Connections) -> Result<Arc<Client>, Problem> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut clients = known.clients.iter();
        let found = clients.find(|(own, _)| own == connections);
        if let Some(client) = found.and_then(|(_, client)| client.upgrade()) {
            return Ok(client);
        }
        let client = Arc::new(connections.client()?);
        known
            .clients
            .retain(|(_, client)| client.strong_count() > 0);
        let weak = Arc::downgrade(&client);
        known.clients.push((connections.clone(), weak));
        Ok(client)
    }

    /// The source that asks like this, new or known. A discovery document is that of one issuer.
    pub(crate) fn source(&self, rules: RemoteRules) -> Arc<RemoteKeys> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_shared = matches!(rules.request.place, Place::Keys(_));
        let address = rules.request.place.address().as_str();
        if is_shared && let Some(sources) = known.sources.get(address) {
            let mut sources = sources.iter().filter_map(Weak::upgrade);
            if let Some(source) = sources.find(|source| source.rules.asks_like(&rules)) {
                return source;
            }
        }
        let address = address.to_owned();
        let source = Arc::new(RemoteKeys::new(rules));
        if is_shared {
            if known.sources.len().is_power_of_two() {
                // Now and then: addresses whose issuers are gone.
                known.sources.retain(|_, sources| {
                    sources.retain(|source| source.strong_count() > 0);
                    !sources.is_empty()
                });
            }
            let same = known.sources.entry(address).or_default();
            same.retain(|source| source.strong_count() > 0);
            same.push(Arc::downgrade(&source));
        }
        drop(known);
        // Fails where the worker has ended, with the manager.
        drop(self.new.send(Arc::clone(&source)));
        source
    }

    /// The sources that are new, now and later: for the worker, once.
    pub(crate) fn take_receiver(&self) -> Option<UnboundedReceiver<Arc<RemoteKeys>>> {
        let mut receiver = self.receiver.lock().unwrap_or_else(PoisonError::into_inner);
        receiver.take()
    }
}
