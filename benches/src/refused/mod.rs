//! Tokens and requests that are refused, built so that refusing them is as expensive as possible.
//!
//! `callgrind.sh` limits each to 20 times the instructions of an ordinary new token.

mod json;
mod requests;
mod signatures;
mod tokens;

use crate::{keys::Keys, race::Candidate};

/// The names of all cases.
pub(crate) fn names(keys: &Keys) -> impl Iterator<Item = String> {
    signatures::names().chain(made(keys).map(|case| case.name))
}

/// The case with this name.
pub(crate) fn find(name: &str, keys: &Keys) -> Option<Candidate<'static>> {
    signatures::find(name).or_else(|| made(keys).find(|case| case.name == name))
}

/// The cases with the given keys.
fn made(keys: &Keys) -> impl Iterator<Item = Candidate<'static>> {
    let tokens = tokens::all(keys)
        .into_iter()
        .map(tokens::TokenCase::candidate);
    let requests = requests::all().into_iter();
    tokens.chain(requests.map(|case| case.candidate(keys)))
}
