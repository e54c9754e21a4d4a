//! The requirement for one claim.

use serde_json::Value;

use super::{items::has_items, matching::matches};
use crate::json::{Json, Kind};

/// The value that a claim must have, for guards and for the tokens of an issuer.
///
/// Used with [`RequireToken::expect_claim`](crate::RequireToken::expect_claim) and
/// [`Issuer::require_claim`](crate::Issuer::require_claim). A plain value converts into a
/// requirement for exactly that value. Values are compared with their JSON type: `true`, `1`, `1.0`
/// and `"true"` are four different values.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, HttpResponse, http::StatusCode, test, web};
/// use flask_pyjwt::{AuthManager, AuthType, Config, ExpectedClaim, RequireToken};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let auth = AuthManager::new(Config::new(
///     "shop",
///     AuthType::HS256,
///     "change-me: at least 32 bytes of secret",
/// ))?;
/// let editors = RequireToken::auth().expect_claim("role", ExpectedClaim::one_of(["editor", "admin"]));
/// let app = App::new()
///     .app_data(auth.clone())
///     .service(web::scope("/articles").wrap(editors).default_service(web::to(HttpResponse::Ok)));
/// let app = test::init_service(app).await;
///
/// for (role, status) in [("admin", StatusCode::OK), ("reader", StatusCode::FORBIDDEN)] {
///     let token = auth.auth_token("alice").claim("role", role).sign()?;
///     let request = test::TestRequest::get()
///         .uri("/articles/1")
///         .insert_header(("Authorization", format!("Bearer {}", token.signed())))
///         .to_request();
///     assert_eq!(test::call_service(&app, request).await.status(), status);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ExpectedClaim {
    /// Exactly this JSON value, of the same JSON type. An object requires each of its members, and
    /// an array each of its elements.
    Value(Value),
    /// The value of the route variable with this name. A route without this variable is a mistake
    /// and answers 500.
    Path(String),
    /// The value of the route variable with this name, if there is one, or else this text. A name
    /// that differs in one character from a route variable is treated as a typing mistake and
    /// answers 500.
    PathOrText(String),
    /// All of these items. An item is a word of a space-separated string or an element of an array.
    All(Vec<String>),
    /// At least one of these items. An item is a word of a space-separated string or an element of
    /// an array.
    Any(Vec<String>),
    /// One of these JSON values, of the same JSON type.
    OneOf(Vec<Value>),
    /// Any value except `null`.
    Present,
    /// The claim is absent. `null` does not count as absent.
    Absent,
}

/// Requires exactly this value.
impl<T: Into<Value>> From<T> for ExpectedClaim {
    fn from(value: T) -> Self {
        Self::Value(value.into())
    }
}

impl ExpectedClaim {
    /// Requires this item: a word of a space-separated string, or an element of an array.
    ///
    /// `contains("write")` accepts `"read write"` and `["write"]`. It refuses `"rewrite"`.
    #[must_use]
    pub fn contains(item: impl Into<String>) -> Self {
        Self::All(vec![item.into()])
    }

    /// Requires all of these items. An empty list is never satisfied.
    ///
    /// `all(["read", "write"])` accepts `"read write admin"`. It refuses `"read"`.
    #[must_use]
    pub fn all<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::All(items.into_iter().map(Into::into).collect())
    }

    /// Requires at least one of these items. An empty list is never satisfied.
    ///
    /// `any(["read", "write"])` accepts `["read"]`. It refuses `["admin"]`.
    #[must_use]
    pub fn any<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::Any(items.into_iter().map(Into::into).collect())
    }

    /// Requires one of these JSON values, of the same JSON type. An empty list is never satisfied.
    ///
    /// `one_of([1, 2])` accepts `2`. It refuses `"2"` and `[2]`.
    #[must_use]
    pub fn one_of<T: Into<Value>>(values: impl IntoIterator<Item = T>) -> Self {
        Self::OneOf(values.into_iter().map(Into::into).collect())
    }

    /// Whether a claim satisfies the requirement. `None` if the answer depends on a route.
    pub(crate) fn is_met_by(&self, claim: Option<Json<'_>>) -> Option<bool> {
        Some(match self {
            Self::Value(value) => claim.is_some_and(|claim| matches(value, claim)),
            Self::All(items) => has_items(claim, items, false),
            Self::Any(items) => has_items(claim, items, true),
            Self::OneOf(values) => {
                claim.is_some_and(|claim| values.iter().any(|value| matches(value, claim)))
            }
            Self::Present => claim.is_some_and(|claim| claim.kind() != Kind::Null),
            Self::Absent => claim.is_none(),
            Self::Path(_) | Self::PathOrText(_) => return None,
        })
    }
}
