//! Finds the trusted issuer that a token's `iss` names.

use std::collections::{HashMap, HashSet};

#[cfg(feature = "jwks")]
use std::sync::Arc;

use super::Trust;
#[cfg(feature = "jwks")]
use super::{Lookup, Resolver};
use crate::{claims::Template, jose::NumericDate};

/// The other issuers that a manager trusts.
#[derive(Default)]
pub(crate) struct Issuers {
    /// Issuers by their exact names.
    pub(crate) exact: HashMap<String, Trust>,
    /// Templates in the order of the configuration.
    pub(crate) templates: Vec<(Template, Trust)>,
    /// Functions that find further issuers, in the order of the configuration.
    #[cfg(feature = "jwks")]
    pub(crate) resolvers: Vec<Arc<Resolver>>,
    /// The labels by which routes can require issuers.
    pub(crate) labels: HashSet<String>,
    /// The introspection of the one issuer that has opaque tokens.
    #[cfg(feature = "jwks")]
    pub(crate) introspection: Option<Arc<crate::remote::Introspection>>,
    /// The sources of fetched keys.
    #[cfg(feature = "jwks")]
    pub(crate) sources: Arc<crate::remote::SourcePool>,
}

/// The issuer that a token's `iss` names.
pub(crate) enum Found<'a> {
    Trust(&'a Trust),
    /// An issuer that a resolver function has found.
    #[cfg(feature = "jwks")]
    Resolved(Arc<Trust>),
    /// A resolver function has to answer first. Try again after this many seconds.
    #[cfg(feature = "jwks")]
    Unresolved(i64),
    /// No trusted issuer has this name.
    Nobody,
}

impl Issuers {
    pub(crate) fn is_empty(&self) -> bool {
        let is_empty = self.exact.is_empty() && self.templates.is_empty();
        #[cfg(feature = "jwks")]
        let is_empty = is_empty && self.resolvers.is_empty();
        is_empty
    }

    /// Finds an issuer: by its exact name, then by the first template that matches, then by the first resolver
    /// function whose pattern matches.
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
                Lookup::Untrusted => Found::Nobody,
            };
        }
        let _ = now;
        Found::Nobody
    }

    /// Adds an issuer by its exact name. Returns `false` if the name is already configured, as a name or a template.
    pub(crate) fn add(&mut self, name: String, trust: Trust) -> bool {
        let mut templates = self.templates.iter();
        let is_template = templates.any(|(template, _)| template.as_str() == name);
        self.exact.insert(name, trust).is_none() && !is_template
    }

    /// Adds a template. Returns `false` if another one matches the same names, or if its text is a configured name.
    pub(crate) fn add_template(&mut self, template: Template, trust: Trust) -> bool {
        let mut known = self.templates.iter();
        let is_new = !known.any(|(known, _)| known.is_same_as(&template))
            && !self.exact.contains_key(template.as_str());
        self.templates.push((template, trust));
        is_new
    }

    /// Returns the first resolver function whose pattern matches the name.
    #[cfg(feature = "jwks")]
    pub(crate) fn resolver_of(&self, issuer: &str) -> Option<&Arc<Resolver>> {
        let mut resolvers = self.resolvers.iter();
        resolvers.find(|resolver| resolver.pattern.matches(issuer))
    }

    /// Returns all templates and all patterns of resolver functions.
    fn patterns(&self) -> impl Iterator<Item = &Template> {
        let templates = self.templates.iter().map(|(template, _)| template);
        #[cfg(feature = "jwks")]
        let templates = templates.chain(self.resolvers.iter().map(|it| &it.pattern));
        templates
    }

    /// Returns whether a token with this `iss` can be accepted.
    pub(crate) fn may_have(&self, issuer: &str) -> bool {
        self.exact.contains_key(issuer) || self.patterns().any(|it| it.matches(issuer))
    }

    /// Returns whether a route can require `wanted`: an issuer, the text of a template or pattern, or a label.
    pub(crate) fn knows(&self, wanted: &str) -> bool {
        self.may_have(wanted)
            || self.labels.contains(wanted)
            || self.patterns().any(|it| it.as_str() == wanted)
    }

    /// Adds a resolver function. Returns `false` if a template or pattern matches the same names, or if its text is a
    /// configured name.
    #[cfg(feature = "jwks")]
    pub(crate) fn add_resolver(&mut self, resolver: Resolver) -> bool {
        let is_known = self.patterns().any(|it| it.is_same_as(&resolver.pattern))
            || self.exact.contains_key(resolver.pattern.as_str());
        self.resolvers.push(Arc::new(resolver));
        !is_known
    }

    /// Returns the configured issuers, without those that resolver functions have found.
    #[cfg(feature = "jwks")]
    pub(crate) fn configured(&self) -> impl Iterator<Item = &Trust> {
        let templates = self.templates.iter().map(|(_, trust)| trust);
        self.exact.values().chain(templates)
    }
}
