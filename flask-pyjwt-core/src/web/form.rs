//! The one field of a form that the guard reads, and the body as it was for the handler.

use actix_web::{FromRequest as _, HttpRequest, dev::Payload, web::Bytes};

use super::Rejection;

/// The field that holds the CSRF proof.
const FIELD: &str = "csrf_token";

/// Reads a form's body, and gives its proof and the body anew. Nothing else of it is looked at.
///
/// It may be as long as the application lets `web::Bytes` be.
pub(super) async fn take_proof(
    request: &HttpRequest,
    mut body: Payload,
) -> Result<(String, Payload), Rejection> {
    let form = Bytes::from_request(request, &mut body)
        .await
        .map_err(|_| Rejection::CsrfProofMissing)?;
    let proof = proof_in(&form)?;
    Ok((proof, Payload::from(form)))
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
    fn a_proof_is_one_field_of_the_form() {
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
