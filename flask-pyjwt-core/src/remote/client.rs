//! What connects to the servers of key sets, and whom it believes to be one.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use reqwest::{Certificate, Client, ClientBuilder, Proxy, redirect::Policy};

use super::fetch::PATIENCE;

/// The time for a connection.
const CONNECT: Duration = Duration::from_secs(3);

const UNREADABLE: &str = "comes from a server whose root certificates are no certificates in PEM";

/// How the servers of an issuer's keys are reached.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Connections {
    /// The certificates of the authorities that are believed in place of the system's, in PEM.
    pub(crate) roots: Option<Vec<u8>>,
    pub(crate) proxy: ProxyChoice,
}

/// Which proxy is asked.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) enum ProxyChoice {
    #[default]
    None,
    /// Those of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    Environment,
    /// This one.
    Address(String),
}

impl Connections {
    /// What makes the connections.
    ///
    /// # Errors
    ///
    /// What is wrong, as the end of a sentence about the keys.
    pub(crate) fn client(&self) -> Result<Client, &'static str> {
        let mut builder = match &self.proxy {
            ProxyChoice::None => builder().no_proxy(),
            ProxyChoice::Environment => builder(),
            ProxyChoice::Address(address) => {
                let proxy = Proxy::all(address).map_err(
                    |_| "comes by a proxy whose address is none: write `http://host:port`",
                )?;
                builder().no_proxy().proxy(proxy)
            }
        };
        if let Some(roots) = &self.roots {
            let roots = Certificate::from_pem_bundle(roots).map_err(|_| UNREADABLE)?;
            if roots.is_empty() {
                return Err(UNREADABLE);
            }
            builder = builder.tls_certs_only(roots);
        }
        builder.build().map_err(|_| match &self.roots {
            Some(_) => UNREADABLE,
            None => "cannot be fetched: the system has no root certificates that can be read",
        })
    }
}

/// It follows no redirect and decodes nothing.
fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("flask-pyjwt/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT)
        .timeout(PATIENCE)
        .pool_max_idle_per_host(0)
        // Whatever a resolver says of it: this machine, by either version of IP.
        .resolve_to_addrs(
            "localhost",
            &[
                SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
                SocketAddr::from((Ipv6Addr::LOCALHOST, 0)),
            ],
        )
}
