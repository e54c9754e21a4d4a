//! Which encodings of points of Ed25519 are refused, whatever the backend.

/// 2^255 − 19, the modulus of the field, in little-endian order as points are.
const MODULUS: [u8; 32] = {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed;
    bytes[31] = 0x7f;
    bytes
};

/// The `y` of the eight points of small order, each once: of order 4, 1, 2, and twice of order 8. The sign
/// bit is not part of it.
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

/// Whether the bytes encode a point of small order, or encode any point in another way than its one
/// canonical encoding (RFC 8032, section 5.1.3).
///
/// A public key of small order verifies signatures that anybody can make. That includes the points with
/// `x` = 0 whose sign bit is set: they are of order 1 and 2.
///
/// A point that has a part of small order besides one of the large order is not found: that takes
/// arithmetic. Forging a signature of such a key is as hard as for any other, and both backends judge its
/// signatures alike, by the equation without the cofactor.
pub(super) fn is_weak(point: &[u8; 32]) -> bool {
    let mut y = *point;
    y[31] &= 0x7f;
    SMALL_ORDER.contains(&y) || y.iter().rev().ge(MODULUS.iter().rev())
}

/// The same of the point that an Ed25519 signature begins with: no signature of a proper signer has one of
/// small order. `true` also for what is no signature.
pub(super) fn begins_weakly(signature: &[u8]) -> bool {
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
        // From the modulus on to 2^255 − 1.
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
        assert!(begins_weakly(&[]) && begins_weakly(&[0x66; 31]));
        assert!(!begins_weakly(&[0x66; 64]));
    }
}
