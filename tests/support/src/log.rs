//! The log events of a section of code, with all their fields.

use std::{
    fmt::{Debug, Write as _},
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
    subscriber::DefaultGuard,
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
};

/// One event: its level, its target and its fields.
#[derive(Debug, Clone, Default)]
pub struct Line {
    pub level: String,
    pub target: String,
    pub reason: Option<String>,
    pub status: Option<u64>,
    /// All fields as text.
    pub text: String,
}

/// What was logged on this thread since [`capture`].
pub struct Captured {
    lines: Arc<Mutex<Vec<Line>>>,
    _guard: DefaultGuard,
}

/// Captures every event of this thread, at any level, until the result is dropped.
pub fn capture() -> Captured {
    let lines = Arc::<Mutex<Vec<Line>>>::default();
    let layer = Capture(Arc::clone(&lines));
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    Captured {
        lines,
        _guard: guard,
    }
}

impl Captured {
    /// Removes and returns the events of this package so far, without the explanations of refusals.
    pub fn take(&self) -> Vec<Line> {
        self.take_both().0
    }

    /// Removes and returns the explanations of refusals so far.
    pub fn take_explained(&self) -> Vec<Line> {
        self.take_both().1
    }

    fn take_both(&self) -> (Vec<Line>, Vec<Line>) {
        let mut lines = std::mem::take(&mut *self.lines.lock().expect("not poisoned"));
        lines.retain(|line| line.target.starts_with("flask_pyjwt"));
        let is_explained = |line: &Line| line.target == "flask_pyjwt::explained";
        let (explained, others) = lines.into_iter().partition(is_explained);
        (others, explained)
    }

    /// All events so far as one text, also those of other crates.
    pub fn text(&self) -> String {
        let lines = self.lines.lock().expect("not poisoned");
        lines
            .iter()
            .fold(String::new(), |text, line| text + &format!("{line:?}\n"))
    }
}

struct Capture(Arc<Mutex<Vec<Line>>>);

impl<S: Subscriber> Layer<S> for Capture {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line {
            level: event.metadata().level().to_string(),
            target: event.metadata().target().to_owned(),
            ..Line::default()
        };
        event.record(&mut line);
        self.0.lock().expect("not poisoned").push(line);
    }

    fn max_level_hint(&self) -> Option<tracing_subscriber::filter::LevelFilter> {
        Some(Level::TRACE.into())
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "reason" {
            self.reason = Some(value.to_owned());
        }
        self.record_debug(field, &value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "status" {
            self.status = Some(value);
        }
        self.record_debug(field, &value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.text, "{field}={value:?} ").expect("writing to a string cannot fail");
    }
}
