//! Public keys as numbers, for checking, publishing and comparing them.

use jsonwebtoken::DecodingKey;
use zeroize::Zeroizing;

use super::{
    AuthType, Encoding, Family, KeyProblem, Material,
    der::{self, BIT_STRING, OBJECT_IDENTIFIER, SEQUENCE},
    edwards::is_point,
    rsa_numbers::check_rsa,
    weak_points::is_weak,
};

const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// The curves of ECDSA keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
}

impl Curve {
    pub(super) const ALL: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    /// Returns the length of a coordinate in bytes.
    pub(super) const fn coordinate_length(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// Returns the curve of an algorithm.
    pub(super) fn of(auth_type: AuthType) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|curve| curve.algorithm() == auth_type)
    }

    /// Wraps a private key in SEC 1 form in a `PrivateKeyInfo` (RFC 5958).
    pub(super) fn pkcs8(self, sec1: &[u8]) -> Zeroizing<Vec<u8>> {
        let identifiers = [EC, self.identifier()].map(|id| der::value(OBJECT_IDENTIFIER, id));
        let parts = Zeroizing::new(
            [
                der::value(der::INTEGER, &[0]),
                der::value(SEQUENCE, &identifiers.concat()),
                der::value(der::OCTET_STRING, sec1),
            ]
            .concat(),
        );
        der::value(SEQUENCE, &parts).into()
    }

    /// Returns the only algorithm for keys on this curve (RFC 7518, section 3.4).
    const fn algorithm(self) -> AuthType {
        match self {
            Self::P256 => AuthType::ES256,
            Self::P384 => AuthType::ES384,
            Self::P521 => AuthType::ES512,
        }
    }

    const fn identifier(self) -> &'static [u8] {
        match self {
            Self::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
            Self::P384 => &[0x2b, 0x81, 0x04, 0x00, 0x22],
            Self::P521 => &[0x2b, 0x81, 0x04, 0x00, 0x23],
        }
    }
}

/// The numbers of a public key. [`PublicKey::checked`] and the backends check whether they are a good key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PublicKey {
    /// Modulus and exponent without leading zeros.
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// A point; each coordinate has the length of its curve.
    Ec {
        curve: Curve,
        x: Vec<u8>,
        y: Vec<u8>,
    },
    Ed25519 {
        x: [u8; 32],
    },
}

impl PublicKey {
    /// Reads a public key for an algorithm, and returns it as `SubjectPublicKeyInfo`. Refuses keys of another kind, and
    /// keys with which signatures can be forged. Both backends accept only keys that have passed this check, so that
    /// they agree.
    pub(super) fn checked(auth_type: AuthType, key: &Material) -> Result<Material, KeyProblem> {
        let Some(public) = Self::of(key) else {
            return compressed_point(auth_type, key).ok_or(KeyProblem::Unfit);
        };
        match &public {
            _ if !public.fits(auth_type) => Err(KeyProblem::Unfit),
            Self::Rsa { n, e } => check_rsa(n, e).map(|()| public.to_material()),
            Self::Ed25519 { x } if is_weak(x) => Err(KeyProblem::WeakPoint),
            Self::Ed25519 { x } if !is_point(x) => Err(KeyProblem::Unfit),
            // For the other curves, each backend checks that the point is on the curve.
            Self::Ec { .. } | Self::Ed25519 { .. } => Ok(public.to_material()),
        }
    }

    /// Reads a key from PEM. Returns `None` for rare forms, such as a compressed point.
    pub(crate) fn of(key: &Material) -> Option<Self> {
        match key.encoding {
            Encoding::Spki => Self::from_spki(&key.der),
            Encoding::Pkcs1Public => Self::from_pkcs1(&key.der),
            Encoding::Pkcs8 | Encoding::Pkcs1Private | Encoding::Sec1 => None,
        }
    }

    /// Reads `SubjectPublicKeyInfo` (RFC 5280, section 4.1).
    pub(crate) fn from_spki(spki: &[u8]) -> Option<Self> {
        let mut parts = der::only(spki, SEQUENCE)?;
        let mut algorithm = der::take(&mut parts, SEQUENCE)?;
        let [0, key @ ..] = der::only(parts, BIT_STRING)? else {
            return None;
        };
        match der::take(&mut algorithm, OBJECT_IDENTIFIER)? {
            RSA => Self::from_pkcs1(key),
            EC => {
                let identifier = der::only(algorithm, OBJECT_IDENTIFIER)?;
                let curve = Curve::ALL
                    .into_iter()
                    .find(|curve| curve.identifier() == identifier)?;
                let (x, y) = key
                    .strip_prefix(&[4])?
                    .split_at_checked(curve.coordinate_length())?;
                (y.len() == x.len()).then(|| Self::Ec {
                    curve,
                    x: x.to_vec(),
                    y: y.to_vec(),
                })
            }
            ED25519 => key.try_into().ok().map(|x| Self::Ed25519 { x }),
            _ => None,
        }
    }

    /// Reads `RSAPublicKey` (RFC 8017, appendix A.1.1).
    fn from_pkcs1(key: &[u8]) -> Option<Self> {
        let mut numbers = der::only(key, SEQUENCE)?;
        let n = der::magnitude(der::take(&mut numbers, der::INTEGER)?)?;
        let e = der::magnitude(der::only(numbers, der::INTEGER)?)?;
        Some(Self::Rsa {
            n: n.to_vec(),
            e: e.to_vec(),
        })
    }

    /// Encodes the key as `SubjectPublicKeyInfo`, which both backends read and check.
    pub(crate) fn to_material(&self) -> Material {
        let identifier = |id| der::value(OBJECT_IDENTIFIER, id);
        let (algorithm, key) = match self {
            Self::Rsa { n, e } => {
                let numbers = [der::integer(n), der::integer(e)].concat();
                let algorithm = [identifier(RSA), der::value(der::NULL, &[])].concat();
                (algorithm, der::value(SEQUENCE, &numbers))
            }
            Self::Ec { curve, x, y } => {
                let algorithm = [identifier(EC), identifier(curve.identifier())].concat();
                (algorithm, [&[4], &x[..], y].concat())
            }
            Self::Ed25519 { x } => (identifier(ED25519), x.to_vec()),
        };
        let key = der::value(BIT_STRING, &[&[0], &key[..]].concat());
        let parts = [der::value(SEQUENCE, &algorithm), key].concat();
        Material {
            encoding: Encoding::Spki,
            der: der::value(SEQUENCE, &parts).into(),
        }
    }

    /// Returns the key in the form that providers of `jsonwebtoken` expect: the same that `DecodingKey` makes from PEM.
    pub(super) fn to_decoding_key(&self) -> DecodingKey {
        match self {
            Self::Rsa { n, e } => {
                let numbers = [der::integer(n), der::integer(e)].concat();
                DecodingKey::from_rsa_der(&der::value(SEQUENCE, &numbers))
            }
            Self::Ec { x, y, .. } => DecodingKey::from_ec_der(&[&[4], &x[..], y].concat()),
            Self::Ed25519 { x } => DecodingKey::from_ed_der(x),
        }
    }

    /// Returns the algorithm for a key that does not name one.
    pub(crate) const fn usual_algorithm(&self) -> AuthType {
        match self {
            Self::Rsa { .. } => AuthType::RS256,
            Self::Ec { curve, .. } => curve.algorithm(),
            Self::Ed25519 { .. } => AuthType::EdDSA,
        }
    }

    /// Returns whether the key has the type and curve that an algorithm needs.
    pub(crate) fn fits(&self, auth_type: AuthType) -> bool {
        match self {
            Self::Rsa { .. } => auth_type.family() == Family::Rsa,
            Self::Ec { .. } | Self::Ed25519 { .. } => auth_type == self.usual_algorithm(),
        }
    }
}

/// Removes the leading zeros of an RSA number. RFC 7518, section 6.3.1, forbids them, but some issuers write them.
pub(super) fn positive(number: &[u8]) -> Result<Vec<u8>, KeyProblem> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    match &number[zeros..] {
        [] => Err(KeyProblem::Unfit),
        // Longer numbers cannot be encoded by `der`, and no usable key is that long.
        number if number.len() <= 4_096 => Ok(number.to_vec()),
        _ => Err(KeyProblem::TooLarge),
    }
}

/// Returns a key whose point is compressed to `x` and the sign of `y` (SEC 1, section 2.3.3). The backends compute `y`.
fn compressed_point(auth_type: AuthType, key: &Material) -> Option<Material> {
    let mut parts = der::only(&key.der, SEQUENCE)?;
    let mut algorithm = der::take(&mut parts, SEQUENCE)?;
    let is_ec = der::take(&mut algorithm, OBJECT_IDENTIFIER)? == EC;
    let identifier = der::only(algorithm, OBJECT_IDENTIFIER)?;
    let curve = Curve::ALL
        .into_iter()
        .find(|curve| curve.identifier() == identifier && curve.algorithm() == auth_type)?;
    let [0, 2 | 3, x @ ..] = der::only(parts, BIT_STRING)? else {
        return None;
    };
    (is_ec && key.encoding == Encoding::Spki && x.len() == curve.coordinate_length()).then(|| {
        Material {
            encoding: Encoding::Spki,
            der: key.der.clone(),
        }
    })
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    fn decode(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).expect("base64url")
    }

    /// RFC 7638, section 3.1, and RFC 8037, appendix A.3.
    #[test]
    fn the_thumbprints_equal_those_in_the_standards() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let rsa = PublicKey::Rsa {
            n: decode(n),
            e: decode("AQAB"),
        };
        let ed25519 = PublicKey::Ed25519 {
            x: decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
                .try_into()
                .expect("32 bytes"),
        };
        for (key, thumbprint) in [
            (rsa, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
            (ed25519, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
        ] {
            assert_eq!(key.thumbprint(), thumbprint);
            assert_eq!(PublicKey::of(&key.to_material()), Some(key));
        }
    }

    #[test]
    fn a_truncated_or_compressed_key_is_not_parsed() {
        let point = PublicKey::Ec {
            curve: Curve::P256,
            x: vec![1; 32],
            y: vec![2; 32],
        };
        let spki = point.to_material().der;
        assert_eq!(PublicKey::from_spki(&spki), Some(point));
        for at in 0..spki.len() {
            assert_eq!(PublicKey::from_spki(&spki[..at]), None, "{at}");
        }
        let mut compressed = spki.to_vec();
        compressed[26] = 2;
        assert_eq!(PublicKey::from_spki(&compressed), None);
    }
}
