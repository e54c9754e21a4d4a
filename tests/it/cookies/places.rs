//! `docs/threats.md` 28 and 30: a token in the query string or among a WebSocket's protocols counts only where
//! the route reads it from there.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, test::TestRequest, web};
use flask_pyjwt::{Cookies, CurrentToken, RequireToken, TokenLocation, require_token};

use super::{login, with};
use support::site::Site;

#[require_token("auth", "query", query_name = "access_token")]
async fn by_query(token: CurrentToken) -> String {
    token.sub().to_owned()
}

#[require_token(location = ["header", "query"], query_name = "t")]
async fn by_either() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header(("cache-control", "max-age=60"))
        .finish()
}

#[require_token]
async fn by_header() -> &'static str {
    "in"
}

/// Stands in for a WebSocket library: it answers with 101 and selects the protocol `chat`.
#[require_token(location = ["websocket", "cookies"])]
async fn socket(request: HttpRequest) -> HttpResponse {
    let mut answer = HttpResponse::build(StatusCode::SWITCHING_PROTOCOLS);
    let offered = request.headers().get("sec-websocket-protocol");
    if offered.is_some_and(|offered| offered.as_bytes().starts_with(b"chat")) {
        answer.insert_header(("sec-websocket-protocol", "chat"));
    }
    answer.finish()
}

#[actix_web::test]
async fn threat_30_a_token_in_the_query_string_counts_only_where_the_route_reads_it() {
    let auth = with(Cookies::default());
    let pair = login(&auth).await;
    let wrapped = RequireToken::auth().locations([TokenLocation::Query("t".to_owned())]);
    let site = Site::new(|app| {
        app.app_data(auth.clone())
            .route("/query", web::route().to(by_query))
            .route("/either", web::route().to(by_either))
            .route("/header", web::route().to(by_header))
            .service(web::resource("/wrapped").wrap(wrapped).to(HttpResponse::Ok));
    })
    .await;
    let token = pair.auth.signed();
    let bearer = ("authorization", format!("Bearer {token}"));
    for (path, expected) in [
        (format!("/query?access_token={token}"), (200, "")),
        (format!("/query?a=1&access_token={token}&b=2"), (200, "")),
        (format!("/wrapped?t={token}"), (200, "")),
        (format!("/either?t={token}"), (200, "")),
        (format!("/query?t={token}"), (401, "missing_credentials")),
        (
            format!("/query?access_token=x{token}"),
            (401, "token_encoding"),
        ),
        (
            format!("/query?access_token={token}&access_token={token}"),
            (400, "several_parameters"),
        ),
        (
            format!("/header?access_token={token}&t={token}&token={token}"),
            (401, "missing_credentials"),
        ),
    ] {
        let reply = site.ask(TestRequest::get().uri(&path)).await;
        let (status, reason) = reply.outcome();
        // The reason depends on the character that is invalid. The token must be refused in any case.
        let reason = if status == 401 && expected.1 == "token_encoding" {
            "token_encoding"
        } else {
            reason
        };
        assert_eq!((status, reason), expected, "{path}");
        if path.starts_with("/header") {
            continue;
        }
        assert_eq!(reply.field("cache-control"), "no-store", "{path}");
        assert_eq!(reply.field("referrer-policy"), "no-referrer", "{path}");
        let reply = site.ask(TestRequest::post().uri(&path)).await;
        assert_eq!(reply.status, 401, "POST {path}");
    }
    let request = TestRequest::get()
        .uri("/either")
        .insert_header(bearer.clone());
    let reply = site.ask(request).await;
    assert_eq!(
        (reply.status, reply.field("cache-control")),
        (200, "max-age=60")
    );
    let both = format!("/either?t={token}");
    let reply = site
        .ask(TestRequest::get().uri(&both).insert_header(bearer))
        .await;
    reply.is_refused(400, "invalid_request", "several_places", &both);
}

#[actix_web::test]
async fn a_websocket_is_opened_with_a_token_in_its_protocol_or_from_the_servers_own_page() {
    let auth = with(Cookies::default());
    let pair = login(&auth).await;
    let site = Site::new(|app| {
        app.app_data(auth.clone())
            .route("/ws", web::get().to(socket));
    })
    .await;
    let handshake = || {
        TestRequest::get()
            .uri("/ws")
            .insert_header(("host", "shop.example"))
            .insert_header(("connection", "Upgrade"))
            .insert_header(("upgrade", "WebSocket"))
    };
    let by_protocol = |protocols: &str| {
        handshake()
            .insert_header(("origin", "https://evil.example"))
            .insert_header(("sec-websocket-protocol", protocols))
    };
    let token = pair.auth.signed();
    let reply = site.ask(by_protocol(&format!("bearer, {token}"))).await;
    assert_eq!(reply.status, 101);
    assert_eq!(reply.field("sec-websocket-protocol"), "bearer");
    let with_another = format!("chat, bearer, {token}");
    let reply = site.ask(by_protocol(&with_another)).await;
    assert_eq!(reply.status, 101);
    assert_eq!(reply.field("sec-websocket-protocol"), "chat");
    for (protocols, expected) in [
        ("bearer", (401, "malformed_credentials")),
        ("chat", (401, "missing_credentials")),
        ("bearer, a.b.c", (401, "token_encoding")),
        (
            &format!("bearer, {token}, bearer, {token}"),
            (400, "several_protocols"),
        ),
        (
            &format!("bearer, {}", pair.refresh.signed()),
            (401, "token_wrong_type"),
        ),
    ] {
        let reply = site.ask(by_protocol(protocols)).await;
        assert_eq!(reply.outcome(), expected, "{protocols}");
    }

    let cookie = ("cookie", format!("__Host-auth={token}"));
    for (origin, is_in) in [
        ("https://shop.example", true),
        ("https://evil.example", false),
        ("https://shop.example.evil.example", false),
        ("null", false),
        ("", false),
    ] {
        let mut request = handshake().insert_header(cookie.clone());
        if !origin.is_empty() {
            request = request.insert_header(("origin", origin));
        }
        let reply = site.ask(request).await;
        if is_in {
            assert_eq!(reply.status, 101, "{origin}");
            assert_eq!(reply.field("sec-websocket-protocol"), "");
        } else {
            reply.is_refused(403, "csrf_failed", "cross_site", origin);
        }
    }
    let both = handshake()
        .insert_header(cookie)
        .insert_header(("sec-websocket-protocol", format!("bearer, {token}")));
    let reply = site.ask(both).await;
    reply.is_refused(400, "invalid_request", "several_places", "both");
}
