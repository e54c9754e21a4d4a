//! The certificate to which a token can be bound.

use std::fmt;

use crate::{jose::Thumbprint, keys::sha256};

/// The certificate with which a client has authenticated its TLS connection, to bind tokens to it (RFC 8705, section 3).
///
/// With `rustls`, [`keep_client_certificate`](crate::keep_client_certificate) stores it for the requests of a connection.
/// With other TLS libraries, store one in `HttpServer::on_connect`, or by a middleware in the extensions of the request:
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, HttpMessage as _, HttpResponse, http::StatusCode, test, web};
/// use flask_pyjwt::{AuthManager, AuthType, ClientCertificate, Config, RequireToken};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let auth = AuthManager::new(Config::new(
/// #     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
/// # ))?;
/// let own = ClientCertificate::from_der(b"the DER of the client's certificate");
/// let token = auth.auth_token("alice").bind_to_certificate(&own).sign()?;
///
/// // Accepted over a connection with that certificate, and refused over all others.
/// let other = ClientCertificate::from_der(b"the DER of another one");
/// for (certificate, status) in [(own, StatusCode::OK), (other, StatusCode::UNAUTHORIZED)] {
///     let vault = web::resource("/").wrap(RequireToken::auth().bound(true)).get(HttpResponse::Ok);
///     let app = test::init_service(App::new().app_data(auth.clone()).service(vault)).await;
///     let request = test::TestRequest::default()
///         .insert_header(("authorization", format!("Bearer {}", token.signed())))
///         .to_request();
///     // A test has no connection.
///     request.extensions_mut().insert(certificate);
///     assert_eq!(test::call_service(&app, request).await.status(), status);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
#[doc(alias = "mTLS")]
#[doc(alias = "mutual TLS")]
pub struct ClientCertificate(Thumbprint);

impl ClientCertificate {
    /// Takes a certificate in DER. Whether it is valid is for TLS to check.
    #[must_use]
    pub fn from_der(certificate: &[u8]) -> Self {
        Self(Thumbprint(sha256(certificate)))
    }

    /// The text of `x5t#S256`: the SHA-256 hash of the certificate, as 43 characters of base64url.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        self.0.to_string()
    }

    pub(crate) fn hash(&self) -> Thumbprint {
        self.0
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientCertificate")
            .field(&self.thumbprint())
            .finish()
    }
}
