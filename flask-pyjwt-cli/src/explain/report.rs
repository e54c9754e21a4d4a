//! Prints an explanation.

use std::{
    env,
    io::{self, IsTerminal as _},
};

use flask_pyjwt::{ExplainedRule, Explanation, RuleOutcome};

use crate::terminal::{self, Colour};

pub(super) fn as_json(explanation: &Explanation) -> String {
    // It cannot fail: it is an object of texts.
    let text = serde_json::to_string_pretty(explanation).unwrap_or_default();
    terminal::escaped(&text)
}

/// One line for each rule, and a last one with the decision.
pub(super) fn as_text(explanation: &Explanation) -> String {
    let has_signs = io::stdout().is_terminal() && is_utf8();
    let lines = explanation.rules().iter().map(|rule| line(rule, has_signs));
    let last = match explanation.rejection() {
        None => terminal::coloured("accepted", Colour::Green),
        Some(rejection) => {
            let (status, error) = (rejection.status().as_u16(), rejection.oauth_error());
            terminal::coloured(&format!("refused: {status} {error}"), Colour::Red)
        }
    };
    lines.chain([last]).collect::<Vec<_>>().join("\n")
}

fn line(rule: &ExplainedRule, has_signs: bool) -> String {
    let (sign, word, colour) = match rule.outcome() {
        RuleOutcome::Holds => ("✓", "ok", Some(Colour::Green)),
        RuleOutcome::Fails => ("✗", "no", Some(Colour::Red)),
        _ => ("–", "--", None),
    };
    let sign = if has_signs { sign } else { word };
    let sign = colour.map_or_else(|| sign.to_owned(), |it| terminal::coloured(sign, it));
    let text = format!("{}: {}", rule.name(), rule.text());
    format!("{sign} {}", terminal::escaped_line(&text))
}

/// Whether the locale says that the terminal shows UTF-8.
fn is_utf8() -> bool {
    let variables = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter();
    let mut values = variables.filter_map(|name| env::var(name).ok());
    let locale = values.find(|value| !value.is_empty()).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}
