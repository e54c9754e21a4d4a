//! What the answer about an opaque token has to say, so that a refresh token is not taken for an access token.

use super::{Audience, ClaimRules, rules::names_refresh_token};
use crate::{
    jose::{TokenError, TokenType},
    json::{Document, Json, Kind},
};

/// The type of an access token (RFC 6749, section 5.1). A refresh token has none.
const TOKEN_TYPE: &str = "token_type";

impl ClaimRules {
    /// Checks that an answer is not about a refresh token. Issuers say `active` of both (RFC 7662, section 2.2). A refresh
    /// token usually has no `aud`. If that is not checked, the answer has to name the type of an access token.
    pub(crate) fn check_introspected(&self, payload: &Document) -> Result<(), TokenError> {
        let claims = payload.root();
        if names_refresh_token(claims) {
            let expected = TokenType::Auth;
            return Err(TokenError::WrongType { expected });
        }
        if self.has_own_audience(claims) {
            return Ok(());
        }
        let token_type = claims.member(TOKEN_TYPE);
        let token_type = token_type.filter(|it| it.kind() != Kind::Null);
        let token_type = token_type.ok_or(TokenError::MissingClaim(TOKEN_TYPE))?;
        let is_text = token_type.as_str().is_some_and(|text| !text.is_empty());
        is_text
            .then_some(())
            .ok_or(TokenError::MistypedClaim(TOKEN_TYPE))
    }

    /// Whether the audience that was checked is the claim `aud`, and not another one, such as `client_id`.
    fn has_own_audience(&self, claims: Json<'_>) -> bool {
        let at = |found: Option<Json<'_>>| found.map(Json::range);
        let own = at(claims.member("aud"));
        matches!(self.audience, Audience::OneOf(_))
            && own.is_some()
            && at(self.names.find(claims, "aud")) == own
    }
}
