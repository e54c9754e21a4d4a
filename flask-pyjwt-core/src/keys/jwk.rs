//! Parses a single JWK (RFC 7517) into the types of `jsonwebtoken`, and checks it.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm,
    jwk::{
        AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters,
        EllipticCurveKeyType, Jwk, KeyOperations, OctetKeyPairParameters, OctetKeyPairType,
        PublicKeyUse, RSAKeyParameters, RSAKeyType,
    },
};
use serde::{
    Deserialize,
    de::{IntoDeserializer as _, value::Error},
};
use zeroize::Zeroizing;

use super::{
    AuthType, Family, KeyProblem, PublicKey, Secret,
    public_key::{Curve, positive},
};
use crate::json::{Json, Kind};

/// The maximum length of a key ID in bytes.
const MAX_ID: usize = 256;

/// Why a key of a set cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JwkProblem {
    #[error("is not a JSON object")]
    NoObject,
    #[error("has no member `{0}`")]
    Missing(&'static str),
    #[error("has a member `{0}` whose value is malformed (RFC 7517, RFC 7518)")]
    Malformed(&'static str),
    #[error("has the private member `{0}`: anybody who can read the set can sign tokens")]
    Private(&'static str),
    #[error("is a symmetric key, which a published set must not contain")]
    Symmetric,
    #[error("has a `kty` or `crv` that is not supported")]
    Unsupported,
    #[error("is not for signatures: its `use` is not `sig`")]
    OtherUse,
    #[error("is not for verifying: its `key_ops` do not contain `verify`")]
    OtherOperations,
    #[error("has an `alg` that is not accepted, or that does not match the key")]
    Algorithm,
    #[error("has a `kid` that is empty or longer than 256 bytes")]
    Id,
    #[error(
        "has the same `kid` and algorithm as another key, so that tokens cannot say which one they mean"
    )]
    Duplicate,
    #[error("{0}")]
    Key(KeyProblem),
}

/// A parsed JWK with its algorithm.
pub(super) struct ParsedJwk<'a> {
    jwk: Cow<'a, Jwk>,
    /// Kept separately, because the `KeyAlgorithm` of `jsonwebtoken` knows neither ES512 nor the name `Ed25519` (RFC
    /// 9864) and parses both as unknown.
    algorithm: Result<Option<AuthType>, JwkProblem>,
}

/// A public key that may verify tokens. Its numbers are not checked yet.
#[derive(Debug)]
pub(super) struct CheckedJwk {
    pub(super) id: Option<String>,
    pub(super) public: PublicKey,
    /// The algorithms that the key is used with; at least one.
    pub(super) algorithms: Vec<AuthType>,
}

/// A single key that the application has given as a JWK.
pub(super) struct Given {
    pub(super) id: Option<String>,
    pub(super) algorithm: AuthType,
    pub(super) key: JwkKey,
}

pub(super) enum JwkKey {
    Public(PublicKey),
    Secret(Secret),
}

/// Returns a member of a key. `null` counts as absent, because some providers write it for absent members.
pub(super) fn member<'a>(key: Json<'a>, name: &str) -> Option<Json<'a>> {
    key.member(name).filter(|value| value.kind() != Kind::Null)
}

/// Deserializes an enum of `jsonwebtoken` from its name in a JWK.
fn from_name<'a, T: Deserialize<'a>>(name: &'a str) -> Result<T, Error> {
    T::deserialize(name.into_deserializer())
}

impl ParsedJwk<'_> {
    /// Parses a JWK member by member, so that errors name the member and private members are found.
    pub(super) fn parse(key: Json<'_>) -> Result<Self, JwkProblem> {
        if key.kind() != Kind::Object {
            return Err(JwkProblem::NoObject);
        }
        let text = |name| {
            let value = member(key, name);
            let text = value.map(|value| value.as_str().ok_or(JwkProblem::Malformed(name)));
            text.transpose()
        };
        let owned = |name| Ok(text(name)?.map(Cow::into_owned));
        let number = |name| owned(name)?.ok_or(JwkProblem::Missing(name));
        let kind = text("kty")?.ok_or(JwkProblem::Missing("kty"))?;
        if kind == "oct" || member(key, "k").is_some() {
            return Err(JwkProblem::Symmetric);
        }
        let mut private = ["d", "p", "q", "dp", "dq", "qi", "oth", "priv"].into_iter();
        if let Some(name) = private.find(|name| member(key, name).is_some()) {
            return Err(JwkProblem::Private(name));
        }
        let purpose = text("use")?;
        let purpose = purpose.map(|purpose| from_name(&purpose));
        let common = CommonParameters {
            public_key_use: purpose
                .transpose()
                .map_err(|_| JwkProblem::Malformed("use"))?,
            key_operations: operations(key)?,
            key_id: owned("kid")?,
            ..CommonParameters::default()
        };
        // Check the purpose first: a set can contain encryption keys of types that are not supported here.
        check_purpose(&common)?;
        // A `crv` must be a string even if the key type has no curve.
        let curve = text("crv")?;
        let curve = |supported: &[EllipticCurve]| {
            let curve = curve.as_deref().ok_or(JwkProblem::Unsupported)?;
            let curve = from_name(curve).map_err(|_| JwkProblem::Unsupported)?;
            let is_supported = supported.contains(&curve);
            is_supported.then_some(curve).ok_or(JwkProblem::Unsupported)
        };
        let algorithm = match &*kind {
            "RSA" => AlgorithmParameters::RSA(RSAKeyParameters {
                key_type: RSAKeyType::RSA,
                n: number("n")?,
                e: number("e")?,
            }),
            "EC" => AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
                key_type: EllipticCurveKeyType::EC,
                curve: curve(&Curve::ALL.map(Into::into))?,
                x: number("x")?,
                y: number("y")?,
            }),
            "OKP" => AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
                key_type: OctetKeyPairType::OctetKeyPair,
                curve: curve(&[EllipticCurve::Ed25519])?,
                x: number("x")?,
            }),
            _ => return Err(JwkProblem::Unsupported),
        };
        let name = text("alg")?.map(|name| name.parse().map_err(|_| JwkProblem::Algorithm));
        Ok(Self {
            jwk: Cow::Owned(Jwk { common, algorithm }),
            algorithm: name.transpose(),
        })
    }
}

impl<'a> ParsedJwk<'a> {
    /// Takes a JWK that `jsonwebtoken` has parsed.
    pub(super) fn of(jwk: &'a Jwk) -> Self {
        let algorithm = jwk.common.key_algorithm.map(|algorithm| {
            let algorithm = Algorithm::try_from(algorithm).ok();
            algorithm
                .and_then(|algorithm| algorithm.try_into().ok())
                .ok_or(JwkProblem::Algorithm)
        });
        Self {
            jwk: Cow::Borrowed(jwk),
            algorithm: algorithm.transpose(),
        }
    }

    /// Checks that the key is a public key for verifying, and finds the algorithms that it is used with.
    pub(super) fn check(self, accepted: Option<&[AuthType]>) -> Result<CheckedJwk, JwkProblem> {
        check_purpose(&self.jwk.common)?;
        let id = id_of(&self.jwk.common)?;
        let public = PublicKey::of_jwk(&self.jwk.algorithm)?;
        let mut algorithms = match (self.algorithm?, accepted) {
            (Some(declared), _) => vec![declared],
            (None, Some(accepted)) => accepted.to_vec(),
            (None, None) => vec![public.usual_algorithm()],
        };
        algorithms.retain(|algorithm| {
            public.fits(*algorithm) && accepted.is_none_or(|accepted| accepted.contains(algorithm))
        });
        if algorithms.is_empty() {
            return Err(JwkProblem::Algorithm);
        }
        Ok(CheckedJwk {
            id,
            public,
            algorithms,
        })
    }
}

/// Checks a JWK that is given as a single key: a public key, or a secret.
pub(super) fn key_of(jwk: &Jwk) -> Result<Given, JwkProblem> {
    let parsed = ParsedJwk::of(jwk);
    if let AlgorithmParameters::OctetKey(key) = &jwk.algorithm {
        check_purpose(&jwk.common)?;
        let operations = jwk.common.key_operations.as_ref();
        if operations.is_some_and(|all| !all.contains(&KeyOperations::Sign)) {
            return Err(JwkProblem::OtherOperations);
        }
        let algorithm = parsed.algorithm?.ok_or(JwkProblem::Missing("alg"))?;
        if algorithm.family() != Family::Hmac {
            return Err(JwkProblem::Algorithm);
        }
        return Ok(Given {
            id: id_of(&jwk.common)?,
            algorithm,
            key: JwkKey::Secret(Secret::new(Zeroizing::new(decoded("k", &key.value)?))),
        });
    }
    let checked = parsed.check(None)?;
    let [algorithm] = checked.algorithms[..] else {
        return Err(JwkProblem::Algorithm);
    };
    Ok(Given {
        id: checked.id,
        algorithm,
        key: JwkKey::Public(checked.public),
    })
}

/// Parses `key_ops`, an array of strings.
fn operations(key: Json<'_>) -> Result<Option<Vec<KeyOperations>>, JwkProblem> {
    const MALFORMED: JwkProblem = JwkProblem::Malformed("key_ops");
    let Some(operations) = member(key, "key_ops") else {
        return Ok(None);
    };
    if operations.kind() != Kind::Array {
        return Err(MALFORMED);
    }
    let operations = operations.items().map(|item| {
        let name = item.as_str().ok_or(MALFORMED)?;
        from_name(&name).map_err(|_| MALFORMED)
    });
    operations.collect::<Result<_, _>>().map(Some)
}

/// Checks that `use` is absent or `sig`, and that `key_ops` is absent or contains `verify` (RFC 7517, sections 4.2 and
/// 4.3).
fn check_purpose(common: &CommonParameters) -> Result<(), JwkProblem> {
    let purpose = common.public_key_use.as_ref();
    if purpose.is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
        return Err(JwkProblem::OtherUse);
    }
    let operations = common.key_operations.as_ref();
    if operations.is_some_and(|all| !all.contains(&KeyOperations::Verify)) {
        return Err(JwkProblem::OtherOperations);
    }
    Ok(())
}

fn id_of(common: &CommonParameters) -> Result<Option<String>, JwkProblem> {
    let id = common.key_id.clone();
    let is_valid = |id: &String| (1..=MAX_ID).contains(&id.len());
    if id.as_ref().is_none_or(is_valid) {
        Ok(id)
    } else {
        Err(JwkProblem::Id)
    }
}

fn decoded(name: &'static str, text: &str) -> Result<Vec<u8>, JwkProblem> {
    let decoded = URL_SAFE_NO_PAD.decode(text);
    decoded.map_err(|_| JwkProblem::Malformed(name))
}

impl PublicKey {
    /// Decodes the numbers of a JWK.
    fn of_jwk(key: &AlgorithmParameters) -> Result<Self, JwkProblem> {
        match key {
            AlgorithmParameters::RSA(key) => {
                let number = |name, text| match positive(&decoded(name, text)?) {
                    Err(KeyProblem::Unfit) => Err(JwkProblem::Malformed(name)),
                    number => number.map_err(JwkProblem::Key),
                };
                Ok(Self::Rsa {
                    n: number("n", &key.n)?,
                    e: number("e", &key.e)?,
                })
            }
            AlgorithmParameters::EllipticCurve(key) => {
                let curve = match key.curve {
                    EllipticCurve::P256 => Curve::P256,
                    EllipticCurve::P384 => Curve::P384,
                    EllipticCurve::P521 => Curve::P521,
                    _ => return Err(JwkProblem::Unsupported),
                };
                // A coordinate has exactly the length of its curve (RFC 7518, section 6.2.1.2).
                let coordinate = |name, text| {
                    let number = decoded(name, text)?;
                    let has_length = number.len() == curve.coordinate_length();
                    has_length
                        .then_some(number)
                        .ok_or(JwkProblem::Malformed(name))
                };
                let (x, y) = (coordinate("x", &key.x)?, coordinate("y", &key.y)?);
                Ok(Self::Ec { curve, x, y })
            }
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                let x = decoded("x", &key.x)?.try_into();
                let x = x.map_err(|_| JwkProblem::Malformed("x"))?;
                Ok(Self::Ed25519 { x })
            }
            AlgorithmParameters::OctetKey(_) => Err(JwkProblem::Symmetric),
            _ => Err(JwkProblem::Unsupported),
        }
    }

    /// Returns the members of a JWK that contain the key itself.
    pub(super) fn to_jwk(&self) -> AlgorithmParameters {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa { n, e } => AlgorithmParameters::RSA(RSAKeyParameters {
                key_type: RSAKeyType::RSA,
                n: encode(n),
                e: encode(e),
            }),
            Self::Ec { curve, x, y } => {
                AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
                    key_type: EllipticCurveKeyType::EC,
                    curve: (*curve).into(),
                    x: encode(x),
                    y: encode(y),
                })
            }
            Self::Ed25519 { x } => AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
                key_type: OctetKeyPairType::OctetKeyPair,
                curve: EllipticCurve::Ed25519,
                x: encode(x),
            }),
        }
    }

    /// Returns the JWK thumbprint with SHA-256 (RFC 7638; RFC 8037, appendix A.3).
    ///
    /// `Jwk::thumbprint` is not used: it needs the process-wide provider of `jsonwebtoken`, and panics if there is none.
    pub(crate) fn thumbprint(&self) -> String {
        // A `BTreeMap` sorts the members by name, whatever map `serde_json` is configured with.
        let members = serde_json::to_value(self.to_jwk()).and_then(|members| {
            let members: std::collections::BTreeMap<String, String> =
                serde_json::from_value(members)?;
            serde_json::to_string(&members)
        });
        let members = members.expect("strings can be serialized");
        URL_SAFE_NO_PAD.encode(super::backend::sha256(members.as_bytes()))
    }
}
