//! Refuses objects with two members of the same name (RFC 7519, section 4).

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::OnceLock,
};

use super::{
    escapes::{content_is, escaped, text_of},
    node::{Kind, Node},
};

/// For objects with at most this many members, one bit for each name is compared first.
const MAX_FOR_BITS: usize = 16;
/// For objects with at most this many members, hashes are compared in a table on the stack.
const MAX_FOR_TABLE: usize = 512;

/// Whether two of the first `members` members after an object's node have the same name, however it
/// is written.
pub(super) fn has_duplicates(text: &str, nodes: &[Node], object: usize, members: usize) -> bool {
    let names = Names {
        nodes,
        at: object + 1,
        left: members,
    };
    match members {
        ..=MAX_FOR_BITS => {}
        17..=64 => return has_duplicates_in_table::<128>(text, &names),
        65..=256 => return has_duplicates_in_table::<512>(text, &names),
        257..=MAX_FOR_TABLE => {
            return has_duplicates_in_table::<{ 2 * MAX_FOR_TABLE }>(text, &names);
        }
        _ => return has_duplicates_by_sorting(text, nodes, names),
    }
    // A name with a bit that no earlier name has differs from all of them. Most names have such a
    // bit.
    let mut bits = 0_u64;
    for (_, name) in names.clone() {
        let bit = bit_of(&text.as_bytes()[name.start as usize..name.end as usize]);
        if bits & bit != 0 || name.kind == Kind::EscapedString {
            return has_duplicates_in_table::<{ 2 * MAX_FOR_BITS }>(text, &names);
        }
        bits |= bit;
    }
    false
}

/// Compares names by their hashes, in a table that they fill at most by half.
// Not inlined: otherwise the table would be in the stack frame of a recursive function.
#[inline(never)]
fn has_duplicates_in_table<const SLOTS: usize>(text: &str, names: &Names<'_>) -> bool {
    let mut slots = [0; SLOTS];
    let keys = keys();
    names.clone().enumerate().any(|(index, (_, name))| {
        let hash_bits = hash(keys, text, *name) | 1; // an empty slot is 0
        let mut slot = (hash_bits >> 1) as usize % SLOTS;
        while slots[slot] != 0 && slots[slot] != hash_bits {
            slot = (slot + 1) % SLOTS;
        }
        if slots[slot] == 0 {
            slots[slot] = hash_bits;
            return false;
        }
        let content = text_of(text, *name);
        let mut earlier = names.clone().take(index);
        earlier.any(|(_, other)| content_is(text, *other, &content))
    })
}

/// Compares any number of names. Names with equal hashes are sorted, so that no choice of names
/// takes more than n log n steps.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower half of a key is an index"
)]
fn has_duplicates_by_sorting(text: &str, nodes: &[Node], names: Names<'_>) -> bool {
    // The upper half is the hash, the lower half the index. A text has fewer than 2^32 nodes.
    let keys = keys();
    let keyed = names.map(|(at, name)| u64::from(hash(keys, text, *name)) << 32 | at as u64);
    let mut keyed: Vec<_> = keyed.collect();
    keyed.sort_unstable();
    let same_hash = keyed.chunk_by(|one, other| one >> 32 == other >> 32);
    same_hash.filter(|same| same.len() > 1).any(|same| {
        let places = same.iter().map(|key| *key as u32 as usize);
        let mut names: Vec<_> = places.map(|at| text_of(text, nodes[at])).collect();
        names.sort_unstable();
        names.windows(2).any(|pair| pair[0] == pair[1])
    })
}

/// Random keys for the hashes, so that nobody can choose names with equal hashes.
fn keys() -> (u64, u64) {
    static KEYS: OnceLock<(u64, u64)> = OnceLock::new();
    *KEYS.get_or_init(|| {
        let random = RandomState::new();
        (random.hash_one(0), random.hash_one(1) | 1)
    })
}

/// The hash of the content of a name.
#[inline]
fn hash((start, factor): (u64, u64), text: &str, name: Node) -> u32 {
    let add = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(factor);
    let written = &text.as_bytes()[name.start as usize..name.end as usize];
    let mut hash = start;
    if name.kind == Kind::EscapedString {
        let mut rest = written;
        while let [byte, after @ ..] = rest {
            if *byte != b'\\' {
                (hash, rest) = (add(hash, byte), after);
                continue;
            }
            let (character, length) = escaped(rest);
            rest = rest.get(length..).unwrap_or_default();
            hash = if character.is_ascii() {
                add(hash, &(character as u8))
            } else {
                let mut bytes = [0; 4];
                let bytes = character.encode_utf8(&mut bytes).as_bytes();
                bytes.iter().fold(hash, add)
            };
        }
    } else {
        hash = written.iter().fold(hash, add);
    }
    (hash >> 32) as u32
}

/// One of 64 bits, chosen by length, first and last byte. This distinguishes most names.
fn bit_of(name: &[u8]) -> u64 {
    let byte = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(*byte));
    let sum = 31 * byte(name.first()) + 7 * byte(name.last()) + name.len();
    1 << (sum % 64)
}

/// The names of an object's members, with their indices among the nodes. The first name is at `at`.
#[derive(Clone)]
struct Names<'a> {
    nodes: &'a [Node],
    at: usize,
    /// The number of remaining names.
    left: usize,
}

impl<'a> Iterator for Names<'a> {
    type Item = (usize, &'a Node);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let at = self.at;
        let name = self.nodes.get(at)?;
        self.at = self.nodes.get(at + 1)?.next as usize;
        Some((at, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::scanner::{JsonError, scan};

    fn has_duplicate(names: &[String]) -> bool {
        let members: Vec<_> = names.iter().map(|name| format!("\"{name}\":0")).collect();
        // A longer text may have more members.
        let text = format!("{{{}}}{}", members.join(","), " ".repeat(30_000));
        match scan(&text) {
            Ok(_) => false,
            Err(error) => {
                assert_eq!(error, JsonError::Duplicate);
                true
            }
        }
    }

    /// `docs/threats.md` 49: few and many members, plain and escaped, with the same bit.
    #[test]
    fn a_duplicate_name_is_found_however_it_is_written() {
        for count in [
            2,
            3,
            MAX_FOR_BITS,
            MAX_FOR_BITS + 1,
            64,
            65,
            256,
            257,
            MAX_FOR_TABLE,
            MAX_FOR_TABLE + 1,
            3_000,
        ] {
            let plain: Vec<_> = (0..count).map(|n| format!("a{n:04}-z")).collect();
            let escaped: Vec<_> = plain
                .iter()
                .map(|name| format!("\\u00{:02x}{}", b'a', &name[1..]))
                .collect();
            for names in [&plain, &escaped] {
                assert!(!has_duplicate(names));
                for (at, again) in [(0, count - 1), (count - 1, 0), (count / 2, count - 1)] {
                    if at == again {
                        continue;
                    }
                    for same in [&plain[again], &escaped[again]] {
                        let mut twice = names.clone();
                        twice[at].clone_from(same);
                        assert!(has_duplicate(&twice), "{count} {at} {again}");
                    }
                }
            }
        }
    }
}
