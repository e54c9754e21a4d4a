//! What the library logs. Its warnings are printed, or become checks of `doctor`.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fmt::{self, Write as _},
    sync::{Mutex, PoisonError},
};

use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
    subscriber::Interest,
};

use crate::terminal;

/// A warning or an error that the library has logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) is_error: bool,
    pub(crate) text: String,
}

/// The warnings that were printed.
static PRINTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

thread_local! {
    /// Where the notes of this thread go, if they are not printed.
    static COLLECTED: RefCell<Option<Vec<Note>>> = const { RefCell::new(None) };
}

/// Prints the library's warnings from now on.
pub(crate) fn print_warnings() {
    // It fails only if there is a subscriber already, and nobody else sets one.
    let _ = tracing::subscriber::set_global_default(Notes);
}

/// Calls a function, and returns the warnings that it logged on this thread in addition to its result.
pub(crate) fn collected<T>(call: impl FnOnce() -> T) -> (T, Vec<Note>) {
    COLLECTED.set(Some(Vec::new()));
    let result = call();
    (result, COLLECTED.take().unwrap_or_default())
}

/// A subscriber for events of flask-pyjwt at the levels `WARN` and `ERROR`.
struct Notes;

impl Notes {
    fn wants(metadata: &Metadata<'_>) -> bool {
        metadata.is_event()
            && *metadata.level() <= Level::WARN
            && metadata.target().starts_with("flask_pyjwt")
    }
}

impl Subscriber for Notes {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if Self::wants(metadata) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        Self::wants(metadata)
    }

    fn event(&self, event: &Event<'_>) {
        let mut message = Message(String::new());
        event.record(&mut message);
        let note = Note {
            is_error: *event.metadata().level() == Level::ERROR,
            text: message.0,
        };
        COLLECTED.with_borrow_mut(|collected| match collected {
            Some(notes) => notes.push(note),
            None => print(note.text),
        });
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// Prints a warning, unless it was printed: a command can read the same thing twice.
fn print(text: String) {
    let mut printed = PRINTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !printed.contains(&text) {
        terminal::warning(&text);
        printed.insert(text);
    }
}

/// The message of an event, without its other fields.
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a string cannot fail.
            let _ = write!(self.0, "{value:?}");
        }
    }
}
