//! The lines to one server: one for questions, one for changes.

use std::sync::Arc;

use super::{
    line::{Line, Times},
    servers::Settings,
    source::Source,
};

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Read,
    /// A change that may be made twice.
    Write,
    /// A change that may not be made twice.
    WriteOnce,
}

impl Way {
    pub(super) fn times(self) -> Times {
        match self {
            Self::Read | Self::Write => Times::Any,
            Self::WriteOnce => Times::Once,
        }
    }
}

/// The lines to one server.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    read: Arc<Line>,
    write: Arc<Line>,
}

impl Pair {
    /// Two lines where changes wait for replicas, so that no question has to wait behind them;
    /// otherwise one for both.
    pub(super) fn new(source: Source, settings: Settings) -> Self {
        let read = Line::new(source.clone(), settings.connect_timeout);
        let write = if settings.replicas > 0 {
            Line::new(source, settings.connect_timeout)
        } else {
            Arc::clone(&read)
        };
        Self { read, write }
    }

    pub(super) fn line(&self, way: Way) -> &Arc<Line> {
        match way {
            Way::Read => &self.read,
            Way::Write | Way::WriteOnce => &self.write,
        }
    }
}
