//! Reads the CSRF proof from a form in the body, and restores the body for the handler.
//!
//! In `multipart/form-data` the proof has to be the first field, so that the guard does not read files.

use actix_web::{
    FromRequest as _, HttpRequest,
    dev::Payload,
    http::header::{CONTENT_ENCODING, CONTENT_TYPE},
    web::Bytes,
};

use super::{Rejection, multipart};

/// The field that holds the CSRF proof.
const FIELD: &str = "csrf_token";

/// Reads a form. Returns its CSRF proof, and a payload with the whole body.
///
/// The application's limit for `web::Bytes` applies to URL-encoded forms. The length of a multipart form is limited by
/// the handler, because only its first part is read here.
pub(super) async fn take_proof(
    request: &HttpRequest,
    mut body: Payload,
) -> Result<(String, Payload), Rejection> {
    if is_multipart(request) {
        let boundary = multipart::boundary(request).ok_or(Rejection::CsrfProofMissing)?;
        return multipart::first_part(body, &boundary, FIELD).await;
    }
    let form = Bytes::from_request(request, &mut body)
        .await
        .map_err(|_| Rejection::CsrfProofMissing)?;
    let proof = proof_in(&form)?;
    Ok((proof, Payload::from(form)))
}

/// Whether the body is an uncompressed form.
pub(super) fn is_form(request: &HttpRequest) -> bool {
    let is_urlencoded = || has_media_type(request, b"application/x-www-form-urlencoded");
    !request.headers().contains_key(CONTENT_ENCODING) && (is_urlencoded() || is_multipart(request))
}

fn is_multipart(request: &HttpRequest) -> bool {
    has_media_type(request, b"multipart/form-data")
}

fn has_media_type(request: &HttpRequest, expected: &[u8]) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE);
    content_type.is_some_and(|value| {
        let media_type = value.as_bytes().split(|byte| *byte == b';').next();
        media_type.is_some_and(|media_type| media_type.trim_ascii().eq_ignore_ascii_case(expected))
    })
}

fn proof_in(form: &[u8]) -> Result<String, Rejection> {
    let mut fields = form_urlencoded::parse(form).filter(|(name, _)| name == FIELD);
    match (fields.next(), fields.next()) {
        (Some((_, proof)), None) => Ok(proof.into_owned()),
        (None, _) => Err(Rejection::CsrfProofMissing),
        (Some(_), Some(_)) => Err(Rejection::CsrfProofWrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_proof_is_the_only_field_of_its_name() {
        for (form, expected) in [
            ("csrf_token=a.b", Ok("a.b")),
            ("note=x&csrf_token=a%2Eb&more=y", Ok("a.b")),
            ("csrf_token=", Ok("")),
            ("", Err(Rejection::CsrfProofMissing)),
            ("CSRF_TOKEN=a.b", Err(Rejection::CsrfProofMissing)),
            ("note=csrf_token%3Da.b", Err(Rejection::CsrfProofMissing)),
            ("csrf_token=a&csrf_token=a", Err(Rejection::CsrfProofWrong)),
            (
                "csrf_token=a&csrf%5Ftoken=b",
                Err(Rejection::CsrfProofWrong),
            ),
        ] {
            let expected = expected.map(str::to_owned);
            assert_eq!(proof_in(form.as_bytes()), expected, "{form}");
        }
    }
}
