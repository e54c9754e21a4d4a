//! Checks secrets and key pairs, so that a key that cannot work is found when it is configured.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    AuthType, Crypto, KeyProblem, Material, PrivatePart, PublicKey, PublicPart, Signer, Verifier,
    backend, derived::DerivedKeys, looks_like_a_public_secret,
};
use crate::error::{ConfigError, MintError, Problem};

/// The names of a key's two parts in errors.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub(super) secret: &'static str,
    pub(super) public: &'static str,
}

/// Checks and prepares an HMAC secret.
pub(super) fn hmac(
    auth_type: AuthType,
    secret: Option<&PrivatePart>,
    allow_weak: bool,
    crypto: Crypto,
    names: Names,
) -> Result<Pair, ConfigError> {
    let secret = secret.ok_or(ConfigError::Missing { key: names.secret })?;
    let in_secret = unusable(auth_type, names.secret);
    let secret = secret.secret().map_err(&in_secret)?;
    check_secret(auth_type, secret, allow_weak)
        .map_err(|reason| ConfigError::invalid(names.secret, reason))?;
    let (signer, verifier) = crypto.hmac(auth_type, secret).map_err(&in_secret)?;
    if crypto.is_provided() {
        let reference = backend::Verifier::hmac(auth_type, secret);
        let signature = test_signature(&signer, auth_type, names.secret)?;
        if !reference.verify(TEST_MESSAGE, &signature) || !verifies(&verifier, &signature) {
            return Err(in_secret(KeyProblem::ProviderErrs));
        }
    }
    Ok(Pair {
        signer: Some(signer),
        verifier,
        public: None,
        fingerprint: derived_id(auth_type, secret),
        derived: DerivedKeys::from_secret(secret),
    })
}

/// Derives a key ID from an HMAC secret. It is a MAC, so it reveals no more about the secret than any token does. The
/// thumbprint of RFC 7638 would be a plain hash of the secret, which section 7 of that RFC warns about.
fn derived_id(auth_type: AuthType, secret: &[u8]) -> String {
    // The message has no dot, so it cannot be the signing input of a token.
    let signer = backend::Signer::hmac(auth_type, secret);
    let mac = signer.sign(b"flask-pyjwt key id").unwrap_or_default();
    URL_SAFE_NO_PAD.encode(&mac[..mac.len().min(16)])
}

/// The secret in the documentation. Programs are copied from there.
const EXAMPLE_SECRET: &[u8] = b"change-me: at least 32 bytes of secret";

/// Checks the length and the form of an HMAC secret.
pub(super) fn check_secret(
    auth_type: AuthType,
    secret: &[u8],
    allow_weak: bool,
) -> Result<(), Problem> {
    let least = auth_type.min_secret_length();
    if secret.is_empty() {
        return Err(Problem::new(
            "is empty: generate one with `openssl rand -hex 32`",
        ));
    }
    if looks_like_a_public_secret(secret) {
        return Err(Problem::new(format!(
            "is a key in PEM, SSH, JWK or DER form, but {auth_type} needs a random secret: anybody who has \
             the public key could sign tokens. Set `JWT_AUTHTYPE` to the key's algorithm, or generate a secret"
        )));
    }
    if secret.len() < least {
        let length = secret.len();
        if !allow_weak {
            return Err(Problem::new(format!(
                "has {length} bytes, and {auth_type} needs {least} or more (RFC 7518, section 3.2): \
                 generate a new one, for example with `openssl rand -hex {least}`, or allow this one \
                 with `JWT_ALLOW_WEAK_SECRET=true`"
            )));
        }
        tracing::warn!(
            "`JWT_SECRET` has {length} bytes, and {auth_type} needs {least}: anybody who has a token may be able \
             to guess the secret"
        );
    }
    if secret == EXAMPLE_SECRET {
        tracing::warn!(
            "the secret is the one of the programs in the guide, which everybody can read: generate another one, \
             for example with `openssl rand -hex {least}`"
        );
    }
    Ok(())
}

/// A checked key pair, or a public key alone.
pub(super) struct Pair {
    pub(super) signer: Option<Signer>,
    pub(super) verifier: Verifier,
    /// `None` for an HMAC secret, and for a public key in a form that is not parsed.
    pub(super) public: Option<PublicKey>,
    pub(super) fingerprint: String,
    /// `None` if the private key is not known.
    pub(super) derived: Option<DerivedKeys>,
}

/// Checks and prepares a private key, a public key, or both.
pub(super) fn asymmetric(
    auth_type: AuthType,
    private: Option<&PrivatePart>,
    public: Option<&PublicPart>,
    crypto: Crypto,
    names: Names,
) -> Result<Pair, ConfigError> {
    let pair = if crypto.is_provided() {
        with_provider(auth_type, private, public, crypto, names)?
    } else {
        built_in(auth_type, private, public, crypto, names)?
    };
    let key = match public {
        Some(_) => names.public,
        None => names.secret,
    };
    let Some(signer) = &pair.signer else {
        return Ok(pair);
    };
    // Sign and verify once, so that keys that do not match are found at start and not by the first request.
    let signature = test_signature(signer, auth_type, names.secret)?;
    let matches = match (&pair.verifier, &pair.public) {
        // The built-in backend checks the provider's signature: a broken provider would accept its own.
        (Verifier::Provided(_), Some(public)) => {
            let reference = backend::Verifier::public(auth_type, &public.to_material());
            let reference = reference.map_err(unusable(auth_type, key))?;
            let matches = reference.verify(TEST_MESSAGE, &signature);
            if matches && !verifies(&pair.verifier, &signature) {
                return Err(unusable(auth_type, key)(KeyProblem::ProviderErrs));
            }
            matches
        }
        (verifier, _) => verifier.verify(TEST_MESSAGE, &signature),
    };
    if matches {
        Ok(pair)
    } else {
        let reason = "does not match the private key in `JWT_SECRET`: derive it with \
                      `openssl pkey -pubout`, or leave it out";
        Err(ConfigError::invalid(key, reason))
    }
}

pub(super) fn unusable(
    auth_type: AuthType,
    key: &'static str,
) -> impl Fn(KeyProblem) -> ConfigError {
    move |problem| ConfigError::invalid(key, format!("{problem} ({auth_type} is configured)"))
}

/// The message that is signed to test whether the keys match.
const TEST_MESSAGE: &[u8] = b"the keys match";

/// Signs [`TEST_MESSAGE`].
fn test_signature(
    signer: &Signer,
    auth_type: AuthType,
    key: &'static str,
) -> Result<Vec<u8>, ConfigError> {
    signer.sign(TEST_MESSAGE).map_err(|error| match error {
        MintError::Provider(source) => {
            tracing::error!(
                error = &source as &dyn std::error::Error,
                "the crypto provider failed to sign"
            );
            unusable(auth_type, key)(KeyProblem::ProviderRefuses)
        }
        _ => unusable(auth_type, key)(KeyProblem::Unfit),
    })
}

/// Returns whether a verifier accepts a valid signature of [`TEST_MESSAGE`], and refuses it for another message.
fn verifies(verifier: &Verifier, signature: &[u8]) -> bool {
    verifier.verify(TEST_MESSAGE, signature) && !verifier.verify(b"another message", signature)
}

/// Prepares a pair for the built-in cryptography.
fn built_in(
    auth_type: AuthType,
    private: Option<&PrivatePart>,
    public: Option<&PublicPart>,
    crypto: Crypto,
    names: Names,
) -> Result<Pair, ConfigError> {
    let in_secret = unusable(auth_type, names.secret);
    let private = private.map(|part| read(auth_type, part)).transpose();
    let private = private.map_err(&in_secret)?;
    let public = public.map(|part| {
        let material = part.material(auth_type)?;
        Ok((crypto.public(auth_type, &material)?, material))
    });
    let public = public
        .transpose()
        .map_err(unusable(auth_type, names.public))?;
    let signer = private.as_ref().map(|(signer, _)| signer);
    let spki = signer.and_then(backend::Signer::spki);
    let (verifier, material) = match (signer, public) {
        (_, Some((verifier, material))) => (verifier, Some(material)),
        (Some(signer), None) => {
            let verifier = signer.verifier(auth_type).map_err(&in_secret)?;
            (Verifier::BuiltIn(verifier), None)
        }
        (None, None) => return Err(ConfigError::Missing { key: names.secret }),
    };
    let numbers = spki
        .as_deref()
        .and_then(PublicKey::from_spki)
        .or_else(|| PublicKey::of(material.as_ref()?));
    let fingerprint = numbers.as_ref().map(PublicKey::thumbprint);
    let fingerprint = fingerprint.unwrap_or_else(|| {
        tracing::warn!(
            "a public key has an unusual form and is not published: convert it with `openssl pkey -pubin \
             -ec_conv_form uncompressed`"
        );
        let der = spki.unwrap_or_else(|| material.map(|key| key.der.to_vec()).unwrap_or_default());
        URL_SAFE_NO_PAD.encode(backend::sha256(&der))
    });
    let derived = private.as_ref();
    let derived = derived.and_then(|(_, key)| DerivedKeys::from_private_key(auth_type, key));
    Ok(Pair {
        signer: private.map(|(signer, _)| Signer::BuiltIn(signer)),
        verifier,
        public: numbers,
        fingerprint,
        derived,
    })
}

/// Prepares a pair for the provider. A private key in a known form is checked as any other key. A private key that only
/// the provider can read is checked by its public key.
fn with_provider(
    auth_type: AuthType,
    private: Option<&PrivatePart>,
    public: Option<&PublicPart>,
    crypto: Crypto,
    names: Names,
) -> Result<Pair, ConfigError> {
    let in_secret = unusable(auth_type, names.secret);
    let in_public = unusable(auth_type, names.public);
    let given = private.map(|part| Ok((part.encoding_key(auth_type)?, read(auth_type, part))));
    let given = given.transpose().map_err(&in_secret)?;
    let numbers = match (&given, public) {
        (_, Some(part)) => part
            .material(auth_type)
            .and_then(|material| PublicKey::of(&material).ok_or(KeyProblem::Unfit))
            .map_err(&in_public)?,
        (Some((_, Ok((signer, _)))), None) => signer
            .spki()
            .and_then(|spki| PublicKey::from_spki(&spki))
            .ok_or(KeyProblem::Unfit)
            .map_err(&in_secret)?,
        (Some((_, Err(KeyProblem::Unfit))), None) => {
            return Err(in_secret(KeyProblem::NoPublicPart));
        }
        (Some((_, Err(problem))), None) => return Err(in_secret(*problem)),
        (None, None) => return Err(ConfigError::Missing { key: names.secret }),
    };
    let verifier = crypto.public(auth_type, &numbers.to_material());
    let verifier = verifier.map_err(match public {
        Some(_) => &in_public,
        None => &in_secret,
    })?;
    let (key, read) = given.map_or((None, None), |(key, read)| (Some(key), read.ok()));
    let signer = key.and_then(|key| crypto.provided_signer(auth_type, key, &numbers));
    Ok(Pair {
        signer: signer.transpose().map_err(&in_secret)?,
        verifier,
        fingerprint: numbers.thumbprint(),
        public: Some(numbers),
        derived: read.and_then(|(_, key)| DerivedKeys::from_private_key(auth_type, &key)),
    })
}

/// Reads and checks a private key.
fn read(
    auth_type: AuthType,
    part: &PrivatePart,
) -> Result<(backend::Signer, Material), KeyProblem> {
    let material = part.material(auth_type)?;
    let signer = backend::Signer::private(auth_type, &material)?;
    Ok((signer, material))
}
