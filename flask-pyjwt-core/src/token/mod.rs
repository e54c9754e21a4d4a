//! Verifies, caches and mints tokens. Nothing in this module depends on HTTP.

mod draft;
mod identity;
mod last_answer;
mod mint;
mod remote_signature;
mod shard;
mod table;
#[expect(
    clippy::module_inception,
    reason = "a module is named after the thing it holds"
)]
mod token;
mod token_data;
mod unverified;
mod verify;

pub(crate) use self::{
    draft::{Draft, OwnClaims, random_id},
    mint::Minting,
    table::{TableLimits, TokenTable},
    verify::Verification,
};
pub use self::{
    mint::{AuthTokenBuilder, RefreshTokenBuilder},
    token::Token,
    unverified::UnverifiedToken,
};
pub(crate) use crate::jose::{NumericDate, TokenError, TokenType};
