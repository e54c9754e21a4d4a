//! What the audit has found.

use std::fmt;

use serde_json::{Value, json};

use super::routes::Header;

/// Who may enter by a route.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entry {
    /// Those with a token that its guards accept, in the words of `#[require_token(…)]`.
    Guarded(String),
    /// Everybody. A token that is sent has to satisfy this.
    Optional(String),
    /// Everybody: it was declared with [`Audit::public`](super::Audit::public), and has no guard.
    Public,
    /// Everybody: it has no guard. The text says what has answered.
    Open(String),
    /// Nobody without credentials: something that is no guard of this crate has refused the request with this status.
    /// The audit cannot ask it what it requires.
    Refused(u16),
    /// Nobody, because another route answers in its place. The text says which.
    Unreachable(String),
    /// The audit could not ask. The text says why.
    Unknown(String),
}

/// A hostile request that was not refused.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finding {
    /// What is wrong with the request.
    pub attack: String,
    /// The answer's status. `None` if there was no answer.
    pub status: Option<u16>,
    /// The request, to be sent from a terminal.
    pub curl: String,
}

/// A route and a method.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct AuditedRoute {
    /// The method, or `ANY`.
    pub method: String,
    /// The pattern, such as `/users/{id}`. It ends with `/*` for a default service.
    pub path: String,
    /// Who may enter.
    pub entry: Entry,
    /// The number of hostile requests that were sent.
    pub attacks: usize,
    /// Those that were not refused.
    pub findings: Vec<Finding>,
    /// Why the hostile requests prove nothing: no good token could be made or is accepted.
    pub unproven: Option<String>,
    pub(super) headers: Vec<Header>,
}

impl AuditedRoute {
    pub(super) fn new(method: &str, path: &str, entry: Entry) -> Self {
        Self {
            method: method.to_owned(),
            path: path.to_owned(),
            entry,
            attacks: 0,
            findings: Vec::new(),
            unproven: None,
            headers: Vec::new(),
        }
    }

    /// The path, with the header fields that have to be sent.
    fn address(&self) -> String {
        let headers = self.headers.iter();
        let headers: Vec<_> = headers
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        if headers.is_empty() {
            self.path.clone()
        } else {
            format!("{} ({})", self.path, headers.join(", "))
        }
    }

    /// Whether a declaration such as `GET /health` means this route.
    pub(super) fn is_named(&self, route: &str) -> bool {
        let (method, path) = route.trim().split_once(' ').unwrap_or(("ANY", route));
        let path = path.trim();
        let has_path = path == self.path || path == self.address();
        has_path && (method == "ANY" || method == "*" || method.eq_ignore_ascii_case(&self.method))
    }

    fn is_for_everybody(&self) -> bool {
        matches!(
            self.entry,
            Entry::Optional(_) | Entry::Public | Entry::Open(_)
        )
    }

    /// The column that says who may enter.
    fn who(&self) -> String {
        let who = match &self.entry {
            Entry::Guarded(who) | Entry::Optional(who) => who.clone(),
            Entry::Public | Entry::Open(_) => "open".to_owned(),
            Entry::Refused(status) => format!("refused by another guard: {status}"),
            Entry::Unreachable(why) => format!("unreachable: {why}"),
            Entry::Unknown(why) => format!("unknown: {why}"),
        };
        match self.findings.len() {
            0 => who,
            _ => format!("{who}; NOT ALL HOSTILE REQUESTS ARE REFUSED"),
        }
    }
}

/// Who may enter by each route of an application: the result of an [`audit`](super::audit()).
///
/// `to_string()` gives a table with a line for each route. Compare it with one in a file, for instance by `insta`, and a
/// change of who may enter is seen in review.
#[derive(Debug, Clone)]
pub struct AuditReport {
    routes: Vec<AuditedRoute>,
    external: Vec<String>,
    declared: Vec<String>,
}

impl AuditReport {
    pub(super) fn new(
        mut routes: Vec<AuditedRoute>,
        external: Vec<String>,
        declared: Vec<String>,
    ) -> Self {
        routes.sort_by(|a, b| {
            (&a.path, &a.headers, &a.method).cmp(&(&b.path, &b.headers, &b.method))
        });
        Self {
            routes,
            external,
            declared,
        }
    }

    /// All routes, sorted by path and method.
    #[must_use]
    pub fn routes(&self) -> &[AuditedRoute] {
        &self.routes
    }

    /// The patterns of external resources. They are names of addresses elsewhere, and no routes.
    #[must_use]
    pub fn external_resources(&self) -> &[String] {
        &self.external
    }

    /// Fails unless these routes, and no others, are open to everybody, and every hostile request was refused.
    ///
    /// Name a route as the table does: `"GET /users/{id}"`, or `"ANY /health"` for all methods. Routes where a token is
    /// optional are open to everybody.
    ///
    /// # Panics
    ///
    /// With a list of everything that is wrong, and a `curl` line for each hostile request that was not refused.
    #[track_caller]
    pub fn assert_public(&self, routes: &[&str]) {
        let problems = self.problems(routes);
        assert!(
            problems.is_empty(),
            "{} of the audit:\n{}\n\nAll routes:\n{self}",
            match problems.len() {
                1 => "a finding".to_owned(),
                number => format!("{number} findings"),
            },
            problems.join("\n")
        );
    }

    fn problems(&self, public: &[&str]) -> Vec<String> {
        let mut problems = Vec::new();
        for route in &self.routes {
            let name = format!("{} {}", route.method, route.address());
            let is_named = public.iter().any(|it| route.is_named(it));
            match &route.entry {
                Entry::Open(why) if !is_named => {
                    problems.push(format!("- {name} is open by mistake: {why}"));
                }
                Entry::Public if !is_named => problems.push(format!(
                    "- {name} is declared with `Audit::public`, and not named here"
                )),
                Entry::Optional(_) if !is_named => problems.push(format!(
                    "- {name} is open by mistake: a token is optional there"
                )),
                Entry::Guarded(who) if is_named => {
                    problems.push(format!("- {name} is not public: it requires {who}"));
                }
                Entry::Unreachable(why) => {
                    problems.push(format!("- {name} is never reached: {why}"));
                }
                Entry::Unknown(why) => problems.push(format!("- {name} was not asked: {why}")),
                _ => {}
            }
            if let Some(why) = &route.unproven {
                problems.push(format!("- {name} was not attacked with good tokens: {why}"));
            }
            for finding in &route.findings {
                let status = finding
                    .status
                    .map_or("no answer".to_owned(), |it| it.to_string());
                problems.push(format!(
                    "- {name} does not refuse a request {}: {status}\n  {}",
                    finding.attack, finding.curl
                ));
            }
        }
        let declared = self.declared.iter().map(String::as_str);
        for name in public.iter().copied().chain(declared) {
            if !self.routes.iter().any(|route| route.is_named(name)) {
                problems.push(format!("- {name} is no route of the application"));
            }
        }
        problems.dedup();
        problems
    }

    /// The table as JSON: a list with `method`, `path`, `headers`, `entry`, `who`, `attacks` and `findings`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let routes = self.routes.iter().map(|route| {
            let findings = route
                .findings
                .iter()
                .map(|it| json!({ "attack": it.attack, "status": it.status, "curl": it.curl }));
            let headers = route.headers.iter();
            let headers = headers.map(|(name, value)| (name.clone(), json!(value)));
            json!({
                "method": route.method,
                "path": route.path,
                "headers": headers.collect::<serde_json::Map<_, _>>(),
                "entry": entry_name(&route.entry),
                "who": route.who(),
                "public": route.is_for_everybody(),
                "attacks": route.attacks,
                "findings": findings.collect::<Vec<_>>(),
                "unproven": route.unproven,
            })
        });
        Value::Array(routes.collect())
    }
}

fn entry_name(entry: &Entry) -> &'static str {
    match entry {
        Entry::Guarded(_) => "guarded",
        Entry::Optional(_) => "optional",
        Entry::Public => "public",
        Entry::Open(_) => "open",
        Entry::Refused(_) => "refused",
        Entry::Unreachable(_) => "unreachable",
        Entry::Unknown(_) => "unknown",
    }
}

impl fmt::Display for AuditReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.routes.iter();
        let rows: Vec<_> = rows
            .map(|it| (&it.method, it.address(), it.who()))
            .collect();
        let methods = rows
            .iter()
            .map(|(method, ..)| method.len())
            .max()
            .unwrap_or(0);
        let paths = rows
            .iter()
            .map(|(_, path, _)| path.chars().count())
            .max()
            .unwrap_or(0);
        for (method, path, who) in rows {
            writeln!(f, "{method:methods$}  {path:paths$}  {who}")?;
        }
        Ok(())
    }
}
