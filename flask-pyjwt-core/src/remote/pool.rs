//! The key sources of one manager. Issuers with the same source share it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use reqwest::Client;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Connections, Place, Question, RemoteKeys, RemoteRules};
use crate::error::Problem;

/// The sources and HTTP clients in use. The pool does not keep them alive.
pub(crate) struct SourcePool {
    known: Mutex<Known>,
    /// Hands new sources to the worker.
    new: UnboundedSender<Arc<RemoteKeys>>,
    /// Hands questions about tokens to the worker.
    questions: UnboundedSender<Question>,
    /// The other ends, until the worker starts.
    receivers: Mutex<Option<Receivers>>,
}

/// What the worker receives.
pub(crate) struct Receivers {
    pub(super) sources: UnboundedReceiver<Arc<RemoteKeys>>,
    pub(super) questions: UnboundedReceiver<Question>,
}

#[derive(Default)]
struct Known {
    /// The sources by their addresses.
    sources: HashMap<String, Vec<Weak<RemoteKeys>>>,
    clients: Vec<(Connections, Weak<Client>)>,
}

impl Default for SourcePool {
    fn default() -> Self {
        let (new, sources) = unbounded_channel();
        let (sender, questions) = unbounded_channel();
        Self {
            known: Mutex::default(),
            new,
            questions: sender,
            receivers: Mutex::new(Some(Receivers { sources, questions })),
        }
    }
}

impl SourcePool {
    /// Returns an HTTP client for these settings. Clients are shared, because building one reads all certificates of
    /// the system.
    ///
    /// # Errors
    ///
    /// Returns what is wrong, as the end of a sentence about the issuer.
    pub(crate) fn client(&self, connections: &Connections) -> Result<Arc<Client>, Problem> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut clients = known.clients.iter();
        let found = clients.find(|(known, _)| known == connections);
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

    /// Returns a source for these rules, existing or new. A source with a discovery document is never shared, because
    /// the document names its issuer.
    pub(crate) fn source(&self, rules: RemoteRules) -> Arc<RemoteKeys> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_shared = matches!(rules.request.place, Place::Keys(_));
        let address = rules.request.place.address().as_str();
        if is_shared && let Some(sources) = known.sources.get(address) {
            let mut sources = sources.iter().filter_map(Weak::upgrade);
            if let Some(source) = sources.find(|source| source.rules.can_share(&rules)) {
                return source;
            }
        }
        let address = address.to_owned();
        let source = Arc::new(RemoteKeys::new(rules));
        if is_shared {
            if known.sources.len().is_power_of_two() {
                // From time to time, remove addresses whose sources have been dropped.
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
        // Fails if the worker has ended together with its manager.
        drop(self.new.send(Arc::clone(&source)));
        source
    }

    /// Returns where to send questions about tokens.
    pub(crate) fn questions(&self) -> UnboundedSender<Question> {
        self.questions.clone()
    }

    /// Takes what the worker receives. It is called once.
    pub(crate) fn take_receivers(&self) -> Option<Receivers> {
        let mut receivers = self
            .receivers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        receivers.take()
    }
}
