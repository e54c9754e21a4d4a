//! Compares the address in a proof with that of the request (RFC 9449, section 4.3, item 9).

/// The address of a request without query and fragment, in the normal form of RFC 3986, sections 6.2.2 and 6.2.3. Two
/// texts of one address are equal in it.
///
/// ```text
/// HTTPS://API.example:443/a/../b%7e?x=1   https://api.example/b~
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address(String);

impl Address {
    /// Reads an absolute address of `http` or `https`. User names in it are refused.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let rest = rest.split(['?', '#']).next()?;
        let at = rest.find('/').unwrap_or(rest.len());
        Self::of(scheme, &rest[..at], &rest[at..])
    }

    /// Puts an address together. The authority is a host with or without a port, the path is as it was sent.
    pub(crate) fn of(scheme: &str, authority: &str, path: &str) -> Option<Self> {
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match &*scheme {
            "https" => "443",
            "http" => "80",
            _ => return None,
        };
        let (host, port) = host_and_port(authority)?;
        let port = match port.trim_start_matches('0') {
            "" => String::new(),
            port if port == default_port => String::new(),
            port => format!(":{port}"),
        };
        let path = without_dot_segments(&normal_escapes(path)?);
        Some(Self(format!("{scheme}://{host}{port}{path}")))
    }

    /// The same address with a path behind it.
    pub(crate) fn join(&self, path: &str) -> Option<Self> {
        let (scheme, rest) = self.0.split_once("://")?;
        let at = rest.find('/')?;
        let before = rest[at..].trim_end_matches('/');
        Self::of(scheme, &rest[..at], &format!("{before}{path}"))
    }
}

fn host_and_port(authority: &str) -> Option<(String, &str)> {
    let address = authority.rfind(']').map_or(0, |end| end + 1);
    let colon = authority[address..].find(':').map(|at| at + address);
    let (host, port) = match colon {
        Some(colon) => (&authority[..colon], &authority[colon + 1..]),
        None => (authority, ""),
    };
    let is_host = |byte: u8| byte.is_ascii_graphic() && !b"@/\\?#%\"<>^`{|}".contains(&byte);
    let is_good = !host.is_empty()
        && host.bytes().all(is_host)
        && port.len() <= 5
        && port.bytes().all(|byte| byte.is_ascii_digit());
    is_good.then(|| (host.to_ascii_lowercase(), port))
}

/// Writes each escape in capitals, and unreserved characters without one. An incomplete escape is no address.
fn normal_escapes(path: &str) -> Option<String> {
    let mut normal = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find('%') {
        normal.push_str(&rest[..at]);
        let digits = rest.get(at + 1..at + 3)?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let byte = u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            normal.push(char::from(byte));
        } else {
            normal.push('%');
            normal.push_str(&digits.to_ascii_uppercase());
        }
        rest = &rest[at + 3..];
    }
    normal.push_str(rest);
    Some(normal)
}

/// Removes `.` and `..` (RFC 3986, section 5.2.4). An empty path becomes `/`.
fn without_dot_segments(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_can_be_written_in_many_ways() {
        for (written, normal) in [
            ("https://api.example/a", "https://api.example/a"),
            ("HTTPS://API.Example:443/a?b=c#d", "https://api.example/a"),
            ("https://api.example:00443/a", "https://api.example/a"),
            ("https://api.example", "https://api.example/"),
            ("https://api.example?a", "https://api.example/"),
            ("https://api.example:/", "https://api.example/"),
            ("http://api.example:80/", "http://api.example/"),
            ("http://api.example:443/", "http://api.example:443/"),
            ("http://[::1]:80/", "http://[::1]/"),
            ("http://[::1]:8080/x", "http://[::1]:8080/x"),
            (
                "https://a.example/%7euser/%2f%c3%a9",
                "https://a.example/~user/%2F%C3%A9",
            ),
            ("https://a.example/b/./c/../d", "https://a.example/b/d"),
            ("https://a.example/b/..", "https://a.example/"),
            ("https://a.example/../../b", "https://a.example/b"),
            ("https://a.example/b/%2e%2e/c", "https://a.example/c"),
            ("https://a.example//b/", "https://a.example//b/"),
        ] {
            let address = Address::parse(written).map(|address| address.0);
            assert_eq!(address.as_deref(), Some(normal), "{written}");
        }
    }

    #[test]
    fn threat_63_what_is_no_address_is_refused() {
        for written in [
            "",
            "/a",
            "api.example/a",
            "ftp://api.example/a",
            "https://",
            "https:///a",
            "https://user@api.example/a",
            "https://user:password@api.example/a",
            "https://api.example:port/a",
            "https://api.example:123456/a",
            "https://api.example/%2",
            "https://api.example/%+1",
            "https://api.example/%zz",
            "https://api example/",
            "https://api.example\\@other.example/",
        ] {
            assert_eq!(Address::parse(written), None, "{written}");
        }
    }

    #[test]
    fn other_addresses_stay_different() {
        let own = Address::parse("https://api.example/a");
        for other in [
            "http://api.example/a",
            "https://api.example:8443/a",
            "https://api.example/A",
            "https://api.example/a/",
            "https://api.example/a%2F",
            "https://api.example.evil.example/a",
            "https://api.exampl/a",
        ] {
            assert_ne!(Address::parse(other), own, "{other}");
        }
    }

    #[test]
    fn a_path_can_stand_before_the_requests_own() {
        let base = Address::parse("https://api.example/v1/").expect("an address");
        assert_eq!(
            base.join("/users"),
            Address::parse("https://api.example/v1/users")
        );
        let base = Address::parse("https://api.example").expect("an address");
        assert_eq!(
            base.join("/users"),
            Address::parse("https://api.example/users")
        );
    }
}
