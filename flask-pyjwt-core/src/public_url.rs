//! Addresses of this server that clients see: in metadata documents, in challenges and in client assertions.

use std::net::IpAddr;

use actix_web::http::Uri;

use crate::error::Problem;

/// An absolute URL with `https`, or with `http` on this machine, without user, query and fragment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublicUrl {
    text: String,
    /// Where the path begins in the text.
    #[cfg(feature = "oauth")]
    path: usize,
}

impl PublicUrl {
    /// Parses an address. An error is the end of a sentence about it.
    pub(crate) fn parse(text: impl Into<String>) -> Result<Self, Problem> {
        let text = text.into();
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"\\<>^`{|}".contains(&byte);
        if !text.bytes().all(is_plain) {
            return Err("has characters that a URL cannot have".into());
        }
        if text.contains(['#', '?']) {
            return Err("has a query or a fragment".into());
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err("is not an absolute URL, such as `https://auth.example`".into());
        };
        let authority = &rest[..rest.find('/').unwrap_or(rest.len())];
        let uri: Uri = text.parse().map_err(|_| "is not a URL")?;
        let host = uri.host().unwrap_or_default();
        if host.is_empty() || authority.contains('@') {
            return Err("has no host, or has a user".into());
        }
        // What follows the host can only be a port.
        if authority.len() != host.len() && uri.port_u16().is_none() {
            return Err("has a port that is no number".into());
        }
        match scheme {
            "https" => {}
            "http" if is_loopback(host) => {}
            "http" => return Err("is not https, and its host is not this machine".into()),
            _ => return Err("is not https".into()),
        }
        Ok(Self {
            #[cfg(feature = "oauth")]
            path: scheme.len() + "://".len() + authority.len(),
            text,
        })
    }

    #[cfg(any(test, feature = "oauth"))]
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }

    /// The path, which is empty or begins with `/`. A single `/` counts as empty.
    #[cfg(feature = "oauth")]
    pub(crate) fn path(&self) -> &str {
        match &self.text[self.path..] {
            "/" => "",
            path => path,
        }
    }

    /// The address of a resource below this one. Like actix-web, this adds a `/` in front of a path that has none.
    #[cfg(feature = "oauth")]
    pub(crate) fn join(&self, path: &str) -> String {
        let base = self.text.strip_suffix('/').unwrap_or(&self.text);
        let slash = if path.is_empty() || path.starts_with('/') {
            ""
        } else {
            "/"
        };
        [base, slash, path].concat()
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || bare.parse().is_ok_and(|it: IpAddr| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_absolute_and_encrypted_except_on_this_machine() {
        for accepted in [
            "https://auth.example",
            "https://auth.example/",
            "https://auth.example:8443/tenant/a",
            "http://127.0.0.1:8080",
            "http://[::1]:8080/x",
            "http://localhost",
        ] {
            let url = PublicUrl::parse(accepted).expect(accepted);
            assert_eq!(url.as_str(), accepted);
        }
        for refused in [
            "",
            "auth.example",
            "/token",
            "//auth.example",
            "https://",
            "https:///token",
            "http://auth.example",
            "http://127.0.0.1.example",
            "ftp://auth.example",
            "javascript://auth.example",
            "https://user@auth.example",
            "https://auth.example?x",
            "https://auth.example#x",
            "https://auth.example/\"",
            "https://auth.example/ x",
            "https://auth.example/\r\nx",
            "https://aüth.example",
            "https://auth.example:port",
            "https://auth.example:",
            "https://auth.example:65536",
        ] {
            assert!(PublicUrl::parse(refused).is_err(), "{refused}");
        }
    }

    #[cfg(feature = "oauth")]
    #[test]
    fn an_address_has_a_path_and_others_below_it() {
        for (text, path, token) in [
            ("https://a.example", "", "https://a.example/token"),
            ("https://a.example/", "", "https://a.example/token"),
            ("https://a.example/t", "/t", "https://a.example/t/token"),
        ] {
            let url = PublicUrl::parse(text).expect("a URL");
            assert_eq!(url.path(), path, "{text}");
            assert_eq!(url.join("/token"), token);
            assert_eq!(url.join("token"), token, "not on another host");
        }
    }
}
