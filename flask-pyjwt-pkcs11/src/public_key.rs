//! Reads a public key from the HSM, as a JWK.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use cryptoki::{
    object::{Attribute, AttributeType, ObjectHandle},
    session::Session,
};
use flask_pyjwt_core::AuthType;

use crate::Pkcs11Error;

/// The OIDs of the curves (RFC 5480, section 2.1.1.1), as `CKA_EC_PARAMS` has them.
const P256: &[u8] = &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
const P384: &[u8] = &[6, 5, 0x2b, 0x81, 4, 0, 0x22];
const P521: &[u8] = &[6, 5, 0x2b, 0x81, 4, 0, 0x23];

/// Reads a public key. Whether it is a good one is checked when a manager takes it.
pub(crate) fn read(
    session: &Session,
    key: ObjectHandle,
    auth_type: AuthType,
) -> Result<String, Pkcs11Error> {
    let wanted = match auth_type {
        AuthType::ES256 | AuthType::ES384 | AuthType::ES512 | AuthType::EdDSA => {
            [AttributeType::EcParams, AttributeType::EcPoint]
        }
        _ => [AttributeType::Modulus, AttributeType::PublicExponent],
    };
    let [mut first, mut second] = [None, None];
    for attribute in session.get_attributes(key, &wanted)? {
        match attribute {
            Attribute::EcParams(value) | Attribute::Modulus(value) => first = Some(value),
            Attribute::EcPoint(value) | Attribute::PublicExponent(value) => second = Some(value),
            _ => {}
        }
    }
    let unfit = || Pkcs11Error::UnfitKey(auth_type);
    let (first, second) = (first.ok_or_else(unfit)?, second.ok_or_else(unfit)?);
    jwk(auth_type, &first, &second).ok_or_else(unfit)
}

/// Writes a JWK of the curve and the point, or of the modulus and the exponent.
fn jwk(auth_type: AuthType, first: &[u8], second: &[u8]) -> Option<String> {
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let curve = match auth_type {
        AuthType::ES256 => Some((P256, "P-256", 32)),
        AuthType::ES384 => Some((P384, "P-384", 48)),
        AuthType::ES512 => Some((P521, "P-521", 66)),
        _ => None,
    };
    if let Some((oid, name, length)) = curve {
        let point = unwrapped(second, 1 + 2 * length)?;
        let (4, point) = point.split_first().map(|(form, point)| (*form, point))? else {
            return None;
        };
        let (x, y) = point.split_at_checked(length)?;
        let (x, y) = (encode(x), encode(y));
        return (first == oid)
            .then(|| format!(r#"{{"kty":"EC","crv":"{name}","x":"{x}","y":"{y}"}}"#));
    }
    if auth_type == AuthType::EdDSA {
        let x = encode(unwrapped(second, 32)?);
        return Some(format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{x}"}}"#));
    }
    let number = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        encode(&bytes[zeros..])
    };
    let (n, e) = (number(first), number(second));
    Some(format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#))
}

/// Takes a point out of its DER octet string or bit string. Some modules give the point alone.
fn unwrapped(value: &[u8], length: usize) -> Option<&[u8]> {
    let point = match value.len().checked_sub(length)? {
        0 => return Some(value),
        _ => value,
    };
    let octets = |tag: u8, rest: &'static [u8]| {
        let content = length + rest.len();
        let header = match content {
            0..=0x7f => vec![tag, u8::try_from(content).ok()?],
            _ => vec![tag, 0x81, u8::try_from(content).ok()?],
        };
        point.strip_prefix(&*header)?.strip_prefix(rest)
    };
    octets(4, &[])
        .or_else(|| octets(3, &[0]))
        .filter(|point| point.len() == length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read_with_and_without_their_der() {
        let point = [vec![4], vec![7; 64]].concat();
        let octets = [&[4, 65][..], &point].concat();
        let bits = [&[3, 66, 0][..], &point].concat();
        for value in [&point, &octets, &bits] {
            assert_eq!(unwrapped(value, 65), Some(&*point));
            assert!(jwk(AuthType::ES256, P256, value).is_some());
            assert!(jwk(AuthType::ES256, P384, value).is_none(), "another curve");
            assert!(
                jwk(AuthType::ES384, P384, value).is_none(),
                "another length"
            );
        }
        let long = [vec![4], vec![7; 132]].concat();
        let octets = [&[4, 0x81, 133][..], &long].concat();
        assert_eq!(unwrapped(&octets, 133), Some(&*long));
        assert!(jwk(AuthType::ES512, P521, &octets).is_some());
    }

    #[test]
    fn malformed_points_are_refused() {
        let compressed = [vec![2], vec![7; 64]].concat();
        assert!(jwk(AuthType::ES256, P256, &compressed).is_none());
        for value in [&[][..], &[4], &[4, 65], &[4, 32, 1], &[0; 200]] {
            assert!(jwk(AuthType::ES256, P256, value).is_none(), "{value:?}");
            assert!(jwk(AuthType::EdDSA, &[], value).is_none(), "{value:?}");
        }
    }
}
