//! Counts decisions by outcome, reason, route, type of token and issuer.
//!
//! The counter of an accepted request is found without asking the router for the route's pattern once more: each thread
//! keeps the counters of its guards, and checks that the pattern fits the path and its variables.

use std::{cell::RefCell, sync::Arc};

use actix_web::{
    HttpRequest,
    dev::{Path, Url},
};
use metrics::Counter;

use super::super::{Rejection, known::Known};
use crate::{
    claims::ClaimRules,
    meters::{Decision, decisions},
    rules::Requirement,
    token::Token,
};

/// What stands for a route without a pattern, and for an issuer that is not known.
const NONE: &str = "none";
/// The maximum number of guards, and of counters of each, that a thread keeps. Others are counted more slowly.
const MOST_GUARDS: usize = 4_096;
const MOST_COUNTERS: usize = 16;

thread_local! {
    /// The counters of each guard, by the number of its requirement.
    static KEPT: RefCell<Vec<Vec<Kept>>> = const { RefCell::new(Vec::new()) };
}

/// The counter of the requests that one guard has accepted on one route.
struct Kept {
    pattern: String,
    /// The rules of the token's issuer; `None` for requests without a token.
    rules: Option<Arc<ClaimRules>>,
    counter: Counter,
}

impl Kept {
    fn is_for(&self, token: Option<&Token>, variables: &Path<Url>) -> bool {
        let is_issuer = match (&self.rules, token) {
            (Some(rules), Some(token)) => Arc::ptr_eq(rules, token.rules()),
            (None, None) => true,
            _ => false,
        };
        is_issuer && fits(&self.pattern, variables)
    }
}

pub(super) fn accepted(requirement: &Requirement, token: Option<&Token>, request: &HttpRequest) {
    let is_counted = KEPT.with_borrow(|kept| {
        let kept = kept.get(requirement.number)?;
        let variables = request.match_info();
        let kept = kept.iter().find(|kept| kept.is_for(token, variables))?;
        kept.counter.increment(1);
        Some(())
    });
    if is_counted.is_none() {
        accepted_first(requirement, token, request);
    }
}

#[cold]
fn accepted_first(requirement: &Requirement, token: Option<&Token>, request: &HttpRequest) {
    let pattern = request.match_pattern();
    let counter = decisions(&Decision {
        outcome: "accepted",
        reason: NONE,
        route: pattern.as_deref().unwrap_or(NONE),
        token_type: Some(requirement.token_type),
        issuer: token.map_or(NONE, Token::issuer_label),
    });
    counter.increment(1);
    let number = requirement.number;
    // A guard around a scope does not see the variables inside it: its counters are not kept.
    let is_kept = |pattern: &String| number < MOST_GUARDS && fits(pattern, request.match_info());
    let Some(pattern) = pattern.filter(is_kept) else {
        return;
    };
    KEPT.with_borrow_mut(|all| {
        if all.len() <= number {
            all.resize_with(number + 1, Vec::new);
        }
        let Some(kept) = all.get_mut(number) else {
            return;
        };
        if kept.len() >= MOST_COUNTERS {
            // Of issuers that are resolved anew.
            kept.retain(|it| it.rules.as_ref().is_none_or(|it| Arc::strong_count(it) > 1));
        }
        if kept.len() < MOST_COUNTERS {
            kept.push(Kept {
                pattern,
                rules: token.map(|token| Arc::clone(token.rules())),
                counter,
            });
        }
    });
}

pub(super) fn refused(rejection: &Rejection, known: Known<'_>) {
    let status = rejection.status();
    let pattern = known.request.and_then(HttpRequest::match_pattern);
    let asked = known.asked.map(|asked| asked.requirement.token_type);
    let decision = Decision {
        outcome: if status.is_server_error() {
            "failed"
        } else {
            "refused"
        },
        reason: rejection.reason(),
        route: pattern.as_deref().unwrap_or(NONE),
        token_type: asked.or_else(|| known.token.map(Token::token_type)),
        issuer: known.token.map_or(NONE, Token::issuer_label),
    };
    decisions(&decision).increment(1);
}

/// Whether the router has matched a path with this pattern, judging by the variables that it has found.
fn fits(pattern: &str, matched: &Path<Url>) -> bool {
    let (mut pattern, mut path) = (pattern, matched.as_str());
    let mut variables = matched.iter();
    while let Some((before, variable)) = pattern.split_once('{') {
        let Some((name, rest)) = variable.split_once('}') else {
            return false;
        };
        // Another pattern of the guard could differ in the regular expression only.
        if name.contains(':') || rest.starts_with('*') {
            return false;
        }
        let Some((found, value)) = variables.next() else {
            return false;
        };
        let after = path
            .strip_prefix(before)
            .and_then(|it| it.strip_prefix(value));
        let Some(after) = after.filter(|_| found == name) else {
            return false;
        };
        path = after;
        pattern = rest;
    }
    pattern == path && variables.next().is_none()
}

#[cfg(test)]
mod tests {
    use actix_web::dev::ResourceDef;

    use super::*;

    #[test]
    fn a_pattern_fits_the_paths_that_it_matches() {
        for (pattern, path, other) in [
            ("/", "/", "/x"),
            ("/me", "/me", "/me/x"),
            ("/users/{name}", "/users/alice", "/users/{other}"),
            ("/{a}/{b}", "/x/x", "/{b}/{a}"),
            ("/{a}-{b}.json", "/x-y.json", "/{a}-{b}"),
            ("/größe/{x}", "/gr%C3%B6%C3%9Fe/%C3%A4", "/größe"),
            ("/{x}", "/a%2Fb", "/a/{x}"),
        ] {
            let mut matched = Path::new(Url::new(path.parse().expect("a path")));
            assert!(ResourceDef::new(pattern).capture_match_info(&mut matched));
            assert!(fits(pattern, &matched), "{pattern} {path}");
            assert!(!fits(other, &matched), "{other} {path}");
        }
        // The router has to be asked about these.
        for (pattern, path) in [(r"/{id:\d+}/x", "/12/x"), ("/files/{tail}*", "/files/a/b")] {
            let mut matched = Path::new(Url::new(path.parse().expect("a path")));
            assert!(ResourceDef::new(pattern).capture_match_info(&mut matched));
            assert!(!fits(pattern, &matched), "{pattern}");
        }
    }
}
