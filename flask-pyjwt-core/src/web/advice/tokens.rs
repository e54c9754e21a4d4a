//! Advice about a token that is refused, one sentence for each rule.

use std::borrow::Cow;

use super::super::known::{Known, Signer};
use crate::token::{TokenError, TokenType};

/// What to change so that the token is accepted.
pub(super) fn what_to_do(error: TokenError, known: Known<'_>) -> Cow<'static, str> {
    if let Some((own, trusted)) = by_signer(error, known) {
        return match known.signer() {
            Signer::Own => own.into(),
            Signer::Trusted => trusted.into(),
            Signer::Unknown => format!("{own}; for a token of a trusted issuer, {trusted}").into(),
        };
    }
    match error {
        TokenError::Form => {
            "send the token as it was minted, three parts with dots between them, without quotes"
        }
        TokenError::Encoding => {
            "send the token as it was minted, without padding, line breaks or other changes"
        }
        TokenError::Header | TokenError::Payload => {
            "send a token that a JWT library has minted, since this is no JWT"
        }
        TokenError::Critical => "mint the token without `crit`, `b64` and `zip` in its header",
        TokenError::DuplicateMember => "mint the token with a library that writes each claim once",
        TokenError::Issuer => return other_issuer(known),
        TokenError::IssuerClaim => return issuer_claim(known),
        TokenError::WrongType { expected } => return wrong_type(expected, known),
        TokenError::Bound => {
            "send it with `Authorization: DPoP <token>` and a proof in the field `DPoP`; outside a request nothing can \
             prove it, so it is refused there"
        }
        TokenError::UnknownBinding => {
            "have the issuer bind it with `jkt` or `x5t#S256` in `cnf`, and with nothing else"
        }
        TokenError::Revoked => {
            "log in again; if nobody has logged out, check that all processes share one session store, and that it \
             outlives a restart, as `MemoryStore` does not"
        }
        TokenError::Inactive => {
            "get a new one from the issuer; if it is new, check that the issuer knows this server's client as one that \
             may ask about the token"
        }
        TokenError::Replayed => {
            "log in again, and have the client keep the refresh token of the latest answer only"
        }
        TokenError::KeysUnavailable { .. } => {
            "check that this server reaches the address of the issuer's keys, or of its introspection endpoint; \
             `AuthManager::key_sources` and events before this one say what went wrong"
        }
        TokenError::Clock => "set this server's clock",
        _ => "correct how the issuer mints it",
    }
    .into()
}

/// What to change for a token of this server, and for one of a trusted issuer, if these differ.
fn by_signer(error: TokenError, known: Known<'_>) -> Option<(&'static str, &'static str)> {
    Some(match error {
        TokenError::TooLarge => (
            "mint fewer claims, or raise `Config::max_token_size`",
            "raise `Config::max_token_size`, or `Issuer::max_header_size` if the header is long",
        ),
        TokenError::Algorithm => (
            "set `JWT_AUTHTYPE` to the algorithm that the issuer signs with, or correct the issuer",
            "give the key with the algorithm that the issuer signs with, or add the algorithm to `Issuer::algorithms`",
        ),
        TokenError::Kind => (
            "send an access token, whose `typ` is `JWT` or `at+jwt`, and not an ID token or another kind",
            "send its access token and not its ID token; if its access tokens have another `typ` or none, use \
             `Issuer::types` or `Issuer::accept_untyped`",
        ),
        TokenError::UnknownKey => (
            unknown_key(known),
            "check that the key is in `Issuer::key`, in `Issuer::jwk_set` or in the set that `Issuer::jwks_url` or \
             `Issuer::discovery` fetches; after a rotation, get a new token",
        ),
        TokenError::Signature => (
            "give this server the `JWT_SECRET` or the `JWT_PUBLICKEY` of the issuer, or get a new token if the key \
             has changed since",
            "give the issuer's key with `Issuer::key`, or have its key set fetched with `Issuer::jwks_url`, or get a \
             new token if the key has changed since",
        ),
        TokenError::MissingClaim("aud") => (
            "have the issuer set the audience that `JWT_AUDIENCE` names",
            "have the provider set the audience that `Issuer::audience` names; `Issuer::any_audience` is only for \
             providers that set none",
        ),
        TokenError::MissingClaim("sub") => (
            "the issuer has to mint it, as `AuthManager` and Flask_PyJWT do",
            "have the issuer set it, or name another claim with `Issuer::map_claim`",
        ),
        TokenError::MissingClaim(_) => (
            "the issuer has to mint it, as `AuthManager` and Flask_PyJWT do",
            "the issuer has to set it",
        ),
        TokenError::MistypedClaim("sub") => (
            "mint a text that is not empty, or accept integers with `Config::integer_subjects`",
            "accept integers with `Config::integer_subjects`, or name another claim with `Issuer::map_claim`",
        ),
        TokenError::Expired => (
            "get a new one with the refresh token or by a login; `JWT_AUTHMAXAGE` says how long a token is valid",
            "get a new one from the issuer, whose settings say how long a token is valid",
        ),
        TokenError::NotYetValid => (
            "set the clocks of the issuer and of this server, or allow a difference with `JWT_LEEWAY`",
            "set this server's clock, or allow a difference with `Issuer::leeway`",
        ),
        TokenError::Lifetime => (
            "mint tokens of a shorter life, or raise `Config::max_lifetime`",
            "have the issuer mint tokens of a shorter life, or raise `Issuer::max_lifetime`",
        ),
        TokenError::Audience => (
            "set `JWT_AUDIENCE` to the `aud` that the issuer mints; where it is not set, tokens with `aud` are refused",
            "have the provider mint the token for the audience that `Issuer::audience` names, or add the `aud` of this \
             server's tokens with `Issuer::audience`",
        ),
        _ => return None,
    })
}

fn unknown_key(known: Known<'_>) -> &'static str {
    if known
        .manager
        .is_some_and(|it| it.parts().directory.is_some())
    {
        "add the key's file to the directory that `JWT_KEYS_DIR` or `Config::keys_dir` names, or mint with a key that \
         is there; after a rotation, an earlier key has to stay until its tokens have expired"
    } else {
        "add the key to this server with `Config::verification_key`, or mint with a key that it has; after a rotation, \
         an earlier key has to stay until its tokens have expired"
    }
}

fn issuer_claim(known: Known<'_>) -> Cow<'static, str> {
    match known.unmet_claim() {
        Some(claim) => format!(
            "have the issuer set the claim `{claim}`, or correct what `Issuer::require_claim`, \
             `Issuer::require_any_claim` or `Issuer::claim_from_issuer` requires of it"
        )
        .into(),
        None => "see which claim `Issuer::require_claim` names, and have the issuer set it".into(),
    }
}

fn other_issuer(known: Known<'_>) -> Cow<'static, str> {
    let names = known.asked.map(|asked| &asked.requirement.issuers);
    match names {
        Some(names) if !names.is_empty() => format!(
            "the route accepts only tokens of `{}`: send one of theirs, or add the issuer to the route's `issuer`",
            names.join("`, `")
        )
        .into(),
        _ if known.manager.is_some_and(|it| it.issuer().is_empty()) => {
            "send a token of a trusted issuer, or trust its issuer with `Config::for_issuers`; the `iss` has to be \
             equal to the name in `Issuer::new`, also in a slash at its end"
                .into()
        }
        _ => "set `JWT_ISSUER` to the `iss` that the issuer mints, or trust another issuer with `Config::trust`".into(),
    }
}

fn wrong_type(expected: TokenType, known: Known<'_>) -> Cow<'static, str> {
    match expected {
        TokenType::Refresh if known.token.is_some() && known.asked.is_none() => {
            "write `#[require_token(\"refresh\")]` on the route that refreshes, and send the refresh token to it"
        }
        TokenType::Refresh => {
            "send the refresh token and not the auth token, or write `#[require_token]` on a route for auth tokens"
        }
        // The token of a trusted issuer calls itself a refresh token or an ID token.
        TokenType::Auth if known.token.is_none() && known.signer() == Signer::Trusted => {
            "send the issuer's access token, and not its refresh token, ID token or logout token"
        }
        TokenType::Auth => {
            "send the auth token and not the refresh token, or write `#[require_token(\"refresh\")]` on a route for \
             refresh tokens"
        }
    }
    .into()
}
