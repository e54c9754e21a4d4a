//! The signer of a key whose private part is elsewhere: in a key management service (KMS) or a hardware security module
//! (HSM).

use std::{future::Future, pin::Pin, sync::Arc};

use tokio::sync::Semaphore;

use super::{AuthType, Family, provided::SignatureForm};
use crate::error::{SignerError, SignerFailure};

/// The future that a signer returns.
pub type SignatureFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Vec<u8>, SignerError>> + Send + 'a>>;

/// Signs with a private key that is not in this process. Implement it for your KMS, HSM or signing service, and pass it
/// to [`Key::remote`](crate::Key::remote).
///
/// The methods except [`sign`](Self::sign) are called once, when [`Key::remote`](crate::Key::remote) is called.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, Key, MintError};
/// use flask_pyjwt::signer::{RemoteSigner, SignatureFuture, SignerError};
/// # use flask_pyjwt::{CRYPTO_PROVIDER, jsonwebtoken::{Algorithm, EncodingKey}};
/// # use base64::{Engine as _, engine::general_purpose::STANDARD};
/// # // RFC 8410, section 10.3: its private key as the service would hold it.
/// # struct Client;
/// # impl Client {
/// #     async fn sign(&self, _name: &str, message: &[u8]) -> Result<Vec<u8>, std::io::Error> {
/// #         let der = STANDARD.decode("MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC").unwrap();
/// #         let key = EncodingKey::from_ed_der(&der);
/// #         let signer = (CRYPTO_PROVIDER.signer_factory)(&Algorithm::EdDSA, &key).unwrap();
/// #         Ok(signer.sign(message))
/// #     }
/// # }
///
/// /// A key in a signing service, which `Client` reaches.
/// struct Service(Client);
///
/// impl RemoteSigner for Service {
///     fn auth_type(&self) -> AuthType {
///         AuthType::EdDSA
///     }
///
///     fn public_key(&self) -> String {
///         // RFC 8410, section 10.1
///         "-----BEGIN PUBLIC KEY-----\n\
///          MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
///          -----END PUBLIC KEY-----\n".into()
///     }
///
///     fn sign<'a>(&'a self, message: &'a [u8]) -> SignatureFuture<'a> {
///         Box::pin(async move { self.0.sign("my-key", message).await.map_err(SignerError::temporary) })
///     }
/// }
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let auth = AuthManager::new(Config::with_key("example", Key::remote(Service(Client))))?;
/// let token = auth.auth_token("alice").sign_async().await?;
/// assert!(auth.verify_token(token.signed()).is_ok());
///
/// // `sign` does not wait, so it cannot sign with this key.
/// assert_eq!(auth.auth_token("alice").sign().unwrap_err(), MintError::NeedsAsync);
/// # Ok(())
/// # }
/// ```
///
/// # What a signer must do
///
/// - **Sign the message itself.** It is the ASCII text `header.payload` (RFC 7515, section 5.1). Services that take a
///   digest get its SHA-256, SHA-384 or SHA-512, as the algorithm says. It is at most
///   [`Config::max_token_size`](crate::Config::max_token_size) long.
/// - **Return the signature in the form of JWS** (RFC 7518, section 3): for ES256 the 64 bytes `r` and `s`, and not the
///   DER that many services return. Each signature is verified with the public key before it is used.
/// - **Not block the thread.** Move blocking calls to a thread of their own.
/// - **Bear being dropped.** A future is dropped at its next await when the [time limit](crate::Key::timeout) is over or the
///   client hangs up.
#[doc(alias = "KMS")]
#[doc(alias = "HSM")]
#[doc(alias = "Vault")]
pub trait RemoteSigner: Send + Sync + 'static {
    /// The algorithm of the key. It must not be one of HMAC.
    fn auth_type(&self) -> AuthType;

    /// The public key: PEM (`-----BEGIN PUBLIC KEY-----`), or a JWK (RFC 7517).
    fn public_key(&self) -> String;

    /// The key ID: `kid` in the header of tokens. `None`, the default, stands for the thumbprint of the public key
    /// (RFC 7638). [`Key::id`](crate::Key::id) replaces it.
    fn key_id(&self) -> Option<String> {
        None
    }

    /// Signs a message.
    ///
    /// # Errors
    ///
    /// [`SignerError::temporary`] if another attempt may succeed, and otherwise [`SignerError::permanent`].
    fn sign<'a>(&'a self, message: &'a [u8]) -> SignatureFuture<'a>;
}

/// Signs with a key that is elsewhere.
pub(crate) struct RemoteKey {
    pub(crate) signer: Arc<dyn RemoteSigner>,
    /// The limit of one attempt, and of waiting for a place.
    pub(crate) timeout: std::time::Duration,
    /// How often an attempt is repeated.
    pub(crate) retries: u32,
    pub(crate) concurrency: usize,
    /// A place for each signature that is made at once.
    pub(crate) places: Semaphore,
    pub(super) auth_type: AuthType,
    pub(super) form: SignatureForm,
}

impl RemoteKey {
    /// Checks the length of a signature.
    pub(crate) fn check_length(&self, signature: &[u8]) -> Result<(), SignerFailure> {
        let (length, needed) = (signature.len(), self.form.length());
        if length == needed {
            return Ok(());
        }
        let auth_type = self.auth_type;
        let expected = match self.auth_type.family() {
            Family::Ecdsa => format!(
                "{auth_type} needs {needed}, which are r and s of {} bytes each, without DER (RFC 7518, section 3.4)",
                needed / 2
            ),
            Family::Rsa => {
                format!("{auth_type} needs {needed} with this key, as many as its modulus has")
            }
            Family::Ed25519 | Family::Hmac => {
                format!("{auth_type} needs {needed} (RFC 8032, section 5.1.6)")
            }
        };
        Err(SignerFailure::WrongLength { length, expected })
    }
}
