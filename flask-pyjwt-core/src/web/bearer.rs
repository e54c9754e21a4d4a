//! Tokens in a header: `Authorization: Bearer …`, `Authorization: DPoP …`, or a header that the route names.

use actix_web::{HttpRequest, http::header::AUTHORIZATION};

use super::Rejection;

/// The scheme of the credentials in `Authorization`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// RFC 6750, section 2.1.
    Bearer,
    /// RFC 9449, section 7.1. A proof comes with the token.
    Dpop,
}

impl Scheme {
    const ALL: [Self; 2] = [Self::Bearer, Self::Dpop];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }

    /// The scheme of a value, in any case (RFC 9110, section 11.1), and what follows its name.
    fn of(value: &[u8]) -> Option<(Self, &[u8])> {
        Self::ALL.into_iter().find_map(|scheme| {
            let (name, rest) = value.split_at_checked(scheme.name().len())?;
            let is_whole = rest.first().is_none_or(|byte| !is_scheme_byte(*byte));
            let is_it = is_whole && name.eq_ignore_ascii_case(scheme.name().as_bytes());
            is_it.then_some((scheme, rest))
        })
    }
}

/// The bytes after `Bearer ` in the only `Authorization` field. Their form is not checked: they are only compared with
/// tokens that were verified before.
pub(super) fn sole_bearer(request: &HttpRequest) -> Option<&[u8]> {
    let mut fields = request.headers().get_all(AUTHORIZATION);
    let field = fields.next().filter(|_| fields.next().is_none())?;
    field.as_bytes().strip_prefix(b"Bearer ")
}

/// The token of the `Authorization` field, and its scheme. Two fields are refused.
pub(super) fn authorization(request: &HttpRequest) -> Result<Option<(Scheme, &str)>, Rejection> {
    let mut fields = request.headers().get_all(AUTHORIZATION);
    let Some(field) = fields.next() else {
        return Ok(None);
    };
    if fields.next().is_some() {
        return Err(Rejection::SeveralAuthorizations);
    }
    authorization_token(field.as_bytes())
}

/// The token of a field's value, or `None` if it has another scheme.
fn authorization_token(value: &[u8]) -> Result<Option<(Scheme, &str)>, Rejection> {
    let Some(token) = value
        .strip_prefix(b"Bearer ")
        .filter(|token| is_plain(token))
    else {
        return unusual_token(value);
    };
    std::str::from_utf8(token)
        .map(|token| Some((Scheme::Bearer, token)))
        .map_err(|_| Rejection::MalformedCredentials)
}

/// Whether these bytes are a non-empty sequence of characters of a JWT, as in nearly all requests. The loop has no
/// branch, so that the compiler can check 16 bytes in one step.
fn is_plain(token: &[u8]) -> bool {
    let is_other = |byte: u8| {
        let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        let is_digit_or_dot = byte.wrapping_sub(b'-') <= b'9' - b'-'; // or `-` or `/`
        u8::from(!is_letter) & u8::from(!is_digit_or_dot) & u8::from(byte != b'_')
    };
    !token.is_empty() && token.iter().fold(0, |any, byte| any | is_other(*byte)) == 0
}

/// The slow path of [`authorization_token`]: another scheme, another spelling of `Bearer`, or a malformed value.
fn unusual_token(value: &[u8]) -> Result<Option<(Scheme, &str)>, Rejection> {
    if has_further_credentials(value) {
        return Err(Rejection::SeveralAuthorizations);
    }
    let Some((scheme, rest)) = Scheme::of(value) else {
        return Ok(None);
    };
    let token = rest.strip_prefix(b" ").unwrap_or_default();
    if token.is_empty() || !token.iter().all(|byte| is_token_byte(*byte)) {
        return Err(Rejection::MalformedCredentials);
    }
    std::str::from_utf8(token)
        .map(|token| Some((scheme, token)))
        .map_err(|_| Rejection::MalformedCredentials)
}

/// The token of a header that the route names. Two fields are refused.
pub(super) fn named<'a>(
    name: &str,
    request: &'a HttpRequest,
) -> Result<Option<&'a str>, Rejection> {
    let mut fields = request.headers().get_all(name);
    let Some(field) = fields.next() else {
        return Ok(None);
    };
    if fields.next().is_some() {
        return Err(Rejection::SeveralAuthorizations);
    }
    named_token(field.as_bytes())
}

/// The token of a named header's value, with or without the scheme. An empty value counts as no token, because a proxy
/// may send it for a request without one.
fn named_token(value: &[u8]) -> Result<Option<&str>, Rejection> {
    if value.is_empty() {
        return Ok(None);
    }
    // A token has no comma. A proxy has joined two fields (RFC 9110, section 5.3).
    if value.contains(&b',') {
        return Err(Rejection::SeveralAuthorizations);
    }
    let token = match Scheme::of(value) {
        Some((Scheme::Bearer, rest)) => rest.strip_prefix(b" ").unwrap_or_default(),
        _ => value,
    };
    if token.is_empty() || !token.iter().all(|byte| is_token_byte(*byte)) {
        return Err(Rejection::MalformedCredentials);
    }
    std::str::from_utf8(token)
        .map(Some)
        .map_err(|_| Rejection::MalformedCredentials)
}

/// The most commas that are looked at. Schemes with many parameters, such as Digest, have about a dozen.
const MOST_COMMAS: usize = 64;

/// Whether a list element after the first begins with `Bearer` or `DPoP`. A proxy that joins two fields puts a comma between them
/// (RFC 9110, section 5.3). Commas between quotes are not separators. A list with too many commas counts as one with
/// further credentials, so that the work is bounded.
fn has_further_credentials(list: &[u8]) -> bool {
    let count = |bytes: &[u8], wanted| memchr::memchr_iter(wanted, bytes).count();
    let commas = count(list, b',');
    if commas == 0 || commas > MOST_COMMAS {
        return commas > 0;
    }
    let (mut from, mut is_quoted) = (0, false);
    memchr::memchr_iter(b',', list).any(|comma| {
        is_quoted ^= count(&list[from..comma], b'"') % 2 == 1;
        from = comma + 1;
        !is_quoted && begins_credentials(list[from..].trim_ascii_start())
    })
}

/// Whether the first element of a list begins with one of the schemes and a blank, or is its name alone. `bearer=…` is a
/// parameter of another scheme.
fn begins_credentials(list: &[u8]) -> bool {
    Scheme::of(list)
        .is_some_and(|(_, rest)| matches!(rest.first(), None | Some(b' ' | b'\t' | b',')))
}

/// Whether a scheme's name can contain this byte: `tchar` of RFC 9110, section 5.6.2.
fn is_scheme_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// Whether a token can contain this byte: `b64token` of RFC 6750, section 2.1.
fn is_token_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'-'..=b'9' | b'_' | b'~' | b'+' | b'=')
}

#[cfg(test)]
pub(super) mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn threats_28_and_29_an_authorization_field_holds_one_bearer_token() {
        const COMMAS: &[u8] = &[b','; MOST_COMMAS + 1];
        const TOKEN: &[u8] = b"Bearer a.b.c";
        let malformed = Err(Rejection::MalformedCredentials);
        let several = Err(Rejection::SeveralAuthorizations);
        for (value, expected) in [
            (TOKEN, Ok(Some("a.b.c"))),
            (b"bearer a.b.c", Ok(Some("a.b.c"))),
            (b"BEARER a.b.c", Ok(Some("a.b.c"))),
            (b"", Ok(None)),
            (b"Basic YTpi", Ok(None)),
            (b"Bearerx a.b.c", Ok(None)),
            (b"Bearer-x a.b.c", Ok(None)),
            (b"a.b.c", Ok(None)),
            (b"DPoPx a.b.c", Ok(None)),
            (b"Digest dpop=\"x\", dpop=\"y\"", Ok(None)),
            (b"Digest username=\"bearer\", realm=\"x\"", Ok(None)),
            (b"Digest bearer=\"x\", bearer=\"y\"", Ok(None)),
            (b"Digest username=\"a, Bearer x\", realm=\"x\"", Ok(None)),
            (b"Bearer", malformed.clone()),
            (b"Bearer ", malformed.clone()),
            (b"Bearer  a.b.c", malformed.clone()),
            (b"Bearer\ta.b.c", malformed.clone()),
            (b"Bearer a.b.c ", malformed.clone()),
            (b"Bearer a.b.c d", malformed.clone()),
            (b"Bearer a.b.c,d", malformed.clone()),
            (b"Bearer \"a.b.c\"", malformed.clone()),
            (b"Bearer=a.b.c", malformed.clone()),
            (b"Bearer:a.b.c", malformed.clone()),
            (b"Bearer \xffa.b.c", malformed.clone()),
            (b"Bearer a.b.\xc3\xa9", malformed.clone()),
            (b"Bearer a.b.c, Bearer d.e.f", several.clone()),
            (b"Basic YTpi, Bearer a.b.c", several.clone()),
            (b"Bearer a.b.c,bearer", several.clone()),
            (COMMAS, several.clone()),
            (&COMMAS[1..], Ok(None)),
        ] {
            let found = authorization_token(value);
            let found = found.map(|found| found.map(|(_, token)| token));
            assert_eq!(found, expected, "{}", value.escape_ascii());
        }
    }

    #[test]
    fn threat_63_the_scheme_of_a_proven_token_is_told_from_bearer() {
        let malformed = Err(Rejection::MalformedCredentials);
        let several = Err(Rejection::SeveralAuthorizations);
        for (value, expected) in [
            (b"DPoP a.b.c".as_slice(), Ok(Some((Scheme::Dpop, "a.b.c")))),
            (b"dpop a.b.c", Ok(Some((Scheme::Dpop, "a.b.c")))),
            (b"Bearer a.b.c", Ok(Some((Scheme::Bearer, "a.b.c")))),
            (b"DPoP", malformed.clone()),
            (b"DPoP  a.b.c", malformed.clone()),
            (b"DPoP a.b.c, Bearer a.b.c", several.clone()),
            (b"Bearer a.b.c, DPoP a.b.c", several.clone()),
            (b"Basic YTpi, DPoP a.b.c", several.clone()),
            (b"DPoP a.b.c,dpop", several),
        ] {
            assert_eq!(
                authorization_token(value),
                expected,
                "{}",
                value.escape_ascii()
            );
        }
    }

    /// Random sequences of these parts, the same in every run.
    pub(in super::super) fn random_texts(
        parts: &[&str],
        count: usize,
    ) -> impl Iterator<Item = String> {
        let mut state = 1_u32;
        let mut random = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 16) as usize
        };
        (0..count).map(move |_| {
            let length = random() % 12;
            (0..length).map(|_| parts[random() % parts.len()]).collect()
        })
    }

    /// The reference implementation splits the list at its commas.
    #[test]
    fn credentials_in_a_list_are_found_like_by_the_reference() {
        let parts = [
            ",", ",", "\"", " ", "\t", "Bearer", "bearer", "Bearer ", "b", "a", "=", ";", "be",
            "\\", "DPoP", "dpop ", "d",
        ];
        for list in random_texts(&parts, 100_000) {
            let mut is_quoted = false;
            let elements = list.split(|character| {
                is_quoted ^= character == '"';
                character == ',' && !is_quoted
            });
            let begins = |element: &str| {
                let element = element.trim_start().to_ascii_lowercase();
                let rest = element
                    .strip_prefix("bearer")
                    .or(element.strip_prefix("dpop"));
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t']))
            };
            let expected = elements.skip(1).any(begins);
            assert_eq!(has_further_credentials(list.as_bytes()), expected, "{list}");
        }
    }

    #[test]
    fn threats_28_and_29_a_named_header_holds_one_token_with_or_without_the_scheme() {
        let malformed = Err(Rejection::MalformedCredentials);
        let several = Err(Rejection::SeveralAuthorizations);
        for (values, expected) in [
            (vec![], Ok(None)),
            (vec!["a.b.c"], Ok(Some("a.b.c"))),
            (vec!["Bearer a.b.c"], Ok(Some("a.b.c"))),
            (vec!["bEARER a.b.c"], Ok(Some("a.b.c"))),
            (vec!["Bearer.b.c"], Ok(Some("Bearer.b.c"))),
            (vec![""], Ok(None)),
            (vec!["Bearer"], malformed.clone()),
            (vec!["Bearer  a.b.c"], malformed.clone()),
            (vec!["Bearer\ta.b.c"], malformed.clone()),
            (vec!["Basic YTpi"], malformed.clone()),
            (vec!["a.b.c d"], malformed.clone()),
            (vec!["\"a.b.c\""], malformed.clone()),
            (vec!["a.b.c, d.e.f"], several.clone()),
            (vec!["a.b.c,a.b.c"], several.clone()),
            (vec!["Bearer a.b.c, Bearer a.b.c"], several.clone()),
            (vec!["a.b.c", "d.e.f"], several.clone()),
            (vec!["a.b.c", "a.b.c"], several.clone()),
            (vec!["", "a.b.c"], several.clone()),
        ] {
            let mut request = TestRequest::default();
            for value in &values {
                request = request.append_header(("X-Token", *value));
            }
            let found = named("x-token", &request.to_http_request()).map(|t| t.map(str::to_owned));
            let expected = expected.map(|token: Option<&str>| token.map(str::to_owned));
            assert_eq!(found, expected, "{values:?}");
        }
        assert_eq!(named_token(b"a.b.\xff"), malformed);
    }
}
