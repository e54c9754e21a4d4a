//! The names of issuers: templates for many issuers, and labels for routes.

use super::Issuer;
use crate::{claims::FromTemplate, error::Problem};

impl Issuer {
    /// Creates an issuer for all names of this form, for example one per tenant. Use it if the names cannot be listed
    /// when the server starts.
    ///
    /// A placeholder in braces stands for 1 to 255 letters, digits, `-` and `_`. All these issuers share the same
    /// keys and rules, and the number of tenants costs no memory. [`Token::iss`](crate::Token::iss) returns the name
    /// in the token.
    ///
    /// The keys come from `key`, `jwk_set`, `jwks_url` or `discovery_url`. The `issuer` in the discovery document must
    /// be the template itself.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, Key, TokenError};
    /// # let shared = "change-me: at least 32 bytes of secret";
    ///
    /// let auth = AuthManager::new(Config::for_issuers([
    ///     Issuer::template("https://login.example/{tenant}/v2.0")
    ///         .claim_from_issuer("tid", "tenant")
    ///         .key(Key::new(AuthType::HS256, shared))
    ///         .audience("our-api"),
    /// ]))?;
    /// let login = AuthManager::new(
    ///     Config::new("https://login.example/acme/v2.0", AuthType::HS256, shared).audience("our-api"),
    /// )?;
    ///
    /// let token = login.auth_token("alice").claim("tid", "acme").sign()?;
    /// assert_eq!(auth.verify_token(token.signed())?.iss(), "https://login.example/acme/v2.0");
    ///
    /// let token = login.auth_token("alice").claim("tid", "umbrella").sign()?;
    /// assert_eq!(auth.verify_token(token.signed()).unwrap_err(), TokenError::IssuerClaim);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// Tokens of **every** tenant are accepted, also of tenants that are not your customers. To accept only your
    /// customers, require a claim that identifies them, or decide in a function with
    #[cfg_attr(
        feature = "jwks",
        doc = "[`Config::resolve_issuers`](crate::Config::resolve_issuers)."
    )]
    #[cfg_attr(
        not(feature = "jwks"),
        doc = "`Config::resolve_issuers` (feature `jwks`)."
    )]
    #[doc(alias = "multi-tenant")]
    #[doc(alias = "tenant")]
    pub fn template(template: impl Into<String>) -> Self {
        let mut issuer = Self::new(template);
        issuer.is_template = true;
        issuer
    }

    /// Requires a claim to equal the text of a placeholder of [`template`](Self::template). Can be called repeatedly;
    /// a token must meet all requirements.
    ///
    /// For example, `claim_from_issuer("tid", "tenantid")` requires the claim `tid` to name the same tenant as `iss`.
    /// [`template`](Self::template) shows a token that is accepted and one that is refused.
    pub fn claim_from_issuer(
        mut self,
        claim: impl Into<String>,
        placeholder: impl Into<String>,
    ) -> Self {
        self.claims_from_name
            .push((claim.into(), placeholder.into()));
        self
    }

    /// Sets a label that routes can require instead of the issuer's name: `#[require_token(issuer = "partners")]`.
    ///
    /// Several issuers can share a label. It consists of letters, digits, `-` and `_`.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.label = Some(name.into());
        self
    }

    /// Checks the label, and parses the template if the name is one.
    pub(super) fn template_parts(&self) -> Result<Option<Box<FromTemplate>>, Problem> {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if let Some(label) = &self.label
            && (label.is_empty() || !label.bytes().all(is_letter))
        {
            return Err(Problem::new(format!(
                "has the label `{}` in `named(…)`: a label consists of letters, digits, `-` and `_`, so that it cannot \
                 be confused with an issuer",
                label.escape_default()
            )));
        }
        let Some(template) = self.to_template() else {
            return match self.claims_from_name.first() {
                Some((claim, _)) => Err(Problem::new(format!(
                    "uses `claim_from_issuer` for the claim `{claim}`, but is not made with `Issuer::template`"
                ))),
                None => Ok(None),
            };
        };
        let template = template?;
        for (claim, placeholder) in &self.claims_from_name {
            if !template.has(placeholder) {
                return Err(Problem::new(format!(
                    "takes the claim `{claim}` from the placeholder `{placeholder}`, which is not in the template"
                )));
            }
        }
        #[cfg(feature = "jwks")]
        if self.remote.is_found_by_name() {
            return Err(Problem::new(
                "is a template, so that `discovery()` would fetch from an address in each token: give one address with \
                 `jwks_url(…)` or `discovery_url(…)`",
            ));
        }
        let claims = self.claims_from_name.clone();
        Ok(Some(Box::new(FromTemplate { template, claims })))
    }
}
