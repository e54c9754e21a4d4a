use time::Duration;

use super::*;
use crate::{error::MintError, jose::TokenType, possession::ProofError};

/// Every refusal once, and of those of a token one with each description.
pub(in super::super) fn all() -> Vec<Rejection> {
    let text = || "x".to_owned();
    vec![
        Rejection::MissingCredentials,
        Rejection::MalformedCredentials,
        Rejection::SeveralAuthorizations,
        Rejection::SeveralCookies,
        Rejection::SeveralParameters,
        Rejection::SeveralProtocols,
        Rejection::SeveralPlaces,
        Rejection::InvalidToken(TokenError::Signature),
        Rejection::InvalidToken(TokenError::Expired),
        Rejection::InvalidToken(TokenError::NotYetValid),
        Rejection::InvalidToken(TokenError::WrongType {
            expected: TokenType::Auth,
        }),
        Rejection::LoginTooOld {
            max_age: 60,
            acr_values: String::new(),
        },
        Rejection::InvalidProof(ProofError::Replayed),
        Rejection::NonceRequired { nonce: text() },
        Rejection::NotBound,
        Rejection::NoCertificate,
        Rejection::OtherCertificate,
        Rejection::AcrNotMet {
            acr_values: text(),
            max_age: None,
        },
        Rejection::UserNotFound,
        Rejection::ClaimNotMet { name: text() },
        Rejection::ScopeNotMet,
        Rejection::MissingScope { scope: text() },
        Rejection::ClaimsDoNotFit,
        Rejection::CrossSite,
        Rejection::CsrfProofMissing,
        Rejection::CsrfProofNotFirst,
        Rejection::CsrfProofWrong,
        Rejection::NotRevocable,
        Rejection::Unavailable {
            retry_after: Duration::ZERO,
        },
        Misconfiguration::NoSessionStore.into(),
        Misconfiguration::CookieTooLarge {
            name: text(),
            size: 5_000,
        }
        .into(),
        Misconfiguration::NoCsrfSecret.into(),
        Misconfiguration::NotMinted(MintError::Randomness).into(),
        Misconfiguration::MissingManager.into(),
        Misconfiguration::SeveralManagers.into(),
        Misconfiguration::Unguarded.into(),
        Misconfiguration::NoUserLoader { user: "User" }.into(),
        Misconfiguration::RouteMistake(text()).into(),
    ]
}

/// What clients, logs and metrics rely on: status, error, reason, challenge, description.
const TABLE: &str = r#"
401 | unauthorized | missing_credentials | Bearer realm="r" | Credentials are required
401 | invalid_token | malformed_credentials | Bearer realm="r", error="invalid_token" | The credentials are malformed
400 | invalid_request | several_authorizations | Bearer realm="r", error="invalid_request" | Credentials are given more than once
400 | invalid_request | several_cookies | Bearer realm="r", error="invalid_request" | Credentials are given more than once
400 | invalid_request | several_parameters | Bearer realm="r", error="invalid_request" | Credentials are given more than once
400 | invalid_request | several_protocols | Bearer realm="r", error="invalid_request" | Credentials are given more than once
400 | invalid_request | several_places | Bearer realm="r", error="invalid_request" | Credentials are given more than once
401 | invalid_token | token_signature | Bearer realm="r", error="invalid_token" | The token is not valid
401 | invalid_token | token_expired | Bearer realm="r", error="invalid_token" | The token has expired
401 | invalid_token | token_not_yet_valid | Bearer realm="r", error="invalid_token" | The token is not valid yet
401 | invalid_token | token_wrong_type | Bearer realm="r", error="invalid_token" | A token of another type is required
401 | insufficient_user_authentication | login_too_old | Bearer realm="r", error="insufficient_user_authentication" | A more recent login is required
401 | invalid_dpop_proof | dpop_replayed | DPoP realm="r", error="invalid_dpop_proof" | The DPoP proof is not valid
401 | use_dpop_nonce | dpop_nonce | DPoP realm="r", error="use_dpop_nonce" | A nonce is required in the DPoP proof
401 | invalid_token | token_not_bound | DPoP realm="r", error="invalid_token" | A token that is bound to the client is required
401 | invalid_token | certificate_missing | Bearer realm="r", error="invalid_token" | The token is not valid
401 | invalid_token | certificate_of_another | Bearer realm="r", error="invalid_token" | The token is not valid
401 | insufficient_user_authentication | acr_not_met | Bearer realm="r", error="insufficient_user_authentication" | A different authentication level is required
401 | invalid_token | user_not_found | Bearer realm="r", error="invalid_token" | The token is not valid
403 | insufficient_scope | claim_not_met | Bearer realm="r", error="insufficient_scope" | The token does not allow this
403 | insufficient_scope | scope_not_met | Bearer realm="r", error="insufficient_scope" | The token does not allow this
403 | insufficient_scope | scope_not_met | Bearer realm="r", error="insufficient_scope" | The token does not allow this
403 | insufficient_scope | claims_do_not_fit | Bearer realm="r", error="insufficient_scope" | The token does not allow this
403 | csrf_failed | cross_site | - | The request comes from another site
403 | csrf_failed | csrf_proof_missing | - | A CSRF proof is required
403 | csrf_failed | csrf_proof_not_first | - | A CSRF proof is required
403 | csrf_failed | csrf_proof_wrong | - | A CSRF proof is required
400 | invalid_request | not_revocable | Bearer realm="r", error="invalid_request" | The token cannot be revoked
503 | temporarily_unavailable | unavailable | - | The token cannot be checked at the moment
500 | server_error | no_session_store | - | The server is misconfigured
500 | server_error | cookie_too_large | - | The server is misconfigured
500 | server_error | no_csrf_secret | - | The server is misconfigured
500 | server_error | not_minted | - | The server is misconfigured
500 | server_error | missing_manager | - | The server is misconfigured
500 | server_error | several_managers | - | The server is misconfigured
500 | server_error | unguarded | - | The server is misconfigured
500 | server_error | no_user_loader | - | The server is misconfigured
500 | server_error | route_mistake | - | The server is misconfigured
"#;

fn algorithms(rejection: &Rejection) -> Option<String> {
    rejection.asks_for_proof().then(|| "ES256 EdDSA".to_owned())
}

#[test]
fn the_table_of_refusals_is_what_clients_and_metrics_rely_on() {
    let mut table = String::from("\n");
    for rejection in all() {
        let challenge = rejection.challenge(Some("r"), algorithms(&rejection));
        let challenge = challenge.as_deref().map_or("-", |challenge| {
            let error = challenge.split(", error_description").next();
            error.unwrap_or_default()
        });
        let (status, error) = (rejection.status().as_u16(), rejection.oauth_error());
        let (reason, description) = (rejection.reason(), rejection.description());
        let row = format!("{status} | {error} | {reason} | {challenge} | {description}\n");
        table.push_str(&row);
    }
    assert_eq!(table, TABLE, "\n{table}");
}

#[test]
fn what_a_challenge_asks_for_is_a_parameter_of_its_own() {
    for (rejection, expected) in [
        (
            Rejection::LoginTooOld {
                max_age: 60,
                acr_values: String::new(),
            },
            r#" is required", max_age="60""#,
        ),
        (
            Rejection::LoginTooOld {
                max_age: 60,
                acr_values: "a b".to_owned(),
            },
            r#" is required", acr_values="a b", max_age="60""#,
        ),
        (
            Rejection::AcrNotMet {
                acr_values: "a b".to_owned(),
                max_age: None,
            },
            r#" is required", acr_values="a b""#,
        ),
        (
            Rejection::AcrNotMet {
                acr_values: "a".to_owned(),
                max_age: Some(0),
            },
            r#" is required", acr_values="a", max_age="0""#,
        ),
        (
            Rejection::MissingScope {
                scope: "read \"x\"".to_owned(),
            },
            r#", scope="read \"x\"""#,
        ),
    ] {
        let challenge = rejection.challenge(None, None).expect("a challenge");
        assert!(challenge.starts_with("Bearer error="), "{challenge}");
        assert!(challenge.ends_with(expected), "{challenge}");
    }
}

#[test]
fn threat_32_a_realm_cannot_break_out_of_its_quotes() {
    for (issuer, expected) in [
        ("https://example.com", "https://example.com"),
        (r#"a"b\c"#, r#"a\"b\\c"#),
        ("a\r\nSet-Cookie: x", "a??Set-Cookie: x"),
        ("é\u{0}\u{7f}", "???"),
    ] {
        assert_eq!(quoted(issuer), expected);
    }
}
