//! The claims of an access token by RFC 9068.

use crate::{
    jose::TokenError,
    json::{Json, Kind},
};

/// The profile that the tokens of an issuer follow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Profile {
    #[default]
    None,
    /// Access tokens by RFC 9068.
    AccessToken,
}

/// Checks the claims that RFC 9068, section 2.2 requires, except the times, which every token needs.
///
/// It looks at the claims of these very names, wherever the issuer's configuration reads them from.
pub(crate) fn check_access_token(payload: Json<'_>) -> Result<(), TokenError> {
    for name in ["iss", "sub", "client_id", "jti"] {
        let claim = payload.member(name).ok_or(TokenError::MissingClaim(name))?;
        if !is_text(claim) {
            return Err(TokenError::MistypedClaim(name));
        }
    }
    let audience = payload
        .member("aud")
        .ok_or(TokenError::MissingClaim("aud"))?;
    // RFC 7519, section 4.1.3: one string, or an array of strings.
    let is_audience = match audience.kind() {
        Kind::Array => audience.items().next().is_some() && audience.items().all(is_text),
        _ => is_text(audience),
    };
    if is_audience {
        Ok(())
    } else {
        Err(TokenError::MistypedClaim("aud"))
    }
}

/// A string that is not empty.
fn is_text(value: Json<'_>) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

/// `client-id` of RFC 6749, appendix A.1, and not empty.
pub(crate) fn is_client_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::json::Document;

    fn check(claims: &Value) -> Result<(), TokenError> {
        let payload = Document::object(claims.to_string()).expect("valid JSON");
        check_access_token(payload.root())
    }

    #[test]
    fn each_claim_has_to_be_there_and_of_its_type() {
        let good = json!({"iss": "i", "sub": "s", "client_id": "c", "jti": "j", "aud": "a"});
        assert_eq!(check(&good), Ok(()));
        let changed = |name: &str, value: Value| {
            let mut claims = good.clone();
            claims[name] = value;
            check(&claims)
        };
        assert_eq!(changed("aud", json!(["a", "b"])), Ok(()));
        for name in ["iss", "sub", "client_id", "jti", "aud"] {
            let mut claims = good.clone();
            claims.as_object_mut().expect("an object").remove(name);
            assert_eq!(check(&claims), Err(TokenError::MissingClaim(name)));
            for value in [
                json!(null),
                json!(7),
                json!(true),
                json!(""),
                json!({"a": 1}),
                json!([]),
                json!([7]),
                json!(["a", ""]),
            ] {
                let refused = Err(TokenError::MistypedClaim(name));
                assert_eq!(changed(name, value.clone()), refused, "{name} {value}");
            }
        }
    }

    #[test]
    fn a_client_id_is_printable() {
        for (text, expected) in [
            ("spa", true),
            ("my client/1", true),
            ("https://app.example", true),
            ("", false),
            ("a\n", false),
            ("\u{e9}", false),
            ("\u{7f}", false),
        ] {
            assert_eq!(is_client_id(text), expected, "{text:?}");
        }
    }
}
