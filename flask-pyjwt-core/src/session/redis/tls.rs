//! The certificates of connections with TLS.

use std::fmt;

use redis::{Client, ClientTlsConfig, ConnectionAddr, ConnectionInfo, TlsCertificates};
use rustls::crypto::{CryptoProvider, aws_lc_rs};

use super::problem::Problem;

/// Certificates of one's own, where there are any.
#[derive(Clone, Default)]
pub(super) struct Tls {
    pub(super) roots: Option<Vec<u8>>,
    pub(super) client: Option<ClientTlsConfig>,
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

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}
