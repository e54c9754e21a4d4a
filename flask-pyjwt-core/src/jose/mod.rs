//! Types for tokens that the whole crate uses: segments, headers, dates, token types, and the
//! reasons to refuse a token (RFC 7515, RFC 7519).

mod error;
mod header;
mod numeric_date;
mod segments;
mod thumbprint;
mod token_type;

pub use self::{
    error::TokenError,
    token_type::{TokenType, UnknownTokenType},
};
pub(crate) use self::{
    header::{Header, HeaderTypes, MAX_HEADER},
    numeric_date::NumericDate,
    segments::{SIGNATURE_BUFFER, Segments},
    thumbprint::Thumbprint,
};
