//! The client certificate of a connection, for tokens that are bound to one (RFC 8705).

use actix_web::{HttpMessage as _, HttpRequest, http::header::HeaderName};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{jose::Thumbprint, manager::AuthManager, possession::ClientCertificate};

/// The field in which a proxy passes on the certificate (RFC 9440, section 2.2).
const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");

/// The longest certificate, in bytes.
const LONGEST: usize = 16 * 1024;

impl AuthManager {
    /// The client certificate of the connection of a request, or `None` if the client has none.
    ///
    /// It is what [`ClientCertificate`] describes, or, from a proxy that
    /// [`Config::client_certificate_proxies`](crate::Config::client_certificate_proxies) names, the field `Client-Cert` (RFC
    /// 9440). That field does not count from anybody else.
    #[must_use]
    pub fn client_certificate(&self, request: &HttpRequest) -> Option<ClientCertificate> {
        if !self.parts().certificate_proxies.has(request.peer_addr()) {
            let of_connection = request.conn_data::<ClientCertificate>().cloned();
            return of_connection.or_else(|| request.extensions().get().cloned());
        }
        // The certificate of this connection is that of the proxy.
        let mut fields = request.headers().get_all(CLIENT_CERT);
        let field = fields.next().filter(|_| fields.next().is_none())?;
        in_field(field.as_bytes())
    }
}

/// Keeps the client certificate of a connection by rustls for its requests: give it to `HttpServer::on_connect` (feature
/// `client-certificates`).
///
/// The TLS configuration decides which certificates are accepted. With
/// `WebPkiClientVerifier::builder(…).allow_unauthenticated()`, clients without one can connect, too.
///
/// ```no_run
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, HttpServer};
/// use flask_pyjwt::{AuthManager, AuthType, Config, keep_client_certificate};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let auth = AuthManager::new(Config::new(
/// #     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
/// # ))?;
/// HttpServer::new(move || App::new().app_data(auth.clone()))
///     .on_connect(keep_client_certificate)
///     .bind(("127.0.0.1", 8443))? // `bind_rustls_0_23` with your TLS configuration
///     .run()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "client-certificates")]
#[doc(alias = "mTLS")]
pub fn keep_client_certificate(
    connection: &dyn std::any::Any,
    kept: &mut actix_web::dev::Extensions,
) {
    type Connection = actix_tls::accept::rustls_0_23::TlsStream<actix_web::rt::net::TcpStream>;
    let Some(connection) = connection.downcast_ref::<Connection>() else {
        return;
    };
    // The first one is the client's own (RFC 8446, section 4.4.2).
    if let Some([certificate, ..]) = connection.get_ref().1.peer_certificates() {
        kept.insert(ClientCertificate::from_der(certificate));
    }
}

/// The certificate that a request proves.
pub(super) fn of(manager: &AuthManager, request: &HttpRequest) -> Option<Thumbprint> {
    manager.client_certificate(request).map(|it| it.hash())
}

/// Reads a Byte Sequence (RFC 8941, section 3.3.5): base64 between two colons.
fn in_field(value: &[u8]) -> Option<ClientCertificate> {
    if value.len() > LONGEST / 3 * 4 {
        return None;
    }
    let text = value.trim_ascii().strip_prefix(b":")?.strip_suffix(b":")?;
    let certificate = STANDARD.decode(text).ok()?;
    // A certificate is a SEQUENCE.
    (certificate.first() == Some(&0x30)).then(|| ClientCertificate::from_der(&certificate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_one_byte_sequence_with_a_certificate() {
        let certificate = [0x30, 3, 1, 2, 3];
        let text = STANDARD.encode(certificate);
        let own = Some(ClientCertificate::from_der(&certificate));
        for (value, expected) in [
            (format!(":{text}:"), own.clone()),
            (format!(" :{text}: "), own),
            (text.clone(), None),
            (format!(":{text}"), None),
            (format!(":{text}:, :{text}:"), None),
            (format!(":{text}:;a=b"), None),
            (format!(":{}:", text.trim_end_matches('=')), None),
            ("::".to_owned(), None),
            (format!(":{}:", STANDARD.encode("no certificate")), None),
            (format!(":{}:", "A".repeat(LONGEST * 2)), None),
        ] {
            assert_eq!(in_field(value.as_bytes()), expected, "{value}");
        }
    }
}
