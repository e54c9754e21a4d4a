//! Checks the configuration of an issuer.

use std::sync::Arc;

use time::Duration;

use super::{Defaults, ISSUERS, Issuer, Trust, claims::ACCESS_TOKEN};
use crate::{
    claims::{Audience, ClaimRules, Origin, Profile},
    error::{ConfigError, Problem},
    jose::{HeaderTypes, TokenType},
    keys::{AuthType, Family},
};

/// Claims that cannot be mapped to another place in the token.
const FIXED_CLAIMS: [&str; 6] = ["iss", "exp", "iat", "nbf", "cnf", "type"];

/// The default leeway for other issuers' clocks. Tokens whose `iat` is a second or two ahead are common, because
/// the clocks of two hosts can differ by that much even with NTP.
const FOREIGN_LEEWAY: Duration = Duration::seconds(5);

impl Issuer {
    /// Checks the configuration, and prepares the keys and rules.
    pub(crate) fn validate(self, defaults: &Defaults) -> Result<Trust, ConfigError> {
        let name = self.name.clone();
        let invalid = |problem: Problem| {
            ConfigError::invalid(ISSUERS, format!("has the issuer `{name}`, which {problem}"))
        };
        self.check().map_err(invalid)?;
        let template = self.template_parts().map_err(invalid)?;
        let leeway = self.leeway.unwrap_or(defaults.leeway.max(FOREIGN_LEEWAY));
        if leeway.subsec_nanoseconds() != 0 || !(0..=300).contains(&leeway.whole_seconds()) {
            return Err(invalid(Problem::new(
                "has a leeway that is not 0 to 300 whole seconds",
            )));
        }
        let types =
            HeaderTypes::new(self.types.clone(), self.untyped).max_size(self.max_header_size);
        let keys = self.key_source(&types, defaults).map_err(invalid)?;
        let audience = if self.any_audience {
            Audience::Any
        } else {
            Audience::OneOf(self.audiences.clone())
        };
        let rules = Arc::new(ClaimRules {
            issuer: self.name.clone().into(),
            origin: Origin {
                label: self.label.clone(),
                template,
                #[cfg(feature = "jwks")]
                resolved: None,
            },
            audience,
            leeway: leeway.whole_seconds(),
            max_lifetime: self.max_lifetime,
            integer_subjects: defaults.integer_subjects,
            token_type: Some(TokenType::Auth),
            names: self.names.clone(),
            required: self.required.clone(),
            has_profile: self.profile == Profile::AccessToken,
        });
        Ok(Trust {
            #[cfg(feature = "jwks")]
            introspection: self.introspection_of(&rules, defaults).map_err(invalid)?,
            rules,
            types,
            keys,
        })
    }

    /// Checks everything except the name's template and the keys.
    fn check(&self) -> Result<(), Problem> {
        let invalid = |problem: &'static str| Err(Problem::new(problem));
        if self.name.is_empty() {
            return invalid("has no name");
        }
        match (self.audiences.is_empty(), self.any_audience) {
            (true, false) => {
                return invalid(
                    "has no audience: set yours with `audience(\"…\")`, or accept any with \
                     `any_audience(true)`",
                );
            }
            (false, true) => {
                return invalid(
                    "has both `audience(…)` and `any_audience(true)`: keep one of them",
                );
            }
            _ => {}
        }
        if self.audiences.iter().any(String::is_empty) {
            return invalid("has an empty audience");
        }
        if self.types.iter().any(String::is_empty) || (self.types.is_empty() && !self.untyped) {
            return invalid(
                "accepts no `typ`, or an empty one: name the accepted values with `types(…)`",
            );
        }
        let is_profile = |typ: &String| ACCESS_TOKEN.iter().any(|it| typ.eq_ignore_ascii_case(it));
        if self.profile == Profile::AccessToken
            && (self.untyped || !self.types.iter().all(is_profile))
        {
            return invalid(
                "has both `access_token_profile()` and another `typ`: leave out `types(…)` and `accept_untyped(true)`",
            );
        }
        if let Some(fixed) = self.names.names().find(|name| FIXED_CLAIMS.contains(name)) {
            return Err(Problem::new(format!(
                "maps the claim `{fixed}`, which cannot be mapped"
            )));
        }
        if !(256..=1 << 20).contains(&self.max_header_size) {
            return invalid("has a `max_header_size` that is not 256 to 1048576 bytes");
        }
        if let Some(name) = self.names.without_place() {
            return Err(Problem::new(format!(
                "maps the claim `{name}` to an empty list of places"
            )));
        }
        self.required.check()?;
        if self.max_lifetime.is_some_and(|limit| !limit.is_positive()) {
            return invalid("has a `max_lifetime` that is not longer than 0 seconds");
        }
        let Some(algorithms) = &self.algorithms else {
            return Ok(());
        };
        if algorithms.is_empty() {
            return invalid("accepts no algorithm");
        }
        let is_hmac = |algorithm: &AuthType| algorithm.family() == Family::Hmac;
        if self.keys.is_empty() && algorithms.iter().any(is_hmac) {
            return invalid(
                "accepts an HMAC algorithm, but a published key set cannot contain HMAC secrets",
            );
        }
        Ok(())
    }
}
