//! What connects to the servers of key sets, and whom it believes to be one.

use std::{net::SocketAddr, time::Duration};

use reqwest::{Certificate, Client, ClientBuilder, redirect::Policy};

use super::fetch::PATIENCE;

/// The time for a connection.
const CONNECT: Duration = Duration::from_secs(3);

/// A client that believes whom the system's authorities vouch for.
pub(super) fn client() -> Result<Client, reqwest::Error> {
    builder().build()
}

/// A client that believes whom these authorities vouch for, and nobody else: their certificates in PEM.
/// `None` where they cannot be read, or where there are none.
pub(crate) fn client_of(roots: &[u8]) -> Option<Client> {
    let roots = Certificate::from_pem_bundle(roots).ok()?;
    if roots.is_empty() {
        return None;
    }
    builder().tls_certs_only(roots).build().ok()
}

/// It follows no redirect, asks no proxy and decodes nothing.
fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("flask-pyjwt/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT)
        .timeout(PATIENCE)
        .pool_max_idle_per_host(0)
        // Whatever a resolver says of it.
        .resolve("localhost", SocketAddr::from(([127, 0, 0, 1], 0)))
}
