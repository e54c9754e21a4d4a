//! JSON, read strictly: one pass over a text, and views of what it says.
//!
//! Tokens, key sets and the documents of other issuers are read with it.

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
