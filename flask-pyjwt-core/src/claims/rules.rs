//! The rules for a payload whose signature was verified (`docs/design.md`, section 5).

use std::{borrow::Cow, ops::Range, sync::Arc};

use time::Duration;

use super::{Binding, ClaimNames, Origin, Required, check_access_token};
use crate::{
    jose::{NumericDate, TokenError, TokenType},
    json::{Document, Json, Kind},
};

/// What the claims of a token must satisfy on every route.
#[derive(Debug, Clone)]
pub(crate) struct ClaimRules {
    /// The name of the issuer, or the text of its template.
    pub(crate) issuer: Arc<str>,
    pub(crate) origin: Origin,
    pub(crate) audience: Audience,
    /// How far the clocks of issuer and verifier may differ, in seconds.
    pub(crate) leeway: i64,
    pub(crate) max_lifetime: Option<Duration>,
    pub(crate) integer_subjects: bool,
    /// The type of all tokens of this issuer. `None` if the claim `type` says it.
    pub(crate) token_type: Option<TokenType>,
    pub(crate) names: ClaimNames,
    /// Further claims that every token must have.
    pub(crate) required: Required,
    /// Whether every token must have the claims of RFC 9068.
    pub(crate) has_profile: bool,
}

/// The audiences that are accepted.
#[derive(Debug, Clone)]
pub(crate) enum Audience {
    /// No audience is configured. A token with `aud` is for another service.
    None,
    /// `aud` must contain one of these.
    OneOf(Vec<String>),
    /// `aud` is ignored.
    Any,
}

impl Audience {
    pub(crate) fn one(audience: String) -> Self {
        Self::OneOf(vec![audience])
    }

    /// The audience of tokens that this server mints.
    pub(crate) fn minted(&self) -> Option<&str> {
        match self {
            Self::OneOf(audiences) => audiences.first().map(String::as_str),
            Self::None | Self::Any => None,
        }
    }
}

/// The registered claims of an accepted token.
#[derive(Debug, Clone)]
pub(crate) struct RegisteredClaims {
    pub(crate) token_type: TokenType,
    /// The issuer, if the rules apply to several.
    pub(crate) issuer: Option<Box<str>>,
    pub(crate) subject: Subject,
    pub(crate) issued_at: NumericDate,
    pub(crate) expires_at: NumericDate,
    /// The later of `iat` and `nbf`.
    pub(crate) valid_from: NumericDate,
    /// What the client has to prove: the claim `cnf`. Few tokens have it.
    pub(crate) binding: Option<Box<Binding>>,
}

/// Where the text of a subject is stored.
#[derive(Debug, Clone)]
pub(crate) enum Subject {
    /// In the payload, at these bytes.
    InPayload(Range<usize>),
    /// Separately, because it is an integer or written with escapes.
    Own(String),
}

impl ClaimRules {
    /// Checks a payload at this moment.
    pub(crate) fn check(
        &self,
        payload: &Document,
        now: NumericDate,
    ) -> Result<RegisteredClaims, TokenError> {
        let mut found = Found::in_object(payload.root());
        if self.names.has("sub") {
            found.subject = self.names.find(payload.root(), "sub");
        }
        if self.names.has("aud") {
            found.audience = self.names.find(payload.root(), "aud");
        }
        let issued_at = found.issued_at.required("iat", NumericDate::from_json)?;
        let expires_at = found.expires_at.required("exp", NumericDate::from_json)?;
        let not_before = found.not_before.optional("nbf", NumericDate::from_json)?;

        let valid_from = not_before.map_or(issued_at, |not_before| issued_at.max(not_before));
        self.check_time(valid_from, expires_at, now)?;
        if self
            .max_lifetime
            .is_some_and(|limit| expires_at.since(issued_at) > limit)
        {
            return Err(TokenError::Lifetime);
        }

        let issuer = found.issuer.required("iss", Json::as_str)?;
        self.origin.check_name(&self.issuer, &issuer)?;
        self.check_audience(found.audience)?;
        let subject = found
            .subject
            .required("sub", |subject| self.subject(subject))?;
        let read_type = |token_type: Json<'_>| {
            [TokenType::Auth, TokenType::Refresh]
                .into_iter()
                .find(|known| token_type.is_str(known.name()))
        };
        let token_type = match self.token_type {
            Some(token_type) => token_type,
            None => found.token_type.required("type", read_type)?,
        };
        let binding = found.confirmation.map(Binding::of).transpose()?;
        if self.has_profile {
            check_access_token(payload.root())?;
        }
        let template = self.origin.template.as_deref();
        if self.unmet_claim(payload.root(), &issuer).is_some() {
            return Err(TokenError::IssuerClaim);
        }
        if let Some(expected @ TokenType::Auth) = self.token_type
            && found.is_not_for_access(&self.required)
        {
            return Err(TokenError::WrongType { expected });
        }
        Ok(RegisteredClaims {
            token_type,
            issuer: template.map(|_| issuer.into()),
            subject,
            issued_at,
            expires_at,
            valid_from,
            binding: binding.map(Box::new),
        })
    }

    /// Returns the name of the first claim that is not what is required of this issuer's tokens.
    pub(crate) fn unmet_claim(&self, payload: Json<'_>, issuer: &str) -> Option<&str> {
        let template = self.origin.template.as_deref();
        let unlike = || template?.unlike_in(payload, issuer, &self.names);
        self.required.unmet_by(payload, &self.names).or_else(unlike)
    }

    /// Checks that `now` is between the two moments, within the leeway.
    pub(crate) fn check_time(
        &self,
        valid_from: NumericDate,
        expires_at: NumericDate,
        now: NumericDate,
    ) -> Result<(), TokenError> {
        if expires_at.plus(self.leeway) <= now {
            Err(TokenError::Expired)
        } else if valid_from > now.plus(self.leeway) {
            Err(TokenError::NotYetValid)
        } else {
            Ok(())
        }
    }

    fn check_audience(&self, audience: Option<Json<'_>>) -> Result<(), TokenError> {
        let wanted = match (&self.audience, audience) {
            (Audience::Any, _) | (Audience::None, None) => return Ok(()),
            (Audience::None, Some(_)) => return Err(TokenError::Audience),
            (Audience::OneOf(wanted), _) => wanted,
        };
        let is_wanted = |named: Json<'_>| wanted.iter().any(|wanted| named.is_str(wanted));
        let audience = audience.ok_or(TokenError::MissingClaim("aud"))?;
        let is_text = |value: Json<'_>| matches!(value.kind(), Kind::String | Kind::EscapedString);
        let named = match audience.kind() {
            Kind::Array if audience.items().all(is_text) => audience.items().any(is_wanted),
            Kind::String | Kind::EscapedString => is_wanted(audience),
            _ => return Err(TokenError::MistypedClaim("aud")),
        };
        if named {
            Ok(())
        } else {
            Err(TokenError::Audience)
        }
    }

    /// Reads a subject: a non-empty string without control characters, or an integer if the
    /// configuration allows it.
    fn subject(&self, subject: Json<'_>) -> Option<Subject> {
        if subject.kind() == Kind::Integer && self.integer_subjects {
            return subject
                .as_number()
                .map(|number| Subject::Own(number.to_string()));
        }
        let text = subject.as_str()?;
        if text.is_empty() || text.contains(char::is_control) {
            return None;
        }
        Some(match text {
            Cow::Borrowed(_) => Subject::InPayload(subject.range()),
            Cow::Owned(text) => Subject::Own(text),
        })
    }
}

/// The registered claims of a payload, found in one pass over its members.
#[derive(Default)]
struct Found<'a> {
    issuer: Option<Json<'a>>,
    subject: Option<Json<'a>>,
    audience: Option<Json<'a>>,
    expires_at: Option<Json<'a>>,
    not_before: Option<Json<'a>>,
    issued_at: Option<Json<'a>>,
    token_type: Option<Json<'a>>,
    /// The claims in which other issuers state the type of a token: `token_type` (simplejwt), `typ`
    /// (Keycloak) and `token_use` (Cognito).
    foreign_types: [Option<Json<'a>>; 3],
    confirmation: Option<Json<'a>>,
}

/// How other issuers name tokens that are not access tokens, in lower case and without punctuation.
/// In the claim `type`, which may mean something else, only the first two count.
const NOT_FOR_ACCESS: [&str; 7] = [
    "refresh",
    "refreshtoken",
    "offline",
    "id",
    "idtoken",
    "logout",
    "logouttoken",
];

/// Whether the claims say that the token is a refresh token.
#[cfg(feature = "jwks")]
pub(super) fn names_refresh_token(claims: Json<'_>) -> bool {
    let mut names = FOREIGN_TYPES.iter();
    names.any(|name| {
        let text = claims.member(name).and_then(Json::as_str);
        text.is_some_and(|text| is_any_of(&text, &NOT_FOR_ACCESS[..3]))
    })
}

/// Longer texts, in bytes, are not compared with the names.
const LONGEST_KIND: usize = 32;

/// Whether a text equals one of the names, ignoring case and punctuation: `refresh_token`,
/// `RefreshToken`.
fn is_any_of(text: &str, names: &[&str]) -> bool {
    let letters = || text.bytes().filter(u8::is_ascii_alphanumeric);
    let is = |name: &&str| letters().map(|it| it.to_ascii_lowercase()).eq(name.bytes());
    text.len() <= LONGEST_KIND && names.iter().any(is)
}

/// The length of the longest claim name in question: `token_type`.
const LONGEST_NAME: usize = 10;

/// The names of [`Found::foreign_types`].
const FOREIGN_TYPES: [&str; 3] = ["token_type", "typ", "token_use"];

impl<'a> Found<'a> {
    /// Whether a token of another issuer states that it is a refresh, ID or logout token. Any other
    /// value is accepted, and so is a value that the configuration requires.
    fn is_not_for_access(&self, required: &Required) -> bool {
        let says = |claim: Option<Json<'_>>, names: &[&str]| {
            let text = claim.and_then(Json::as_str);
            text.is_some_and(|text| is_any_of(&text, names))
        };
        let mut foreign = self.foreign_types.iter().zip(FOREIGN_TYPES);
        says(self.token_type, &NOT_FOR_ACCESS[..2])
            || foreign
                .any(|(claim, name)| says(*claim, &NOT_FOR_ACCESS) && !required.has_value_of(name))
    }

    fn in_object(payload: Json<'a>) -> Self {
        let mut found = Self::default();
        let mut buffer = [0; LONGEST_NAME];
        for (name, value) in payload.named() {
            let name = name.as_short(&mut buffer);
            if !(3..=LONGEST_NAME).contains(&name.len()) {
                continue;
            }
            let place = match name {
                b"iss" => &mut found.issuer,
                b"sub" => &mut found.subject,
                b"aud" => &mut found.audience,
                b"exp" => &mut found.expires_at,
                b"nbf" => &mut found.not_before,
                b"iat" => &mut found.issued_at,
                b"type" => &mut found.token_type,
                b"token_type" => &mut found.foreign_types[0],
                b"typ" => &mut found.foreign_types[1],
                b"token_use" => &mut found.foreign_types[2],
                b"cnf" => &mut found.confirmation,
                _ => continue,
            };
            *place = Some(value);
        }
        found
    }
}

/// Reads an optional or required claim.
trait Claim<'a> {
    fn optional<T>(
        self,
        name: &'static str,
        read: impl FnOnce(Json<'a>) -> Option<T>,
    ) -> Result<Option<T>, TokenError>;

    fn required<T>(
        self,
        name: &'static str,
        read: impl FnOnce(Json<'a>) -> Option<T>,
    ) -> Result<T, TokenError>;
}

impl<'a> Claim<'a> for Option<Json<'a>> {
    fn optional<T>(
        self,
        name: &'static str,
        read: impl FnOnce(Json<'a>) -> Option<T>,
    ) -> Result<Option<T>, TokenError> {
        self.map(|value| read(value).ok_or(TokenError::MistypedClaim(name)))
            .transpose()
    }

    fn required<T>(
        self,
        name: &'static str,
        read: impl FnOnce(Json<'a>) -> Option<T>,
    ) -> Result<T, TokenError> {
        self.optional(name, read)?
            .ok_or(TokenError::MissingClaim(name))
    }
}
