//! What a login knows of the client's key.

use std::fmt;

use crate::jose::Thumbprint;

/// The key of a client that has sent a valid DPoP proof with its login. Tokens that are bound to it are useless to anybody
/// else (RFC 9449).
///
/// [`AuthManager::dpop_proof`](crate::AuthManager::dpop_proof) reads it, and `bind` of a login or of a token's builder takes it.
#[derive(Clone, Copy, PartialEq, Eq)]
#[doc(alias = "sender-constrained")]
pub struct DpopProof(Thumbprint);

impl DpopProof {
    pub(crate) fn new(key: Thumbprint) -> Self {
        Self(key)
    }

    /// The text of `jkt`: the JWK thumbprint of the key (RFC 7638), as 43 characters of base64url.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        self.0.to_string()
    }

    pub(crate) fn key(self) -> Thumbprint {
        self.0
    }
}

impl fmt::Debug for DpopProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DpopProof")
            .field(&self.thumbprint())
            .finish()
    }
}
