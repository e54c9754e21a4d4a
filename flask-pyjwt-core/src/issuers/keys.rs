//! The keys of an issuer as they are configured.

use super::{Defaults, ISSUERS, Issuer, KeySource};
use crate::{
    error::ConfigError,
    jose::HeaderTypes,
    keys::{AuthType, KeySet},
};

impl Issuer {
    /// Where the keys come from.
    pub(super) fn key_source(
        &self,
        types: &HeaderTypes,
        defaults: &Defaults,
    ) -> Result<KeySource, ConfigError> {
        let refused = |reason: &str| Err(ConfigError::invalid(ISSUERS, reason));
        #[cfg(feature = "jwks")]
        let remote =
            self.remote_source(types, defaults, self.set.is_some() || !self.keys.is_empty())?;
        #[cfg(not(feature = "jwks"))]
        let remote = None;
        if let Some(remote) = remote {
            return Ok(remote);
        }
        match (&self.set, self.keys.is_empty()) {
            (None, true) => return refused("is missing: give one with `key(…)` or `jwk_set(…)`"),
            (Some(_), false) => return refused("is given beside a JWK set: keep one of them"),
            _ => {}
        }
        let crypto = defaults.crypto;
        let keys = if let Some(set) = &self.set {
            let set = set.judge(self.algorithms.as_deref(), crypto);
            let set = set.map_err(|problem| {
                ConfigError::invalid(ISSUERS, format!("cannot be read from its set: {problem}"))
            })?;
            for key in &set.refused {
                tracing::warn!(
                    issuer = self.name,
                    "a key of the JWK set is left out: {key}"
                );
            }
            set.keys
        } else {
            let keys = self.keys.iter().cloned();
            let keys = keys.map(|key| Ok(key.prepare(ISSUERS, ISSUERS, crypto)?.split().1));
            keys.collect::<Result<Vec<_>, ConfigError>>()?
        };
        let accepts = |of: AuthType| {
            let algorithms = self.algorithms.as_ref();
            algorithms.is_none_or(|accepted| accepted.contains(&of))
        };
        if let Some(key) = keys.iter().find(|key| !accepts(key.auth_type)) {
            return refused(&format!("is for {}, which is not accepted", key.auth_type));
        }
        let mut names: Vec<_> = keys.iter().map(|key| (&key.id, key.auth_type)).collect();
        names.retain(|(id, _)| !id.is_empty());
        let count = names.len();
        names.sort_by_key(|(id, auth_type)| ((*id).clone(), auth_type.name()));
        names.dedup();
        if names.len() < count {
            return refused("has the id of another key");
        }
        Ok(KeySource::Fixed(Box::new(KeySet::new(keys, types))))
    }
}
