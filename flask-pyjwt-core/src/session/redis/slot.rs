//! Computes the cluster slot of a key.
//!
//! The feature `cluster` of the `redis` crate can do this, too. But its `Slot` does not reveal the
//! number, which is needed to find the node, and the feature adds four dependencies.

/// How many slots a cluster has.
const SLOTS: u16 = 16_384;

/// The slot of a key. If the key contains `{…}`, only the text between the first `{` and the next
/// `}` counts.
pub(super) fn slot(key: &[u8]) -> u16 {
    crc16(tag(key).unwrap_or(key)) % SLOTS
}

fn tag(key: &[u8]) -> Option<&[u8]> {
    let position = |bytes: &[u8], wanted| bytes.iter().position(|byte| *byte == wanted);
    let tag = &key[position(key, b'{')? + 1..];
    let tag = &tag[..position(tag, b'}')?];
    Some(tag).filter(|tag| !tag.is_empty())
}

/// CRC-16/XMODEM, as in the specification of Redis Cluster.
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_specification() {
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(slot(b"foo"), 12_182);
        for (key, hashed) in [
            ("{user1000}.following", "user1000"),
            ("foo{}{bar}", "foo{}{bar}"),
            ("foo{{bar}}zap", "{bar"),
            ("foo{bar}{zap}", "bar"),
            ("foo{bar", "foo{bar"),
            ("", ""),
        ] {
            assert_eq!(slot(key.as_bytes()), crc16(hashed.as_bytes()) % SLOTS);
        }
    }
}
