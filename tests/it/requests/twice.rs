//! Row 28: duplicate credentials.

use super::{refresh_token, server, substitute, token};
use support::{hs256, manager};

#[test]
fn threat_28_duplicate_credentials_are_a_bad_request() {
    let server = server(&manager(hs256()));
    let (good, other) = (token(), refresh_token());
    let basic = "Basic YWxpY2U6d29uZGVybGFuZA==";
    for fields in [
        format!("Authorization: Bearer {good}\r\nAuthorization: Bearer {good}\r\n"),
        format!("Authorization: Bearer {good}\r\nAuthorization: Bearer {other}\r\n"),
        format!("Authorization: {basic}\r\nAuthorization: Bearer {good}\r\n"),
        format!("Authorization: Bearer {good}\r\nAuthorization: {basic}\r\n"),
        format!("Authorization: Bearer {good}\r\nX: y\r\nauthorization: x\r\n"),
        format!("Authorization: Bearer {good}\r\nAUTHORIZATION:\r\n"),
        format!("Authorization:\r\nAuthorization: Bearer {good}\r\n"),
        "Authorization:\r\nAuthorization:\r\n".to_owned(),
        format!("Authorization: {basic}\r\nAuthorization: {basic}\r\n"),
        format!("Authorization: Bearer {good}, Bearer {good}\r\n"),
        format!("Authorization: Bearer {good},Bearer {other}\r\n"),
        format!("Authorization: Bearer {good} ,\tbearer {other}\r\n"),
        format!("Authorization: {basic}, Bearer {good}\r\n"),
        format!("Authorization: {basic},, Bearer {good}\r\n"),
    ] {
        for path in ["/", "/chance"] {
            let reply = server.get(path, &fields);
            reply.is_refused(400, "invalid_request", "several_authorizations", &fields);
        }
    }
}

#[test]
fn threat_28_a_token_in_two_locations_of_a_route_is_a_bad_request() {
    let server = server(&manager(hs256()));
    let good = token();
    let bearer = format!("Authorization: Bearer {good}\r\n");
    for cookie in [good.as_str(), "x", "a.b.c", "\"x\"", "%00"] {
        let fields = format!("{bearer}Cookie: auth_token={cookie}\r\n");
        for path in ["/either", "/wrapped/either", "/chance"] {
            let reply = server.get(path, &fields);
            reply.is_refused(400, "invalid_request", "several_places", &fields);
        }
    }
    // The token is in one place, or in a place that this route does not read.
    let cookie = format!("Cookie: auth_token={good}\r\n");
    let basic = "Authorization: Basic YWxpY2U6d29uZGVybGFuZA==\r\n";
    for (path, fields) in [
        ("/either", bearer.clone()),
        ("/either", cookie.clone()),
        ("/either", format!("{basic}{cookie}")),
        ("/either", format!("{bearer}Cookie: auth_token=\r\n")),
        ("/either", format!("{bearer}Cookie: other={good}\r\n")),
        ("/wrapped/either", cookie.clone()),
        ("/", format!("{bearer}Cookie: auth_token=x\r\n")),
        ("/cookie", format!("Authorization: Bearer x\r\n{cookie}")),
        (
            "/cookie",
            format!("Authorization: x\r\nAuthorization: y\r\n{cookie}"),
        ),
        ("/chance", cookie.clone()),
    ] {
        let reply = server.get(path, &fields);
        assert_eq!(
            (reply.outcome(), reply.text()),
            ((200, ""), "alice"),
            "{path} {fields}"
        );
    }
}

#[test]
fn threats_28_and_61_two_values_of_a_cookie_are_a_bad_request_and_equal_ones_are_not() {
    let server = server(&manager(hs256()));
    let good = token();
    let twice: [&[u8]; 9] = [
        b"auth_token=$; auth_token=x",
        b"auth_token=x; auth_token=$",
        b"auth_token=$;auth_token=",
        b"auth_token=; auth_token=$",
        b"a=b; auth_token=$; c=d; auth_token=y",
        b"auth_token=$; auth_token=$; auth_token=y",
        b"auth_token=$\r\ncookie: auth_token=x",
        // A value that is not text is still a value.
        b"auth_token=$; auth_token=\xff",
        b"auth_token=\xc3\x28; auth_token=$",
    ];
    for cookie in twice {
        let field = substitute(cookie, &good);
        for path in ["/cookie", "/either", "/chance"] {
            let what = format!("{path} {}", field.escape_ascii());
            let reply = server.get(path, &field);
            reply.is_refused(400, "invalid_request", "several_cookies", &what);
        }
    }
    // Cookies of other names can be malformed.
    let once: [&[u8]; 15] = [
        b"auth_token=$",
        // A browser has the cookie for two paths.
        b"auth_token=$; auth_token=$",
        b"a=b; auth_token=$; c=d; auth_token=$",
        b"auth_token=$\r\nCookie: auth_token=$",
        b" auth_token=$ ",
        b"a=b; auth_token=$; c=d",
        b"a=b;auth_token=$;c=d",
        b"Auth_Token=x; auth_token=$",
        b"auth_token2=x; xauth_token=y; auth_token=$",
        b"=; ;;; =x; y; \"; auth_token=$; =",
        b"x=\xff; auth_token=$; \xfe\xff=\xfd",
        b"\xff\r\nCookie: auth_token=$",
        b"x=%FF%00; auth_token=$; y=\"auth_token=x\"",
        b"x=\xc3\xa9; auth_token=$",
        b"auth_token; auth_token=$",
    ];
    for cookie in once {
        let field = substitute(cookie, &good);
        let reply = server.get("/cookie", &field);
        assert_eq!(reply.outcome(), (200, ""), "{}", field.escape_ascii());
    }
}

#[test]
fn threat_28_cookie_values_are_not_decoded() {
    let server = server(&manager(hs256()));
    let good = token();
    for (cookie, status, reason) in [
        (good.replace('.', "%2E"), 401, "token_form"),
        (good.replace('e', "%65"), 401, "token_encoding"),
        (format!("Bearer {good}"), 401, "token_encoding"),
        (format!("{good} x"), 401, "token_encoding"),
        (format!("{good}=x"), 401, "token_encoding"),
        ("x".to_owned(), 401, "token_form"),
        (refresh_token(), 401, "token_wrong_type"),
    ] {
        let reply = server.get("/cookie", format!("Cookie: auth_token={cookie}\r\n"));
        reply.is_refused(status, "invalid_token", reason, &cookie);
    }
    for (cookie, what) in [
        ("auth_token=", "cleared"),
        ("auth_token", "no value"),
        ("x=y", "other"),
    ] {
        let reply = server.get("/cookie", format!("Cookie: {cookie}\r\n"));
        reply.is_refused(401, "unauthorized", "missing_credentials", what);
        let reply = server.get("/chance", format!("Cookie: {cookie}\r\n"));
        assert_eq!(
            (reply.outcome(), reply.text()),
            ((200, ""), "nobody"),
            "{what}"
        );
    }
    // A cookie of that name that is not text is malformed, not missing.
    for path in ["/cookie", "/chance"] {
        let reply = server.get(path, b"Cookie: auth_token=\xff\r\n");
        assert_eq!(reply.status, 401, "{path}");
        assert_eq!(reply.json()["error"], "invalid_token", "{path}");
    }
}
