//! Checks whether 32 bytes encode a point of Ed25519.
//!
//! AWS-LC makes this check only when it verifies a signature. This module makes it when a key is configured, so that a
//! damaged key is found at start. The input is public, so nothing here needs constant time.

/// A number below 2^256, modulo 2^255 − 19, as little-endian digits.
type Number = [u64; 4];

const ONE: Number = [1, 0, 0, 0];
const MINUS_ONE: Number = [0xffff_ffff_ffff_ffec, u64::MAX, u64::MAX, u64::MAX >> 1];
/// The curve's `d` (RFC 8032, section 5.1).
const D: Number = [
    0x75eb_4dca_1359_78a3,
    0x0070_0a4d_4141_d8ab,
    0x8cc7_4079_7779_e898,
    0x5203_6cee_2b6f_fe73,
];
/// Half of the modulus minus one: 2^254 − 10.
const HALF: Number = [0xffff_ffff_ffff_fff6, u64::MAX, u64::MAX, u64::MAX >> 2];

/// Returns whether these bytes encode a point: a `y`, with the sign of `x` in the highest bit.
///
/// An `x` exists if (y² − 1) / (dy² + 1) is a square (RFC 8032, section 5.1.3).
pub(super) fn is_point(bytes: &[u8; 32]) -> bool {
    let mut y = Number::default();
    for (digit, chunk) in y.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *digit = u64::from_le_bytes(*chunk);
    }
    y[3] &= u64::MAX >> 1;
    let square = product(y, y);
    let (above, below) = (sum(square, MINUS_ONE), sum(product(D, square), ONE));
    // The divisor is never 0, so the quotient is a square if and only if the product is.
    let symbol = power(product(above, below), HALF);
    is_same(symbol, ONE) || is_same(symbol, [0; 4])
}

#[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
fn halves(number: u128) -> (u64, u64) {
    (number as u64, (number >> 64) as u64)
}

/// Adds `overflow` times 2^256, which equals 38 modulo 2^255 − 19.
fn fold(mut number: Number, mut overflow: u64) -> Number {
    while overflow > 0 {
        let mut carry = u128::from(overflow) * 38;
        for digit in &mut number {
            let (low, high) = halves(u128::from(*digit) + carry);
            (*digit, carry) = (low, u128::from(high));
        }
        overflow = halves(carry).0;
    }
    number
}

fn sum(mut a: Number, b: Number) -> Number {
    let mut carry = 0;
    for (a, b) in a.iter_mut().zip(b) {
        (*a, carry) = halves(u128::from(*a) + u128::from(b) + u128::from(carry));
    }
    fold(a, carry)
}

fn product(a: Number, b: Number) -> Number {
    let mut wide = [0; 8];
    for (at, a) in a.into_iter().enumerate() {
        let mut carry = 0;
        for (b, digit) in b.into_iter().zip(&mut wide[at..]) {
            let product = u128::from(a) * u128::from(b);
            (*digit, carry) = halves(product + u128::from(*digit) + u128::from(carry));
        }
        wide[at + 4] = carry;
    }
    let (mut low, mut carry) = (Number::default(), 0);
    for (at, digit) in low.iter_mut().enumerate() {
        let overflow = u128::from(wide[at + 4]) * 38;
        (*digit, carry) = halves(overflow + u128::from(wide[at]) + u128::from(carry));
    }
    fold(low, carry)
}

fn power(base: Number, exponent: Number) -> Number {
    let bits = (0..256)
        .rev()
        .map(|bit| exponent[bit / 64] >> (bit % 64) & 1 == 1);
    bits.fold(ONE, |power, bit| {
        let square = product(power, power);
        if bit { product(square, base) } else { square }
    })
}

/// Returns whether a number equals a small one (less than 38) modulo 2^255 − 19.
fn is_same(number: Number, small: Number) -> bool {
    // Each of the first 38 residues has three representations below 2^256.
    let modulus = [MINUS_ONE[0] + 1, MINUS_ONE[1], MINUS_ONE[2], MINUS_ONE[3]];
    let twice = [u64::MAX - 37, u64::MAX, u64::MAX, u64::MAX];
    [[0; 4], modulus, twice]
        .into_iter()
        .any(|multiple| sum(small, multiple) == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_encodings_are_points_as_in_another_implementation() {
        let of = |low: u8| {
            let mut bytes = [0; 32];
            bytes[0] = low;
            bytes
        };
        // Computed with another implementation.
        let points: Vec<u8> = (0..32).filter(|low| is_point(&of(*low))).collect();
        assert_eq!(
            points,
            [
                0, 1, 3, 4, 5, 6, 9, 10, 14, 15, 16, 18, 19, 21, 23, 24, 25, 26, 27, 28, 29, 30
            ]
        );
        let mut base = [0x66; 32];
        base[0] = 0x58;
        assert!(is_point(&base));
        base[31] |= 0x80;
        assert!(is_point(&base), "the other sign");
        // The largest values of `y`: `-y` is a point if and only if `y` is.
        for low in 1..32 {
            let mut bytes = [0xff; 32];
            (bytes[0], bytes[31]) = (0xed - low, 0x7f);
            assert_eq!(is_point(&bytes), points.contains(&low), "-{low}");
        }
    }
}
