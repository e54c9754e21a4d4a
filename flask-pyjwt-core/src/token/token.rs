//! A token that this server has verified or minted.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};

use super::last_answer::LastAnswer;
use crate::{
    claims::{Binding, ClaimRules, RegisteredClaims, Subject},
    jose::{Header, NumericDate, TokenError, TokenType},
    json::{Document, Json},
    keys::{AuthType, VerifyingKey},
};

/// Reads the claims of a valid token, which this server has verified or minted.
///
/// A `Token` can be obtained in no other way, so code that has one need not check the signature again. For a
/// token that is not verified yet, see [`UnverifiedToken`](crate::UnverifiedToken). Cloning is cheap. `Debug`
/// shows neither the token's text nor its claims.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, TokenType};
/// use serde_json::json;
///
/// let auth = AuthManager::new(Config::new(
///     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
/// ))?;
/// let token = auth.auth_token("alice").scope(json!({"admin": true})).claim("team", 7).sign()?;
///
/// let verified = auth.verify_token(token.signed())?;
/// assert_eq!(verified.sub(), "alice");
/// assert_eq!(verified.token_type(), TokenType::Auth);
/// assert_eq!(verified.claims()["team"], 7);
/// assert_eq!(verified.max_age().whole_seconds(), 3600);
///
/// let forged = token.signed().replace('.', ".e30.");
/// assert!(auth.verify_token(&forged).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[doc(alias = "JWT")]
#[doc(alias = "get_jwt")]
pub struct Token {
    shared: Shared,
    /// The claims as a map, built on first use. It is not part of `Shared`, so that the cache does not grow when
    /// a handler reads the claims.
    map: OnceLock<Arc<Map<String, Value>>>,
}

/// The part of a token that all its clones share, including the one in the cache. Its size never changes.
#[derive(Clone)]
pub(super) struct Shared(Arc<Inner>);

pub(super) struct Inner {
    pub(super) signed: String,
    pub(super) payload: Document,
    /// The key that verified or signed the token.
    /// The key that verified the token. `None` if its issuer was asked about it.
    pub(super) key: Option<Arc<VerifyingKey>>,
    /// The rules that the claims satisfied.
    pub(super) rules: Arc<ClaimRules>,
    pub(super) claims: RegisteredClaims,
    /// When a session store last confirmed the token.
    pub(super) last_answer: LastAnswer,
}

impl Shared {
    pub(super) fn signed(&self) -> &str {
        &self.0.signed
    }

    /// Returns the memory that the token takes in bytes. Keys and rules belong to the manager and do not count.
    pub(super) fn size(&self) -> usize {
        const COUNTERS: usize = 2 * size_of::<usize>();
        let subject = match &self.0.claims.subject {
            Subject::InPayload(_) => 0,
            Subject::Own(text) => text.capacity(),
        };
        let issuer = self.0.claims.issuer.as_deref().map_or(0, str::len);
        let binding = self.0.claims.binding.as_deref().map_or(0, size_of_val);
        let text = self.0.signed.capacity() + self.0.payload.size();
        COUNTERS + size_of::<Inner>() + text + subject + issuer + binding
    }
}

impl From<Shared> for Token {
    fn from(shared: Shared) -> Self {
        Self {
            shared,
            map: OnceLock::new(),
        }
    }
}

impl Token {
    pub(super) fn new(inner: Inner) -> Self {
        Shared(Arc::new(inner)).into()
    }

    fn inner(&self) -> &Inner {
        &self.shared.0
    }

    /// Returns the part that the cache stores.
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Returns the token's text, ready for an `Authorization: Bearer` field or a cookie.
    ///
    /// The text is a credential: keep it out of logs.
    #[must_use]
    pub fn signed(&self) -> &str {
        &self.inner().signed
    }

    /// Returns `true`. Flask_PyJWT's `JWT` can be unsigned; a `Token` never is.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        true
    }

    /// Returns whether this is an auth token or a refresh token: the claim `type`.
    #[must_use]
    pub fn token_type(&self) -> TokenType {
        self.inner().claims.token_type
    }

    /// Returns the subject, usually a user: the claim `sub` (RFC 7519, section 4.1.2).
    ///
    /// An integer subject, which [`Config::integer_subjects`](crate::Config::integer_subjects) can accept, is
    /// returned in decimal.
    #[must_use]
    #[doc(alias = "subject")]
    #[doc(alias = "identity")]
    #[doc(alias = "get_jwt_identity")]
    pub fn sub(&self) -> &str {
        match &self.inner().claims.subject {
            Subject::InPayload(range) => &self.inner().payload.text()[range.clone()],
            Subject::Own(text) => text,
        }
    }

    /// Returns what the token allows: the claim `scope`, if present.
    #[must_use]
    pub fn scope(&self) -> Option<&Value> {
        self.claim("scope")
    }

    /// Returns all claims as the token contains them, including the registered ones.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        self.map
            .get_or_init(|| Arc::new(self.inner().payload.to_map()))
    }

    /// Returns one claim, if present.
    ///
    /// For a token of another issuer, `name` is the name that routes use. It can differ from the name in the
    /// token: see [`Issuer::map_claim`](crate::Issuer::map_claim).
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.inner().rules.names.find_value(self.claims(), name)
    }

    /// Returns the issuer: the claim `iss` (RFC 7519, section 4.1.1).
    #[must_use]
    #[doc(alias = "issuer")]
    pub fn iss(&self) -> &str {
        let inner = self.inner();
        inner
            .claims
            .issuer
            .as_deref()
            .unwrap_or(&inner.rules.issuer)
    }

    /// Returns whether the token is bound to a key or a certificate of its client: whether it has the claim `cnf` (RFC
    /// 7800). Whoever presents it has to prove that they have that.
    #[must_use]
    #[doc(alias = "cnf")]
    #[doc(alias = "DPoP")]
    #[doc(alias = "sender-constrained")]
    pub fn is_bound(&self) -> bool {
        self.inner().claims.binding.is_some()
    }

    /// What the client has to prove.
    pub(crate) fn binding(&self) -> Option<Binding> {
        self.inner().claims.binding.as_deref().copied()
    }

    /// Returns when the token was issued: the claim `iat` (RFC 7519, section 4.1.6).
    #[must_use]
    #[doc(alias = "issued_at")]
    pub fn iat(&self) -> OffsetDateTime {
        self.inner().claims.issued_at.to_date_time()
    }

    /// Returns when the token expires: the claim `exp` (RFC 7519, section 4.1.4).
    #[must_use]
    #[doc(alias = "expires_at")]
    pub fn exp(&self) -> OffsetDateTime {
        self.inner().claims.expires_at.to_date_time()
    }

    /// Returns the token's whole lifetime: the time from `iat` to `exp`.
    #[must_use]
    pub fn max_age(&self) -> Duration {
        self.inner()
            .claims
            .expires_at
            .since(self.inner().claims.issued_at)
    }

    /// Returns the signature algorithm: the header's `alg`, which always equals the key's algorithm. Without meaning for an
    /// opaque token, about which its issuer was asked.
    #[must_use]
    pub fn alg(&self) -> AuthType {
        let key = self.inner().key.as_ref();
        key.map_or(AuthType::RS256, |key| key.auth_type)
    }

    /// Returns the header as the token contains it (RFC 7515, section 4). Empty for an opaque token.
    #[must_use]
    #[doc(alias = "kid")]
    pub fn header(&self) -> Map<String, Value> {
        let segment = self.inner().signed.split('.').next().unwrap_or_default();
        Header::document(segment)
            .map(|header| header.to_map())
            .unwrap_or_default()
    }

    /// Returns the ID of the session that the token belongs to: the claim `sid`, if present.
    #[must_use]
    #[doc(alias = "sid")]
    pub fn session_id(&self) -> Option<&str> {
        self.claim("sid").and_then(Value::as_str)
    }

    /// Returns when the user last authenticated: the claim `auth_time` (`OpenID` Connect Core 1.0, section 2), if
    /// present.
    #[must_use]
    pub fn auth_time(&self) -> Option<OffsetDateTime> {
        self.authenticated_at().map(NumericDate::to_date_time)
    }

    /// Deserializes the claims into a type of yours.
    ///
    /// # Errors
    ///
    /// Returns an error if the claims do not match the type.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// # use flask_pyjwt::{AuthManager, AuthType, Config};
    /// # let auth = AuthManager::new(Config::new(
    /// #     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
    /// # ))?;
    /// #[derive(serde::Deserialize)]
    /// struct Claims {
    ///     sub: String,
    ///     team: u32,
    /// }
    ///
    /// let claims: Claims = auth.auth_token("alice").claim("team", 7).sign()?.claims_as()?;
    /// assert_eq!((claims.sub.as_str(), claims.team), ("alice", 7));
    ///
    /// let without_team = auth.auth_token("alice").sign()?;
    /// assert!(without_team.claims_as::<Claims>().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn claims_as<C: DeserializeOwned>(&self) -> Result<C, serde_json::Error> {
        // Parsing the text again would depend on the `serde_json` features that other crates enable.
        C::deserialize(self.claims())
    }

    /// Returns the parsed registered claims.
    pub(super) fn registered(&self) -> &RegisteredClaims {
        &self.inner().claims
    }

    /// Returns whether a token that was verified before is valid at `now`. Returns `None` if its key has been
    /// dropped or its issuer is no longer trusted, so that the token must be verified again.
    pub(super) fn is_valid_at(&self, now: NumericDate) -> Option<Result<(), TokenError>> {
        let Inner {
            claims, key, rules, ..
        } = self.inner();
        let is_live = key.as_ref().is_none_or(|key| key.is_live(now));
        (is_live && rules.origin.is_live(now))
            .then(|| rules.check_time(claims.valid_from, claims.expires_at, now))
    }

    /// Returns whether a route that asks for the issuer `wanted` accepts this token. `wanted` can be the issuer's
    /// name, the text of the template or pattern by which it is trusted, or its label.
    pub(crate) fn is_of(&self, wanted: &str) -> bool {
        let rules = &self.inner().rules;
        self.iss() == wanted || *rules.issuer == *wanted || rules.origin.is_called(wanted)
    }

    /// Returns whether the token's issuer was found by a resolver function, whose answer holds for a limited time.
    #[cfg(feature = "jwks")]
    pub(crate) fn is_of_resolved(&self) -> bool {
        self.inner().rules.origin.resolved.is_some()
    }

    /// Returns the rules of the token's issuer.
    #[cfg(feature = "metrics")]
    pub(crate) fn rules(&self) -> &Arc<ClaimRules> {
        &self.inner().rules
    }

    /// Returns the name of the issuer for a label: one of the configuration's, however many tenants a template has.
    #[cfg(feature = "metrics")]
    pub(crate) fn issuer_label(&self) -> &str {
        let rules = &self.inner().rules;
        rules.origin.label().unwrap_or(&rules.issuer)
    }

    pub(crate) fn last_answer(&self) -> &LastAnswer {
        &self.inner().last_answer
    }

    /// Returns one claim as scanned JSON, by the name that routes use.
    pub(crate) fn member(&self, name: &str) -> Option<Json<'_>> {
        self.inner().rules.names.find(self.payload(), name)
    }

    /// Returns the claims as scanned JSON.
    pub(crate) fn payload(&self) -> Json<'_> {
        self.inner().payload.root()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("token_type", &self.token_type())
            .field("alg", &self.alg())
            .field("exp", &self.exp())
            .finish_non_exhaustive()
    }
}
