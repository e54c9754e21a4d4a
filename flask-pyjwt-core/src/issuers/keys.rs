//! Prepares the configured keys of an issuer.

use super::{Defaults, ISSUERS, Issuer, KeySource};
use crate::{
    error::{ConfigError, Problem},
    jose::HeaderTypes,
    keys::{AuthType, KeySet},
};

impl Issuer {
    /// Prepares fixed keys, or the source of fetched ones.
    pub(super) fn key_source(
        &self,
        types: &HeaderTypes,
        defaults: &Defaults,
    ) -> Result<KeySource, Problem> {
        #[cfg(feature = "jwks")]
        let remote =
            self.remote_source(types, defaults, self.set.is_some() || !self.keys.is_empty())?;
        #[cfg(not(feature = "jwks"))]
        let remote = None;
        if let Some(remote) = remote {
            return Ok(remote);
        }
        #[cfg(feature = "jwks")]
        let is_asked = self.introspection.is_some();
        #[cfg(not(feature = "jwks"))]
        let is_asked = false;
        match (&self.set, self.keys.is_empty()) {
            // All tokens of the issuer are opaque.
            (None, true) if is_asked => {}
            (None, true) => {
                return Err(Problem::new(
                    "has no key: set one with `key(…)` or `jwk_set(…)`, or fetch a key set with `jwks_url(…)` or \
                     `discovery()`",
                ));
            }
            (Some(_), false) => {
                return Err(Problem::new(
                    "has both a `key(…)` and a JWK set: keep one of them",
                ));
            }
            _ => {}
        }
        let crypto = defaults.crypto;
        let keys = if let Some(set) = &self.set {
            let set = set.check(self.algorithms.as_deref(), crypto);
            let set = set.map_err(|problem| {
                Problem::new(format!("has a JWK set that cannot be used: {problem}"))
            })?;
            for key in &set.refused {
                tracing::warn!(issuer = self.name, "a key of the JWK set is skipped: {key}");
            }
            set.keys
        } else {
            let keys = self.keys.iter().cloned();
            let keys = keys.map(|key| Ok(key.prepare(ISSUERS, ISSUERS, crypto)?.split().1));
            keys.collect::<Result<Vec<_>, _>>().map_err(key_problem)?
        };
        let accepts = |of: AuthType| {
            let algorithms = self.algorithms.as_ref();
            algorithms.is_none_or(|accepted| accepted.contains(&of))
        };
        if let Some(key) = keys.iter().find(|key| !accepts(key.auth_type)) {
            return Err(Problem::new(format!(
                "has a key for {}, which `algorithms(…)` does not accept",
                key.auth_type
            )));
        }
        let mut ids: Vec<_> = keys.iter().map(|key| (&key.id, key.auth_type)).collect();
        ids.retain(|(id, _)| !id.is_empty());
        let count = ids.len();
        ids.sort_by_key(|(id, auth_type)| ((*id).clone(), auth_type.name()));
        ids.dedup();
        if ids.len() < count {
            return Err(Problem::new("has two keys with the same key ID"));
        }
        Ok(KeySource::Fixed(Box::new(KeySet::new(keys, types))))
    }
}

/// Says what is wrong with a key, as the end of a sentence about its issuer.
fn key_problem(error: ConfigError) -> Problem {
    match error {
        ConfigError::Invalid { reason, .. } => Problem::new(format!("has a key that {reason}")),
        ConfigError::Missing { .. } => Problem::new("has an HMAC key without a secret"),
        other @ ConfigError::Unreadable { .. } => {
            Problem::new(format!("has a key that cannot be used: {other}"))
        }
    }
}
