//! Which RSA keys are good enough, whatever the backend.

use super::{KeyProblem, Material, PublicKey};

/// Judges modulus and exponent, both as big-endian bytes: 2048 bits (RFC 7518, section 3.3) to 8192, and
/// an odd exponent above 1.
pub(super) fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), KeyProblem> {
    let (n, e) = (without_zeros(n), without_zeros(e));
    let leading = n.first().map_or(0, |byte| byte.leading_zeros() as usize);
    match n.len() * 8 - leading {
        ..2048 => Err(KeyProblem::TooSmall),
        8193.. => Err(KeyProblem::TooLarge),
        _ if matches!(e, [] | [1]) || e.last().is_some_and(|e| e % 2 == 0) => {
            Err(KeyProblem::UnsafeExponent)
        }
        _ => Ok(()),
    }
}

/// The same before a backend reads the key, which would refuse many without saying why, and some only
/// after much arithmetic.
pub(super) fn check_rsa_of(key: &Material) -> Result<(), KeyProblem> {
    match PublicKey::of(key) {
        Some(PublicKey::Rsa { n, e }) => check_rsa(&n, &e),
        _ => Ok(()),
    }
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest number of so many bits.
    fn bits(count: usize) -> Vec<u8> {
        let mut number = vec![0xff; count.div_ceil(8)];
        number[0] >>= (8 - count % 8) % 8;
        number
    }

    #[test]
    fn threat_4_the_sizes_and_exponents_that_are_good_enough() {
        use KeyProblem::{TooLarge, TooSmall, UnsafeExponent};
        for (size, expected) in [
            (1, Err(TooSmall)),
            (1024, Err(TooSmall)),
            (2047, Err(TooSmall)),
            (2048, Ok(())),
            (3072, Ok(())),
            (8191, Ok(())),
            (8192, Ok(())),
            (8193, Err(TooLarge)),
            (16_384, Err(TooLarge)),
            (32_768, Err(TooLarge)),
        ] {
            let n = bits(size);
            assert_eq!(check_rsa(&n, &[1, 0, 1]), expected, "{size}");
            let padded = [&[0, 0], &n[..]].concat();
            assert_eq!(check_rsa(&padded, &[0, 1, 0, 1]), expected, "{size}");
        }
        assert_eq!(check_rsa(&[], &[3]), Err(TooSmall));
        for (exponent, expected) in [
            (&[][..], Err(UnsafeExponent)),
            (&[0], Err(UnsafeExponent)),
            (&[0, 1], Err(UnsafeExponent)),
            (&[2], Err(UnsafeExponent)),
            (&[1, 0, 0], Err(UnsafeExponent)),
            (&[3], Ok(())),
            (&[1, 0, 1], Ok(())),
        ] {
            assert_eq!(check_rsa(&bits(2048), exponent), expected, "{exponent:?}");
        }
    }
}
