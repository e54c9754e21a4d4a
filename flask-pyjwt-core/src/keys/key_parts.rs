//! The private and the public part of a key, in the forms in which applications give them.

use jsonwebtoken::{AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey};

use super::{
    AuthType, Encoding, Family, KeyProblem, Material, PublicKey, Secret, der,
    public_key::{Curve, positive},
};

/// An HMAC secret or a private key.
#[derive(Clone)]
pub(crate) enum PrivatePart {
    /// The bytes of the secret, or PEM.
    Text(Secret),
    /// A key of `jsonwebtoken`.
    Encoding(EncodingKey),
}

/// A public key.
#[derive(Clone)]
pub(crate) enum PublicPart {
    /// PEM.
    Text(Secret),
    /// A key of `jsonwebtoken`.
    Decoding(DecodingKey),
    /// The numbers of a JWK.
    Numbers(PublicKey),
}

impl PrivatePart {
    pub(crate) fn text(secret: impl AsRef<[u8]>) -> Self {
        Self::Text(Secret::new(secret))
    }

    /// Returns the bytes of an HMAC secret.
    pub(super) fn secret(&self) -> Result<&[u8], KeyProblem> {
        match self {
            Self::Text(text) => Ok(text.as_bytes()),
            Self::Encoding(key) => {
                check_family(Family::Hmac, key.family())?;
                Ok(key.as_bytes())
            }
        }
    }

    /// Returns the private key as DER.
    pub(super) fn material(&self, auth_type: AuthType) -> Result<Material, KeyProblem> {
        match self {
            Self::Text(text) => Material::private(text.as_bytes()),
            Self::Encoding(key) => {
                check_family(auth_type.family(), key.family())?;
                let der = key.as_bytes();
                let encoding = private_encoding(auth_type, der).ok_or(KeyProblem::Unfit)?;
                Ok(Material {
                    encoding,
                    der: der.to_vec().into(),
                })
            }
        }
    }

    /// Returns the private key in the form that providers of `jsonwebtoken` expect: PKCS#1 for RSA, PKCS#8 for the other
    /// kinds.
    pub(super) fn encoding_key(&self, auth_type: AuthType) -> Result<EncodingKey, KeyProblem> {
        if let Self::Encoding(key) = self {
            check_family(auth_type.family(), key.family())?;
            if auth_type.family() != Family::Rsa || !self.is_pkcs8(auth_type) {
                return Ok(key.clone());
            }
        }
        let material = self.material(auth_type)?;
        let unfit = KeyProblem::Unfit;
        match (auth_type.family(), material.encoding) {
            (Family::Rsa, Encoding::Pkcs8) => {
                let key = pkcs8_content(&material.der).ok_or(unfit)?;
                Ok(EncodingKey::from_rsa_der(key))
            }
            (Family::Rsa, Encoding::Pkcs1Private) => Ok(EncodingKey::from_rsa_der(&material.der)),
            (Family::Ecdsa, Encoding::Pkcs8) => Ok(EncodingKey::from_ec_der(&material.der)),
            (Family::Ecdsa, Encoding::Sec1) => {
                let curve = Curve::of(auth_type).ok_or(unfit)?;
                Ok(EncodingKey::from_ec_der(&curve.pkcs8(&material.der)))
            }
            (Family::Ed25519, Encoding::Pkcs8) => Ok(EncodingKey::from_ed_der(&material.der)),
            _ => Err(unfit),
        }
    }

    fn is_pkcs8(&self, auth_type: AuthType) -> bool {
        let encoding = self.material(auth_type).map(|material| material.encoding);
        encoding == Ok(Encoding::Pkcs8)
    }
}

impl PublicPart {
    pub(crate) fn text(key: impl AsRef<[u8]>) -> Self {
        Self::Text(Secret::new(key))
    }

    /// Returns the public key as DER.
    pub(super) fn material(&self, auth_type: AuthType) -> Result<Material, KeyProblem> {
        match self {
            Self::Text(text) => Material::public(text.as_bytes()),
            Self::Numbers(key) => Ok(key.to_material()),
            Self::Decoding(key) => {
                check_family(auth_type.family(), key.family())?;
                match key.kind() {
                    DecodingKeyKind::RsaModulusExponent { n, e } => {
                        let (n, e) = (positive(n)?, positive(e)?);
                        Ok(PublicKey::Rsa { n, e }.to_material())
                    }
                    DecodingKeyKind::SecretOrDer(bytes) => {
                        public_material(auth_type, bytes).ok_or(KeyProblem::Unfit)
                    }
                }
            }
        }
    }
}

fn check_family(wanted: Family, family: AlgorithmFamily) -> Result<(), KeyProblem> {
    let is_wanted = match wanted {
        Family::Hmac => family == AlgorithmFamily::Hmac,
        Family::Rsa => family == AlgorithmFamily::Rsa,
        Family::Ecdsa => family == AlgorithmFamily::Ec,
        Family::Ed25519 => family == AlgorithmFamily::Ed,
    };
    is_wanted.then_some(()).ok_or(KeyProblem::OtherKind)
}

/// Detects the encoding of a private key by the field after its version.
fn private_encoding(auth_type: AuthType, key: &[u8]) -> Option<Encoding> {
    let mut fields = der::only(key, der::SEQUENCE)?;
    der::take(&mut fields, der::INTEGER)?;
    match (auth_type.family(), *fields.first()?) {
        (_, der::SEQUENCE) => Some(Encoding::Pkcs8),
        (Family::Rsa, der::INTEGER) => Some(Encoding::Pkcs1Private),
        (Family::Ecdsa, der::OCTET_STRING) => Some(Encoding::Sec1),
        _ => None,
    }
}

/// Returns the key inside a `PrivateKeyInfo` (RFC 5958).
fn pkcs8_content(key: &[u8]) -> Option<&[u8]> {
    let mut fields = der::only(key, der::SEQUENCE)?;
    der::take(&mut fields, der::INTEGER)?;
    der::take(&mut fields, der::SEQUENCE)?;
    der::take(&mut fields, der::OCTET_STRING)
}

/// Reads a public key in one of the forms that a `DecodingKey` can hold: `RSAPublicKey`, a point, the 32 bytes of
/// Ed25519, or `SubjectPublicKeyInfo`.
fn public_material(auth_type: AuthType, bytes: &[u8]) -> Option<Material> {
    let der = |encoding| {
        Some(Material {
            encoding,
            der: bytes.to_vec().into(),
        })
    };
    match auth_type.family() {
        Family::Hmac => None,
        Family::Rsa => match *der::only(bytes, der::SEQUENCE)?.first()? {
            der::SEQUENCE => der(Encoding::Spki),
            der::INTEGER => der(Encoding::Pkcs1Public),
            _ => None,
        },
        Family::Ecdsa => match bytes {
            [4, point @ ..] => {
                let curve = Curve::of(auth_type)?;
                let (x, y) = point.split_at_checked(curve.coordinate_length())?;
                let (x, y) = (x.to_vec(), y.to_vec());
                (y.len() == x.len()).then(|| PublicKey::Ec { curve, x, y }.to_material())
            }
            _ => der(Encoding::Spki),
        },
        Family::Ed25519 => match bytes.try_into() {
            Ok(x) => Some(PublicKey::Ed25519 { x }.to_material()),
            Err(_) => der(Encoding::Spki),
        },
    }
}
