//! All other issuers that a manager trusts, and which of them a token's `iss` means.

use std::collections::{HashMap, HashSet};

#[cfg(feature = "jwks")]
use std::sync::Arc;

use super::Trust;
#[cfg(feature = "jwks")]
use super::{Lookup, Resolver};
use crate::{claims::Template, jose::NumericDate};

/// The issuers of a manager.
#[derive(Default)]
pub(crate) struct Issuers {
    /// By their names.
    pub(crate) exact: HashMap<String, Trust>,
    /// In the order of their configuration.
    pub(crate) templates: Vec<(Template, Trust)>,
    /// Functions that find more of them, in the order of their configuration.
    #[cfg(feature = "jwks")]
    pub(crate) resolvers: Vec<Arc<Resolver>>,
    /// The names by which routes may call some of them.
    pub(crate) labels: HashSet<String>,
    /// Where their keys come from.
    #[cfg(feature = "jwks")]
    pub(crate) sources: Arc<crate::remote::SourcePool>,
}

/// Whom a token's `iss` means.
pub(crate) enum Found<'a> {
    Trust(&'a Trust),
    /// One that a function has found.
    #[cfg(feature = "jwks")]
    Resolved(Arc<Trust>),
    /// A function has to be asked first; try again after so many seconds.
    #[cfg(feature = "jwks")]
    Unresolved(i64),
    Nobody,
}

impl Issuers {
    pub(crate) fn is_empty(&self) -> bool {
        let is_empty = self.exact.is_empty() && self.templates.is_empty();
        #[cfg(feature = "jwks")]
        let is_empty = is_empty && self.resolvers.is_empty();
        is_empty
    }

    /// Whom this name means: an exact name before a template, the first template that matches, and then the
    /// first function whose pattern does.
    pub(crate) fn find(&self, issuer: &str, now: NumericDate) -> Found<'_> {
        let from_template = || {
            let mut templates = self.templates.iter();
            templates.find(|(template, _)| template.matches(issuer))
        };
        if let Some(trust) = self.exact.get(issuer) {
            return Found::Trust(trust);
        }
        if let Some((_, trust)) = from_template() {
            return Found::Trust(trust);
        }
        #[cfg(feature = "jwks")]
        if let Some(resolver) = self.resolver_of(issuer) {
            return match resolver.look_up(issuer, now) {
                Lookup::Trust(trust) => Found::Resolved(trust),
                Lookup::Unresolved(seconds) => Found::Unresolved(seconds),
                Lookup::Nobody => Found::Nobody,
            };
        }
        let _ = now;
        Found::Nobody
    }

    /// Adds an issuer by its name, unless it is there, or is written like a template.
    pub(crate) fn add(&mut self, name: String, trust: Trust) -> bool {
        let mut templates = self.templates.iter();
        let is_template = templates.any(|(template, _)| template.as_str() == name);
        self.exact.insert(name, trust).is_none() && !is_template
    }

    /// Adds a template, unless there is one that matches the same names.
    pub(crate) fn add_template(&mut self, template: Template, trust: Trust) -> bool {
        let mut known = self.templates.iter();
        let is_new = !known.any(|(known, _)| known.is_same_as(&template))
            && !self.exact.contains_key(template.as_str());
        self.templates.push((template, trust));
        is_new
    }

    /// The first function whose pattern a name matches.
    #[cfg(feature = "jwks")]
    pub(crate) fn resolver_of(&self, issuer: &str) -> Option<&Arc<Resolver>> {
        let mut resolvers = self.resolvers.iter();
        resolvers.find(|resolver| resolver.pattern.matches(issuer))
    }

    /// Templates and patterns.
    fn patterns(&self) -> impl Iterator<Item = &Template> {
        let templates = self.templates.iter().map(|(template, _)| template);
        #[cfg(feature = "jwks")]
        let templates = templates.chain(self.resolvers.iter().map(|it| &it.pattern));
        templates
    }

    /// Whether this may be an issuer.
    pub(crate) fn may_have(&self, issuer: &str) -> bool {
        self.exact.contains_key(issuer) || self.patterns().any(|it| it.matches(issuer))
    }

    /// Whether a route can ask for it: an issuer, the text of a template or a pattern, or a given name.
    pub(crate) fn knows(&self, wanted: &str) -> bool {
        self.may_have(wanted)
            || self.labels.contains(wanted)
            || self.patterns().any(|it| it.as_str() == wanted)
    }

    /// Adds a function, unless there is a template or a pattern that matches the same names.
    #[cfg(feature = "jwks")]
    pub(crate) fn add_resolver(&mut self, resolver: Resolver) -> bool {
        let is_known = self.patterns().any(|it| it.is_same_as(&resolver.pattern))
            || self.exact.contains_key(resolver.pattern.as_str());
        self.resolvers.push(Arc::new(resolver));
        !is_known
    }

    /// Those that are configured, without those that a function finds.
    #[cfg(feature = "jwks")]
    pub(crate) fn configured(&self) -> impl Iterator<Item = &Trust> {
        let templates = self.templates.iter().map(|(_, trust)| trust);
        self.exact.values().chain(templates)
    }
}
