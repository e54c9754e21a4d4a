//! Names of issuers: templates for those that nobody can list, and what routes call them.

use super::Issuer;
use crate::{claims::FromTemplate, error::Problem};

impl Issuer {
    /// All issuers whose names have this form: tenants and shops that nobody can list at start. A
    /// placeholder stands for 1 to 255 letters, digits, `-` and `_`.
    ///
    /// They have the same keys and the same rules, and nothing is remembered or fetched for a single one of
    /// them. [`Token::iss`](crate::Token::iss) is the name that the token says.
    ///
    /// The keys come from `key`, `jwk_set`, `jwks_url` or `discovery_url`, whose document has to say the
    /// template itself as its `issuer`.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, Key, TokenError};
    /// # let shared = "the secret that both of them have";
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
    /// Whoever can become one of them can issue tokens, as far as the keys are theirs too. To know which of
    /// them are your customers, require a claim that says it, or let a function decide:
    #[cfg_attr(
        feature = "jwks",
        doc = "[`Config::resolve_issuers`](crate::Config::resolve_issuers)."
    )]
    #[cfg_attr(
        not(feature = "jwks"),
        doc = "`Config::resolve_issuers`, with the feature `jwks`."
    )]
    pub fn template(template: impl Into<String>) -> Self {
        let mut issuer = Self::new(template);
        issuer.is_template = true;
        issuer
    }

    /// Requires a claim to be the very text that stands for a placeholder of [`template`](Self::template):
    /// `claim_from_issuer("tid", "tenantid")`. Can be called repeatedly; all of it has to hold.
    pub fn claim_from_issuer(
        mut self,
        claim: impl Into<String>,
        placeholder: impl Into<String>,
    ) -> Self {
        self.claims_from_name
            .push((claim.into(), placeholder.into()));
        self
    }

    /// Gives a name that routes can ask for in place of the issuer: `#[require_token(issuer = "partners")]`.
    /// Several issuers may have the same one. It is made of letters, digits, `-` and `_`.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.label = Some(name.into());
        self
    }

    /// What is wrong with the names, or the template that they make.
    pub(super) fn template_parts(&self) -> Result<Option<Box<FromTemplate>>, Problem> {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if let Some(label) = &self.label
            && (label.is_empty() || !label.bytes().all(is_letter))
        {
            return Err(Problem::new(format!(
                "is named `{}`: such a name is made of letters, digits, `-` and `_`, so that nobody takes it \
                 for an issuer",
                label.escape_default()
            )));
        }
        let Some(template) = self.to_template() else {
            return match self.claims_from_name.first() {
                Some((claim, _)) => Err(Problem::new(format!(
                    "takes the claim `{claim}` from its name, which is no template"
                ))),
                None => Ok(None),
            };
        };
        let template = template?;
        for (claim, placeholder) in &self.claims_from_name {
            if !template.has(placeholder) {
                return Err(Problem::new(format!(
                    "takes the claim `{claim}` from the placeholder `{placeholder}`, which is not there"
                )));
            }
        }
        #[cfg(feature = "jwks")]
        if self.remote.is_at_own_name() {
            return Err(Problem::new(
                "is a template, and its keys are where each token would say: give one address with \
                 `jwks_url(…)` or `discovery_url(…)`",
            ));
        }
        let claims = self.claims_from_name.clone();
        Ok(Some(Box::new(FromTemplate { template, claims })))
    }
}
