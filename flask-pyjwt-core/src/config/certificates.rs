//! The proxies that pass on the client certificate.

use std::net::{IpAddr, SocketAddr};

use super::Config;
use crate::error::ConfigError;

const PROXIES: &str = "client_certificate_proxies";

impl Config {
    /// Names the proxies that end TLS and pass on the client certificate in the field `Client-Cert` (RFC 9440): addresses
    /// such as `10.0.0.5`, or networks such as `10.0.0.0/8`. By default there is none.
    ///
    /// From any other address the field does not count. The proxy has to remove the field from what clients send (RFC 9440,
    /// section 4), and nothing else may be able to connect from its address.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config};
    ///
    /// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// assert!(AuthManager::new(config.clone().client_certificate_proxies(["10.0.0.5"])).is_ok());
    /// assert!(AuthManager::new(config.client_certificate_proxies(["proxy.internal"])).is_err());
    /// ```
    #[doc(alias = "Client-Cert")]
    #[doc(alias = "mTLS")]
    pub fn client_certificate_proxies<I>(mut self, proxies: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.possession.certificate_proxies = proxies.into_iter().map(Into::into).collect();
        self
    }
}

/// Networks of proxies.
#[derive(Debug, Default)]
pub(crate) struct Proxies(Vec<(IpAddr, u32)>);

impl Proxies {
    pub(super) fn validate(networks: &[String]) -> Result<Self, ConfigError> {
        let networks = networks.iter().map(|text| {
            network(text).ok_or_else(|| {
                let reason = format!("has {text:?}: name an address such as 10.0.0.5, or a network such as 10.0.0.0/8");
                ConfigError::invalid(PROXIES, reason)
            })
        });
        networks.collect::<Result<_, _>>().map(Self)
    }

    /// Whether a connection is from one of the proxies.
    pub(crate) fn has(&self, peer: Option<SocketAddr>) -> bool {
        let Some(peer) = peer.map(|peer| peer.ip().to_canonical()) else {
            return false;
        };
        self.0.iter().any(|(network, length)| {
            let (network, peer, bits) = match (network, peer) {
                (IpAddr::V4(network), IpAddr::V4(peer)) => (
                    u128::from(network.to_bits()),
                    u128::from(peer.to_bits()),
                    32,
                ),
                (IpAddr::V6(network), IpAddr::V6(peer)) => (network.to_bits(), peer.to_bits(), 128),
                _ => return false,
            };
            let differing = (network ^ peer).checked_shr(bits - length);
            differing.is_none_or(|differing| differing == 0)
        })
    }
}

/// Reads an address, or a network with the length of its prefix.
fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, Some(length)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let length = match length {
        None => most,
        Some(length) => length.parse().ok().filter(|length| *length <= most)?,
    };
    Some((address, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_known_by_its_address_or_network() {
        let texts = ["10.0.0.5", "192.168.0.0/16", "2001:db8::/32", "::1"];
        let proxies = Proxies::validate(&texts.map(str::to_owned)).expect("networks");
        let has = |address: &str| {
            let address = address.parse().expect("an address");
            proxies.has(Some(SocketAddr::new(address, 1)))
        };
        for address in [
            "10.0.0.5",
            "::ffff:10.0.0.5",
            "192.168.77.1",
            "2001:db8:7::1",
            "::1",
        ] {
            assert!(has(address), "{address}");
        }
        for address in ["10.0.0.6", "192.169.0.1", "2001:db9::1", "::2", "0.0.0.1"] {
            assert!(!has(address), "{address}");
        }
        assert!(!proxies.has(None));
        let all = Proxies::validate(&["0.0.0.0/0".to_owned()]).expect("a network");
        assert!(all.has(Some(SocketAddr::from(([8, 8, 8, 8], 1)))));
        assert!(!all.has(Some(SocketAddr::from(([0_u16; 8], 1)))));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "proxy",
            "10.0.0",
            "10.0.0.0/33",
            "10.0.0.0/",
            "::/129",
            "10.0.0.0/-1",
        ] {
            assert!(network(text).is_none(), "{text}");
        }
    }
}
