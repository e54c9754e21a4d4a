//! A strict JSON parser: one pass over the text, then views of its values.
//!
//! It parses tokens, key sets and the metadata documents of other issuers.

mod document;
mod duplicates;
mod escapes;
mod node;
mod numbers;
mod scanner;

pub(crate) use self::{
    document::{Document, Json},
    node::Kind,
    scanner::JsonError,
};
