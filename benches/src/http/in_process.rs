//! Requests to the same applications in this process, without a socket.

use actix_web::{
    App,
    test::{self, TestRequest},
};

use super::apps::Way;
use crate::{
    claims::{self, SUBJECT},
    keys::Keys,
    race::Candidate,
};

/// Real requests to a real application that protects its route in this way.
pub(crate) fn requests(way: Way, keys: &Keys) -> Candidate<'static> {
    let runtime = actix_web::rt::System::new();
    let app = App::new().configure(|app| way.configure(keys, app));
    let app = runtime.block_on(test::init_service(app));
    let token = claims::mint(&keys.manager(false), SUBJECT);
    let (name, value) = way.field(token.signed());
    Candidate::new(way.name(), move || {
        let request = TestRequest::with_uri("/me").insert_header((name, &*value));
        let response = runtime.block_on(test::call_service(&app, request.to_request()));
        assert!(response.status().is_success());
    })
}
