//! The compact serialization: three base64url segments (RFC 7515, section 7.1).

use std::mem::MaybeUninit;

use base64_simd::{AsOut as _, URL_SAFE_NO_PAD};

use super::TokenError;

/// The maximum size of a signature in bytes, which is that of an RSA key with 8192 bits.
const MAX_SIGNATURE: usize = 1024;

/// A buffer for a signature.
pub(crate) type SignatureBuffer = [MaybeUninit<u8>; MAX_SIGNATURE];

/// An uninitialised buffer for a signature.
pub(crate) const SIGNATURE_BUFFER: SignatureBuffer = [MaybeUninit::uninit(); MAX_SIGNATURE];

/// The text of a token, split at its two dots. No segment is empty.
#[derive(Clone, Copy)]
pub(crate) struct Segments<'a> {
    pub(crate) header: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) signature: &'a str,
    /// The signed text: header and payload, with the dot between them.
    pub(crate) message: &'a str,
}

impl<'a> Segments<'a> {
    pub(crate) fn of(token: &'a str) -> Result<Self, TokenError> {
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

    /// Decodes the signature into the buffer.
    pub(crate) fn decode_signature<'b>(
        &self,
        buffer: &'b mut SignatureBuffer,
    ) -> Result<&'b [u8], TokenError> {
        let segment = self.signature.as_bytes();
        match URL_SAFE_NO_PAD.decoded_length(segment) {
            Ok(..=MAX_SIGNATURE) => {}
            Ok(_) => return Err(TokenError::Signature),
            Err(_) => return Err(TokenError::Encoding),
        }
        match URL_SAFE_NO_PAD.decode(segment, buffer[..].as_out()) {
            Ok(signature) => Ok(signature),
            Err(_) => Err(TokenError::Encoding),
        }
    }

    /// Decodes the header.
    pub(crate) fn decode_header(&self) -> Result<String, TokenError> {
        decode_text(self.header, TokenError::Header)
    }

    /// Decodes the payload.
    pub(crate) fn decode_payload(&self) -> Result<String, TokenError> {
        decode_text(self.payload, TokenError::Payload)
    }
}

/// Decodes a segment as strict base64url, then as UTF-8.
pub(super) fn decode_text(segment: &str, not_utf8: TokenError) -> Result<String, TokenError> {
    let bytes = URL_SAFE_NO_PAD
        .decode_to_vec(segment)
        .map_err(|_| TokenError::Encoding)?;
    String::from_utf8(bytes).map_err(|_| not_utf8)
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose};

    use super::*;

    fn segments(signature: &str) -> Segments<'_> {
        Segments {
            header: "e30",
            payload: "e30",
            signature,
            message: "e30.e30",
        }
    }

    /// Compares with an implementation without vector instructions, for every length that vector
    /// code treats differently, and with each character changed in turn.
    #[test]
    fn threat_12_base64url_is_decoded_strictly() {
        let reference = general_purpose::URL_SAFE_NO_PAD;
        let mut state = 1_u32;
        let mut random = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        for length in 0..=130 {
            let bytes: Vec<u8> = (0..length).map(|_| random()).collect();
            let good = reference.encode(&bytes);
            let mut texts = vec![
                good.clone(),
                format!("{good}="),
                format!("{good}A"),
                format!("{good}\n"),
            ];
            for at in 0..good.len() {
                for other in [random(), b'+', b'/', b'=', b'.', b' ', 0, 0x80, b'_'] {
                    let mut bytes = good.clone().into_bytes();
                    bytes[at] = other;
                    texts.extend(String::from_utf8(bytes));
                }
            }
            for text in texts {
                let expected = reference.decode(&text).ok();
                let mut buffer = SIGNATURE_BUFFER;
                let found = segments(&text).decode_signature(&mut buffer);
                assert_eq!(found.ok().map(<[u8]>::to_vec), expected, "{text}");
                let decoded = decode_text(&text, TokenError::Payload);
                let expected = expected.map(String::from_utf8);
                match expected {
                    None => assert_eq!(decoded, Err(TokenError::Encoding), "{text}"),
                    Some(Ok(expected)) => assert_eq!(decoded, Ok(expected), "{text}"),
                    Some(Err(_)) => assert_eq!(decoded, Err(TokenError::Payload), "{text}"),
                }
            }
        }
    }

    #[test]
    fn threat_10_a_signature_that_is_too_long_is_refused() {
        for (length, expected) in [(1_024, None), (1_025, Some(TokenError::Signature))] {
            let text = general_purpose::URL_SAFE_NO_PAD.encode(vec![7; length]);
            let mut buffer = SIGNATURE_BUFFER;
            let found = segments(&text).decode_signature(&mut buffer);
            assert_eq!(found.err(), expected, "{length}");
        }
    }
}
