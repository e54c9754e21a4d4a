//! `inspect`: what a token says, and whether it is valid.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flask_pyjwt::UnverifiedToken;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::{
    arguments::{Global, Inspect},
    configuration,
    failure::Failure,
    input,
    terminal::{self, Colour},
    times,
    variables::Variables,
};

/// Whether a token is valid.
enum Verdict {
    Verified,
    /// No key is configured to verify it with.
    NoKey,
    /// Not valid, or nobody can tell: a short name of the reason and a sentence.
    Refused(&'static str, String),
}

/// What a token says.
struct Shown {
    header: Map<String, Value>,
    claims: Map<String, Value>,
}

impl Shown {
    /// A token that the library refuses to decode, such as one without a signature. Of members with one name, the last one
    /// is shown.
    fn leniently(signed: &str) -> Option<Self> {
        let object = |segment: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(segment.trim_end_matches('=')).ok()?;
            serde_json::from_slice(&bytes).ok()
        };
        let mut segments = signed.split('.');
        Some(Self {
            header: object(segments.next()?)?,
            claims: object(segments.next()?)?,
        })
    }
}

pub(crate) fn run(global: &Global, command: &Inspect) -> Result<(), Failure> {
    let signed = input::token(&command.file)?;
    let decoded = UnverifiedToken::decode(&signed);
    let verdict = match &decoded {
        Ok(_) => verdict(global, &signed),
        Err(error) => Verdict::Refused(error.reason(), error.to_string()),
    };
    let shown = match &decoded {
        Ok(token) => Some(Shown {
            header: token.header().clone(),
            claims: token.claims().clone(),
        }),
        Err(_) => Shown::leniently(&signed),
    };
    let text = if command.json {
        as_json(shown.as_ref(), &verdict)
    } else {
        as_text(shown.as_ref())
    };
    terminal::print_line(&terminal::escaped(&text))?;
    if !command.json {
        terminal::print(&verdict_line(&verdict))?;
    }
    match verdict {
        Verdict::Verified | Verdict::NoKey => Ok(()),
        Verdict::Refused(..) => Err(Failure::shown()),
    }
}

fn verdict(global: &Global, signed: &str) -> Verdict {
    if !Variables::read(global).have_key() {
        return Verdict::NoKey;
    }
    match configuration::manager(global) {
        Err(failure) => Verdict::Refused(
            "configuration",
            format!("the configuration cannot be used: {}", failure.text()),
        ),
        Ok(auth) => match auth.verify_token(signed) {
            Ok(_) => Verdict::Verified,
            Err(error) => Verdict::Refused(error.reason(), error.to_string()),
        },
    }
}

fn as_json(token: Option<&Shown>, verdict: &Verdict) -> String {
    let time = |name| {
        token
            .and_then(|token| moment(&token.claims, name))
            .map(times::exact)
    };
    let kind = token.and_then(|token| token.claims.get("type")?.as_str());
    let object = json!({
        "header": token.map(|token| &token.header),
        "claims": token.map(|token| &token.claims),
        "verified": matches!(verdict, Verdict::Verified),
        "error": match verdict {
            Verdict::Verified => None,
            Verdict::NoKey => Some("no_key"),
            Verdict::Refused(reason, _) => Some(*reason),
        },
        "type": kind.filter(|kind| ["auth", "refresh"].contains(kind)),
        "times": {"iat": time("iat"), "nbf": time("nbf"), "exp": time("exp")},
    });
    format!("{object:#}")
}

fn as_text(token: Option<&Shown>) -> String {
    let Some(token) = token else {
        return "The input cannot be read as a token.".to_owned();
    };
    let mut lines = Vec::new();
    for (title, map) in [("header", &token.header), ("claims", &token.claims)] {
        lines.push(format!("{title}: {:#}", Value::Object(map.clone())));
    }
    let now = OffsetDateTime::now_utc();
    for (name, past, future) in [
        ("iat", "issued", "issued"),
        ("nbf", "became valid", "becomes valid"),
        ("exp", "expired", "expires"),
    ] {
        if let Some(moment) = moment(&token.claims, name) {
            let verb = if moment <= now { past } else { future };
            let relative = times::relative(moment, now);
            lines.push(format!("{verb} {relative} ({})", times::exact(moment)));
        }
    }
    lines.join("\n")
}

fn verdict_line(verdict: &Verdict) -> String {
    let line = match verdict {
        Verdict::Verified => terminal::coloured("verified", Colour::Green),
        Verdict::NoKey => terminal::coloured("not verified: no key is configured", Colour::Yellow),
        Verdict::Refused(reason, text) => {
            let text = terminal::escaped_line(text);
            let line = format!("not verified: {text} ({reason})");
            terminal::coloured(&line, Colour::Red)
        }
    };
    format!("{line}\n")
}

/// The moment of a claim, if it is a number of seconds (RFC 7519, section 2).
fn moment(claims: &Map<String, Value>, name: &str) -> Option<OffsetDateTime> {
    let number = claims.get(name)?;
    let whole = number.as_i64();
    // Fractions are allowed, and are cut off here.
    #[expect(clippy::cast_possible_truncation, reason = "`as` keeps it in range")]
    let seconds = whole.or_else(|| number.as_f64().map(|it| it.floor() as i64));
    times::of_seconds(seconds?)
}
