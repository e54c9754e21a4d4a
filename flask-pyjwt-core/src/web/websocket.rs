//! A token among the protocols of a WebSocket: the one field that a page can set there.

use actix_web::{
    HttpRequest,
    http::header::{HeaderMap, HeaderValue, SEC_WEBSOCKET_PROTOCOL},
};

use super::Rejection;

/// The name before the token, and the one protocol that is answered with.
const BEARER: &str = "bearer";

/// The token after `bearer` in `Sec-WebSocket-Protocol: bearer, <token>` (RFC 6455, section 11.3.4).
///
/// Other protocols beside them are passed over.
pub(super) fn token(request: &HttpRequest) -> Result<Option<&str>, Rejection> {
    let mut token = None;
    for field in request.headers().get_all(SEC_WEBSOCKET_PROTOCOL) {
        // What is no visible ASCII is no list of protocols.
        let mut protocols = field.to_str().unwrap_or_default().split(',').map(str::trim);
        while let Some(protocol) = protocols.next() {
            if protocol != BEARER {
                continue;
            }
            if token.is_some() {
                return Err(Rejection::SeveralProtocols);
            }
            match protocols.next() {
                Some(own) if !own.is_empty() && own != BEARER => token = Some(own),
                _ => return Err(Rejection::MalformedCredentials),
            }
        }
    }
    Ok(token)
}

/// Chooses `bearer` among the protocols, and nothing that would show the token again.
pub(super) fn choose_protocol(answer: &mut HeaderMap) {
    answer.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(BEARER));
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_token_follows_the_protocol_bearer() {
        for (fields, expected) in [
            (vec![], Ok(None)),
            (vec!["chat"], Ok(None)),
            (vec!["bearer, a.b.c"], Ok(Some("a.b.c"))),
            (vec!["bearer,a.b.c"], Ok(Some("a.b.c"))),
            (vec!["chat, bearer, a.b.c, more"], Ok(Some("a.b.c"))),
            (vec!["chat", "bearer, a.b.c"], Ok(Some("a.b.c"))),
            (vec!["Bearer, a.b.c"], Ok(None)),
            (vec!["bearer"], Err(Rejection::MalformedCredentials)),
            (vec!["bearer, "], Err(Rejection::MalformedCredentials)),
            (
                vec!["bearer", "a.b.c"],
                Err(Rejection::MalformedCredentials),
            ),
            (vec!["bearer, bearer"], Err(Rejection::MalformedCredentials)),
            (
                vec!["bearer, a, bearer, b"],
                Err(Rejection::SeveralProtocols),
            ),
            (
                vec!["bearer, a", "bearer, a"],
                Err(Rejection::SeveralProtocols),
            ),
        ] {
            let mut request = TestRequest::default();
            for field in &fields {
                request = request.append_header((SEC_WEBSOCKET_PROTOCOL, *field));
            }
            assert_eq!(token(&request.to_http_request()), expected, "{fields:?}");
        }
    }
}
