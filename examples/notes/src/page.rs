//! The page for browsers: three files that are compiled into the program.

use actix_web::{HttpResponse, web};

pub(crate) fn routes(app: &mut web::ServiceConfig) {
    const HTML: &str = "text/html; charset=utf-8";
    const CSS: &str = "text/css; charset=utf-8";
    const SCRIPT: &str = "text/javascript; charset=utf-8";
    app.route("/", file(HTML, include_str!("page/index.html")))
        .route("/style.css", file(CSS, include_str!("page/style.css")))
        .route("/app.js", file(SCRIPT, include_str!("page/app.js")));
}

fn file(content_type: &'static str, content: &'static str) -> actix_web::Route {
    web::get()
        .to(move || async move { HttpResponse::Ok().content_type(content_type).body(content) })
}
