//! Which number literals fit 64 bits.

/// The digits of 2^1024 - 2^970, which is the smallest number that rounds to infinity. The first
/// digit stands for 10^308.
const INFINITE: &[u8] = b"\
    179769313486231580793728971405303415079934132710037826936173778980444968292764750946649017\
    977587207096330286416692887910946555547851940402630657488671505820681908902000708383676273\
    854845817711531764475730270069855571366959622842914819860834936475292719074168444365510704\
    342711559699508093042880177904174497792";

/// Whether the nearest double to a number without a sign is finite. Parsing would tell this as
/// well, but its cost depends on the digits, which an attacker can choose.
pub(super) fn is_finite(literal: &str) -> bool {
    let bytes = literal.as_bytes();
    let is_e = |byte: &u8| matches!(byte, b'e' | b'E');
    let digits = bytes.iter().position(is_e).unwrap_or(bytes.len());
    let exponent = match literal.get(digits + 1..) {
        // An exponent beyond 64 bits acts like the largest one that fits.
        Some(exponent) => match exponent.parse::<i64>() {
            Ok(exponent) => exponent,
            Err(_) if exponent.starts_with('-') => return true,
            Err(_) => i64::MAX,
        },
        None => 0,
    };
    let digits = &bytes[..digits];
    let point = digits.iter().position(|byte| *byte == b'.');
    let (mut whole, mut fraction) = match point {
        Some(point) => (&digits[..point], &digits[point + 1..]),
        None => (digits, &digits[..0]),
    };
    // The power of ten of the first digit that is not zero.
    #[expect(clippy::cast_possible_wrap, reason = "both are short")]
    let power = if whole == b"0" {
        let Some(zeros) = fraction.iter().position(|digit| *digit != b'0') else {
            return true;
        };
        (whole, fraction) = (&[], &fraction[zeros..]);
        exponent.saturating_sub(1 + zeros as i64)
    } else {
        exponent.saturating_add(whole.len() as i64 - 1)
    };
    let (infinite, rest) = INFINITE.split_at(whole.len().min(INFINITE.len()));
    power < 308 || power == 308 && whole.cmp(infinite).then_with(|| fraction.cmp(rest)).is_lt()
}

/// Whether an integer fits `i64` or `u64`. `-0` is not an integer in IEEE 754 or `serde_json`.
pub(super) fn fits_64_bits(negative: bool, digits: &[u8]) -> bool {
    let most: &[u8] = match (negative, digits) {
        (true, b"0") => return false,
        (true, _) => b"9223372036854775808",
        (false, _) => b"18446744073709551615",
    };
    digits.len() < most.len() || digits.len() == most.len() && digits <= most
}
