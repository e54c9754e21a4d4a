//! A token that has been verified or minted here.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use time::{Duration, OffsetDateTime};

use super::last_answer::LastAnswer;
use crate::{
    claims::{ClaimRules, RegisteredClaims, Subject},
    jose::{Header, NumericDate, TokenError, TokenType},
    json::{Document, Json},
    keys::{AuthType, VerifyingKey},
};

/// A valid token: one that this server has verified or minted itself.
///
/// There is no other way to one, so whoever holds a `Token` need not ask again whether it is
/// genuine. A clone is cheap. `Debug` shows neither the token's text nor its claims.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, TokenType};
/// use serde_json::json;
///
/// let auth = AuthManager::new(Config::new(
///     "example", AuthType::HS256, "a secret of 32 bytes, at the least",
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
pub struct Token {
    shared: Shared,
    /// The claims as a map, made when somebody asks for it. It belongs to this token and its clones: what
    /// the table remembers does not grow.
    map: OnceLock<Arc<Map<String, Value>>>,
}

/// What all clones of a token share, those in the table too. It has its whole size from the beginning.
#[derive(Clone)]
pub(super) struct Shared(Arc<Inner>);

pub(super) struct Inner {
    pub(super) signed: String,
    pub(super) payload: Document,
    /// The key that verified or signed it.
    pub(super) key: Arc<VerifyingKey>,
    /// What its claims satisfied.
    pub(super) rules: Arc<ClaimRules>,
    pub(super) claims: RegisteredClaims,
    /// When a session store last said that the token is good.
    pub(super) last_answer: LastAnswer,
}

impl Shared {
    pub(super) fn signed(&self) -> &str {
        &self.0.signed
    }

    /// The memory that it takes in bytes. Keys and rules are the manager's.
    pub(super) fn size(&self) -> usize {
        const COUNTERS: usize = 2 * size_of::<usize>();
        let subject = match &self.0.claims.subject {
            Subject::InPayload(_) => 0,
            Subject::Own(text) => text.capacity(),
        };
        let issuer = self.0.claims.issuer.as_deref().map_or(0, str::len);
        let text = self.0.signed.capacity() + self.0.payload.size();
        COUNTERS + size_of::<Inner>() + text + subject + issuer
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

    /// What the table keeps of it.
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The token's text, as it stands in an `Authorization` field. It is a credential: keep it
    /// out of logs.
    #[must_use]
    pub fn signed(&self) -> &str {
        &self.inner().signed
    }

    /// Always `true`: a token that is not signed is no `Token`.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        true
    }

    /// What the token is for: the claim `type`.
    #[must_use]
    pub fn token_type(&self) -> TokenType {
        self.inner().claims.token_type
    }

    /// Whom the token is about. An accepted integer subject is given in decimal.
    #[must_use]
    pub fn sub(&self) -> &str {
        match &self.inner().claims.subject {
            Subject::InPayload(range) => &self.inner().payload.text()[range.clone()],
            Subject::Own(text) => text,
        }
    }

    /// What the token allows: the claim `scope`, if there is one.
    #[must_use]
    pub fn scope(&self) -> Option<&Value> {
        self.claim("scope")
    }

    /// All claims, the registered ones too, as the token says them.
    #[must_use]
    pub fn claims(&self) -> &Map<String, Value> {
        self.map
            .get_or_init(|| Arc::new(self.inner().payload.to_map()))
    }

    /// One claim, if it is there, by the name that routes use: see
    /// [`Issuer::map_claim`](crate::Issuer::map_claim).
    #[must_use]
    pub fn claim(&self, name: &str) -> Option<&Value> {
        self.inner().rules.names.find_value(self.claims(), name)
    }

    /// Who issued the token.
    #[must_use]
    pub fn iss(&self) -> &str {
        let inner = self.inner();
        inner
            .claims
            .issuer
            .as_deref()
            .unwrap_or(&inner.rules.issuer)
    }

    /// When the token was issued.
    #[must_use]
    pub fn iat(&self) -> OffsetDateTime {
        self.inner().claims.issued_at.to_date_time()
    }

    /// From when on the token is refused.
    #[must_use]
    pub fn exp(&self) -> OffsetDateTime {
        self.inner().claims.expires_at.to_date_time()
    }

    /// How long the token is valid in all: from `iat` to `exp`.
    #[must_use]
    pub fn max_age(&self) -> Duration {
        self.inner()
            .claims
            .expires_at
            .since(self.inner().claims.issued_at)
    }

    /// The algorithm of the key that verified the token, which is that of its header.
    #[must_use]
    pub fn alg(&self) -> AuthType {
        self.inner().key.auth_type
    }

    /// The header as the token says it.
    #[must_use]
    pub fn header(&self) -> Map<String, Value> {
        let segment = self.inner().signed.split('.').next().unwrap_or_default();
        Header::document(segment)
            .map(|header| header.to_map())
            .unwrap_or_default()
    }

    /// The session that the token belongs to: the claim `sid`, if there is one.
    #[must_use]
    pub fn session_id(&self) -> Option<&str> {
        self.claim("sid").and_then(Value::as_str)
    }

    /// When the subject proved who it is: the claim `auth_time` (OpenID Connect Core, section 2), if
    /// there is one.
    #[must_use]
    pub fn auth_time(&self) -> Option<OffsetDateTime> {
        self.authenticated_at().map(NumericDate::to_date_time)
    }

    /// The claims as a type of your own.
    ///
    /// # Errors
    ///
    /// When they do not fit the type.
    pub fn claims_as<C: DeserializeOwned>(&self) -> Result<C, serde_json::Error> {
        // Not from the text: how that is read depends on the features of serde_json that others turn on.
        C::deserialize(self.claims())
    }

    /// The registered claims, read.
    pub(super) fn registered(&self) -> &RegisteredClaims {
        &self.inner().claims
    }

    /// Whether a token that was verified before is valid now: its key and its issuer still count, and its
    /// times are right. `None` where one of them is gone, so that it has to be judged anew.
    pub(super) fn is_valid_at(&self, now: NumericDate) -> Option<Result<(), TokenError>> {
        let Inner {
            claims, key, rules, ..
        } = self.inner();
        (key.is_live(now) && rules.origin.is_live(now))
            .then(|| rules.check_time(claims.valid_from, claims.expires_at, now))
    }

    /// Whether a route means the issuer of this token by this text: its name, the text of the template or the
    /// pattern by which it is trusted, or the name that it was given.
    pub(crate) fn is_of(&self, wanted: &str) -> bool {
        let rules = &self.inner().rules;
        self.iss() == wanted || *rules.issuer == *wanted || rules.origin.is_called(wanted)
    }

    /// Whether a function has found its issuer, which counts for a while only.
    #[cfg(feature = "jwks")]
    pub(crate) fn is_of_resolved(&self) -> bool {
        self.inner().rules.origin.resolved.is_some()
    }

    pub(crate) fn last_answer(&self) -> &LastAnswer {
        &self.inner().last_answer
    }

    /// One claim as it was scanned, by the name that routes use.
    pub(crate) fn member(&self, name: &str) -> Option<Json<'_>> {
        self.inner().rules.names.find(self.payload(), name)
    }

    /// The claims as they were scanned.
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
