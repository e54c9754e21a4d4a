//! Finds the manager of a request.

use actix_web::{HttpRequest, web::Data};

use super::{Misconfiguration, Rejection};
use crate::manager::AuthManager;

/// The manager that is registered nearest to the route of the request.
pub(super) fn manager_of(request: &HttpRequest) -> Result<&AuthManager, Rejection> {
    let plain = request.app_data::<AuthManager>();
    let data = request.app_data::<Data<AuthManager>>().map(Data::get_ref);
    match (plain, data) {
        (Some(plain), Some(data)) if !plain.is_same_as(data) => {
            Err(Misconfiguration::SeveralManagers.into())
        }
        (Some(manager), _) | (None, Some(manager)) => Ok(manager),
        (None, None) => Err(Misconfiguration::MissingManager.into()),
    }
}
