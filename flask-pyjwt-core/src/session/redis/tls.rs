//! The certificates for TLS connections.

use std::fmt;

use redis::{Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, TlsCertificates};
use rustls::crypto::{CryptoProvider, aws_lc_rs};

use super::problem::Problem;

/// Certificates of the application, if it has configured any.
#[derive(Clone, Default)]
pub(super) struct Tls {
    pub(super) roots: Option<Vec<u8>>,
    pub(super) client: Option<ClientTlsConfig>,
}

impl Tls {
    /// Adds the certificates to a server that uses TLS.
    pub(super) fn apply(&self, info: ConnectionInfo) -> Result<ConnectionInfo, Problem> {
        if !matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
            return Ok(info);
        }
        // rustls uses the process's default provider. Installs one if there is none.
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

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}
