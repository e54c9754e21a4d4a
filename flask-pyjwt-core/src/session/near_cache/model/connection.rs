//! The messages between a process and a server.

use std::{
    collections::{HashSet, VecDeque},
    sync::Arc,
    time::Instant,
};

use super::super::subscription::Subscription;

/// What a process sends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Request {
    /// A question: its number, and the subject.
    Ask(u64, usize),
    /// Asks for a sign of life.
    Heartbeat(Instant),
}

/// What a server sends.
#[derive(Debug, Clone, Copy)]
pub(super) enum Message {
    /// The answer to a question: its number, and the version.
    Answer(u64, i64),
    Alive(Instant),
    /// A subject has this version now.
    Changed(usize, i64),
    /// All subjects of the server may have changed.
    AllChanged,
}

/// A connection of a process to a server.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) subscription: Arc<Subscription>,
    /// Messages are lost from now on, and nobody has noticed.
    pub(super) is_cut: bool,
    pub(super) requests: VecDeque<Request>,
    pub(super) messages: VecDeque<Message>,
    /// The subjects whose next change the server announces.
    pub(super) read: HashSet<usize>,
}

impl Connection {
    pub(super) fn new(subscription: Arc<Subscription>) -> Self {
        Self {
            subscription,
            is_cut: false,
            requests: VecDeque::new(),
            messages: VecDeque::new(),
            read: HashSet::new(),
        }
    }

    pub(super) fn request(&mut self, request: Request) {
        if !self.is_cut {
            self.requests.push_back(request);
        }
    }

    pub(super) fn send(&mut self, message: Message) {
        if !self.is_cut {
            self.messages.push_back(message);
        }
    }

    pub(super) fn cut(&mut self) {
        self.is_cut = true;
        self.requests.clear();
        self.messages.clear();
    }
}
