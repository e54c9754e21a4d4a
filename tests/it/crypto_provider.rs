//! Crypto providers that a configuration sets: which keys they get, and what is refused.

mod default_provider;
mod everywhere;
mod faults;
mod hsm;
mod kept;
mod own;

use flask_pyjwt::{
    AuthManager, AuthType, ConfigError, TokenError,
    jsonwebtoken::{self, Algorithm, DecodingKey, EncodingKey},
};
use support::{config, keys};

/// The algorithms that `jsonwebtoken` supports.
fn algorithms() -> impl Iterator<Item = (AuthType, Algorithm)> {
    let all = AuthType::ALL.into_iter();
    all.filter_map(|auth_type| Some((auth_type, auth_type.try_into().ok()?)))
}

/// The key of the tests as `jsonwebtoken` reads it.
fn encoding_key(auth_type: AuthType) -> EncodingKey {
    let secret = keys::secret(auth_type);
    let key = match Algorithm::try_from(auth_type).map(Algorithm::family) {
        Ok(jsonwebtoken::AlgorithmFamily::Hmac) => return EncodingKey::from_secret(&secret),
        Ok(jsonwebtoken::AlgorithmFamily::Rsa) => EncodingKey::from_rsa_pem(&secret),
        Ok(jsonwebtoken::AlgorithmFamily::Ed) => EncodingKey::from_ed_pem(&secret),
        _ => EncodingKey::from_ec_pem(&secret),
    };
    key.expect("a valid key")
}

fn decoding_key(auth_type: AuthType) -> DecodingKey {
    let Some(public) = keys::public(auth_type) else {
        return DecodingKey::from_secret(&keys::secret(auth_type));
    };
    let public = public.as_bytes();
    let key = match Algorithm::try_from(auth_type).map(Algorithm::family) {
        Ok(jsonwebtoken::AlgorithmFamily::Rsa) => DecodingKey::from_rsa_pem(public),
        Ok(jsonwebtoken::AlgorithmFamily::Ed) => DecodingKey::from_ed_pem(public),
        _ => DecodingKey::from_ec_pem(public),
    };
    key.expect("a valid key")
}

/// The token with another signature, of the same length.
fn forged(token: &str) -> String {
    let (message, signature) = token.rsplit_once('.').expect("three segments");
    let (first, rest) = signature.split_at(1);
    let first = if first == "B" { "C" } else { "B" };
    format!("{message}.{first}{rest}")
}

#[track_caller]
fn accepts_its_tokens_only(auth: &AuthManager, token: &str) {
    assert!(auth.verify_token(token).is_ok());
    let answer = auth.verify_token(&forged(token)).map(drop);
    assert!(matches!(answer, Err(TokenError::Signature)), "{answer:?}");
}

/// The reason why no manager is made.
fn reason(made: Result<AuthManager, ConfigError>) -> String {
    made.expect_err("it is refused").to_string()
}

fn own(auth_type: AuthType) -> AuthManager {
    support::manager(config(auth_type, keys::secret(auth_type)))
}
