//! Bodies that are no form, or that are hostile.

use actix_web::{dev::Payload, error::PayloadError, test::TestRequest, web::Bytes};
use futures_util::{Stream, stream};
use support::wire;

use super::{DEMO, Server, basic_of, clients, is_refused};

const FORM: &str = "application/x-www-form-urlencoded";
const PATHS: [&str; 3] = ["/token", "/introspect", "/revoke"];

fn post(path: &str) -> TestRequest {
    let request = TestRequest::post().uri(path);
    request.insert_header(("authorization", basic_of("demo", DEMO)))
}

fn body(chunks: impl Stream<Item = Result<Bytes, PayloadError>> + 'static) -> Payload {
    Payload::Stream {
        payload: Box::pin(chunks),
    }
}

#[actix_web::test]
async fn a_body_that_is_no_form_is_an_invalid_request() {
    let server = Server::new().await;
    let form = "grant_type=refresh_token&refresh_token=x&token=x";
    for path in PATHS {
        for content_type in [
            "application/json",
            "multipart/form-data; boundary=x",
            "text/plain",
            "application/x-www-form-urlencodedx",
            "",
        ] {
            let request = post(path).set_payload(form);
            let request = request.insert_header(("content-type", content_type));
            let reply = server.site.ask(request).await;
            is_refused(&reply, 400, "invalid_request", content_type);
        }
        let without = server.site.ask(post(path).set_payload(form)).await;
        is_refused(&without, 400, "invalid_request", "no content type");
        let request = post(path)
            .set_payload(form)
            .insert_header(("content-type", FORM));
        let request = request.insert_header(("content-encoding", "gzip"));
        is_refused(
            &server.site.ask(request).await,
            400,
            "invalid_request",
            "compressed",
        );
        for malformed in [
            &b"token=x&token=x"[..],
            b"token=x&%74oken=x",
            b"client_id=demo&token=x&client_id=demo",
            b"token=\xff",
            b"token=%ff",
            b"token=%C3",
            b"token=%",
            b"token=%2",
            b"x=%zz&token=x",
            b"",
            b"&&&",
            b"=",
        ] {
            let request = post(path).set_payload(malformed.to_vec());
            let request = request.insert_header((
                "content-type",
                "Application/X-WWW-Form-URLencoded; charset=UTF-8",
            ));
            let reply = server.site.ask(request).await;
            is_refused(
                &reply,
                400,
                "invalid_request",
                &malformed.escape_ascii().to_string(),
            );
        }
    }
}

#[actix_web::test]
async fn parameters_of_the_query_string_do_not_count() {
    let server = Server::new().await;
    let token = server.login().await.auth;
    let path = format!("/introspect?token={}", token.signed());
    let reply = server.post(&path, super::BASIC, &[("x", "y")]).await;
    is_refused(&reply, 400, "invalid_request", "the token in the query");
    let path = format!(
        "/introspect?client_id=other&client_secret=x&token={}",
        token.signed()
    );
    let reply = server.post(&path, super::BASIC, &[("token", "x")]).await;
    assert_eq!(reply.text(), r#"{"active":false}"#);
}

#[actix_web::test]
async fn a_long_body_is_refused_before_it_is_read() {
    let server = Server::new().await;
    for path in PATHS {
        // The body never arrives.
        let request = post(path).insert_header(("content-type", FORM));
        let request = request.insert_header(("content-length", "10000000"));
        let never = body(stream::pending::<Result<Bytes, PayloadError>>());
        let reply = server.site.ask_with(request, never).await;
        is_refused(&reply, 413, "invalid_request", path);

        // It does not say how long it is, and never ends.
        let chunk = || Ok::<_, PayloadError>(Bytes::from_static(&[b'a'; 1_000]));
        let endless = body(stream::repeat_with(chunk));
        let request = post(path).insert_header(("content-type", FORM));
        let reply = server.site.ask_with(request, endless).await;
        is_refused(&reply, 413, "invalid_request", path);

        let broken = stream::iter([Err(PayloadError::Incomplete(None))]);
        let broken = body(broken);
        let request = post(path).insert_header(("content-type", FORM));
        let reply = server.site.ask_with(request, broken).await;
        is_refused(&reply, 400, "invalid_request", path);
    }
}

/// Ten megabytes over a socket.
#[test]
fn ten_megabytes_are_refused_over_the_wire() {
    let auth = support::manager(support::hs256());
    let clients = clients();
    let server = wire::Server::start(move |app| {
        app.service(auth.token_endpoint(&clients));
    });
    let body = "a".repeat(10_000_000);
    let request = format!(
        "POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let reply = server.send(request);
    assert_eq!(
        (reply.status, &reply.json()["error"]),
        (413, &"invalid_request".into())
    );
    let request = format!(
        "POST /token HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 49\r\n\
         Authorization: {}\r\n\r\ngrant_type=refresh_token&refresh_token=%00%00abcd",
        basic_of("demo", DEMO)
    );
    let reply = server.send(request);
    assert_eq!(
        (reply.status, &reply.json()["error"]),
        (400, &"invalid_grant".into())
    );
}
