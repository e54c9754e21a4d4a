//! Items for the expansion of `#[require_token]` and for tests. Not part of the public interface: they can change in
//! any release.

pub use actix_web::HttpResponse;
pub use core::option::Option::{None, Some};
pub use std::sync::LazyLock;

#[cfg(feature = "store-conformance")]
pub use crate::session::conformance;
#[cfg(feature = "near-cache")]
pub use crate::session::near_cache;
#[cfg(not(feature = "jwks"))]
pub use crate::without_jwks::NeedsFeature;
pub use crate::{
    claims::ExpectedClaim,
    jose::TokenType,
    rules::{Requirement, TokenLocation},
    web::{
        Guardable, RequireTokenService, SaysWhoMayEnter, SilentRenewalService, TakeCurrentToken,
        protect::{
            Answer, Extractor, ForActixOnlySeeTestingUnguarded, HandlerFuture, assert_extractor,
            assert_future, protect,
        },
    },
};

/// For the operations that utoipa describes.
#[cfg(feature = "utoipa")]
pub mod openapi {
    pub use crate::openapi::{Described, OfNone, OfUtoipa, Undescribed, described};
    pub use utoipa::openapi::path::Operation;
}

/// For `flask-pyjwt-postgres`, whose store is a package of its own.
pub mod store {
    pub use crate::{
        background::RuntimeThread,
        session::{Known, MARGIN, MAX_TOKENS, MOST_SESSIONS},
    };
}

/// Constructors of JSON values and strings that need no trait in scope. The user's module may have no prelude.
pub mod json {
    pub use serde_json::{Map, Value};

    /// A `String`.
    #[must_use]
    pub fn owned(text: &str) -> String {
        text.to_owned()
    }

    /// Several `String`s.
    #[must_use]
    pub fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
        texts.into_iter().map(str::to_owned).collect()
    }

    /// A JSON string.
    #[must_use]
    pub fn text(text: &str) -> Value {
        Value::from(text)
    }

    /// A JSON integer that fits `i64`.
    #[must_use]
    pub fn int(number: i64) -> Value {
        Value::from(number)
    }

    /// A JSON integer that is not negative. Needed above `i64::MAX`.
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

    /// The JSON `null`.
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

/// Parses the text of a `.env` file, for the tests that compare the result with python-dotenv.
#[must_use]
pub fn dotenv(
    text: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Vec<(String, Option<String>)> {
    crate::config::dotenv::parse(text, environment)
}
