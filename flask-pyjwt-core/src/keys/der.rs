//! The parts of DER (ITU-T X.690) that keys need (RFC 5280, section 4.1).

pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;

/// Takes a value with this tag off the front of the input. Its length must be encoded minimally.
pub(super) fn take<'a>(der: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (first, rest) = der.split_first()?;
    if *first != tag {
        return None;
    }
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match *length {
        ..=0x7f => (usize::from(*length), rest),
        0x81 | 0x82 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(*length - 0x80))?;
            let length = bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            let is_minimal = length >= 0x80 && (bytes.len() == 1 || length >= 0x100);
            (is_minimal.then_some(length)?, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    *der = rest;
    Some(content)
}

/// Returns the content if the input is exactly one value with this tag.
pub(super) fn only(mut der: &[u8], tag: u8) -> Option<&[u8]> {
    take(&mut der, tag).filter(|_| der.is_empty())
}

/// Encodes a value.
pub(super) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut der = vec![tag];
    #[expect(clippy::cast_possible_truncation, reason = "byte by byte")]
    match length {
        ..=0x7f => der.push(length as u8),
        0x80..=0xff => der.extend([0x81, length as u8]),
        _ => der.extend([0x82, (length >> 8) as u8, length as u8]),
    }
    der.extend_from_slice(content);
    der
}

/// Encodes a non-negative number, given as big-endian bytes without leading zeros.
pub(super) fn integer(magnitude: &[u8]) -> Vec<u8> {
    if magnitude.first().is_none_or(|first| first & 0x80 != 0) {
        value(INTEGER, &[&[0], magnitude].concat())
    } else {
        value(INTEGER, magnitude)
    }
}

/// Returns the big-endian bytes of a positive number without its leading zero.
pub(super) fn magnitude(integer: &[u8]) -> Option<&[u8]> {
    match integer {
        [0, rest @ ..] if rest.first().is_some_and(|first| first & 0x80 != 0) => Some(rest),
        [1..=0x7f, ..] => Some(integer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_values_decode_to_the_same_content() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0x401] {
            let content = vec![7; length];
            let der = value(SEQUENCE, &content);
            assert_eq!(only(&der, SEQUENCE), Some(&content[..]), "{length}");
            assert_eq!(only(&der, INTEGER), None);
            assert_eq!(only(&der[..der.len() - 1], SEQUENCE), None);
            assert_eq!(only(&[&der[..], &[0]].concat(), SEQUENCE), None);
        }
        for number in [&[1_u8][..], &[0x7f], &[0x80], &[0xff, 1]] {
            let der = integer(number);
            assert_eq!(only(&der, INTEGER).and_then(magnitude), Some(number));
        }
    }

    #[test]
    fn lengths_that_are_not_minimal_and_numbers_that_are_not_positive_are_refused() {
        for der in [
            &[0x30, 0x81, 0x01, 0x00][..],
            &[0x30, 0x82, 0x00, 0x01, 0x00],
            &[0x30, 0x80],
            &[0x30, 0x83, 0, 0, 1, 0],
            &[0x30],
            &[],
        ] {
            assert_eq!(only(der, SEQUENCE), None, "{der:?}");
        }
        for number in [&[][..], &[0], &[0x80], &[0, 1]] {
            assert_eq!(magnitude(number), None, "{number:?}");
        }
    }
}
