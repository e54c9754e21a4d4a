//! Members of an object that is not written yet.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Error, Map, Value};

use super::{
    serializer::ToWriter,
    writer::{Part, Writer},
};

/// Members of an object, in any order. Their values are kept as JSON.
#[derive(Default)]
pub(crate) struct Members {
    values: Writer,
    /// Of several with one name, the last one counts.
    members: Vec<(Cow<'static, str>, Part)>,
}

/// Enough text and nodes for the claims of most tokens.
const CAPACITY: (usize, usize) = (256, 32);

impl Members {
    /// Sets a member to what the value serializes to.
    ///
    /// # Errors
    ///
    /// Returns the error of [`serde_json::to_value`]. The member does not change.
    pub(crate) fn serialize(
        &mut self,
        name: String,
        value: &impl Serialize,
    ) -> Result<(), (String, Error)> {
        let end = self.begin();
        match value.serialize(ToWriter(&mut self.values)) {
            Ok(()) => {
                self.members.push((name.into(), self.values.since(end)));
                Ok(())
            }
            Err(error) => {
                self.values.cut(end, 0);
                Err((name, error))
            }
        }
    }

    /// Sets a member.
    pub(crate) fn insert(&mut self, name: impl Into<Cow<'static, str>>, value: &Value) {
        let end = self.begin();
        self.values.value(value);
        self.members.push((name.into(), self.values.since(end)));
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.members.iter().any(|(known, _)| known == name)
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.members.retain(|(known, _)| known != name);
    }

    fn begin(&mut self) -> (usize, usize) {
        if self.members.capacity() == 0 {
            self.values = Writer::with_capacity(CAPACITY.0, CAPACITY.1);
            self.members.reserve(8);
        }
        self.values.end()
    }

    /// Sorts the members by their names, and keeps the last one of each name.
    pub(crate) fn sort(&mut self) {
        self.members.sort_by(|(one, _), (other, _)| one.cmp(other));
        self.members.dedup_by(|later, kept| {
            let is_same = later.0 == kept.0;
            if is_same {
                kept.1 = later.1;
            }
            is_same
        });
    }

    /// The length of the text and the number of nodes that [`write_to`](Self::write_to) writes, or a little more, if no
    /// name has escapes.
    pub(super) fn size(&self) -> (usize, usize) {
        let (text, nodes) = self.values.end();
        let names: usize = self.members.iter().map(|(name, _)| name.len() + 4).sum();
        (text + names, nodes + self.members.len())
    }

    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Writes the members into the object with this index.
    pub(super) fn write_to(&self, writer: &mut Writer, object: usize) {
        for (name, value) in &self.members {
            writer.name(object, name);
            writer.copy(&self.values, *value);
        }
    }
}

impl From<Map<String, Value>> for Members {
    fn from(map: Map<String, Value>) -> Self {
        let mut members = Self::default();
        for (name, value) in map {
            members.insert(name, &value);
        }
        members
    }
}
