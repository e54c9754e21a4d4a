//! Advice about a token that is refused, one sentence for each rule.

use std::borrow::Cow;

use super::super::known::Known;
use crate::token::{TokenError, TokenType};

/// What to change so that the token is accepted.
pub(super) fn what_to_do(error: TokenError, known: Known<'_>) -> Cow<'static, str> {
    match error {
        TokenError::TooLarge => {
            "mint fewer claims, or raise `Config::max_token_size`"
        }
        TokenError::Form => {
            "send the token as it was minted, three parts with dots between them, without quotes"
        }
        TokenError::Encoding => {
            "send the token as it was minted, without padding, line breaks or other changes"
        }
        TokenError::Header | TokenError::Payload => {
            "send a token that a JWT library has minted, since this is no JWT"
        }
        TokenError::Algorithm => {
            "set `JWT_AUTHTYPE` to the algorithm that the issuer signs with, or correct the issuer"
        }
        TokenError::Kind => {
            "send an access token, whose `typ` is `JWT` or `at+jwt`, and not an ID token or another kind"
        }
        TokenError::Critical => {
            "mint the token without `crit`, `b64` and `zip` in its header"
        }
        TokenError::UnknownKey => {
            "add the key to this server with `Config::verification_key`, or mint with a key that it has; after a \
             rotation, an earlier key has to stay until its tokens have expired"
        }
        TokenError::Signature => {
            "give this server the `JWT_SECRET` or the `JWT_PUBLICKEY` of the issuer, or get a new token if the key \
             has changed since"
        }
        TokenError::DuplicateMember => {
            "mint the token with a library that writes each claim once"
        }
        TokenError::MissingClaim(_) => {
            "the issuer has to mint it, as `AuthManager` and Flask_PyJWT do; for another issuer, see the options of \
             `Issuer`"
        }
        TokenError::MistypedClaim("sub") => {
            "mint a text that is not empty, or accept integers with `Config::integer_subjects`"
        }
        TokenError::MistypedClaim(_) => "correct how the issuer mints it",
        TokenError::Expired => {
            "get a new one with the refresh token or by a login; `JWT_AUTHMAXAGE` says how long a token is valid"
        }
        TokenError::NotYetValid => {
            "set the clocks of the issuer and of this server, or allow a difference with `JWT_LEEWAY`"
        }
        TokenError::Lifetime => {
            "mint tokens of a shorter life, or raise `Config::max_lifetime`"
        }
        TokenError::Issuer => return other_issuer(known),
        TokenError::IssuerClaim => {
            "see which claim `Issuer::require_claim` names, and have the issuer set it"
        }
        TokenError::Audience => {
            "set `JWT_AUDIENCE` to the `aud` that the issuer mints; where it is not set, tokens with `aud` are refused"
        }
        TokenError::WrongType { expected } => return wrong_type(expected),
        TokenError::Bound => {
            "have the issuer mint tokens without `cnf`, since proofs of possession are not supported"
        }
        TokenError::Revoked => {
            "log in again; if nobody has logged out, check that all processes share one session store, and that it \
             outlives a restart, as `MemoryStore` does not"
        }
        TokenError::Replayed => {
            "log in again, and have the client keep the refresh token of the latest answer only"
        }
        TokenError::KeysUnavailable { .. } => {
            "check that this server reaches the address of the issuer's keys; `AuthManager::key_sources` says what \
             went wrong"
        }
        TokenError::Clock => "set this server's clock",
    }
    .into()
}

fn other_issuer(known: Known<'_>) -> Cow<'static, str> {
    let names = known.asked.map(|asked| &asked.requirement.issuers);
    match names {
        Some(names) if !names.is_empty() => format!(
            "the route accepts only tokens of `{}`: send one of theirs, or add the issuer to the route's `issuer`",
            names.join("`, `")
        )
        .into(),
        _ => "set `JWT_ISSUER` to the `iss` that the issuer mints, or trust another issuer with `Config::trust`".into(),
    }
}

fn wrong_type(expected: TokenType) -> Cow<'static, str> {
    let (other, attribute) = match expected {
        TokenType::Auth => (TokenType::Refresh, "#[require_token(\"refresh\")]"),
        TokenType::Refresh => (TokenType::Auth, "#[require_token]"),
    };
    format!(
        "send the {expected} token and not the {other} token, or write `{attribute}` on a route for {other} tokens"
    )
    .into()
}
