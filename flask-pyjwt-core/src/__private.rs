//! What the expansion of `#[require_token]` calls. Not public interface: no promise is made.

pub use actix_web::HttpResponse;
pub use core::option::Option::{None, Some};
pub use std::sync::LazyLock;

#[cfg(feature = "store-conformance")]
pub use crate::session::conformance;
#[cfg(not(feature = "jwks"))]
pub use crate::without_jwks::NeedsFeature;
pub use crate::{
    claims::ExpectedClaim,
    jose::TokenType,
    rules::{Requirement, TokenLocation},
    web::{
        RequireTokenService, SilentRenewalService, TakeCurrentToken,
        protect::{
            Answer, CalledByActixOnly, Extractor, HandlerFuture, assert_extractor, assert_future,
            protect,
        },
    },
};

/// JSON values, and texts, without a trait in scope: the user's module may have no prelude.
pub mod json {
    pub use serde_json::{Map, Value};

    /// An owned text.
    #[must_use]
    pub fn owned(text: &str) -> String {
        text.to_owned()
    }

    /// Owned texts.
    #[must_use]
    pub fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
        texts.into_iter().map(str::to_owned).collect()
    }

    /// A JSON string.
    #[must_use]
    pub fn text(text: &str) -> Value {
        Value::from(text)
    }

    /// A JSON integer below zero, or any that fits.
    #[must_use]
    pub fn int(number: i64) -> Value {
        Value::from(number)
    }

    /// A JSON integer above `i64::MAX`, or any other that is not negative.
    #[must_use]
    pub fn uint(number: u64) -> Value {
        Value::from(number)
    }

    /// A JSON number with a fraction or an exponent.
    #[must_use]
    pub fn float(number: f64) -> Value {
        Value::from(number)
    }

    /// A JSON boolean.
    #[must_use]
    pub fn boolean(value: bool) -> Value {
        Value::from(value)
    }

    /// JSON's `null`.
    #[must_use]
    pub fn null() -> Value {
        Value::Null
    }

    /// A JSON array.
    #[must_use]
    pub fn array<const N: usize>(items: [Value; N]) -> Value {
        Value::Array(items.into())
    }

    /// The members of a JSON object.
    #[must_use]
    pub fn members<const N: usize>(members: [(&str, Value); N]) -> Map<String, Value> {
        members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// A JSON object.
    #[must_use]
    pub fn object<const N: usize>(entries: [(&str, Value); N]) -> Value {
        Value::Object(members(entries))
    }
}

/// What a `.env` file says, for the tests that compare it with python-dotenv.
#[must_use]
pub fn dotenv(
    text: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Vec<(String, Option<String>)> {
    crate::config::dotenv::parse(text, environment)
}
