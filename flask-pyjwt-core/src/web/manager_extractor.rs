//! `AuthManager` as an argument of handlers.

use std::future::{Ready, ready};

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload, error::InternalError};

use super::{
    answer::{Seen, answer},
    registered::manager_of,
};
use crate::manager::AuthManager;

/// For handlers that sign tokens or open sessions: the manager that is registered nearest to the route. Without one, the
/// answer is 500.
impl FromRequest for AuthManager {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        #[cfg(feature = "test-kit")]
        if super::probe::Probe::stops_extraction(request) {
            return ready(Err(actix_web::error::ErrorNotFound("only probed")));
        }
        ready(manager_of(request).cloned().map_err(|rejection| {
            let response = answer(None, &rejection, request, Seen::default());
            InternalError::from_response(rejection, response).into()
        }))
    }
}
