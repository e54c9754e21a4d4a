//! What is known of a refused request, for its event.

use actix_web::HttpRequest;

use crate::{
    manager::AuthManager,
    rules::{Requirement, TokenLocation},
    token::Token,
};

/// What is known of a refused request.
#[derive(Clone, Copy, Default)]
pub(super) struct Known<'a> {
    pub(super) manager: Option<&'a AuthManager>,
    pub(super) request: Option<&'a HttpRequest>,
    /// A token that was verified.
    pub(super) token: Option<&'a Token>,
    /// What a guard asks for.
    pub(super) asked: Option<Asked<'a>>,
}

/// What a guard asks for: of the token, and where it looks for it.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) requirement: &'a Requirement,
    pub(super) places: &'a [TokenLocation],
}
