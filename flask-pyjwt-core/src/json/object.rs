//! Writes an object.

use super::{document::Document, members::Members, node::Kind, scanner::JsonError, writer::Writer};

/// An object that is being written.
pub(crate) struct ObjectWriter {
    writer: Writer,
    index: usize,
    members: usize,
}

impl ObjectWriter {
    /// Begins an object with space for these members, and for others with texts of `text` bytes.
    pub(crate) fn with_space_for(members: &Members, text: usize) -> Self {
        const OTHERS: usize = 6; // the registered claims of a token
        let (length, nodes) = members.size();
        let mut writer = Writer::with_capacity(length + text + 16 * OTHERS, nodes + 1 + 2 * OTHERS);
        Self {
            index: writer.open(Kind::Object),
            writer,
            members: 0,
        }
    }

    fn name(&mut self, name: &'static str) {
        self.writer.plain_name(self.index, name);
        self.members += 1;
    }

    /// Writes a member with a string. The name has nothing to escape.
    pub(crate) fn string(&mut self, name: &'static str, content: &str) {
        self.name(name);
        self.writer.string(content);
    }

    /// Writes a member with an integer. The name has nothing to escape.
    pub(crate) fn integer(&mut self, name: &'static str, value: i64) {
        self.name(name);
        self.writer.signed(value);
    }

    /// Writes these members, which must be sorted.
    pub(crate) fn members(&mut self, members: &Members) {
        members.write_to(&mut self.writer, self.index);
        self.members += members.len();
    }

    /// Ends the object.
    pub(crate) fn finish(mut self) -> WrittenObject {
        self.writer.close(self.index);
        WrittenObject {
            writer: self.writer,
            members: self.members,
        }
    }
}

/// An object that was written.
pub(crate) struct WrittenObject {
    writer: Writer,
    members: usize,
}

impl WrittenObject {
    pub(crate) fn text(&self) -> &str {
        self.writer.text()
    }

    pub(crate) fn into_text(self) -> String {
        self.writer.into_text()
    }

    /// Returns the document that parsing the text gives.
    ///
    /// # Errors
    ///
    /// The error that parsing the text gives.
    pub(crate) fn into_document(self) -> Result<Document, JsonError> {
        self.writer.into_document(self.members)
    }
}

#[cfg(test)]
mod against_serde_json;
