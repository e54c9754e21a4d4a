//! A strict JSON parser: one pass over the text, then views of its values. And a writer, which knows what the parser
//! would find.
//!
//! It parses tokens, key sets and the metadata documents of other issuers, and writes tokens.

mod document;
mod duplicates;
mod escapes;
mod members;
mod node;
mod numbers;
mod object;
mod scanner;
mod serializer;
mod writer;

pub(crate) use self::{
    document::{Document, Json},
    members::Members,
    node::Kind,
    object::{ObjectWriter, WrittenObject},
    scanner::JsonError,
};
