//! Goes through the routes: finds out what guards each, attacks it, and writes the report.

use actix_web::{http::Method, introspection::IntrospectionTree};
use serde_json::{Map, Value};

use super::{
    Variables,
    attacks::{Target, with_token},
    concrete::{Concrete, concrete},
    good::SUBJECT,
    grammar::written,
    report::{AuditReport, AuditedRoute, Entry},
    routes::{Header, Listed, external, listed},
    visit::{Application, Seen, Shot, visit},
};
use crate::web::Told;

/// A method that no application names: what answers it, answers any method.
pub(super) const ANY: &str = "AUDIT";
/// A path below a scope that no application has.
const NOWHERE: &str = "no-such-route-for-the-audit";
/// Guards around each other, at the most.
const DEEPEST: usize = 8;

pub(super) struct Settings {
    pub(super) public: Vec<String>,
    pub(super) variables: Variables,
    pub(super) subject: String,
    pub(super) claims: Map<String, Value>,
    pub(super) headers: Vec<Header>,
    pub(super) inside: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public: Vec::new(),
            variables: Variables::new(),
            subject: SUBJECT.to_owned(),
            claims: Map::new(),
            headers: Vec::new(),
            inside: false,
        }
    }
}

/// Audits all routes.
pub(super) async fn report(
    as_it_is: &Application,
    marked: &Application,
    tree: &IntrospectionTree,
    settings: &Settings,
) -> AuditReport {
    let audit = Audit {
        application: marked,
        settings,
    };
    let unmarked = Audit {
        application: as_it_is,
        settings,
    };
    let mut routes = Vec::new();
    for listed in listed(tree) {
        if listed.is_scope {
            unmarked.default_service(&listed, &mut routes).await;
        }
        if !listed.is_scope || !listed.methods.is_empty() {
            audit.path(&listed, &mut routes).await;
        }
    }
    AuditReport::new(routes, external(tree), settings.public.clone())
}

pub(super) struct Audit<'a> {
    pub(super) application: &'a Application,
    pub(super) settings: &'a Settings,
}

/// What the first requests to a route have shown.
enum Learnt {
    Guarded(Vec<Told>),
    Open(&'static str),
    /// Something that the audit does not know has refused it, with this status.
    Refused(u16),
    /// Nothing answers this method.
    Absent(Seen),
}

impl Audit<'_> {
    /// All methods of one path.
    async fn path(&self, listed: &Listed, routes: &mut Vec<AuditedRoute>) {
        let found = match concrete(&listed.pattern, &self.settings.variables) {
            Ok(found) => found,
            Err(variable) => {
                let why = format!(
                    "the audit finds no value for `{variable}`: give it one with `.variable({variable:?}, …)`"
                );
                routes.push(AuditedRoute::new(
                    "ANY",
                    &listed.pattern,
                    Entry::Unknown(why),
                ));
                return;
            }
        };
        for headers in listed.variants() {
            let is_plain = headers.is_empty();
            for method in &listed.methods {
                let learnt = self.learn(listed, method, &found, &headers).await;
                // With other header fields, another route may answer.
                if is_plain || !matches!(learnt, Learnt::Absent(_)) {
                    let route = self.route(listed, method, &found, &headers, learnt).await;
                    routes.push(route);
                }
            }
            self.any_method(listed, &found, &headers, routes).await;
        }
        without_repeats(routes, listed);
    }

    /// Handlers of any method, beside those that name one.
    async fn any_method(
        &self,
        listed: &Listed,
        found: &Concrete,
        headers: &[Header],
        routes: &mut Vec<AuditedRoute>,
    ) {
        let any = method(ANY);
        let learnt = self.learn(listed, &any, found, headers).await;
        match &learnt {
            _ if is_around(listed, &learnt, headers, routes) => {}
            Learnt::Absent(_) if !listed.methods.is_empty() || !headers.is_empty() => {}
            // Such as `Files`, which answer GET and HEAD.
            Learnt::Absent(_) => {
                let learnt = self.learn(listed, &Method::GET, found, headers).await;
                let route = self.route(listed, &Method::GET, found, headers, learnt);
                let mut route = route.await;
                if let Entry::Unreachable(_) = route.entry {
                    route.entry = Entry::Open("answers any path below it".to_owned());
                }
                routes.push(route);
            }
            _ => {
                routes.push(self.route(listed, &any, found, headers, learnt).await);
                return;
            }
        }
        // Methods of which actix-web's list does not know, because a guard of the application selects them.
        for method in [
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ] {
            if listed.methods.is_empty() || listed.methods.contains(&method) {
                continue;
            }
            let learnt = self.learn(listed, &method, found, headers).await;
            match &learnt {
                Learnt::Absent(_) => {}
                _ if is_around(listed, &learnt, headers, routes) => {}
                _ => routes.push(self.route(listed, &method, found, headers, learnt).await),
            }
        }
    }

    /// What a scope, or the application, answers to paths that it does not have.
    async fn default_service(&self, listed: &Listed, routes: &mut Vec<AuditedRoute>) {
        let pattern = format!("{}/{NOWHERE}", listed.pattern.trim_end_matches('/'));
        let Ok(found) = concrete(&pattern, &self.settings.variables) else {
            return;
        };
        for headers in listed.variants() {
            let mut seen = self.ask(&Method::GET, &found, &headers, 0).await;
            let optional = seen.guards.clone();
            let is_optional = optional.iter().all(|it| it.requirement.optional);
            if is_optional && !optional.is_empty() {
                // Nobody needs a token to go further inside.
                seen = self
                    .ask(&Method::GET, &found, &headers, optional.len())
                    .await;
            }
            let is_nothing = matches!(seen.status(), Some(401 | 403..=405)) && !seen.handler_began;
            // Another route of the application may match everything.
            let pattern = seen.answer.as_ref().and_then(|it| it.pattern.as_deref());
            let is_other = pattern.is_some_and(|it| it.contains('{'));
            if is_nothing || is_other || !is_optional {
                continue;
            }
            let path = format!("{}/*", listed.pattern.trim_end_matches('/'));
            let entry = match &*seen.guards {
                [] => Entry::Open(DEFAULT.to_owned()),
                guards => Entry::Optional(texts(guards)),
            };
            let mut route = AuditedRoute::new("GET", &path, entry);
            route.headers.clone_from(&headers);
            routes.push(route);
        }
    }

    async fn ask(
        &self,
        method: &Method,
        found: &Concrete,
        headers: &[Header],
        passes: usize,
    ) -> Seen {
        let always = self.settings.headers.iter();
        let headers = headers.iter().chain(always).cloned();
        let shot = Shot::new(method, &found.path).with(headers);
        visit(self.application, &shot, passes).await
    }

    /// What guards a route.
    async fn learn(
        &self,
        listed: &Listed,
        method: &Method,
        found: &Concrete,
        headers: &[Header],
    ) -> Learnt {
        let is_declared = self.settings.public.iter().any(|route| {
            AuditedRoute::new(shown(method), &listed.pattern, Entry::Public).is_named(route)
        });
        if is_declared {
            let seen = self.ask(&Method::OPTIONS, found, headers, 0).await;
            return if seen.guards.is_empty() {
                Learnt::Open(DECLARED)
            } else {
                Learnt::Guarded(seen.guards)
            };
        }
        let seen = self.ask(method, found, headers, 0).await;
        if !seen.guards.is_empty() {
            let guards = self
                .further_inside(method, found, headers, seen.guards)
                .await;
            return Learnt::Guarded(guards);
        }
        if seen.handler_began {
            return Learnt::Open("a handler without a guard");
        }
        match &seen.answer {
            None => Learnt::Open("a handler without a guard, which does not answer"),
            Some(answer) if seen.is_default || answer.status == 405 => Learnt::Absent(seen),
            Some(answer) if [401, 403].contains(&answer.status) => Learnt::Refused(answer.status),
            Some(_) => Learnt::Open("a handler without a guard"),
        }
    }

    /// The guards behind those that a request has met.
    async fn further_inside(
        &self,
        method: &Method,
        found: &Concrete,
        headers: &[Header],
        mut guards: Vec<Told>,
    ) -> Vec<Told> {
        let target = Target {
            method,
            path: &found.path,
            headers,
        };
        while self.settings.inside && guards.len() < DEEPEST {
            let good = self.good(&guards, found).await;
            let Ok(good) = good else { break };
            let Some(place) = good.places.first() else {
                break;
            };
            let shot = with_token(&good, target, place, &good.signed);
            let seen = visit(self.application, &shot, guards.len()).await;
            if seen.guards.len() <= guards.len() {
                break;
            }
            guards = seen.guards;
        }
        guards
    }

    /// The row of a route in the report.
    async fn route(
        &self,
        listed: &Listed,
        method: &Method,
        found: &Concrete,
        headers: &[Header],
        learnt: Learnt,
    ) -> AuditedRoute {
        let mut route = AuditedRoute::new(shown(method), &listed.pattern, Entry::Public);
        route.headers = headers.to_vec();
        match learnt {
            Learnt::Open(DECLARED) => {}
            Learnt::Open(why) => route.entry = Entry::Open(why.to_owned()),
            Learnt::Refused(status) => route.entry = Entry::Refused(status),
            Learnt::Absent(seen) => {
                let pattern = seen.answer.as_ref().and_then(|it| it.pattern.clone());
                let why = match (pattern, seen.status()) {
                    (Some(other), _) if other != listed.pattern => {
                        format!("`{other}` answers its path")
                    }
                    (_, Some(405)) => "another service of the same path answers it".to_owned(),
                    _ => "no service answers it; if a guard of actix-web wants a header field, send it \
                          with `.header(…)`"
                        .to_owned(),
                };
                route.entry = Entry::Unreachable(why);
            }
            Learnt::Guarded(guards) => {
                let texts = texts(&guards);
                let is_optional = guards.iter().all(|it| it.requirement.optional);
                route.entry = if is_optional {
                    Entry::Optional(texts)
                } else {
                    Entry::Guarded(texts)
                };
                self.prove(&mut route, method, found, headers, &guards)
                    .await;
            }
        }
        route
    }
}

/// Whether what has answered stands around all methods of the path, so that the rows of the methods tell it.
fn is_around(
    listed: &Listed,
    learnt: &Learnt,
    headers: &[Header],
    routes: &[AuditedRoute],
) -> bool {
    let mut rows = routes
        .iter()
        .filter(|row| row.path == listed.pattern && row.headers == headers);
    match learnt {
        Learnt::Guarded(guards) => {
            let around = texts(guards);
            rows.any(|row| match &row.entry {
                Entry::Guarded(who) | Entry::Optional(who) => {
                    *who == around || who.starts_with(&format!("{around}, then "))
                }
                _ => false,
            })
        }
        Learnt::Refused(status) => rows.any(|row| row.entry == Entry::Refused(*status)),
        _ => false,
    }
}

/// Who may pass all of these guards.
fn texts(guards: &[Told]) -> String {
    let texts = guards.iter().map(|it| written(&it.requirement, &it.places));
    texts.collect::<Vec<_>>().join(", then ")
}

const DEFAULT: &str = "a default service without a guard";
const DECLARED: &str = "declared";

fn method(name: &str) -> Method {
    Method::from_bytes(name.as_bytes()).unwrap_or(Method::GET)
}

fn shown(method: &Method) -> &str {
    match method.as_str() {
        ANY => "ANY",
        method => method,
    }
}

/// Removes rows that differ in nothing but the header fields that were sent.
fn without_repeats(routes: &mut Vec<AuditedRoute>, listed: &Listed) {
    let mut kept: Vec<AuditedRoute> = Vec::new();
    for route in routes.drain(..) {
        let is_repeat = |other: &AuditedRoute| {
            route.path == listed.pattern
                && !route.headers.is_empty()
                && (&other.method, &other.path, &other.entry)
                    == (&route.method, &route.path, &route.entry)
        };
        // A route that needs the fields is not the one that is not reached without them.
        if !route.headers.is_empty() {
            kept.retain(|other| {
                !((&other.method, &other.path) == (&route.method, &route.path)
                    && other.headers.is_empty()
                    && matches!(other.entry, Entry::Unreachable(_)))
            });
        }
        if !kept.iter().any(is_repeat) {
            kept.push(route);
        }
    }
    *routes = kept;
}
