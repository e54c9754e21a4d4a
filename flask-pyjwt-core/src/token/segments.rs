//! The compact form: three base64url segments (RFC 7515, section 7.1).

use base64::{DecodeSliceError, Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::TokenError;

/// The longest signature in bytes: that of an RSA key of 8192 bits.
pub(super) const MAX_SIGNATURE: usize = 1024;

/// A token's text, cut at its two dots. No segment is empty.
#[derive(Clone, Copy)]
pub(super) struct Segments<'a> {
    pub(super) header: &'a str,
    pub(super) payload: &'a str,
    pub(super) signature: &'a str,
    /// What is signed: header and payload with the dot between them.
    pub(super) message: &'a str,
}

impl<'a> Segments<'a> {
    pub(super) fn of(token: &'a str) -> Result<Self, TokenError> {
        let mut dots = memchr::memchr_iter(b'.', token.as_bytes());
        let (Some(first), Some(second), None) = (dots.next(), dots.next(), dots.next()) else {
            return Err(TokenError::Form);
        };
        let segments = Self {
            header: &token[..first],
            payload: &token[first + 1..second],
            signature: &token[second + 1..],
            message: &token[..second],
        };
        let all = [segments.header, segments.payload, segments.signature];
        if all.iter().any(|segment| segment.is_empty()) {
            return Err(TokenError::Form);
        }
        Ok(segments)
    }

    /// The signature's bytes, in the buffer given.
    pub(super) fn decode_signature<'b>(
        &self,
        buffer: &'b mut [u8; MAX_SIGNATURE],
    ) -> Result<&'b [u8], TokenError> {
        match URL_SAFE_NO_PAD.decode_slice(self.signature, buffer) {
            Ok(length) => Ok(&buffer[..length]),
            Err(DecodeSliceError::OutputSliceTooSmall) => Err(TokenError::Signature),
            Err(DecodeSliceError::DecodeError(_)) => Err(TokenError::Encoding),
        }
    }

    /// The payload's text.
    pub(super) fn decode_payload(&self) -> Result<String, TokenError> {
        decode_text(self.payload, TokenError::Payload)
    }
}

/// A segment's text: strict base64url, then strict UTF-8.
pub(super) fn decode_text(segment: &str, not_utf8: TokenError) -> Result<String, TokenError> {
    let bytes = URL_SAFE_NO_PAD
        .decode(segment)
        .map_err(|_| TokenError::Encoding)?;
    String::from_utf8(bytes).map_err(|_| not_utf8)
}
