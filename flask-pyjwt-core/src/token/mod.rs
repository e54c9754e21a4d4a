//! From bytes to a [`Token`], and back. Nothing here knows of HTTP.

mod claims;
mod clock;
mod document;
mod draft;
mod duplicates;
mod error;
mod escapes;
mod header;
mod identity;
mod json;
mod mint;
mod numbers;
mod numeric_date;
mod segments;
mod shard;
mod table;
#[expect(
    clippy::module_inception,
    reason = "a module is named after the thing it holds"
)]
mod token;
mod token_data;
mod token_type;
mod unverified;
mod verify;

pub(crate) use self::{
    claims::{Audience, ClaimRules},
    clock::TimeSource,
    document::{Document, Json},
    draft::{Draft, OwnClaims, random_id},
    header::{Header, HeaderTypes, MAX_HEADER},
    json::Kind,
    mint::Minting,
    numeric_date::NumericDate,
    table::{TableLimits, TokenTable},
    verify::Verification,
};
pub use self::{
    clock::{Clock, FrozenClock, SystemClock},
    error::TokenError,
    mint::{AuthTokenBuilder, RefreshTokenBuilder},
    token::Token,
    token_type::{TokenType, UnknownTokenType},
    unverified::UnverifiedToken,
};
