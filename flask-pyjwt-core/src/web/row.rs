//! The table of refusals: for each one what the client, the log and metrics get.

use std::fmt::Write as _;

use actix_web::http::StatusCode;

use super::{Misconfiguration, Rejection};
use crate::token::TokenError;

/// What one kind of refusal always has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) status: StatusCode,
    /// The member `error` of the body, and of the challenge where there is one.
    pub(super) oauth_error: &'static str,
    /// The explanation for the client: one of a closed list of coarse sentences, in which nothing has to be escaped.
    pub(super) description: &'static str,
    /// The reason in logs, the label in metrics.
    pub(super) reason: &'static str,
    challenge: Challenge,
}

/// What the field `WWW-Authenticate` of an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Challenge {
    /// There is no field, since another token would not help.
    None,
    /// The realm alone.
    Realm,
    /// Realm, error and description.
    Error,
}

const UNAUTHORIZED: StatusCode = StatusCode::UNAUTHORIZED;
const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;
/// The descriptions of more than one row.
const SEVERAL: &str = "Credentials are given more than once";
const NOT_ALLOWED: &str = "The token does not allow this";
const INVALID: &str = "The token is not valid";
const UNBOUND: &str = "A token that is bound to the client is required";
const NO_PROOF: &str = "A CSRF proof is required";

impl Row {
    /// The row of a refusal. The closed lists of errors and descriptions are said here and nowhere else.
    #[rustfmt::skip] // a row a line
    pub(super) const fn of(rejection: &Rejection) -> Self {
        match rejection {
            Rejection::MissingCredentials => Self {
                challenge: Challenge::Realm,
                ..row(UNAUTHORIZED, "unauthorized", "Credentials are required", "missing_credentials")
            },
            Rejection::MalformedCredentials => row(UNAUTHORIZED, "invalid_token", "The credentials are malformed", "malformed_credentials"),
            Rejection::InvalidToken(error) => row(UNAUTHORIZED, "invalid_token", description(error), error.reason()),
            Rejection::UserNotFound => row(UNAUTHORIZED, "invalid_token", INVALID, "user_not_found"),
            Rejection::LoginTooOld { .. } => row(UNAUTHORIZED, "insufficient_user_authentication", "A more recent login is required", "login_too_old"),
            Rejection::InvalidProof(error) => row(UNAUTHORIZED, "invalid_dpop_proof", "The DPoP proof is not valid", error.reason()),
            Rejection::NonceRequired { .. } => row(UNAUTHORIZED, "use_dpop_nonce", "A nonce is required in the DPoP proof", "dpop_nonce"),
            Rejection::NotBound => row(UNAUTHORIZED, "invalid_token", UNBOUND, "token_not_bound"),
            Rejection::NoCertificate => row(UNAUTHORIZED, "invalid_token", INVALID, "certificate_missing"),
            Rejection::OtherCertificate => row(UNAUTHORIZED, "invalid_token", INVALID, "certificate_of_another"),
            Rejection::AcrNotMet { .. } => row(UNAUTHORIZED, "insufficient_user_authentication", "A different authentication level is required", "acr_not_met"),
            Rejection::SeveralAuthorizations => bad_request(SEVERAL, "several_authorizations"),
            Rejection::SeveralCookies => bad_request(SEVERAL, "several_cookies"),
            Rejection::SeveralParameters => bad_request(SEVERAL, "several_parameters"),
            Rejection::SeveralProtocols => bad_request(SEVERAL, "several_protocols"),
            Rejection::SeveralPlaces => bad_request(SEVERAL, "several_places"),
            Rejection::NotRevocable => bad_request("The token cannot be revoked", "not_revocable"),
            Rejection::ClaimNotMet { .. } => row(FORBIDDEN, "insufficient_scope", NOT_ALLOWED, "claim_not_met"),
            Rejection::ScopeNotMet | Rejection::MissingScope { .. } => row(FORBIDDEN, "insufficient_scope", NOT_ALLOWED, "scope_not_met"),
            Rejection::ClaimsDoNotFit => row(FORBIDDEN, "insufficient_scope", NOT_ALLOWED, "claims_do_not_fit"),
            Rejection::CrossSite => csrf("The request comes from another site", "cross_site"),
            Rejection::CsrfProofMissing => csrf(NO_PROOF, "csrf_proof_missing"),
            Rejection::CsrfProofNotFirst => csrf(NO_PROOF, "csrf_proof_not_first"),
            Rejection::CsrfProofWrong => csrf(NO_PROOF, "csrf_proof_wrong"),
            Rejection::Unavailable { .. } => Self {
                challenge: Challenge::None,
                ..row(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", "The token cannot be checked at the moment", "unavailable")
            },
            Rejection::Misconfigured(mistake) => Self {
                challenge: Challenge::None,
                ..row(StatusCode::INTERNAL_SERVER_ERROR, "server_error", "The server is misconfigured", reason(mistake))
            },
        }
    }
}

const fn row(
    status: StatusCode,
    oauth_error: &'static str,
    description: &'static str,
    reason: &'static str,
) -> Row {
    Row {
        status,
        oauth_error,
        description,
        reason,
        challenge: Challenge::Error,
    }
}

const fn bad_request(description: &'static str, reason: &'static str) -> Row {
    row(
        StatusCode::BAD_REQUEST,
        "invalid_request",
        description,
        reason,
    )
}

const fn csrf(description: &'static str, reason: &'static str) -> Row {
    Row {
        challenge: Challenge::None,
        ..row(FORBIDDEN, "csrf_failed", description, reason)
    }
}

/// What the client gets as the reason why a token is refused.
const fn description(error: &TokenError) -> &'static str {
    match error {
        TokenError::Expired => "The token has expired",
        TokenError::NotYetValid => "The token is not valid yet",
        TokenError::WrongType { .. } => "A token of another type is required",
        _ => INVALID,
    }
}

const fn reason(mistake: &Misconfiguration) -> &'static str {
    match mistake {
        Misconfiguration::NoSessionStore => "no_session_store",
        Misconfiguration::CookieTooLarge { .. } => "cookie_too_large",
        Misconfiguration::NoCsrfSecret => "no_csrf_secret",
        Misconfiguration::NotMinted(_) => "not_minted",
        Misconfiguration::MissingManager => "missing_manager",
        Misconfiguration::SeveralManagers => "several_managers",
        Misconfiguration::Unguarded => "unguarded",
        Misconfiguration::NoUserLoader { .. } => "no_user_loader",
        Misconfiguration::RouteMistake(_) => "route_mistake",
    }
}

impl Rejection {
    /// The answer's status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        Row::of(self).status
    }

    /// The error code that the client gets: the member `error` of the body, and of the challenge where there
    /// is one (RFC 6750, section 3.1; RFC 9470). Coarse, and one of a closed list.
    #[must_use]
    pub fn oauth_error(&self) -> &'static str {
        Row::of(self).oauth_error
    }

    /// The explanation that the client gets: one of a closed list of coarse sentences.
    #[must_use]
    pub fn description(&self) -> &'static str {
        Row::of(self).description
    }

    /// The exact reason for logs and metrics: a short name that never changes. The client never gets it.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        Row::of(self).reason
    }

    /// Whether the challenge is always of the scheme `DPoP`.
    pub(super) fn asks_for_proof(&self) -> bool {
        matches!(
            self,
            Self::InvalidProof(_)
                | Self::NonceRequired { .. }
                | Self::NotBound
                | Self::InvalidToken(TokenError::Bound)
        )
    }

    /// The challenge of an answer (RFC 6750, section 3; RFC 9449, section 7.1), if it has one. `algorithms` are those of
    /// DPoP proofs; without them the scheme is `Bearer`.
    pub(super) fn challenge(
        &self,
        realm: Option<&str>,
        algorithms: Option<String>,
    ) -> Option<String> {
        let row = Row::of(self);
        let mut parameters = Vec::new();
        if let Some(realm) = realm {
            parameters.push(("realm", quoted(realm)));
        }
        match row.challenge {
            Challenge::None => return None,
            Challenge::Realm => {}
            Challenge::Error => {
                parameters.push(("error", row.oauth_error.to_owned()));
                parameters.push(("error_description", row.description.to_owned()));
            }
        }
        match self {
            // RFC 9470, section 3
            Self::LoginTooOld {
                max_age,
                acr_values,
            } => {
                if !acr_values.is_empty() {
                    parameters.push(("acr_values", quoted(acr_values)));
                }
                parameters.push(("max_age", max_age.to_string()));
            }
            Self::AcrNotMet {
                max_age,
                acr_values,
            } => {
                parameters.push(("acr_values", quoted(acr_values)));
                parameters.extend(max_age.map(|max_age| ("max_age", max_age.to_string())));
            }
            Self::MissingScope { scope } => parameters.push(("scope", quoted(scope))),
            _ => {}
        }
        let mut challenge = match algorithms {
            None => "Bearer",
            Some(_) => "DPoP",
        }
        .to_owned();
        // An error that a handler returns knows none, and an empty list would say that none is accepted.
        if let Some(algorithms) = algorithms.filter(|algorithms| !algorithms.is_empty()) {
            parameters.push(("algs", algorithms));
        }
        for (number, (name, value)) in parameters.into_iter().enumerate() {
            let separator = if number == 0 { "" } else { "," };
            // Writing to a text never fails.
            let _ = write!(challenge, r#"{separator} {name}="{value}""#);
        }
        Some(challenge)
    }
}

/// The text of a quoted string (RFC 9110, section 5.6.4). What cannot stand there becomes `?`.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' => quoted.push(character),
            _ => quoted.push('?'),
        }
    }
    quoted
}

#[cfg(test)]
pub(super) mod tests;
