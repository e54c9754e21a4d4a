//! All other issuers that a manager trusts, and which of them a token's `iss` means.

use std::collections::{HashMap, HashSet};

use super::{Template, Trust};

/// The issuers of a manager.
#[derive(Default)]
pub(crate) struct Issuers {
    /// By their names.
    pub(crate) exact: HashMap<String, Trust>,
    /// In the order of their configuration.
    pub(crate) templates: Vec<(Template, Trust)>,
    /// The names by which routes may call some of them.
    pub(crate) labels: HashSet<String>,
}

/// Whom a token's `iss` means.
pub(crate) enum Found<'a> {
    Trust(&'a Trust),
    Nobody,
}

impl Issuers {
    pub(crate) fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.templates.is_empty()
    }

    /// Whom this name means: an exact name before a template, and the first template that matches.
    pub(crate) fn find(&self, issuer: &str) -> Found<'_> {
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

    /// Whether a route can ask for it: an issuer, the text of a template, or a given name.
    pub(crate) fn knows(&self, wanted: &str) -> bool {
        let is_of = |template: &Template| template.as_str() == wanted || template.matches(wanted);
        self.exact.contains_key(wanted)
            || self.labels.contains(wanted)
            || self.templates.iter().any(|(template, _)| is_of(template))
    }

    /// Those that are configured, without those that a function finds.
    #[cfg(feature = "jwks")]
    pub(crate) fn configured(&self) -> impl Iterator<Item = &Trust> {
        let templates = self.templates.iter().map(|(_, trust)| trust);
        self.exact.values().chain(templates)
    }
}
