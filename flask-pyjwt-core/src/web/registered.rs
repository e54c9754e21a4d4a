//! Which manager a request is decided by.

use std::future::{Ready, ready};

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload, error::InternalError, web::Data};

use super::{
    Rejection,
    answer::{Seen, answer},
};
use crate::manager::AuthManager;

/// The manager that is registered nearest to the request's route.
pub(super) fn manager_of(request: &HttpRequest) -> Result<&AuthManager, Rejection> {
    let plain = request.app_data::<AuthManager>();
    let data = request.app_data::<Data<AuthManager>>().map(Data::get_ref);
    match (plain, data) {
        (Some(plain), Some(data)) if !plain.is_same_as(data) => Err(Rejection::SeveralManagers),
        (Some(manager), _) | (None, Some(manager)) => Ok(manager),
        (None, None) => Err(Rejection::MissingManager),
    }
}

/// For handlers that mint: the manager that guards them, however it is registered.
impl FromRequest for AuthManager {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(manager_of(request).cloned().map_err(|rejection| {
            let response = answer(None, &rejection, request, Seen::default());
            InternalError::from_response(rejection, response).into()
        }))
    }
}
