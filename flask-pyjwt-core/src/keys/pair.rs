//! Judges secrets and key pairs: what cannot work is found before it is used.

use super::{AuthType, KeyProblem, Material, Secret, Signer, Verifier, looks_like_a_public_secret};
use crate::error::ConfigError;

/// What errors call the two parts of a key.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub(super) secret: &'static str,
    pub(super) public: &'static str,
}

/// Judges an HMAC secret.
pub(super) fn hmac(
    auth_type: AuthType,
    secret: Option<&Secret>,
    allow_weak: bool,
    names: Names,
) -> Result<(Signer, Verifier), ConfigError> {
    let secret = secret
        .ok_or(ConfigError::Missing { key: names.secret })?
        .as_bytes();
    let invalid = |reason: String| ConfigError::invalid(names.secret, reason);
    let least = auth_type.least_secret();
    if secret.is_empty() {
        return Err(invalid("is empty".to_owned()));
    }
    if looks_like_a_public_secret(secret) {
        return Err(invalid(format!(
            "is a key in PEM, SSH, JWK or DER form, and {auth_type} takes a random secret: whoever has \
             the public key could sign. Set `JWT_AUTHTYPE` to the key's algorithm, or make a secret"
        )));
    }
    if secret.len() < least {
        let length = secret.len();
        if !allow_weak {
            return Err(invalid(format!(
                "has {length} bytes, and {auth_type} needs {least} or more (RFC 7518, section 3.2): \
                 make a new one, for instance with `openssl rand -hex {least}`, or allow this one \
                 with `JWT_ALLOW_WEAK_SECRET=true`"
            )));
        }
        tracing::warn!(
            "`JWT_SECRET` has {length} bytes, and {auth_type} needs {least}: it can be guessed from \
             any token"
        );
    }
    Ok((
        Signer::hmac(auth_type, secret),
        Verifier::hmac(auth_type, secret),
    ))
}

/// Signs and verifies once: a pair that does not belong together is found here, and not when
/// the first user is refused.
pub(super) fn asymmetric(
    auth_type: AuthType,
    private: Option<&Secret>,
    public: Option<&Secret>,
    names: Names,
) -> Result<(Option<Signer>, Verifier), ConfigError> {
    const PROOF: &[u8] = b"the keys belong together";
    let unusable = |key| {
        move |problem: KeyProblem| {
            ConfigError::invalid(key, format!("{problem} ({auth_type} is configured)"))
        }
    };
    let signer = private
        .map(|text| Signer::private(auth_type, &Material::private(text.as_bytes())?))
        .transpose()
        .map_err(unusable(names.secret))?;
    let verifier = public
        .map(|text| Verifier::public(auth_type, &Material::public(text.as_bytes())?))
        .transpose()
        .map_err(unusable(names.public))?;
    let (verifier, key) = match (&signer, verifier) {
        (_, Some(verifier)) => (verifier, names.public),
        (Some(signer), None) => (
            signer.verifier(auth_type).map_err(unusable(names.secret))?,
            names.secret,
        ),
        (None, None) => return Err(ConfigError::Missing { key: names.secret }),
    };
    if let Some(signer) = &signer {
        let signature = signer
            .sign(PROOF)
            .ok_or_else(|| unusable(names.secret)(KeyProblem::Unfit))?;
        if !verifier.verify(PROOF, &signature) {
            let reason = "does not belong to the private key in `JWT_SECRET`: derive it with \
                          `openssl pkey -pubout`, or leave it out";
            return Err(ConfigError::invalid(key, reason));
        }
    }
    Ok((signer, verifier))
}
