//! The security schemes: their names, and what they say.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};

use crate::{config::Cookies, rules::TokenLocation, token::TokenType};

/// The name of the scheme of a place: `bearer`, `cookie`, `refresh_cookie`, `websocket`, `header_…`, `cookie_…` or `query_…`.
pub(super) fn name(place: &TokenLocation, token_type: TokenType) -> String {
    match (place, token_type) {
        (TokenLocation::Header, _) => "bearer".to_owned(),
        (TokenLocation::DefaultCookie, TokenType::Auth) => "cookie".to_owned(),
        (TokenLocation::DefaultCookie, TokenType::Refresh) => "refresh_cookie".to_owned(),
        (TokenLocation::WebSocket, _) => "websocket".to_owned(),
        (TokenLocation::NamedHeader(name), _) => format!("header_{name}"),
        (TokenLocation::Cookie(name), _) => format!("cookie_{name}"),
        (TokenLocation::Query(name), _) => format!("query_{name}"),
    }
}

/// The scheme of this name. `None` for a name that is not one of ours.
pub(super) fn scheme(name: &str, cookies: &Cookies) -> Option<SecurityScheme> {
    let key = |key: fn(ApiKeyValue) -> ApiKey, name: &str, text: &str| {
        let value = ApiKeyValue::with_description(name, text);
        Some(SecurityScheme::ApiKey(key(value)))
    };
    let proof = "Unsafe methods also need the header field `X-CSRF-Token`.";
    match name {
        "bearer" => {
            let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
            Some(SecurityScheme::Http(bearer.bearer_format("JWT").build()))
        }
        "cookie" => key(ApiKey::Cookie, &cookies.auth_name, proof),
        "refresh_cookie" => key(ApiKey::Cookie, &cookies.refresh_name, proof),
        "websocket" => key(
            ApiKey::Header,
            "Sec-WebSocket-Protocol",
            "`bearer, <token>`, as `new WebSocket(url, [\"bearer\", token])` sends it.",
        ),
        name => {
            let (kind, name) = name.split_once('_')?;
            match kind {
                "header" => key(
                    ApiKey::Header,
                    name,
                    "The token, with or without `Bearer `.",
                ),
                "cookie" => key(ApiKey::Cookie, name, proof),
                "query" => key(ApiKey::Query, name, "The token, for `GET` requests."),
                _ => None,
            }
        }
    }
}
