//! A list sorted by id.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;

/// A value with an id.
pub(super) trait Identified {
    fn id(&self) -> &str;
}

/// A text that is stored inline when it is short. Most ids and subjects are, so comparing them
/// needs no pointer lookup.
pub(super) type ShortText = SmallVec<[u8; 24]>;

/// Values sorted by id, with unique ids. Up to `IN_PLACE` of them are stored inline, without an
/// allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sorted<T, const IN_PLACE: usize>(SmallVec<[(ShortText, T); IN_PLACE]>);

impl<T: Identified, const IN_PLACE: usize> Sorted<T, IN_PLACE> {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, thing)| thing)
    }

    pub(super) fn get(&self, id: &str) -> Option<&T> {
        let place = self.place(id).ok()?;
        self.0.get(place).map(|(_, thing)| thing)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        let place = self.place(id).ok()?;
        self.0.get_mut(place).map(|(_, thing)| thing)
    }

    /// Inserts a value. It replaces one with the same id.
    pub(super) fn insert(&mut self, thing: T) {
        match self.place(thing.id()) {
            Ok(place) => self.0[place].1 = thing,
            Err(place) => {
                let id = ShortText::from_slice(thing.id().as_bytes());
                self.0.insert(place, (id, thing));
            }
        }
    }

    pub(super) fn remove(&mut self, id: &str) {
        if let Ok(place) = self.place(id) {
            self.0.remove(place);
        }
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        self.0.retain(|(_, thing)| keep(thing));
        if self.0.capacity() > 4 * self.0.len() {
            self.0.shrink_to_fit();
        }
    }

    /// The index of the id, or the index at which it would be inserted.
    fn place(&self, id: &str) -> Result<usize, usize> {
        self.0
            .binary_search_by(|(known, _)| known.as_slice().cmp(id.as_bytes()))
    }
}

impl<T, const IN_PLACE: usize> Default for Sorted<T, IN_PLACE> {
    fn default() -> Self {
        Self(SmallVec::new())
    }
}

impl<T: Identified + Serialize, const IN_PLACE: usize> Serialize for Sorted<T, IN_PLACE> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

/// Accepts values in any order.
impl<'de, T: Identified + Deserialize<'de>, const IN_PLACE: usize> Deserialize<'de>
    for Sorted<T, IN_PLACE>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut sorted = Self::default();
        for thing in Vec::deserialize(deserializer)? {
            sorted.insert(thing);
        }
        Ok(sorted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Identified for (String, u32) {
        fn id(&self) -> &str {
            &self.0
        }
    }

    /// Compares with a map of the standard library.
    #[test]
    fn behaves_like_a_standard_map() {
        let (mut sorted, mut map) = (Sorted::<_, 1>::default(), std::collections::BTreeMap::new());
        let mut state = 1_u32;
        for step in 0..2_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let id = format!("id{}", state >> 26);
            match state >> 24 & 3 {
                0 => {
                    sorted.remove(&id);
                    map.remove(&id);
                }
                1 if step % 100 == 0 => {
                    sorted.retain(|(_, step)| step % 2 == 0);
                    map.retain(|_, step| *step % 2 == 0);
                }
                _ => {
                    sorted.insert((id.clone(), step));
                    map.insert(id.clone(), step);
                }
            }
            assert_eq!(sorted.len(), map.len());
            assert_eq!(sorted.get(&id).map(|(_, step)| step), map.get(&id));
            assert_eq!(
                sorted.get_mut(&id).map(|(_, step)| *step),
                map.get(&id).copied()
            );
        }
        let text = serde_json::to_string(&sorted).expect("JSON");
        let reversed: Vec<(String, u32)> = serde_json::from_str(&text).expect("a list");
        let reversed: Vec<_> = reversed.into_iter().rev().collect();
        let text = serde_json::to_string(&reversed).expect("JSON");
        let read: Sorted<(String, u32), 1> = serde_json::from_str(&text).expect("a list");
        assert_eq!(read, sorted);
    }
}
