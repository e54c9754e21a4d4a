//! The certificates of connections with TLS.

use std::fmt;

use redis::{Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, TlsCertificates};
use rustls::crypto::{CryptoProvider, aws_lc_rs};

use super::{Problem, RedisStoreBuilder};

/// Certificates of one's own, where there are any.
#[derive(Clone, Default)]
pub(super) struct Tls {
    roots: Option<Vec<u8>>,
    client: Option<ClientTlsConfig>,
}

impl Tls {
    /// Gives a server with TLS these certificates.
    pub(super) fn apply(&self, info: ConnectionInfo) -> Result<ConnectionInfo, Problem> {
        if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return Ok(info);
        }
        // rustls uses whatever cryptography the process has chosen. Where it has not, it is this.
        if CryptoProvider::get_default().is_none() {
            let _ = aws_lc_rs::default_provider().install_default();
        }
        if self.roots.is_none() && self.client.is_none() {
            return Ok(info);
        }
        let certificates = TlsCertificates {
            client_tls: self.client.clone(),
            root_cert: self.roots.clone(),
        };
        let client = Client::build_with_tls(info, certificates).map_err(|error| {
            Problem::configuration(format!("the certificates cannot be read: {error}"))
        })?;
        Ok(client.get_connection_info().clone())
    }
}

impl RedisStoreBuilder {
    /// Sets the certificate authorities that are trusted for servers, in PEM, in place of the
    /// system's.
    pub fn root_certificates(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.tls.roots = Some(pem.as_ref().to_vec());
        self
    }

    /// Sets the certificate and the key by which servers know this client, in PEM.
    pub fn client_certificate(
        mut self,
        certificate: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
    ) -> Self {
        self.tls.client = Some(ClientTlsConfig {
            client_cert: certificate.as_ref().to_vec(),
            client_key: key.as_ref().to_vec(),
        });
        self
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}
