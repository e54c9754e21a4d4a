//! How clients authenticate with secrets.

use actix_web::test::TestRequest;
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{BASIC, DEMO, Server, basic_of, is_refused, request};

#[actix_web::test]
async fn a_secret_is_accepted_in_basic_credentials_and_in_the_form() {
    let server = Server::new().await;
    let token = server.login().await.auth;
    let token = ("token", token.signed());
    let post = [token, ("client_id", "demo"), ("client_secret", DEMO)];
    let basic_with_id = [token, ("client_id", "demo")];
    for (basic, form) in [
        (BASIC, &[token][..]),
        (BASIC, &basic_with_id),
        (None, &post),
    ] {
        let reply = server.post("/introspect", basic, form).await;
        assert_eq!(reply.json()["active"], true, "{form:?}");
    }
}

/// As `curl -u` sends them. RFC 6749 has them encoded.
#[actix_web::test]
async fn basic_credentials_that_are_not_encoded_are_accepted() {
    let server = Server::new().await;
    let ask = |id: &str, secret: &str, named: &'static str| {
        let field = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        let request = request("/introspect", None, &[("token", "x"), ("client_id", named)]);
        server
            .site
            .ask(request.insert_header(("authorization", field)))
    };
    assert_eq!(ask("demo", DEMO, "").await.status, 200);
    assert_eq!(ask("demo", DEMO, "demo").await.status, 200);
    is_refused(
        &ask("demo", DEMO, "other").await,
        400,
        "invalid_request",
        "named",
    );
    let other = DEMO.replace('+', " ");
    is_refused(
        &ask("demo", &other, "").await,
        401,
        "invalid_client",
        "another secret",
    );
}

/// The same bytes for whatever is wrong, and before the token is looked at.
#[actix_web::test]
async fn threat_64_strangers_learn_nothing() {
    let server = Server::new().await;
    let good = server.login().await.auth;
    let mut replies = Vec::new();
    for token in [good.signed(), "garbage"] {
        for path in ["/introspect", "/revoke"] {
            let token = ("token", token);
            for (basic, form) in [
                (None, vec![token]),
                (Some(("demo", "a wrong secret")), vec![token]),
                (Some(("demo", "")), vec![token]),
                (Some(("nobody", DEMO)), vec![token]),
                (Some(("", "")), vec![token]),
                // Those of other clients, and of clients with another method.
                (Some(("other", DEMO)), vec![token]),
                (Some(("spa", "")), vec![token]),
                (Some(("service", DEMO)), vec![token]),
                (None, vec![token, ("client_id", "demo")]),
                (None, vec![token, ("client_id", "nobody")]),
                (None, vec![token, ("client_id", "service")]),
                (
                    None,
                    vec![token, ("client_id", "demo"), ("client_secret", "wrong")],
                ),
                (
                    None,
                    vec![token, ("client_id", "spa"), ("client_secret", "x")],
                ),
            ] {
                let reply = server.post(path, basic, &form).await;
                is_refused(
                    &reply,
                    401,
                    "invalid_client",
                    &format!("{path} {basic:?} {form:?}"),
                );
                replies.push((reply.body, format!("{:?}", reply.headers)));
            }
        }
    }
    replies.dedup();
    assert_eq!(replies.len(), 1, "{replies:?}");
    assert!(server.is_accepted(good.signed()).await);
    // A public client may not ask about tokens.
    let form = [("token", good.signed()), ("client_id", "spa")];
    let reply = server.post("/introspect", None, &form).await;
    is_refused(&reply, 401, "invalid_client", "a public client");
}

#[actix_web::test]
async fn credentials_given_twice_are_an_invalid_request() {
    let server = Server::new().await;
    let token = ("token", "x");
    let bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let jwt = [
        ("client_assertion", "a.b.c"),
        ("client_assertion_type", bearer),
    ];
    for (basic, form) in [
        (
            BASIC,
            vec![token, ("client_id", "demo"), ("client_secret", DEMO)],
        ),
        (BASIC, vec![token, ("client_secret", DEMO)]),
        (BASIC, [vec![token], jwt.to_vec()].concat()),
        (BASIC, vec![token, jwt[1]]),
        (
            None,
            [
                vec![token, ("client_secret", DEMO), ("client_id", "demo")],
                jwt.to_vec(),
            ]
            .concat(),
        ),
        (BASIC, vec![token, ("client_id", "other")]),
        (None, vec![token, ("client_secret", DEMO)]),
        (None, vec![token, jwt[0]]),
        (None, vec![token, jwt[1]]),
    ] {
        let reply = server.post("/introspect", basic, &form).await;
        is_refused(&reply, 400, "invalid_request", &format!("{form:?}"));
    }
    let twice = request("/introspect", BASIC, &[token]);
    let twice = twice.append_header(("authorization", basic_of("demo", DEMO)));
    is_refused(
        &server.site.ask(twice).await,
        400,
        "invalid_request",
        "two fields",
    );
}

#[actix_web::test]
async fn malformed_credentials_are_refused() {
    let server = Server::new().await;
    for field in [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic ZGVtbw==",     // no colon
        "Basic /////w==",     // not UTF-8
        "Basic JXp6OiV6eg==", // `%zz:%zz`
        "Bearer a.b.c",
        "Digest username=demo",
        "",
        "\u{e9}",
    ] {
        let request = TestRequest::post()
            .uri("/introspect")
            .set_form([("token", "x")]);
        let request = request.insert_header(("authorization", field.as_bytes()));
        let reply = server.site.ask(request).await;
        is_refused(&reply, 401, "invalid_client", field);
    }
}
