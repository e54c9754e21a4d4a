//! Code that only reads the token refuses nothing and logs nothing.

use actix_web::{HttpRequest, test::TestRequest, web};
use flask_pyjwt::{CurrentToken, RequireToken, require_token};
use serde_json::json;

use super::{bearer, events::only};
use support::{hs256, log, manager, site::Site};

#[actix_web::test]
async fn reading_the_token_refuses_nothing_and_logs_nothing() {
    async fn look(request: HttpRequest) -> String {
        let token = CurrentToken::get(&request);
        token.map_or("nobody".to_owned(), |token| token.sub().to_owned())
    }
    #[require_token(optional)]
    async fn attribute(request: HttpRequest) -> String {
        look(request).await
    }
    async fn perhaps(token: Option<CurrentToken>) -> String {
        token.map_or("nobody".to_owned(), |token| token.sub().to_owned())
    }
    let auth = manager(hs256());
    let site = Site::new(|app| {
        let optional = || RequireToken::auth().optional(true);
        app.app_data(auth)
            .route("/open", web::get().to(look))
            .route("/attribute", web::get().to(attribute))
            .service(web::resource("/wrapped").wrap(optional()).to(look))
            .service(web::resource("/perhaps").wrap(optional()).to(perhaps));
    })
    .await;
    let log = log::capture();
    for (path, known) in [
        ("/open", "nobody"),
        ("/attribute", "alice"),
        ("/wrapped", "alice"),
        ("/perhaps", "alice"),
    ] {
        let reply = site.ask(TestRequest::with_uri(path)).await;
        assert_eq!(
            (reply.outcome(), reply.text()),
            ((200, ""), "nobody"),
            "{path}"
        );
        let mut request = TestRequest::with_uri(path);
        for (name, value) in bearer(json!({})) {
            request = request.insert_header((name, value));
        }
        let reply = site.ask(request).await;
        assert_eq!(
            (reply.outcome(), reply.text()),
            ((200, ""), known),
            "{path}"
        );
        assert_eq!(log.text(), "", "{path}");
    }
}

#[actix_web::test]
async fn a_missing_token_behind_an_optional_guard_is_refused_once_where_it_is_needed() {
    async fn wanted(token: CurrentToken) -> String {
        token.sub().to_owned()
    }
    let site = Site::new(|app| {
        let optional = RequireToken::auth().optional(true);
        app.app_data(manager(hs256()))
            .service(web::resource("/wanted").wrap(optional).to(wanted));
    })
    .await;
    let log = log::capture();
    let reply = site.ask(TestRequest::with_uri("/wanted")).await;
    reply.is_refused(401, "unauthorized", "missing_credentials", "wanted");
    let line = only(&log, "wanted");
    assert_eq!(line.reason.as_deref(), Some("missing_credentials"));
}
