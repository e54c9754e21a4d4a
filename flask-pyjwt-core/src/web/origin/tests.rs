//! Tests which requests and handshakes count as those of the server's own pages.

use actix_web::test::TestRequest;

use super::*;

/// (`Sec-Fetch-Site`, `Origin`, whether a request is accepted, whether a WebSocket handshake is)
type Case<'a> = (Option<&'a str>, Option<&'a str>, bool, bool);

#[test]
fn threat_31_pages_of_other_sites_are_refused_unless_allowed() {
    let allowed = ["https://app.example.com".to_owned()];
    let cases: [Case<'_>; 17] = [
        (None, None, true, false),
        (Some("same-origin"), None, true, false),
        (Some("none"), None, true, false),
        (Some("same-site"), None, false, false),
        (Some("cross-site"), None, false, false),
        (Some("anything"), None, false, false),
        (
            Some("cross-site"),
            Some("https://app.example.com"),
            true,
            true,
        ),
        (
            Some("cross-site"),
            Some("https://evil.example"),
            false,
            false,
        ),
        // The same host with another scheme.
        (
            Some("cross-site"),
            Some("http://api.example.com"),
            false,
            false,
        ),
        (None, Some("https://api.example.com"), true, true),
        (None, Some("https://API.example.com"), true, true),
        (None, Some("https://app.example.com"), true, true),
        (None, Some("https://app.example.com:8443"), false, false),
        (None, Some("https://evil.example"), false, false),
        (
            None,
            Some("https://api.example.com.evil.example"),
            false,
            false,
        ),
        (None, Some("null"), false, false),
        (None, Some("file://api.example.com"), false, false),
    ];
    for (site, origin, trusted, socket) in cases {
        let mut request = TestRequest::default().insert_header(("host", "api.example.com"));
        if let Some(site) = site {
            request = request.insert_header(("sec-fetch-site", site));
        }
        if let Some(origin) = origin {
            request = request.insert_header(("origin", origin));
        }
        let request = request.to_http_request();
        let what = format!("{site:?} {origin:?}");
        let is_own = |kind| is_own_page(&request, kind, &allowed);
        assert_eq!(is_own(Kind::Request), trusted, "{what}");
        assert_eq!(is_own(Kind::WebSocket), socket, "{what}");
    }
    let twice = TestRequest::default()
        .insert_header(("host", "a.example"))
        .append_header(("origin", "https://a.example"))
        .append_header(("origin", "https://evil.example"))
        .to_http_request();
    for kind in [Kind::Request, Kind::WebSocket] {
        assert!(!is_own_page(&twice, kind, &[]));
    }
}

const OWN: &str = "https://shop.example:8443";
type Fields<'a> = &'a [(&'a str, &'a str)];

/// (header fields from the proxy, `Origin`, whether the page is the server's own)
const BEHIND_PROXIES: &[(Fields<'_>, &str, bool)] = &[
    // `$host` of nginx has no port. `Sec-Fetch-Site` decides.
    (
        &[("host", "shop.example"), ("sec-fetch-site", "same-origin")],
        OWN,
        true,
    ),
    (
        &[("host", "shop.example"), ("sec-fetch-site", "same-site")],
        OWN,
        false,
    ),
    (
        &[("host", "shop.example"), ("sec-fetch-site", "cross-site")],
        OWN,
        false,
    ),
    // A development proxy sends the server's own host.
    (
        &[
            ("host", "localhost:8080"),
            ("sec-fetch-site", "same-origin"),
        ],
        "http://localhost:5173",
        true,
    ),
    (
        &[("host", "localhost:8080"), ("sec-fetch-site", "same-site")],
        "http://localhost:5173",
        false,
    ),
    (
        &[("host", "localhost:8080")],
        "http://localhost:5173",
        false,
    ),
    // No `Sec-Fetch-Site` and no port anywhere. Another port may be another site.
    (&[("host", "shop.example")], OWN, false),
    (
        &[("host", "shop.example"), ("x-forwarded-port", "8443")],
        OWN,
        true,
    ),
    (
        &[("host", "shop.example"), ("x-forwarded-port", "8443, 80")],
        OWN,
        true,
    ),
    (
        &[("host", "shop.example"), ("x-forwarded-port", "8443")],
        "https://evil.example:8443",
        false,
    ),
    (
        &[("host", "shop.example"), ("x-forwarded-port", "9000")],
        OWN,
        false,
    ),
    (
        &[("host", "shop.example"), ("x-forwarded-port", "+8443")],
        OWN,
        false,
    ),
    (
        &[("host", "shop.example"), ("x-forwarded-port", "")],
        OWN,
        false,
    ),
    (
        &[("host", "shop.example"), ("x-forwarded-port", "443")],
        "https://shop.example",
        true,
    ),
    // Two load balancers: the port is that of another hop.
    (
        &[("host", "shop.example"), ("x-forwarded-port", "80")],
        "https://shop.example",
        true,
    ),
    (
        &[
            ("host", "10.0.0.7:80"),
            ("x-forwarded-host", "shop.example"),
            ("x-forwarded-port", "8443"),
        ],
        OWN,
        true,
    ),
    (
        &[
            ("host", "10.0.0.7:80"),
            ("forwarded", "host=shop.example;proto=https"),
            ("x-forwarded-port", "8443"),
        ],
        OWN,
        true,
    ),
    (
        &[
            ("host", "10.0.0.7:80"),
            ("forwarded", "for=1.2.3.4;host=\"shop.example:8443\""),
        ],
        OWN,
        true,
    ),
    (
        &[
            ("host", "10.0.0.7:80"),
            ("forwarded", "host=\"shop.example:8444\""),
        ],
        OWN,
        false,
    ),
    (
        &[("host", "[::1]"), ("x-forwarded-port", "8443")],
        "http://[::1]:8443",
        true,
    ),
    (&[("host", "[::1]")], "http://[::1]", true),
    (&[("host", "[::1]:9")], "http://[::1]", false),
];

/// `docs/threats.md` 60.
#[test]
fn behind_a_proxy_only_the_servers_own_pages_are_accepted() {
    for (fields, origin, own) in BEHIND_PROXIES {
        let mut request = TestRequest::default().insert_header(("origin", *origin));
        for field in *fields {
            request = request.insert_header(*field);
        }
        let request = request.to_http_request();
        for kind in [Kind::Request, Kind::WebSocket] {
            let is_own = is_own_page(&request, kind, &[]);
            assert_eq!(is_own, *own, "{kind:?} {fields:?} {origin}");
        }
    }
}
