//! Opaque tokens: their issuer says what is in them.

use std::sync::Arc;

use super::{Token, Verification, check_claims};
use crate::{
    jose::TokenError,
    json::Document,
    remote::{Answer, Introspection},
};

impl Verification {
    /// Returns whom to ask about a token, or `None` if it is a JWT, or nobody can be asked.
    pub(super) fn introspection_of(
        &self,
        signed: &str,
    ) -> Result<Option<&Arc<Introspection>>, TokenError> {
        let Some(introspection) = &self.issuers.introspection else {
            return Ok(None);
        };
        if signed.len() > self.max_size {
            return Err(TokenError::TooLarge);
        }
        if signed.bytes().filter(|byte| *byte == b'.').count() == 2 {
            return Ok(None);
        }
        if is_b64token(signed) {
            Ok(Some(introspection))
        } else {
            Err(TokenError::Form)
        }
    }

    /// Asks the issuer of an opaque token, unless its answer is known. Returns `None` for a JWT.
    pub(crate) async fn ask_about(&self, signed: &str) -> Option<Result<Token, TokenError>> {
        let introspection = match self.introspection_of(signed) {
            Ok(found) => found?,
            Err(error) => return Some(Err(error)),
        };
        let asked = introspection.ask(signed).await;
        Some(asked.and_then(|answer| self.judge_answer(introspection, signed, answer)))
    }

    /// Judges the claims of an answer by the rules for the issuer's tokens.
    pub(super) fn judge_answer(
        &self,
        introspection: &Introspection,
        signed: &str,
        answer: Answer,
    ) -> Result<Token, TokenError> {
        let Answer::Active(claims) = answer else {
            return Err(TokenError::Inactive);
        };
        let now = self.clock.now()?;
        let payload = Document::object((*claims).to_owned()).map_err(TokenError::payload)?;
        let rules = &introspection.rules;
        let is_access_token = rules.check_introspected(&payload);
        let token = check_claims(signed.to_owned(), payload, None, rules, now)?;
        is_access_token.map(|()| token)
    }
}

/// `b64token` of RFC 6750, section 2.1.
fn is_b64token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    !body.is_empty() && body.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opaque_token_has_the_characters_of_a_bearer_token() {
        for (text, expected) in [
            ("2YotnFZFEjr1zCsicMWpAA", true),
            ("a-._~+/Z9==", true),
            ("a", true),
            ("", false),
            ("==", false),
            ("a=b", false),
            ("a b", false),
            ("a&b", false),
            ("a%20", false),
            ("\u{e9}", false),
            ("a\n", false),
            ("a\0", false),
        ] {
            assert_eq!(is_b64token(text), expected, "{text:?}");
        }
    }
}
