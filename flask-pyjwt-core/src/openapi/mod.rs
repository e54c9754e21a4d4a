//! For descriptions of an interface with `utoipa` 6: what `#[require_token]` says of an operation.
//!
//! With the feature `utoipa`, the operation of a handler with `#[utoipa::path]` says by itself what its guard requires, in
//! whichever order the attributes stand:
//!
//! - its security requirements, with the scopes of `contains`, `all` and `any`
//! - the answers of the guard: 400, 401, 403 and 503, with their bodies and header fields
//! - a sentence that says who may enter
//!
//! What you write yourself in `security(…)` and `responses(…)` stays as it is. [`SecurityAddon`] adds the security schemes.
//!
//! ```rs
//! use actix_web::{Responder, get};
//! use flask_pyjwt::{AuthManager, AuthType, Config, openapi::SecurityAddon};
//! use utoipa::{Modify as _, OpenApi};
//!
//! /// The page of the administrators.
//! #[utoipa::path(get, path = "/admin", responses((status = 200, body = String)))]
//! #[require_token(scope = contains("admin"))]
//! async fn admin() -> impl Responder {
//!     "hello"
//! }
//!
//! #[derive(OpenApi)]
//! #[openapi(paths(admin))]
//! struct Api;
//!
//! let auth = AuthManager::new(Config::new(
//!     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
//! ))?;
//! let mut document = Api::openapi();
//! SecurityAddon::new(&auth).modify(&mut document);
//! let document = serde_json::to_value(document)?;
//! let operation = &document["paths"]["/admin"]["get"];
//! assert_eq!(operation["security"], serde_json::json!([{"bearer": ["admin"]}]));
//! assert_eq!(operation["description"], "Needs an auth token whose scope contains `admin`.");
//! assert!(operation["responses"]["403"].is_object());
//! assert_eq!(document["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
//! ```

mod addon;
mod answers;
mod expansion;
mod schemes;
mod sentence;

use utoipa::openapi::{extensions::Extensions, path::Operation, security::SecurityRequirement};

pub use self::addon::SecurityAddon;
#[doc(hidden)]
pub use self::expansion::{Described, OfNone, OfUtoipa, Undescribed};
use crate::{
    claims::ExpectedClaim,
    rules::{Requirement, TokenLocation},
};

/// Marks an operation whose places are those of the manager, until [`SecurityAddon`] replaces them.
const OPEN_PLACES: &str = "x-flask-pyjwt-places";

/// Adds to an operation what its guard requires. The expansion of `#[require_token]` calls it.
#[doc(hidden)]
#[must_use]
pub fn described(mut operation: Operation, requirement: &Requirement) -> Operation {
    let sentence = sentence::who_may_enter(requirement);
    operation.description = Some(match operation.description {
        Some(text) if !text.is_empty() => format!("{text}\n\n{sentence}"),
        _ => sentence,
    });
    answers::add(&mut operation.responses);
    if operation.security.is_none() {
        let places = requirement.locations.as_deref();
        operation.security = Some(securities(
            requirement,
            places.unwrap_or(&[TokenLocation::Header]),
        ));
        if places.is_none() {
            let mark = (OPEN_PLACES, requirement.token_type.name());
            let extensions = operation.extensions.get_or_insert_with(Extensions::default);
            extensions.insert(mark.0.to_owned(), mark.1.into());
        }
    }
    operation
}

/// One requirement for each place and each set of scopes that is enough.
fn securities(requirement: &Requirement, places: &[TokenLocation]) -> Vec<SecurityRequirement> {
    let scopes = match &requirement.scope {
        Some(ExpectedClaim::All(items)) => vec![items.clone()],
        Some(ExpectedClaim::Any(items)) => items.iter().map(|item| vec![item.clone()]).collect(),
        _ => vec![Vec::new()],
    };
    let mut all = Vec::new();
    for place in places {
        let name = schemes::name(place, requirement.token_type);
        let each = scopes.iter();
        all.extend(each.map(|scopes| SecurityRequirement::new(&*name, scopes.clone())));
    }
    if requirement.optional {
        all.push(SecurityRequirement::default());
    }
    all
}
