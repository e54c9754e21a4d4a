//! Server addresses from the configuration, with credentials and TLS.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion};

use super::problem::Problem;

/// Parses a URL.
///
/// # Errors
///
/// [`Problem::Configuration`]. It does not contain the URL, which may have a password in it.
pub(super) fn parse(url: &str) -> Result<ConnectionInfo, Problem> {
    if cfg!(not(feature = "redis-store-tls"))
        && ["rediss:", "valkeys:"].iter().any(|it| url.starts_with(it))
    {
        return Err(Problem::configuration(
            "a rediss:// URL needs the feature `redis-store-tls`",
        ));
    }
    let info = url.into_connection_info().map_err(|error| {
        let form = "the URL has the form redis://user:password@host:6379/0";
        Problem::configuration(format!("{form}: {error}"))
    })?;
    if let ConnectionAddr::TcpTls { insecure: true, .. } = info.addr() {
        return Err(Problem::configuration(
            "`#insecure` would accept any server: set the root certificate instead",
        ));
    }
    let settings = info
        .redis_settings()
        .clone()
        .set_protocol(ProtocolVersion::RESP2)
        .set_skip_set_lib_name();
    Ok(info.set_redis_settings(settings))
}

/// Another server with the same credentials, database and TLS settings.
pub(super) fn like(info: &ConnectionInfo, host: &str, port: u16) -> ConnectionInfo {
    let host = host.to_owned();
    let address = match info.addr() {
        ConnectionAddr::TcpTls {
            insecure,
            tls_params,
            ..
        } => ConnectionAddr::TcpTls {
            host,
            port,
            insecure: *insecure,
            tls_params: tls_params.clone(),
        },
        _ => ConnectionAddr::Tcp(host, port),
    };
    info.clone().set_addr(address)
}

/// The host of a server. A Unix socket has none.
pub(super) fn host(info: &ConnectionInfo) -> Option<&str> {
    match info.addr() {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => Some(host),
        _ => None,
    }
}

/// Splits `host:port`. The host may be an IPv6 address without brackets.
pub(super) fn split(address: &str) -> Option<(&str, u16)> {
    let (host, port) = address.rsplit_once(':')?;
    Some((host, port.parse().ok()?))
}
