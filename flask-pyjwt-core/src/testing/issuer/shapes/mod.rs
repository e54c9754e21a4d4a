//! The shapes of all providers, from their documentation and from tokens that their users have shown.

pub(super) mod accounts;
pub(super) mod companies;
pub(super) mod machines;
pub(super) mod microsoft;
pub(super) mod open_source;
pub(super) mod self_hosted;
