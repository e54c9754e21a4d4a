//! The client as which this server asks an issuer about tokens: the feature `jwks`.

use std::fmt;

use crate::keys::Secret;

/// The client as which this server asks an issuer about tokens, for
/// [`Issuer::introspection`](crate::Issuer::introspection).
///
/// `Debug` does not show the secret.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::IntrospectionClient;
///
/// let client = IntrospectionClient::basic("our-api", "the secret from the issuer");
/// assert!(!format!("{client:?}").contains("secret from"));
/// ```
#[derive(Clone)]
pub struct IntrospectionClient {
    pub(super) id: String,
    pub(super) secret: Secret,
}

impl IntrospectionClient {
    /// A client with an ID and a secret, which are sent by HTTP Basic (`client_secret_basic`, RFC 6749, section 2.3.1).
    #[must_use]
    pub fn basic(id: impl Into<String>, secret: impl AsRef<[u8]>) -> Self {
        Self {
            id: id.into(),
            secret: Secret::new(secret),
        }
    }
}

impl fmt::Debug for IntrospectionClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntrospectionClient")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The endpoint that is asked, and as which client.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) url: String,
    pub(super) client: IntrospectionClient,
}
