//! The encodings of Ed25519 points that are refused. The rules are the same for both backends.

/// The modulus of the field, 2^255 − 19, in little-endian order like encoded points.
const MODULUS: [u8; 32] = {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed;
    bytes[31] = 0x7f;
    bytes
};

/// The values of `y` of the eight points of small order, without the sign bit and without duplicates: of order 4, 1, 2,
/// and two of order 8.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    {
        let mut one = [0; 32];
        one[0] = 1;
        one
    },
    {
        let mut minus_one = MODULUS;
        minus_one[0] -= 1;
        minus_one
    },
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
];

/// Returns whether the bytes encode a point of small order, or are not the canonical encoding of a point (RFC 8032,
/// section 5.1.3).
///
/// A public key of small order accepts signatures that anybody can make. Points with `x` = 0 and the sign bit set are
/// included: they have order 1 and 2.
///
/// Points of mixed order are not found, because that needs arithmetic. Forging a signature for such a key is as hard as
/// for any other key, and both backends check its signatures in the same way, by the equation without the cofactor.
pub(super) fn is_weak(point: &[u8; 32]) -> bool {
    let mut y = *point;
    y[31] &= 0x7f;
    SMALL_ORDER.contains(&y) || y.iter().rev().ge(MODULUS.iter().rev())
}

/// Returns whether an Ed25519 signature starts with such a point, which a correct signer never produces. Also returns
/// `true` if the bytes are too short for a signature.
pub(super) fn starts_with_weak_point(signature: &[u8]) -> bool {
    signature.first_chunk().is_none_or(is_weak)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_small_order_and_second_encodings_are_weak() {
        let with_sign = |mut y: [u8; 32]| {
            y[31] |= 0x80;
            y
        };
        for y in SMALL_ORDER {
            assert!(is_weak(&y) && is_weak(&with_sign(y)), "{y:x?}");
        }
        // From the modulus to 2^255 − 1.
        for low in 0xed..=0xff {
            let mut y = MODULUS;
            y[0] = low;
            assert!(is_weak(&y) && is_weak(&with_sign(y)), "{low:x}");
        }
        let mut greatest = MODULUS;
        greatest[0] -= 2;
        let mut two = [0; 32];
        two[0] = 2;
        // The base point (RFC 8032, section 5.1).
        let mut base = [0x66; 32];
        base[0] = 0x58;
        for y in [greatest, two, base] {
            assert!(!is_weak(&y) && !is_weak(&with_sign(y)), "{y:x?}");
        }
        assert!(starts_with_weak_point(&[]) && starts_with_weak_point(&[0x66; 31]));
        assert!(!starts_with_weak_point(&[0x66; 64]));
    }
}
