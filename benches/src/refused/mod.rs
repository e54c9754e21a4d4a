//! Tokens and requests that are refused, made so that refusing them costs as much as it can.
//!
//! `callgrind.sh` holds each to 20 times the instructions of an ordinary token that was not seen before.

mod json;
mod requests;
mod tokens;

use crate::{keys::Keys, race::Candidate};

/// All cases.
pub(crate) fn all(keys: &Keys) -> impl Iterator<Item = Candidate<'static>> {
    let tokens = tokens::all(keys).into_iter().map(|case| case.candidate());
    let requests = requests::all().into_iter();
    tokens.chain(requests.map(|case| case.candidate(keys)))
}
