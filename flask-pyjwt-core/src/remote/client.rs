//! The HTTP clients that fetch key sets: TLS trust, proxies and limits.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use reqwest::{Certificate, Client, ClientBuilder, Proxy, Url, redirect::Policy};

use super::fetch::TIMEOUT;
use crate::error::Problem;

/// The time limit for establishing a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

const BAD_ROOTS: &str = "has `root_certificates` that are not certificates in PEM";

/// How the servers of an issuer's keys are reached.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Connections {
    /// The certificate authorities, in PEM, that replace the system's.
    pub(crate) roots: Option<Vec<u8>>,
    pub(crate) proxy: ProxyChoice,
}

/// The proxy to use.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) enum ProxyChoice {
    #[default]
    None,
    /// The proxies in `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    Environment,
    /// The proxy at this address.
    Address(String),
}

impl Connections {
    /// Builds an HTTP client for these settings.
    ///
    /// # Errors
    ///
    /// Returns what is wrong, as the end of a sentence about the issuer.
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
            let roots = Certificate::from_pem_bundle(roots).map_err(|_| BAD_ROOTS)?;
            if roots.is_empty() {
                return Err(BAD_ROOTS.into());
            }
            builder = builder.tls_certs_only(roots);
        }
        builder.build().map_err(|_| match &self.roots {
            Some(_) => BAD_ROOTS.into(),
            None => Problem::new(
                "has keys that cannot be fetched: the system has no readable root certificates",
            ),
        })
    }
}

/// Parses the address of a proxy. Without this check, the client would ignore an invalid address and connect without
/// a proxy.
fn proxy_at(address: &str) -> Result<Proxy, Problem> {
    const INVALID: &str = "has a `proxy` that is not of the form `http://host:port`";
    let url = proxy_url(address).ok_or(INVALID)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(INVALID.into());
    }
    Proxy::all(url).map_err(|_| INVALID.into())
}

/// Parses the address of a proxy. The scheme defaults to `http`.
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

/// Refuses variables with an invalid proxy, which the client would ignore as well. SOCKS proxies pass this check,
/// because the variables may be meant for other programs. They make each fetch fail.
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
            "has `proxy_from_env(true)`, but `HTTPS_PROXY`, `HTTP_PROXY` or `ALL_PROXY` in the environment is not \
             of the form `http://host:port`",
        ));
    }
    Ok(())
}

/// Creates a builder with the common settings. The client follows no redirects and decompresses nothing.
fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("flask-pyjwt/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .pool_max_idle_per_host(0)
        // A DNS server must not redirect `localhost` to another machine.
        .resolve_to_addrs(
            "localhost",
            &[
                SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
                SocketAddr::from((Ipv6Addr::LOCALHOST, 0)),
            ],
        )
}
