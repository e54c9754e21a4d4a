//! The options that concern an issuer's claims: where they are, and which ones are required.

use super::Issuer;
use crate::claims::{ClaimPlaces, ExpectedClaim, Profile};

/// The values of `typ` of access tokens (RFC 9068, section 4).
pub(super) const ACCESS_TOKEN: [&str; 2] = ["at+jwt", "application/at+jwt"];

/// Options for claims.
impl Issuer {
    /// Reads the claim that routes call `name` from another place in the token.
    ///
    /// A place is the name of another claim, or a JSON pointer (RFC 6901), which begins with `/`. If several places
    /// are given, the first one that is present is used; `null` counts as absent. A token whose value at that place
    /// has the wrong type is refused.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, Key, TokenError};
    /// use serde_json::json;
    /// # let shared = "change-me: at least 32 bytes of secret";
    ///
    /// let auth = AuthManager::new(Config::for_issuers([
    ///     Issuer::new("https://accounts.example")
    ///         .map_claim("roles", "/realm_access/roles")
    ///         .map_claim("scope", ["scp", "scope"])
    ///         .key(Key::new(AuthType::HS256, shared))
    ///         .audience("our-api"),
    /// ]))?;
    /// let accounts = AuthManager::new(
    ///     Config::new("https://accounts.example", AuthType::HS256, shared).audience("our-api"),
    /// )?;
    ///
    /// let access = json!({ "roles": ["editor"] });
    /// let token = accounts.auth_token("alice").claim("realm_access", access).claim("scp", "read").sign()?;
    /// let token = auth.verify_token(token.signed())?;
    /// assert_eq!(token.claim("roles"), Some(&json!(["editor"])));
    /// assert_eq!(token.scope(), Some(&json!("read")));
    ///
    /// // Claims that decide whether a token is valid cannot be mapped.
    /// let issuer = Issuer::new("https://accounts.example").map_claim("exp", "valid_until");
    /// # let issuer = issuer.key(Key::new(AuthType::HS256, shared)).audience("our-api");
    /// assert!(AuthManager::new(Config::for_issuers([issuer])).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// The subject and the audience can be mapped too. At some providers, machine clients have no `sub`:
    /// `map_claim("sub", ["sub", "client_id"])` accepts their tokens and does not change those of users. The ID of a
    /// client and that of a user can then be the same text. If that matters, require a claim that only one of them
    /// has.
    pub fn map_claim(mut self, name: impl Into<String>, places: impl Into<ClaimPlaces>) -> Self {
        self.names.add(name.into(), places.into());
        self
    }

    /// Requires a claim in every token of this issuer: an exact value, or an [`ExpectedClaim`]. Can be called
    /// repeatedly; a token must meet all requirements.
    ///
    /// The conditions are:
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{ExpectedClaim, Issuer};
    ///
    /// let issuer = Issuer::new("https://accounts.example")
    ///     .require_claim("token_use", "access")                            // exactly this value
    ///     .require_claim("azp", ExpectedClaim::one_of(["web", "mobile"]))  // one of these values
    ///     .require_claim("scope", ExpectedClaim::contains("our-api"))      // a list with this item
    ///     .require_claim("client_id", ExpectedClaim::Present)              // any value
    ///     .require_claim("nonce", ExpectedClaim::Absent);                  // not in the token: ID tokens have one
    /// # drop(issuer);
    /// ```
    ///
    /// A token that does not meet them is refused:
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, Key};
    /// # let shared = "change-me: at least 32 bytes of secret";
    ///
    /// let auth = AuthManager::new(Config::for_issuers([
    ///     Issuer::new("https://accounts.example")
    ///         .require_claim("token_use", "access")
    ///         .key(Key::new(AuthType::HS256, shared))
    ///         .audience("our-api"),
    /// ]))?;
    /// let accounts = AuthManager::new(
    ///     Config::new("https://accounts.example", AuthType::HS256, shared).audience("our-api"),
    /// )?;
    ///
    /// let token = accounts.auth_token("alice").claim("token_use", "access").sign()?;
    /// assert!(auth.verify_token(token.signed()).is_ok());
    ///
    /// let token = accounts.auth_token("alice").claim("token_use", "consent").sign()?;
    /// assert!(auth.verify_token(token.signed()).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn require_claim(
        mut self,
        name: impl Into<String>,
        expected: impl Into<ExpectedClaim>,
    ) -> Self {
        self.required.claims.push((name.into(), expected.into()));
        self
    }

    /// Accepts only access tokens by RFC 9068: the header's `typ` is `at+jwt` or `application/at+jwt`, and the payload has
    /// the claims `iss`, `exp`, `aud`, `sub`, `client_id`, `iat` and `jti` of the right JSON types (sections 2.2 and 4).
    ///
    /// ID tokens and all other kinds of tokens of the issuer are refused. `aud` and `sub` have to be there under these
    /// names, also if [`map_claim`](Self::map_claim) reads them from another place.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, Key, TokenError};
    /// # let shared = "change-me: at least 32 bytes of secret";
    ///
    /// let auth = AuthManager::new(Config::for_issuers([
    ///     Issuer::new("https://accounts.example")
    ///         .access_token_profile()
    ///         .key(Key::new(AuthType::HS256, shared))
    ///         .audience("our-api"),
    /// ]))?;
    /// let accounts = Config::new("https://accounts.example", AuthType::HS256, shared).audience("our-api");
    ///
    /// let token = AuthManager::new(accounts.clone().access_token_profile("web"))?.auth_token("alice").sign()?;
    /// assert!(auth.verify_token(token.signed()).is_ok());
    ///
    /// let token = AuthManager::new(accounts)?.auth_token("alice").sign()?; // its `typ` is `JWT`
    /// assert_eq!(auth.verify_token(token.signed()).unwrap_err(), TokenError::Kind);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[doc(alias = "RFC 9068")]
    #[doc(alias = "at+jwt")]
    pub fn access_token_profile(mut self) -> Self {
        self.types = ACCESS_TOKEN.map(str::to_owned).to_vec();
        self.profile = Profile::AccessToken;
        self
    }

    /// Requires at least one of these claims to be present and not empty. Can be called repeatedly; a token must meet
    /// each list.
    ///
    /// For example, `["scp", "roles"]` refuses the ID tokens of Microsoft Entra, which have neither claim.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, Key};
    /// # let shared = "change-me: at least 32 bytes of secret";
    ///
    /// let auth = AuthManager::new(Config::for_issuers([
    ///     Issuer::new("https://accounts.example")
    ///         .require_any_claim(["scp", "roles"])
    ///         .key(Key::new(AuthType::HS256, shared))
    ///         .audience("our-api"),
    /// ]))?;
    /// let accounts = AuthManager::new(
    ///     Config::new("https://accounts.example", AuthType::HS256, shared).audience("our-api"),
    /// )?;
    ///
    /// let token = accounts.auth_token("alice").claim("scp", "read").sign()?;
    /// assert!(auth.verify_token(token.signed()).is_ok());
    ///
    /// let token = accounts.auth_token("alice").sign()?;
    /// assert!(auth.verify_token(token.signed()).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn require_any_claim<T: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = T>,
    ) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        self.required.any_of.push(names);
        self
    }
}
