//! The list of checks, and how it is printed.

use serde_json::{Value, json};

use crate::{
    failure::Failure,
    terminal::{self, Colour},
};

/// What a check has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Ok,
    /// Worth knowing, and not a mistake.
    Note,
    /// It works, and could be safer.
    Weak,
    /// It does not work, or is dangerous.
    Wrong,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Weak => "weak",
            Self::Wrong => "wrong",
        }
    }

    fn colour(self) -> Colour {
        match self {
            Self::Ok => Colour::Green,
            Self::Note => Colour::Cyan,
            Self::Weak => Colour::Yellow,
            Self::Wrong => Colour::Red,
        }
    }
}

/// One check: one sentence, and what to do.
pub(super) struct Check {
    name: &'static str,
    state: State,
    text: String,
    advice: Option<String>,
}

impl Check {
    pub(super) fn new(name: &'static str, state: State, text: impl Into<String>) -> Self {
        Self {
            name,
            state,
            text: text.into(),
            advice: None,
        }
    }

    pub(super) fn advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    fn object(&self) -> Value {
        json!({
            "name": self.name,
            "state": self.state.name(),
            "text": self.text,
            "advice": self.advice,
        })
    }

    fn lines(&self) -> String {
        let state = terminal::coloured(&format!("{:<5}", self.state.name()), self.state.colour());
        let text = terminal::escaped_line(&self.text);
        let advice = self.advice.as_deref().map(terminal::escaped_line);
        let advice = advice.map_or_else(String::new, |advice| format!("      → {advice}\n"));
        format!("{state} {}: {text}\n{advice}", self.name)
    }
}

#[derive(Default)]
pub(super) struct Report(Vec<Check>);

impl Report {
    pub(super) fn add(&mut self, check: Check) {
        self.0.push(check);
    }

    /// Whether nothing is wrong.
    pub(super) fn is_ok(&self) -> bool {
        self.0.iter().all(|check| check.state != State::Wrong)
    }

    pub(super) fn print(&self, as_json: bool) -> Result<(), Failure> {
        if as_json {
            let checks: Vec<_> = self.0.iter().map(Check::object).collect();
            let object = json!({"ok": self.is_ok(), "checks": checks});
            return terminal::print_line(&terminal::escaped(&format!("{object:#}")));
        }
        let text: String = self.0.iter().map(Check::lines).collect();
        terminal::print(&text)
    }
}
