//! What connects to the servers of key sets, and whom it believes to be one.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use reqwest::{Certificate, Client, ClientBuilder, Proxy, Url, redirect::Policy};

use super::fetch::PATIENCE;
use crate::error::Problem;

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
    pub(crate) fn client(&self) -> Result<Client, Problem> {
        let mut builder = match &self.proxy {
            ProxyChoice::None => builder().no_proxy(),
            ProxyChoice::Environment => {
                check_environment()?;
                builder()
            }
            ProxyChoice::Address(address) => builder().no_proxy().proxy(proxy_at(address)?),
        };
        if let Some(roots) = &self.roots {
            let roots = Certificate::from_pem_bundle(roots).map_err(|_| UNREADABLE)?;
            if roots.is_empty() {
                return Err(UNREADABLE.into());
            }
            builder = builder.tls_certs_only(roots);
        }
        builder.build().map_err(|_| match &self.roots {
            Some(_) => UNREADABLE.into(),
            None => Problem::new(
                "cannot be fetched: the system has no root certificates that can be read",
            ),
        })
    }
}

/// The proxy at this address. One that is none would be passed over in silence, and the servers reached
/// without a proxy.
fn proxy_at(address: &str) -> Result<Proxy, Problem> {
    const NONE: &str = "comes by a proxy whose address is none: write `http://host:port`";
    let url = proxy_url(address).ok_or(NONE)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(NONE.into());
    }
    Proxy::all(url).map_err(|_| NONE.into())
}

/// The address of a proxy, with `http://` where it has no scheme.
fn proxy_url(address: &str) -> Option<Url> {
    let url = if address.contains("://") {
        Url::parse(address)
    } else {
        Url::parse(&format!("http://{address}"))
    };
    let names_more = |url: &Url| {
        !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some()
    };
    url.ok().filter(|url| url.has_host() && !names_more(url))
}

/// Refuses variables that name no proxy: they would be passed over in silence, too. SOCKS is refused with
/// each fetch, so that it may be there for other programs.
fn check_environment() -> Result<(), Problem> {
    const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
    let names = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"];
    let is_wrong = |name: String| {
        let value = std::env::var(name).unwrap_or_default();
        let is_proxy = |url: Url| SCHEMES.contains(&url.scheme());
        !value.is_empty() && !proxy_url(&value).is_some_and(is_proxy)
    };
    let mut names = names
        .into_iter()
        .flat_map(|name| [name.to_owned(), name.to_ascii_lowercase()]);
    if names.any(is_wrong) {
        return Err(Problem::new(
            "comes by a proxy of the environment whose address is none: `HTTPS_PROXY`, `HTTP_PROXY` and \
             `ALL_PROXY` are like `http://host:port`",
        ));
    }
    Ok(())
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
