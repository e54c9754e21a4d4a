//! No member of an object may be there twice (RFC 7519, section 4).

use std::{
    hash::{BuildHasher as _, RandomState},
    sync::OnceLock,
};

use super::{
    escapes::{escaped, says, text_of},
    node::{Kind, Node},
};

/// The bits of objects with at most this many members are looked at first.
const FEW: usize = 16;
/// Objects with at most this many members are looked at in a table.
const MANY: usize = 512;

/// Whether two of the first `members` members that follow an object's node say the same name, in
/// whatever way it is written.
pub(super) fn has_duplicates(text: &str, nodes: &[Node], object: usize, members: usize) -> bool {
    let names = Names {
        nodes,
        at: object + 1,
        left: members,
    };
    match members {
        ..=FEW => {}
        17..=64 => return is_twice_among::<128>(text, &names),
        65..=256 => return is_twice_among::<512>(text, &names),
        257..=MANY => return is_twice_among::<{ 2 * MANY }>(text, &names),
        _ => return is_twice_among_more(text, nodes, names),
    }
    // A name whose bit no earlier name has differs from all of them, and nearly all have one of their own.
    let mut bits = 0_u64;
    for (_, name) in names.clone() {
        let bit = bit_of(&text.as_bytes()[name.start as usize..name.end as usize]);
        if bits & bit != 0 || name.kind == Kind::EscapedString {
            return is_twice_among::<{ 2 * FEW }>(text, &names);
        }
        bits |= bit;
    }
    false
}

/// The same for names that fill at most half of a table of so many slots, by their hashes.
// Its table is not in the frame of a function that calls itself.
#[inline(never)]
fn is_twice_among<const SLOTS: usize>(text: &str, names: &Names<'_>) -> bool {
    let mut slots = [0; SLOTS];
    let keys = keys();
    names.clone().enumerate().any(|(index, (_, name))| {
        let own = hash(keys, text, *name) | 1; // an empty slot is 0
        let mut slot = (own >> 1) as usize % SLOTS;
        while slots[slot] != 0 && slots[slot] != own {
            slot = (slot + 1) % SLOTS;
        }
        if slots[slot] == 0 {
            slots[slot] = own;
            return false;
        }
        let own = text_of(text, *name);
        let mut earlier = names.clone().take(index);
        earlier.any(|(_, other)| says(text, *other, &own))
    })
}

/// The same for any number of names. Those with equal hashes are compared by sorting, so that no choice
/// of names takes more than n log n steps.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the lower half of a key is a place"
)]
fn is_twice_among_more(text: &str, nodes: &[Node], names: Names<'_>) -> bool {
    // The hash above, the place below: a text has fewer than 2^32 nodes.
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

/// What hashes are keyed with, so that nobody can choose names of one hash.
fn keys() -> (u64, u64) {
    static KEYS: OnceLock<(u64, u64)> = OnceLock::new();
    *KEYS.get_or_init(|| {
        let random = RandomState::new();
        (random.hash_one(0), random.hash_one(1) | 1)
    })
}

/// A hash of what a name says.
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

/// One of 64 bits, by length, first and last byte: what nearly always tells two names apart.
fn bit_of(name: &[u8]) -> u64 {
    let byte = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(*byte));
    let sum = 31 * byte(name.first()) + 7 * byte(name.last()) + name.len();
    1 << (sum % 64)
}

/// The names of an object's members and their places among the nodes; the first one is at this place.
#[derive(Clone)]
struct Names<'a> {
    nodes: &'a [Node],
    at: usize,
    /// How many are left.
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

    fn has_twice(names: &[String]) -> bool {
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

    /// `docs/threats.md` 49: few and many members, plain and escaped, alike in all that a bit looks at.
    #[test]
    fn one_name_twice_is_found_wherever_and_however_it_is_written() {
        for count in [2, 3, FEW, FEW + 1, 64, 65, 256, 257, MANY, MANY + 1, 3_000] {
            let plain: Vec<_> = (0..count).map(|n| format!("a{n:04}-z")).collect();
            let escaped: Vec<_> = plain
                .iter()
                .map(|name| format!("\\u00{:02x}{}", b'a', &name[1..]))
                .collect();
            for names in [&plain, &escaped] {
                assert!(!has_twice(names));
                for (at, again) in [(0, count - 1), (count - 1, 0), (count / 2, count - 1)] {
                    if at == again {
                        continue;
                    }
                    for same in [&plain[again], &escaped[again]] {
                        let mut twice = names.clone();
                        twice[at].clone_from(same);
                        assert!(has_twice(&twice), "{count} {at} {again}");
                    }
                }
            }
        }
    }
}
