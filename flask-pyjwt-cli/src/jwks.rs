//! `jwks`: the public keys that the server publishes.

use actix_web::{App, rt::System, test};
use flask_pyjwt::AuthManager;
use serde_json::Value;
use time::OffsetDateTime;

use crate::{
    arguments::{Global, Jwks},
    configuration,
    failure::Failure,
    keys_folder::{self, KeysFolder, Place},
    terminal,
    variables::Variables,
};

pub(crate) fn run(global: &Global, command: &Jwks) -> Result<(), Failure> {
    let auth = match &command.folder.dir {
        Some(folder) => {
            keys_folder::announce_wait();
            let folder =
                KeysFolder::read(Place::of_argument(folder.clone()), &Variables::read(global))?;
            folder.manager(OffsetDateTime::now_utc())?
        }
        None => configuration::manager(global)?,
    };
    let set = published(&auth)?;
    if set["keys"].as_array().is_none_or(Vec::is_empty) {
        terminal::note("the set is empty: HMAC secrets are never published");
    }
    terminal::print_line(&format!("{set:#}"))
}

/// The document that `AuthManager::jwks` serves. It says more than `AuthManager::jwk_set`, which cannot name ES512.
fn published(auth: &AuthManager) -> Result<Value, Failure> {
    let body = System::new().block_on(async {
        let app = test::init_service(App::new().service(auth.jwks())).await;
        let request = test::TestRequest::get().uri("/.well-known/jwks.json");
        test::call_and_read_body(&app, request.to_request()).await
    });
    serde_json::from_slice(&body).map_err(|_| Failure::wrong("the key set cannot be read"))
}
