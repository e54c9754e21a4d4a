//! This package's cryptography as a provider for `jsonwebtoken`.

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

/// This package's cryptography, that of the enabled feature, as a provider for `jsonwebtoken`: for code that
/// calls `jsonwebtoken` itself. It needs none of `jsonwebtoken`'s backends then, and keys are judged as
/// everywhere here.
///
/// A manager does not need it. A [provider of your own](crate::Config::crypto_provider) can hand to it the keys
/// that it does not take.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{
///     CRYPTO_PROVIDER,
///     jsonwebtoken::{Algorithm, EncodingKey},
/// };
///
/// // For the whole process: `CRYPTO_PROVIDER.install_default()`, before `jsonwebtoken` is used.
/// let sign = CRYPTO_PROVIDER.signer_factory;
/// let secret = EncodingKey::from_secret(b"a secret of 32 bytes, at the least");
/// let signer = sign(&Algorithm::HS256, &secret)?;
/// assert_eq!(signer.try_sign(b"message")?.len(), 32);
///
/// assert!(sign(&Algorithm::HS256, &EncodingKey::from_secret(b"short")).is_err());
/// assert!(sign(&Algorithm::RS256, &secret).is_err()); // a key of another kind
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
        let is_right = self.key.verify(message, signature);
        is_right.then_some(()).ok_or_else(signature::Error::new)
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

/// The public key of a private one.
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
