//! The hash of a public key or of a certificate, to which a token is bound.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// A SHA-256 hash: the JWK thumbprint of a key (RFC 7638), or the hash of a certificate (RFC 8705, section 3.1). Its text
/// is 43 characters of base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thumbprint(pub(crate) [u8; 32]);

impl Thumbprint {
    /// The length of the text in bytes.
    const LENGTH: usize = 43;

    /// Parses the text strictly: another text never names the same hash.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() != Self::LENGTH {
            return None;
        }
        URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}
