//! Values in SQL. Every statement of this package is a text, and these are the only values in it.

use std::fmt::{self, Display, Write as _};

use flask_pyjwt_core::store::Moment;
use sha2::{Digest as _, Sha256};

/// Bytes, as hexadecimal digits. Nothing has to be escaped.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

impl Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        f.write_str("decode('")?;
        for byte in self.0 {
            f.write_char(char::from(DIGITS[usize::from(byte >> 4)]))?;
            f.write_char(char::from(DIGITS[usize::from(byte & 15)]))?;
        }
        f.write_str("','hex')")
    }
}

/// The longest id that is stored as it is. An index refuses rows of more than about 2,700 bytes.
const LONGEST_ID: usize = 1_000;
/// What the hash of a longer id begins with. No text in UTF-8 contains this byte.
const LONG: u8 = 0xff;

/// The id of a session or a token, as it is stored: its bytes, or its hash if it is long.
pub(crate) struct Id<'a>(pub(crate) &'a str);

impl Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(id) = self;
        if id.len() <= LONGEST_ID {
            return Bytes(id.as_bytes()).fmt(f);
        }
        let hash = Sha256::digest(id);
        Bytes(&[&[LONG], &hash[..]].concat()).fmt(f)
    }
}

/// A number. Its type is written, because PostgreSQL reads the smallest `bigint` as another type
/// otherwise.
pub(crate) struct Number(pub(crate) i64);

impl Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'::bigint", self.0)
    }
}

/// A moment, in milliseconds.
pub(crate) fn moment(moment: Moment) -> Number {
    Number(moment.milliseconds())
}

/// The key of a subject's rows: the SHA-256 of the subject. Subjects can be too long for an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 32]);

impl Key {
    pub(crate) fn of(subject: &str) -> Self {
        Self(Sha256::digest(subject).into())
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(crate) fn from_hex(digits: &str) -> Option<Self> {
        Self::from_bytes(&from_hex(digits)?)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The number of the lock that changes of this subject take in turn.
    pub(crate) fn lock(self, identity: &str) -> Number {
        let mut hash = Sha256::new_with_prefix(identity);
        hash.update(self.0);
        first_number(hash.finalize().into())
    }
}

/// A number that only one purpose has.
pub(crate) fn lock_of(purpose: &str) -> Number {
    first_number(Sha256::digest(purpose).into())
}

fn first_number(hash: [u8; 32]) -> Number {
    let (first, _) = hash.split_first_chunk().expect("there are 32 bytes");
    Number(i64::from_be_bytes(*first))
}

impl Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Bytes(&self.0).fmt(f)
    }
}

/// The bytes of hexadecimal digits, as PostgreSQL writes them.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let digit = |it: u8| {
        char::from(it)
            .to_digit(16)
            .and_then(|it| u8::try_from(it).ok())
    };
    let byte = |[high, low]: &[u8; 2]| Some((digit(*high)? << 4) | digit(*low)?);
    pairs.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_digits() {
        assert_eq!(
            Bytes(b"').\0\xff").to_string(),
            "decode('27292e00ff','hex')"
        );
        assert_eq!(Bytes(b"").to_string(), "decode('','hex')");
        let all: Vec<u8> = (0..=255).collect();
        let text = Bytes(&all).to_string();
        let digits = text
            .trim_start_matches("decode('")
            .trim_end_matches("','hex')");
        assert_eq!(from_hex(digits), Some(all));
        for malformed in ["0", "0g", "+1", "é"] {
            assert_eq!(from_hex(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn long_ids_are_hashed_and_no_short_one_is_like_a_hash() {
        let short = "a".repeat(LONGEST_ID);
        assert_eq!(Id(&short).to_string(), Bytes(short.as_bytes()).to_string());
        let (long, other) = ("a".repeat(LONGEST_ID + 1), "b".repeat(LONGEST_ID + 1));
        assert!(Id(&long).to_string().starts_with("decode('ff"));
        assert_eq!(
            Id(&long).to_string().len(),
            Bytes(&[0; 33]).to_string().len()
        );
        assert_ne!(Id(&long).to_string(), Id(&other).to_string());
    }

    #[test]
    fn numbers_have_a_type() {
        assert_eq!(
            moment(Moment::MIN).to_string(),
            "'-9223372036854775808'::bigint"
        );
    }

    #[test]
    fn each_subject_of_each_store_has_its_own_lock() {
        let (alice, bob) = (Key::of("alice"), Key::of("bob"));
        assert_ne!(alice.lock("a").0, bob.lock("a").0);
        assert_ne!(alice.lock("a").0, alice.lock("b").0);
    }
}
