//! The page for browsers: three files that are compiled into the program.

use actix_web::{HttpResponse, Resource, web};
use flask_pyjwt::Protected;

pub(crate) fn routes(app: Protected) -> Protected {
    const HTML: &str = "text/html; charset=utf-8";
    const CSS: &str = "text/css; charset=utf-8";
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    app.public(file("/", HTML, include_str!("page/index.html")))
        .public(file("/style.css", CSS, include_str!("page/style.css")))
        .public(file("/app.js", SCRIPT, include_str!("page/app.js")))
}

fn file(path: &str, content_type: &'static str, content: &'static str) -> Resource {
    let show = move || async move { HttpResponse::Ok().content_type(content_type).body(content) };
    web::resource(path).route(web::get().to(show))
}
