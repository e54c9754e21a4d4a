//! `docs/threats.md` 28 to 30, 32 and 40, as bytes over a socket: where the token is, and what is never read.

mod twice;

use actix_web::web;
use flask_pyjwt::{
    AuthManager, AuthType, CurrentToken, RequireToken, TokenLocation, require_token,
};
use serde_json::json;

use support::{
    NOW, SECRET, claims, claims_with,
    forge::{Key, encode, forge},
    header, hs256, manager,
    wire::Server,
};

const REFRESH_COOKIE: &str = "refresh_token";

#[require_token("auth", "cookies", cookie_name = "auth_token")]
async fn by_cookie(token: CurrentToken) -> String {
    token.sub().to_owned()
}

#[require_token(location = ["header", "cookies"], cookie_name = "auth_token")]
async fn by_either(token: CurrentToken) -> String {
    token.sub().to_owned()
}

#[require_token(optional, location = ["header", "cookies"], cookie_name = "auth_token")]
async fn by_chance(token: Option<CurrentToken>) -> String {
    token.map_or("nobody".to_owned(), |token| token.sub().to_owned())
}

#[require_token]
async fn with_body(body: web::Bytes) -> String {
    body.len().to_string()
}

#[require_token]
async fn with_json(body: web::Json<u8>) -> String {
    body.to_string()
}

async fn subject(token: CurrentToken) -> String {
    token.sub().to_owned()
}

fn server(auth: &AuthManager) -> Server {
    let (auth, guarded) = (auth.clone(), support::guarded(auth));
    Server::start(move |app| {
        guarded(app);
        let cookie = RequireToken::refresh().cookie(REFRESH_COOKIE);
        let either = [
            TokenLocation::Header,
            TokenLocation::Cookie("auth_token".to_owned()),
        ];
        app.app_data(auth.clone())
            .route("/cookie", web::get().to(by_cookie))
            .route("/either", web::get().to(by_either))
            .route("/chance", web::get().to(by_chance))
            .route("/body", web::post().to(with_body))
            .route("/json", web::post().to(with_json))
            .service(
                web::scope("/wrapped")
                    .service(web::resource("/cookie").wrap(cookie).to(subject))
                    .service(
                        web::resource("/either")
                            .wrap(RequireToken::auth().locations(either))
                            .to(subject),
                    )
                    .service(web::resource("/body").wrap(RequireToken::auth()).to(length)),
            );
    })
}

async fn length(body: web::Bytes) -> String {
    body.len().to_string()
}

fn token() -> String {
    forge(
        header(AuthType::HS256),
        claims().to_string(),
        &Key::Hs256(SECRET),
    )
}

fn refresh_token() -> String {
    let payload = claims_with(json!({"type": "refresh", "rid": "r"}));
    forge(header(AuthType::HS256), payload, &Key::Hs256(SECRET))
}

/// A `Cookie` field in which `$` is replaced by the token.
fn substitute(cookie: &[u8], token: &str) -> Vec<u8> {
    let mut field = b"Cookie: ".to_vec();
    for byte in cookie {
        match byte {
            b'$' => field.extend(token.bytes()),
            byte => field.push(*byte),
        }
    }
    field.extend(b"\r\n");
    field
}

#[test]
fn threat_29_malformed_bearer_credentials_are_refused() {
    let server = server(&manager(hs256()));
    let good = token();
    let malformed: [&[u8]; 24] = [
        b"Bearer",
        b"Bearer ",
        b"bearer",
        b"Bearer  $",
        b"Bearer   $",
        b"Bearer\t$",
        b"Bearer \t$",
        b"Bearer\t $",
        b"Bearer $ $",
        b"Bearer $ x",
        b"Bearer $\tx",
        b"Bearer $;x=y",
        b"Bearer $,x",
        b"Bearer $,",
        b"Bearer \"$\"",
        b"Bearer '$'",
        b"Bearer <$>",
        b"Bearer Bearer $",
        b"Bearer realm=\"x\"",
        b"Bearer:$",
        b"Bearer: $",
        b"Bearer=$",
        b"Bearer,$",
        b"Bearer/$",
    ];
    let not_ascii: [&[u8]; 7] = [
        b"Bearer \xff$",
        b"Bearer $\xc3\xa9",
        b"Bearer \xc2\xa0$",
        b"Bearer\xc2\xa0$",
        b"Bearer $\x80",
        b"Bearer \xef\xbb\xbf$",
        b"Bearer\xff $",
    ];
    for value in malformed.into_iter().chain(not_ascii) {
        let mut field = b"Authorization: ".to_vec();
        field.extend_from_slice(&substitute(value, &good)[b"Cookie: ".len()..]);
        for path in ["/", "/chance"] {
            let reply = server.get(path, &field);
            let what = field.escape_ascii().to_string();
            reply.is_refused(401, "invalid_token", "malformed_credentials", &what);
        }
    }
    // White space around a value is not part of it (RFC 9110, section 5.5).
    for field in [
        format!("Authorization: Bearer {good}"),
        format!("authorization:Bearer {good}"),
        format!("AUTHORIZATION: BEARER {good}"),
        format!("Authorization: \t bearer {good} \t "),
    ] {
        let reply = server.get("/", format!("{field}\r\n"));
        assert_eq!(reply.outcome(), (200, ""), "{field:?}");
    }
}

#[test]
fn threat_29_invalid_http_never_reaches_a_handler() {
    let server = server(&manager(hs256()));
    let good = token();
    let (head, tail) = good.split_at(20);
    for fields in [
        // obs-fold (RFC 9112, section 5.2)
        format!("Authorization: Bearer\r\n {good}\r\n"),
        format!("Authorization: Bearer {head}\r\n\t{tail}\r\n"),
        format!("Authorization : Bearer {good}\r\n"),
        format!(" Authorization: Bearer {good}\r\n"),
        format!("Authorization: Bearer {head}\0{tail}\r\n"),
        format!("Authorization: Bearer {head}\x7f{tail}\r\n"),
        format!("Authorization: Bearer {head}\x01{tail}\r\n"),
        format!("Authorization\0: Bearer {good}\r\n"),
        format!("Authorization: Bearer {head}\r{tail}\r\n"),
    ] {
        let reply = server.get("/", &fields);
        assert_eq!(reply.status, 400, "{fields:?}");
        assert_eq!(reply.text(), "", "{fields:?}");
    }
    for length in [100_000, 1 << 20] {
        let huge = "a".repeat(length);
        let reply = server.get("/", format!("Authorization: Bearer {huge}\r\n"));
        assert!(
            (400..500).contains(&reply.status),
            "{length}: {}",
            reply.status
        );
        assert!(!reply.text().contains("alice"), "{length}");
    }
    let reply = server.get(
        "/",
        format!("Authorization: Bearer {}\r\n", "a".repeat(9_000)),
    );
    reply.is_refused(401, "invalid_token", "token_too_large", "9,000 bytes");
}

#[test]
fn threat_29_schemes_other_than_bearer_are_ignored() {
    let server = server(&manager(hs256()));
    let good = token();
    for value in [
        "Basic YWxpY2U6d29uZGVybGFuZA==",
        "",
        "Bear",
        "x",
        &good,
        &format!("JWT {good}"),
        &format!("Token {good}"),
        &format!("Bearerx {good}"),
        &format!("Bearer-Token {good}"),
        &format!("Bearer.{good}"),
        &format!("xBearer {good}"),
        "Negotiate oYG2MIGzoAMKAQCigZs=",
        "AWS4-HMAC-SHA256 Credential=x/y, SignedHeaders=host, Signature=z",
        r#"Digest username="alice", realm="bearer", uri="/", response="x""#,
        r#"Digest username="a, Bearer x", realm="x""#,
        r#"Digest bearer="x", realm="x", bearer="y""#,
    ] {
        let field = format!("Authorization: {value}\r\n");
        let reply = server.get("/", &field);
        reply.is_refused(401, "unauthorized", "missing_credentials", &field);
        assert_eq!(
            reply.field("www-authenticate"),
            r#"Bearer realm="https://issuer.example""#
        );
        let reply = server.get("/chance", &field);
        assert_eq!(
            (reply.outcome(), reply.text()),
            ((200, ""), "nobody"),
            "{field}"
        );
    }
}

#[test]
fn threat_30_a_token_anywhere_else_is_ignored() {
    let server = server(&manager(hs256()));
    let good = token();
    let form = format!("access_token={good}&token={good}");
    for request in [
        format!("GET /?access_token={good} HTTP/1.1\r\n\r\n"),
        format!(
            "GET /?token={good}&auth_token={good}&jwt={good}&Authorization=Bearer+{good} HTTP/1.1\r\n\r\n"
        ),
        format!("GET /#{good} HTTP/1.1\r\n\r\n"),
        format!("GET /;access_token={good} HTTP/1.1\r\n\r\n"),
        format!(
            "GET / HTTP/1.1\r\nCookie: auth_token={good}; access_token={good}; Authorization=Bearer {good}\r\n\r\n"
        ),
        format!(
            "GET / HTTP/1.1\r\nProxy-Authorization: Bearer {good}\r\nX-Authorization: Bearer {good}\r\n\r\n"
        ),
        format!(
            "GET / HTTP/1.1\r\nX-Access-Token: {good}\r\nX-Forwarded-Authorization: Bearer {good}\r\n\r\n"
        ),
        format!(
            "GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: bearer, {good}\r\n\r\n"
        ),
        format!(
            "POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        ),
        format!(
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: Authorization\r\n\r\n0\r\nAuthorization: Bearer {good}\r\n\r\n"
        ),
        format!("GET http://alice:{good}@localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ] {
        let reply =
            server.send(request.replacen("HTTP/1.1\r\n", "HTTP/1.1\r\nHost: localhost\r\n", 1));
        if request.contains("/;") {
            assert_eq!(reply.status, 404, "{request}");
        } else if request.contains("http://") || request.contains("/#") {
            assert!((400..402).contains(&reply.status), "{request}");
        } else {
            reply.is_refused(401, "unauthorized", "missing_credentials", &request);
        }
    }
}

#[test]
fn threat_32_challenges_are_escaped_and_tokens_are_never_echoed() {
    for (issuer, realm) in [
        (r#"a"b\c"#, r#"a\"b\\c"#),
        ("x\", error=\"none", "x\\\", error=\\\"none"),
        ("a\r\nSet-Cookie: x=y", "a??Set-Cookie: x=y"),
        ("caf\u{e9} \u{1f600} \u{0}\u{7f}\t", "caf? ? ???"),
        ("é", "?"),
    ] {
        let config = hs256().issuer(issuer);
        let server = server(&manager(config));
        let reply = server.get("/", "");
        let challenge = format!("Bearer realm=\"{realm}\"");
        assert_eq!(reply.field("www-authenticate"), challenge, "{issuer:?}");
        assert!(!reply.headers.contains_key("set-cookie"), "{issuer:?}");
        let reply = server.get("/", "Authorization: Bearer marker.marker.marker\r\n");
        let expected = format!(
            "{challenge}, error=\"invalid_token\", error_description=\"The token is not valid\""
        );
        assert_eq!(reply.field("www-authenticate"), expected);
        assert!(!format!("{reply:?}").contains("marker"));
    }
    let server = server(&manager(hs256()));
    let payload = claims_with(json!({"sub": "marker", "iss": "\"marker\"", "exp": NOW - 1}));
    let marker = forge(header(AuthType::HS256), payload, &Key::Hs256(SECRET));
    for value in [
        marker.as_str(),
        "marker\"\\",
        "marker\u{e9}",
        &encode("marker"),
        &format!("{}.marker.x", encode(r#"{"alg":"marker","kid":"marker"}"#)),
        &format!(
            "{}.marker.x",
            encode(r#"{"alg":"HS256","typ":"JWT","crit":["marker"]}"#)
        ),
    ] {
        let reply = server.get("/", format!("Authorization: Bearer {value}\r\n"));
        assert_eq!(reply.status, 401, "{value}");
        let answer = format!("{reply:?}");
        assert!(!answer.contains("marker"), "{value}: {answer}");
        assert!(!answer.contains(value), "{value}: {answer}");
    }
}

#[test]
fn threat_40_a_refusal_does_not_wait_for_the_body() {
    let server = server(&manager(hs256()));
    let bad = [String::new(), "Authorization: Bearer a.b.c\r\n".to_owned()];
    let refresh = format!("Authorization: Bearer {}\r\n", refresh_token());
    let missing = forge(
        header(AuthType::HS256),
        claims_with(json!({"exp": NOW - 1})),
        &Key::Hs256(SECRET),
    );
    let expired = format!("Authorization: Bearer {missing}\r\n");
    for authorization in bad.into_iter().chain([refresh, expired]) {
        for path in ["/body", "/json", "/wrapped/body"] {
            for body in [
                // A body of a gigabyte of which nothing arrives, or very little.
                "Content-Length: 1073741824\r\n\r\n",
                "Content-Length: 1073741824\r\n\r\n{\"half",
                "Transfer-Encoding: chunked\r\n\r\n",
                "Transfer-Encoding: chunked\r\n\r\n40000000\r\nslow",
                "Expect: 100-continue\r\nContent-Length: 10\r\n\r\n",
                "Content-Type: application/json\r\nContent-Length: 3\r\n\r\n{]}",
                "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
                "Content-Length: 0\r\n\r\n",
                "\r\n",
            ] {
                let request =
                    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}{body}");
                let reply = server.send(&request);
                assert_eq!(reply.status, 401, "{request:?}: {reply:?}");
            }
        }
    }
    // With a token, the same bodies are read, and the handler's own extractor decides.
    let good = token();
    for (path, body, status, text) in [
        ("/body", "Content-Length: 4\r\n\r\nbody", 200, "4"),
        ("/wrapped/body", "Content-Length: 4\r\n\r\nbody", 200, "4"),
        (
            "/json",
            "Content-Type: application/json\r\nContent-Length: 1\r\n\r\n7",
            200,
            "7",
        ),
        (
            "/json",
            "Content-Type: application/json\r\nContent-Length: 3\r\n\r\n{]}",
            400,
            "",
        ),
        ("/body", "Content-Length: 1073741824\r\n\r\n", 413, ""),
    ] {
        let reply = server.send(format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {good}\r\n{body}"
        ));
        assert_eq!(reply.status, status, "{path} {body:?}");
        assert!(text.is_empty() || reply.text() == text, "{path} {body:?}");
    }
}
