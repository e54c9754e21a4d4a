//! A public key in numbers: what is published of it, and what it is recognised by.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    AuthType, Encoding, Family, KeyProblem, Material,
    backend::sha256,
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

    /// The member `crv` of a JWK (RFC 7518, section 6.2.1.1).
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// The length of a coordinate in bytes.
    pub(super) const fn coordinate(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// The one algorithm of its keys (RFC 7518, section 3.4).
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

/// The numbers of a public key. [`PublicKey::checked`] and the backends judge whether they are a good key.
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
    /// Reads a public key for an algorithm, and refuses one of another kind and one that makes forging
    /// easy. Gives it as `SubjectPublicKeyInfo`. Both backends take keys that have passed this and no
    /// others, so that they agree.
    pub(super) fn checked(auth_type: AuthType, key: &Material) -> Result<Material, KeyProblem> {
        let Some(public) = Self::of(key) else {
            return compressed_point(auth_type, key).ok_or(KeyProblem::Unfit);
        };
        match &public {
            _ if !public.fits(auth_type) => Err(KeyProblem::Unfit),
            Self::Rsa { n, e } => check_rsa(n, e).map(|()| public.to_material()),
            Self::Ed25519 { x } if is_weak(x) => Err(KeyProblem::WeakPoint),
            Self::Ed25519 { x } if !is_point(x) => Err(KeyProblem::Unfit),
            // Whether the point of another curve is on it is for the backends to find: each does.
            Self::Ec { .. } | Self::Ed25519 { .. } => Ok(public.to_material()),
        }
    }

    /// Reads a key of PEM. `None` for forms that few write, such as a compressed point.
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
                    .split_at_checked(curve.coordinate())?;
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

    /// Writes `SubjectPublicKeyInfo`, which both backends read and check.
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

    /// The algorithm that a key serves where nothing says which.
    pub(crate) const fn usual_algorithm(&self) -> AuthType {
        match self {
            Self::Rsa { .. } => AuthType::RS256,
            Self::Ec { curve, .. } => curve.algorithm(),
            Self::Ed25519 { .. } => AuthType::EdDSA,
        }
    }

    /// Whether the key is of the kind, and on the curve, that an algorithm takes.
    pub(crate) fn fits(&self, auth_type: AuthType) -> bool {
        match self {
            Self::Rsa { .. } => auth_type.family() == Family::Rsa,
            Self::Ec { .. } | Self::Ed25519 { .. } => auth_type == self.usual_algorithm(),
        }
    }

    /// The members that say which key this is, in the order of RFC 7638, section 3.
    pub(crate) fn members(&self) -> Vec<(&'static str, String)> {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa { n, e } => vec![
                ("e", encode(e)),
                ("kty", "RSA".to_owned()),
                ("n", encode(n)),
            ],
            Self::Ec { curve, x, y } => vec![
                ("crv", curve.name().to_owned()),
                ("kty", "EC".to_owned()),
                ("x", encode(x)),
                ("y", encode(y)),
            ],
            Self::Ed25519 { x } => vec![
                ("crv", "Ed25519".to_owned()),
                ("kty", "OKP".to_owned()),
                ("x", encode(x)),
            ],
        }
    }

    /// The JWK thumbprint with SHA-256 (RFC 7638; RFC 8037, appendix A.3).
    pub(crate) fn thumbprint(&self) -> String {
        let members: Vec<_> = self
            .members()
            .into_iter()
            // Neither base64url nor the names of curves need an escape.
            .map(|(name, value)| format!(r#""{name}":"{value}""#))
            .collect();
        let text = format!("{{{}}}", members.join(","));
        URL_SAFE_NO_PAD.encode(sha256(text.as_bytes()))
    }
}

/// A key whose point has its `x` and the sign of its `y` only (SEC 1, section 2.3.3). The backends compute
/// the rest.
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
    (is_ec && key.encoding == Encoding::Spki && x.len() == curve.coordinate()).then(|| Material {
        encoding: Encoding::Spki,
        der: key.der.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).expect("base64url")
    }

    /// RFC 7638, section 3.1, and RFC 8037, appendix A.3.
    #[test]
    fn the_thumbprints_of_the_standards() {
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
    fn what_is_no_plain_public_key_is_none() {
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
