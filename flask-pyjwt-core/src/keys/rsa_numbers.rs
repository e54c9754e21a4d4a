//! The rules for the numbers of RSA keys. They are the same for both backends.

use super::KeyProblem;

/// The maximum length of the public exponent in bits. Both backends refuse longer ones, with which verifying would be as
/// slow as signing.
const MAX_EXPONENT_BITS: usize = 33;
/// Odd numbers below this limit are tried as factors of a modulus.
const TRIAL_LIMIT: u32 = 1 << 12;

/// Checks modulus and exponent, both as big-endian bytes. The modulus must have 2048 bits (RFC 7518, section 3.3) to
/// 8192 bits, have no small factor, and not come from a vulnerable generator. The exponent must be odd, above 1, and at
/// most 33 bits long.
///
/// The check does not find moduli that are a prime, the power of a prime, or the product of primes that are close to each
/// other or shared with other keys. Only the owner can create such a key, so refusing
/// it would protect nobody else.
pub(super) fn check_rsa(n: &[u8], e: &[u8]) -> Result<(), KeyProblem> {
    match bits(n) {
        ..2048 => return Err(KeyProblem::TooSmall),
        8193.. => return Err(KeyProblem::TooLarge),
        _ => {}
    }
    let is_even = |number: &[u8]| number.last().is_none_or(|last| last % 2 == 0);
    if is_even(e) || !(2..=MAX_EXPONENT_BITS).contains(&bits(e)) {
        return Err(KeyProblem::UnsafeExponent);
    }
    if is_even(n) || has_small_factor(n) {
        return Err(KeyProblem::SmallFactor);
    }
    if has_roca_fingerprint(n) {
        return Err(KeyProblem::Guessable);
    }
    Ok(())
}

/// Returns the number of bits without leading zeros.
fn bits(number: &[u8]) -> usize {
    let number = without_zeros(number);
    let leading = number
        .first()
        .map_or(0, |byte| byte.leading_zeros() as usize);
    number.len() * 8 - leading
}

fn remainder(number: &[u8], divisor: u32) -> u32 {
    let (first, chunks) = number.as_rchunks::<4>();
    let first = first
        .iter()
        .fold(0, |rest, byte| (rest * 256 + u32::from(*byte)) % divisor);
    chunks.iter().fold(first, |rest, chunk| {
        let digit = u64::from(rest) << 32 | u64::from(u32::from_be_bytes(*chunk));
        #[expect(clippy::cast_possible_truncation, reason = "less than `divisor`")]
        let rest = (digit % u64::from(divisor)) as u32;
        rest
    })
}

fn has_small_factor(n: &[u8]) -> bool {
    (3..TRIAL_LIMIT)
        .step_by(2)
        .any(|factor| remainder(n, factor) == 0)
}

/// Returns whether a modulus has the fingerprint of a vulnerable generator: it is a power of 65537 modulo every small
/// prime (ROCA, CVE-2017-15361). The private keys of such a generator can be computed. One in a hundred million good keys
/// has the fingerprint by chance.
fn has_roca_fingerprint(n: &[u8]) -> bool {
    const PRIMES: [u32; 17] = [
        11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157,
    ];
    PRIMES.into_iter().all(|prime| {
        let remainder = remainder(n, prime);
        let mut power = 1;
        (0..prime).any(|_| {
            power = power * (65_537 % prime) % prime;
            power == remainder
        })
    })
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a number of exactly this many bits that has no small factor and no ROCA fingerprint.
    fn modulus(count: usize) -> Vec<u8> {
        let mut number = vec![0xff; count.div_ceil(8)];
        number[0] >>= (8 - count % 8) % 8;
        while has_small_factor(&number) || has_roca_fingerprint(&number) {
            let mut last = number.iter_mut().rev();
            let low = last.next().expect("a byte");
            *low = low.checked_sub(2).expect("a suitable number is near");
        }
        number
    }

    #[test]
    fn threat_4_weak_sizes_and_exponents_are_refused() {
        use KeyProblem::{TooLarge, TooSmall, UnsafeExponent};
        for (size, expected) in [
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
            let n = modulus(size);
            assert_eq!(check_rsa(&n, &[1, 0, 1]), expected, "{size}");
            let padded = [&[0, 0], &n[..]].concat();
            assert_eq!(check_rsa(&padded, &[0, 1, 0, 1]), expected, "{size}");
        }
        assert_eq!(check_rsa(&[], &[3]), Err(TooSmall));
        assert_eq!(check_rsa(&[1], &[3]), Err(TooSmall));
        let n = modulus(2048);
        for (exponent, expected) in [
            (&[][..], Err(UnsafeExponent)),
            (&[0], Err(UnsafeExponent)),
            (&[0, 1], Err(UnsafeExponent)),
            (&[2], Err(UnsafeExponent)),
            (&[1, 0, 0], Err(UnsafeExponent)),
            (&[3], Ok(())),
            (&[1, 0, 1], Ok(())),
            (&[1, 0xff, 0xff, 0xff, 0xff], Ok(())),
            (&[2, 0, 0, 0, 1], Err(UnsafeExponent)),
            (&[1, 0, 0, 0, 0, 0, 0, 0, 1], Err(UnsafeExponent)),
            (&n, Err(UnsafeExponent)),
        ] {
            assert_eq!(check_rsa(&n, exponent), expected, "{exponent:?}");
        }
    }

    #[test]
    fn a_modulus_with_a_small_factor_is_refused() {
        let even = {
            let mut n = modulus(2048);
            *n.last_mut().expect("a byte") ^= 1;
            n
        };
        let mut power_of_two = vec![0; 256];
        power_of_two[0] = 0x80;
        // 2^2048 − 1 is a multiple of 3.
        for n in [even, power_of_two, vec![0xff; 256]] {
            assert_eq!(check_rsa(&n, &[1, 0, 1]), Err(KeyProblem::SmallFactor));
        }
        for (factor, expected) in [(3, true), (4_093, true), (4_099, false)] {
            // The factor times 2^2048 + 1, which has no small factors.
            let mut n = vec![0; 258];
            n[..2].copy_from_slice(&u16::to_be_bytes(factor));
            n[256..].copy_from_slice(&u16::to_be_bytes(factor));
            assert_eq!(has_small_factor(&n), expected, "{factor}");
        }
    }
}
