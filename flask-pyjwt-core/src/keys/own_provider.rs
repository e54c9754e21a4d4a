//! The built-in cryptography as a provider for `jsonwebtoken`.

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind, Result},
    jwk::{EllipticCurve, ThumbprintHash},
    signature::{self, Signer, Verifier},
};

use super::{
    AuthType, Family, KeyProblem, PrivatePart, PublicKey, PublicPart, backend, pair,
    public_key::Curve,
};

/// Provides this crate's cryptography to code that calls `jsonwebtoken` directly. Such code then needs no backend feature
/// of `jsonwebtoken`, and its keys are checked as strictly as those of a manager.
///
/// The backend is the one of the enabled feature, `aws-lc-rs` or `rust-crypto`. A manager does not need this provider. A
/// custom [`Config::crypto_provider`](crate::Config::crypto_provider) can delegate to it for the keys that it does not
/// handle.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{
///     CRYPTO_PROVIDER,
///     jsonwebtoken::{Algorithm, EncodingKey},
/// };
///
/// // To use it in the whole process, call `CRYPTO_PROVIDER.install_default()` before using `jsonwebtoken`.
/// let sign = CRYPTO_PROVIDER.signer_factory;
/// let secret = EncodingKey::from_secret(b"change-me: at least 32 bytes of secret");
/// let signer = sign(&Algorithm::HS256, &secret)?;
/// assert_eq!(signer.try_sign(b"message")?.len(), 32);
///
/// assert!(sign(&Algorithm::HS256, &EncodingKey::from_secret(b"short")).is_err());
/// assert!(sign(&Algorithm::RS256, &secret).is_err()); // not an RSA key
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "CryptoProvider")]
pub static CRYPTO_PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Box::new(Prepared::signer(*algorithm, key)?)),
    verifier_factory: |algorithm, key| Ok(Box::new(Prepared::verifier(*algorithm, key)?)),
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: |key| {
            rsa(public_of(AuthType::RS256, EncodingKey::from_rsa_der(key)))
        },
        rsa_pub_components_from_public_key: |key| {
            let key = PublicPart::Decoding(DecodingKey::from_rsa_der(key));
            rsa(key
                .material(AuthType::RS256)
                .and_then(|key| PublicKey::of(&key).ok_or(KeyProblem::Unfit))
                .map_err(refused))
        },
        ec_pub_components_from_private_key: |key, algorithm| match public_of(
            auth_type(algorithm)?,
            EncodingKey::from_ec_der(key),
        )? {
            PublicKey::Ec { curve, x, y } => Ok((curve.into(), x, y)),
            _ => Err(ErrorKind::InvalidEcdsaKey.into()),
        },
        ed_pub_components_from_private_key: |key, curve| match public_of(
            AuthType::EdDSA,
            EncodingKey::from_ed_der(key),
        )? {
            PublicKey::Ed25519 { x } if *curve == EllipticCurve::Ed25519 => Ok(x.to_vec()),
            _ => Err(ErrorKind::InvalidEddsaKey.into()),
        },
        compute_digest: |data, hash| match hash {
            ThumbprintHash::SHA256 => Ok(backend::sha256(data).to_vec()),
            ThumbprintHash::SHA384 => Ok(backend::sha384(data)),
            ThumbprintHash::SHA512 => Ok(backend::sha512(data)),
            _ => Err(ErrorKind::UnsupportedAlgorithm.into()),
        },
    },
};

/// A prepared key with its algorithm.
struct Prepared<K> {
    key: K,
    algorithm: Algorithm,
}

impl Prepared<backend::Signer> {
    fn signer(algorithm: Algorithm, key: &EncodingKey) -> Result<Self> {
        let auth_type = auth_type(algorithm)?;
        let part = PrivatePart::Encoding(key.clone());
        let key = if auth_type.family() == Family::Hmac {
            let secret = part.secret().map_err(refused)?;
            pair::check_secret(auth_type, secret, false)
                .map_err(|it| ErrorKind::Provider(it.into()))?;
            backend::Signer::hmac(auth_type, secret)
        } else {
            let key = part.material(auth_type).map_err(refused)?;
            backend::Signer::private(auth_type, &key).map_err(refused)?
        };
        Ok(Self { key, algorithm })
    }
}

impl Prepared<backend::Verifier> {
    fn verifier(algorithm: Algorithm, key: &DecodingKey) -> Result<Self> {
        let auth_type = auth_type(algorithm)?;
        let key = if auth_type.family() == Family::Hmac {
            if key.family() != AlgorithmFamily::Hmac {
                return Err(refused(KeyProblem::OtherKind));
            }
            let secret = key.try_get_as_bytes()?;
            pair::check_secret(auth_type, secret, false)
                .map_err(|it| ErrorKind::Provider(it.into()))?;
            backend::Verifier::hmac(auth_type, secret)
        } else {
            let key = PublicPart::Decoding(key.clone()).material(auth_type);
            let key = key.and_then(|key| backend::Verifier::public(auth_type, &key));
            key.map_err(refused)?
        };
        Ok(Self { key, algorithm })
    }
}

impl Signer<Vec<u8>> for Prepared<backend::Signer> {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, signature::Error> {
        self.key.sign(message).ok_or_else(signature::Error::new)
    }
}

impl JwtSigner for Prepared<backend::Signer> {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for Prepared<backend::Verifier> {
    fn verify(
        &self,
        message: &[u8],
        signature: &Vec<u8>,
    ) -> std::result::Result<(), signature::Error> {
        let is_valid = self.key.verify(message, signature);
        is_valid.then_some(()).ok_or_else(signature::Error::new)
    }
}

impl JwtVerifier for Prepared<backend::Verifier> {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

fn refused(problem: KeyProblem) -> Error {
    ErrorKind::Provider(format!("the key {problem}")).into()
}

fn auth_type(algorithm: Algorithm) -> Result<AuthType> {
    AuthType::try_from(algorithm).map_err(|_| ErrorKind::UnsupportedAlgorithm.into())
}

/// Computes the public key of a private key.
fn public_of(auth_type: AuthType, key: EncodingKey) -> Result<PublicKey> {
    let key = PrivatePart::Encoding(key).material(auth_type);
    let key = key.and_then(|key| backend::Signer::private(auth_type, &key));
    let public = key.map_err(refused)?.spki();
    let public = public.and_then(|spki| PublicKey::from_spki(&spki));
    public.ok_or_else(|| refused(KeyProblem::Unfit))
}

fn rsa(key: Result<PublicKey>) -> Result<(Vec<u8>, Vec<u8>)> {
    match key? {
        PublicKey::Rsa { n, e } => Ok((n, e)),
        _ => Err(refused(KeyProblem::OtherKind)),
    }
}

impl From<Curve> for EllipticCurve {
    fn from(curve: Curve) -> Self {
        match curve {
            Curve::P256 => Self::P256,
            Curve::P384 => Self::P384,
            Curve::P521 => Self::P521,
        }
    }
}
