//! Tokens in `Sec-WebSocket-Protocol`, the only header field of a WebSocket handshake that a page can set.

use actix_web::{
    HttpRequest,
    http::header::{HeaderMap, HeaderValue, SEC_WEBSOCKET_PROTOCOL},
};

use super::Rejection;

/// The protocol before the token, which is also the protocol of the answer.
const BEARER: &str = "bearer";

/// The token after `bearer` in `Sec-WebSocket-Protocol: bearer, <token>` (RFC 6455, section 11.3.4).
///
/// Other protocols are skipped. Two `bearer` are refused.
pub(super) fn token(request: &HttpRequest) -> Result<Option<&str>, Rejection> {
    // Several fields form one list.
    let fields = request.headers().get_all(SEC_WEBSOCKET_PROTOCOL);
    let mut fields = fields.map(HeaderValue::as_bytes);
    let (mut token, mut rest) = (None, fields.next());
    while let Some(list) = rest {
        let Some(after) = after_bearer(list) else {
            rest = fields.next();
            continue;
        };
        if token.is_some() {
            return Err(Rejection::SeveralProtocols);
        }
        let list = after.strip_prefix(b",").or_else(|| fields.next());
        let list = list.unwrap_or_default();
        let end = memchr::memchr(b',', list);
        let protocol = std::str::from_utf8(list[..end.unwrap_or(list.len())].trim_ascii())
            .ok()
            .filter(|protocol| !protocol.is_empty() && *protocol != BEARER);
        token = Some(protocol.ok_or(Rejection::MalformedCredentials)?);
        rest = match end {
            Some(end) => Some(&list[end + 1..]),
            None => fields.next(),
        };
    }
    Ok(token)
}

/// The rest of a list after its first protocol `bearer`: empty, or a comma and more. It looks for the name instead of
/// splitting the list, so that thousands of other protocols cost little.
fn after_bearer(list: &[u8]) -> Option<&[u8]> {
    let begins = list.windows(BEARER.len()).enumerate();
    let mut begins = begins.filter(|(_, word)| word[0] == b'b' && *word == BEARER.as_bytes());
    begins.find_map(|(at, word)| {
        let before = list[..at].trim_ascii_end();
        let after = list[at + word.len()..].trim_ascii_start();
        let is_whole = matches!(before.last(), None | Some(b','))
            && matches!(after.first(), None | Some(b','));
        is_whole.then_some(after)
    })
}

/// Sets the chosen protocol to `bearer` if the handler has chosen none, or has chosen the token.
pub(super) fn choose_protocol(answer: &mut HeaderMap) {
    let may_be_token = |chosen: &HeaderValue| {
        let dots = chosen.as_bytes().iter().filter(|byte| **byte == b'.');
        dots.count() >= 2
    };
    let mut chosen = answer.get_all(SEC_WEBSOCKET_PROTOCOL).peekable();
    if chosen.peek().is_none() || chosen.any(may_be_token) {
        answer.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(BEARER));
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    /// The reference implementation splits all fields into their protocols.
    #[test]
    fn protocols_are_found_like_by_the_reference() {
        let reference = |fields: &[String]| {
            let fields = fields.iter().flat_map(|field| field.split(','));
            let mut protocols = fields.map(str::trim);
            let mut token = None;
            while let Some(protocol) = protocols.next() {
                if protocol != BEARER {
                    continue;
                }
                if token.is_some() {
                    return Err(Rejection::SeveralProtocols);
                }
                let next = protocols
                    .next()
                    .filter(|next| !next.is_empty() && *next != BEARER);
                token = Some(next.ok_or(Rejection::MalformedCredentials)?.to_owned());
            }
            Ok(token)
        };
        let parts = [
            ",", ",", ",", " ", "\t", "bearer", "bearer", "Bearer", "a", "b", "be", "a.b.c",
        ];
        let mut state = 1_u32;
        for _ in 0..30_000 {
            let mut random = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (state >> 16) as usize
            };
            let mut fields = Vec::new();
            let mut request = TestRequest::default();
            for _ in 0..random() % 3 {
                let count = random() % 10;
                let field: String = (0..count).map(|_| parts[random() % parts.len()]).collect();
                request = request.append_header((SEC_WEBSOCKET_PROTOCOL, &*field));
                fields.push(field);
            }
            let request = request.to_http_request();
            let found = token(&request).map(|found| found.map(str::to_owned));
            assert_eq!(found, reference(&fields), "{fields:?}");
        }
    }

    #[test]
    fn the_token_is_the_protocol_after_bearer() {
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
            (vec!["bearer", "a.b.c"], Ok(Some("a.b.c"))),
            (
                vec!["bearer, a", "x", "bearer"],
                Err(Rejection::SeveralProtocols),
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

    #[test]
    fn threat_29_a_protocol_that_is_not_utf8_is_malformed_not_missing() {
        let field = |bytes: &[u8]| HeaderValue::from_bytes(bytes).expect("a field");
        for (fields, expected) in [
            (
                vec![field(b"bearer, a.b.\xff")],
                Err(Rejection::MalformedCredentials),
            ),
            (
                vec![field(b"bearer, a.b.c"), field(b"bearer, d\xff")],
                Err(Rejection::SeveralProtocols),
            ),
            (vec![field(b"\xff, bearer, a.b.c")], Ok(Some("a.b.c"))),
        ] {
            let mut request = TestRequest::default();
            for field in &fields {
                request = request.append_header((SEC_WEBSOCKET_PROTOCOL, field.clone()));
            }
            assert_eq!(token(&request.to_http_request()), expected, "{fields:?}");
        }
    }

    #[test]
    fn the_protocol_that_the_handler_chose_stays_unless_it_is_the_token() {
        for (chosen, expected) in [
            (vec![], BEARER),
            (vec!["chat"], "chat"),
            (vec!["a.b.c"], BEARER),
            (vec!["chat", "a.b.c"], BEARER),
            (vec!["chat, a.b.c"], BEARER),
        ] {
            let mut answer = HeaderMap::new();
            for chosen in &chosen {
                answer.append(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(chosen));
            }
            choose_protocol(&mut answer);
            let fields: Vec<_> = answer.get_all(SEC_WEBSOCKET_PROTOCOL).collect();
            assert_eq!(fields, [expected], "{chosen:?}");
        }
    }
}
