//! `SecurityAddon`: the security schemes of a manager.

use std::{collections::BTreeSet, fmt};

use serde_json::Value;
use utoipa::{
    Modify,
    openapi::{
        Components, OpenApi, PathItem,
        path::Operation,
        security::{SecurityRequirement, SecurityScheme},
    },
};

use super::{OPEN_PLACES, described, schemes};
use crate::{manager::AuthManager, token::TokenType, web::RequireToken};

/// Adds the security schemes of a manager to a description.
///
/// Call [`modify`](Modify::modify) on the finished document. The schemes are `bearer`, `cookie` and `refresh_cookie` with the
/// configured names of the cookies, and `header_…`, `cookie_…`, `query_…` and `websocket` where a guard names such a place.
/// Trusted issuers whose keys are found by discovery become `openIdConnect` schemes. Schemes that the document has
/// already stay as they are.
///
/// Operations whose guard names no place get the places of [`Config::locations`](crate::Config::locations).
#[derive(Clone)]
pub struct SecurityAddon {
    manager: AuthManager,
    guards: Vec<(String, RequireToken)>,
}

impl SecurityAddon {
    /// For the guards of this manager.
    #[must_use]
    pub fn new(auth: &AuthManager) -> Self {
        Self {
            manager: auth.clone(),
            guards: Vec::new(),
        }
    }

    /// Describes a guard around a scope: all operations whose path begins with this one. Their handlers have no
    /// attribute that would say it.
    #[must_use]
    pub fn guard(mut self, path: impl Into<String>, guard: &RequireToken) -> Self {
        self.guards.push((path.into(), guard.clone()));
        self
    }

    fn describe_guards(&self, document: &mut OpenApi) {
        for (prefix, guard) in &self.guards {
            let below = format!("{}/", prefix.trim_end_matches('/'));
            for (path, item) in &mut document.paths.paths {
                if path == prefix || path.starts_with(&below) {
                    for operation in operations(item) {
                        *operation = described(std::mem::take(operation), guard.requirement());
                    }
                }
            }
        }
    }

    /// Puts the configured places into an operation whose guard names none.
    fn set_places(&self, operation: &mut Operation) {
        let Some(extensions) = &mut operation.extensions else {
            return;
        };
        let Some(token_type) = extensions.remove(OPEN_PLACES) else {
            return;
        };
        if extensions.is_empty() {
            operation.extensions = None;
        }
        let token_type = match token_type.as_str() {
            Some("refresh") => TokenType::Refresh,
            _ => TokenType::Auth,
        };
        let places = &self.manager.parts().locations;
        let Some(securities) = &mut operation.security else {
            return;
        };
        let mut replaced = Vec::new();
        for place in places {
            let name = schemes::name(place, token_type);
            for security in securities.iter() {
                match scopes_of(security) {
                    Some(scopes) => replaced.push(SecurityRequirement::new(&*name, scopes)),
                    None if place == &places[places.len() - 1] => replaced.push(security.clone()),
                    None => {}
                }
            }
        }
        *securities = replaced;
    }

    /// The schemes that the document uses, and those of the configuration.
    fn schemes(&self, used: BTreeSet<String>) -> Vec<(String, SecurityScheme)> {
        let parts = self.manager.parts();
        let configured = parts.locations.iter();
        let configured = configured.map(|place| schemes::name(place, TokenType::Auth));
        let names: BTreeSet<_> = used.into_iter().chain(configured).collect();
        let cookies = &parts.browser.cookies;
        let schemes = names.into_iter().filter_map(|name| {
            let scheme = schemes::scheme(&name, cookies)?;
            Some((name, scheme))
        });
        #[cfg(feature = "jwks")]
        let schemes = schemes.chain(self.openid());
        schemes.collect()
    }

    /// Other issuers that have a discovery document.
    #[cfg(feature = "jwks")]
    fn openid(&self) -> impl Iterator<Item = (String, SecurityScheme)> {
        use utoipa::openapi::security::OpenIdConnect;

        let found = self.manager.discovery_documents().into_iter();
        found.map(|(issuer, url)| {
            let plain = |it: char| if it.is_ascii_alphanumeric() { it } else { '_' };
            let name = issuer.trim_start_matches("https://").trim_end_matches('/');
            let name: String = name.chars().map(plain).collect();
            let text = format!("Tokens of {issuer}");
            let scheme = OpenIdConnect::with_description(url, text);
            (
                format!("openid_{name}"),
                SecurityScheme::OpenIdConnect(scheme),
            )
        })
    }
}

impl Modify for SecurityAddon {
    fn modify(&self, document: &mut OpenApi) {
        self.describe_guards(document);
        let mut used = BTreeSet::new();
        for item in document.paths.paths.values_mut() {
            for operation in operations(item) {
                self.set_places(operation);
                let securities = operation.security.iter().flatten();
                used.extend(securities.flat_map(names_of));
            }
        }
        let components = document.components.get_or_insert_with(Components::new);
        for (name, scheme) in self.schemes(used) {
            components
                .security_schemes
                .entry(name)
                .or_insert(scheme.into());
        }
    }
}

impl fmt::Debug for SecurityAddon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecurityAddon").finish_non_exhaustive()
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let all = [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.delete,
        &mut item.options,
        &mut item.head,
        &mut item.patch,
        &mut item.trace,
    ];
    all.into_iter().flatten()
}

/// The names of the schemes in a requirement. utoipa shows them only as JSON.
fn names_of(security: &SecurityRequirement) -> Vec<String> {
    match serde_json::to_value(security) {
        Ok(Value::Object(members)) => members.into_iter().map(|(name, _)| name).collect(),
        _ => Vec::new(),
    }
}

/// The scopes of a requirement. `None` if it requires nothing.
fn scopes_of(security: &SecurityRequirement) -> Option<Vec<String>> {
    let Ok(Value::Object(members)) = serde_json::to_value(security) else {
        return None;
    };
    let scopes = members.into_values().next()?;
    serde_json::from_value(scopes).ok()
}
