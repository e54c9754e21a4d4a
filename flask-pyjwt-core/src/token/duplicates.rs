//! No member of an object may be there twice (RFC 7519, section 4).

use super::json::{Kind, Node, text_of};

/// Objects with more members than this are sorted.
const FEW: usize = 16;

/// Whether two of the first `members` members that follow an object's node say the same name, in
/// whatever way it is written.
pub(super) fn has_duplicates(text: &str, nodes: &[Node], object: usize, members: usize) -> bool {
    let names = Names {
        nodes,
        at: object + 1,
    }
    .take(members);
    if members > FEW {
        return is_twice_among(text, names);
    }
    // A name whose bit nobody had before is no earlier one's, and nearly all have one of their own.
    let mut bits = 0_u64;
    for (index, name) in names.clone().enumerate() {
        if name.kind == Kind::EscapedString {
            return is_twice_among(text, names); // it may say the same in other bytes
        }
        let own = written(text, name);
        let bit = bit_of(own);
        let mut earlier = names.clone().take(index);
        if bits & bit != 0 && earlier.any(|earlier| written(text, earlier) == own) {
            return true;
        }
        bits |= bit;
    }
    false
}

fn is_twice_among<'a>(text: &str, names: impl Iterator<Item = &'a Node>) -> bool {
    let mut sorted: Vec<_> = names.map(|name| text_of(text, *name)).collect();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair[0] == pair[1])
}

/// A name as it stands between its quotes.
fn written<'a>(text: &'a str, name: &Node) -> &'a [u8] {
    &text.as_bytes()[name.start as usize..name.end as usize]
}

/// One of 64 bits, by length, first and last byte: what nearly always tells two names apart.
fn bit_of(name: &[u8]) -> u64 {
    let byte = |byte: Option<&u8>| byte.map_or(0, |byte| usize::from(*byte));
    let sum = 31 * byte(name.first()) + 7 * byte(name.last()) + name.len();
    1 << (sum % 64)
}

/// The names of an object's members, the first of which is at this node.
#[derive(Clone)]
struct Names<'a> {
    nodes: &'a [Node],
    at: usize,
}

impl<'a> Iterator for Names<'a> {
    type Item = &'a Node;

    fn next(&mut self) -> Option<&'a Node> {
        let name = self.nodes.get(self.at)?;
        self.at = self.nodes.get(self.at + 1)?.next as usize;
        Some(name)
    }
}
