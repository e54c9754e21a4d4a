//! The routes of these tests, guarded by attribute and by middleware.

use actix_web::web;
use flask_pyjwt::{CurrentToken, RequireToken, TokenLocation, require_token};
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, Deserialize)]
pub(crate) struct Member {
    pub(crate) team: u32,
}

#[require_token(role = "editor", scope = {"admin": true})]
pub(crate) async fn plain(token: CurrentToken) -> String {
    token.sub().to_owned()
}

#[require_token("auth", "cookies", cookie_name = "auth_token")]
async fn by_cookie() -> &'static str {
    "in"
}

#[require_token(location = ["header", "cookies"], cookie_name = "auth_token")]
async fn by_either() -> &'static str {
    "in"
}

#[require_token]
async fn member(token: CurrentToken<Member>) -> String {
    token.typed().team.to_string()
}

#[require_token]
async fn perhaps_member(token: Option<CurrentToken<Member>>) -> String {
    format!("{:?}", token.map(CurrentToken::into_typed))
}

#[require_token]
async fn result_of_member(token: Result<CurrentToken<Member>, actix_web::Error>) -> String {
    format!("{:?}", token.map(CurrentToken::into_typed))
}

#[require_token(optional)]
async fn perhaps(token: Option<CurrentToken>) -> String {
    token.map_or("nobody".to_owned(), |token| token.sub().to_owned())
}

#[require_token(optional)]
async fn optional_but_wanted(token: CurrentToken) -> String {
    token.sub().to_owned()
}

#[require_token(optional, role = "editor")]
async fn perhaps_editor(token: Option<CurrentToken>) -> String {
    token.map_or("nobody".to_owned(), |token| token.sub().to_owned())
}

pub(crate) async fn subject(token: CurrentToken) -> String {
    token.sub().to_owned()
}

async fn whoever(token: Option<CurrentToken>) -> String {
    token.map_or("nobody".to_owned(), |token| token.sub().to_owned())
}

async fn team(token: CurrentToken<Member>) -> String {
    token.typed().team.to_string()
}

pub(crate) async fn nothing() -> &'static str {
    "in"
}

pub(crate) fn routes(app: &mut web::ServiceConfig) {
    let wrapped = |path, guard, handler| web::resource(path).wrap(guard).route(handler);
    let editors = || {
        RequireToken::auth()
            .claim("role", "editor")
            .scope(json!({"admin": true}))
    };
    let cookie = || TokenLocation::Cookie("auth_token".to_owned());
    app.route("/plain", web::get().to(plain))
        .route("/cookie", web::get().to(by_cookie))
        .route("/either", web::get().to(by_either))
        .route("/member", web::get().to(member))
        .route("/perhaps_member", web::get().to(perhaps_member))
        .route("/result_of_member", web::get().to(result_of_member))
        .route("/perhaps", web::get().to(perhaps))
        .route("/optional_but_wanted", web::get().to(optional_but_wanted))
        .route("/perhaps_editor", web::get().to(perhaps_editor))
        .route("/unguarded", web::get().to(subject))
        .service(
            web::scope("/wrapped")
                .service(wrapped("/plain", editors(), web::get().to(subject)))
                .service(wrapped(
                    "/cookie",
                    RequireToken::auth().cookie("auth_token"),
                    web::get().to(nothing),
                ))
                .service(wrapped(
                    "/either",
                    RequireToken::auth().locations([TokenLocation::Header, cookie()]),
                    web::get().to(nothing),
                ))
                .service(wrapped(
                    "/member",
                    RequireToken::auth(),
                    web::get().to(team),
                ))
                .service(wrapped(
                    "/perhaps",
                    RequireToken::auth().optional(true),
                    web::get().to(whoever),
                ))
                .service(wrapped(
                    "/optional_but_wanted",
                    RequireToken::auth().optional(true),
                    web::get().to(subject),
                ))
                .service(wrapped(
                    "/perhaps_editor",
                    RequireToken::auth().optional(true).claim("role", "editor"),
                    web::get().to(whoever),
                )),
        );
}
