//! Every shape of handler that actix-web takes.
#![deny(warnings, missing_docs, unused, unreachable_pub, unused_qualifications)]

use actix_web::{App, HttpRequest, HttpResponse, Responder, web};
use flask_pyjwt::require_token;

#[require_token]
async fn nothing_at_all() -> impl Responder {
    HttpResponse::Ok()
}

#[require_token(sub = "id")]
async fn fallible(id: web::Path<u32>) -> Result<HttpResponse, actix_web::Error> {
    if *id == 0 {
        return Err(actix_web::error::ErrorNotFound("zero"));
    }
    let number: u32 = "3".parse().map_err(actix_web::error::ErrorBadRequest)?;
    Ok(HttpResponse::Ok().body(number.to_string()))
}

trait Store: 'static {
    fn name(&self) -> String;
}

struct Memory;

impl Store for Memory {
    fn name(&self) -> String {
        "memory".into()
    }
}

#[require_token]
async fn generic<S: Store, const N: usize>(store: web::Data<S>) -> impl Responder
where
    S: Send,
{
    format!("{} {N}", store.name())
}

#[require_token]
async fn lifetime<'a>(name: web::ReqData<&'static str>, _: web::ReqData<&'a str>) -> String
where
    'a: 'static,
{
    name.to_string()
}

#[require_token]
async fn late_lifetime<'a, S: Store>(_: web::ReqData<&'a str>, store: web::Data<S>) -> String {
    store.name()
}

#[require_token]
async fn patterns(
    web::Json((mut a, b)): web::Json<(u32, u32)>,
    _: web::Bytes,
    (id, ..): (web::Path<u32>, HttpRequest),
) -> impl Responder {
    a += b;
    (a + *id).to_string()
}

#[require_token]
fn returns_a_future(id: web::Path<u32>) -> impl Future<Output = String> {
    async move { id.to_string() }
}

#[require_token]
fn returns_a_boxed_future() -> std::pin::Pin<Box<dyn Future<Output = &'static str>>> {
    Box::pin(async { "boxed" })
}

type Nothing = web::Query<()>;

#[expect(clippy::too_many_arguments, clippy::many_single_char_names)]
#[require_token]
async fn sixteen(
    a: Nothing,
    b: Nothing,
    c: Nothing,
    d: Nothing,
    e: Nothing,
    f: Nothing,
    g: Nothing,
    h: Nothing,
    i: Nothing,
    j: Nothing,
    k: Nothing,
    l: Nothing,
    m: Nothing,
    n: Nothing,
    o: Nothing,
    p: Nothing,
) -> String {
    let _ = (a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
    String::new()
}

#[require_token]
async fn request(request: HttpRequest, payload: web::Payload) -> String {
    let _ = payload;
    request.path().to_owned()
}

#[require_token]
async fn incoming(incoming: HttpRequest) -> String {
    incoming.path().to_owned()
}

#[require_token]
async fn r#match() -> String {
    const REQUIREMENT: &str = "the handler's own";
    REQUIREMENT.to_owned()
}

#[require_token]
async fn recursive(depth: web::Path<u8>) -> String {
    if *depth == 0 {
        return String::new();
    }
    Box::pin(recursive(web::Path::from(*depth - 1))).await
}

mod nested {
    use super::*;

    #[require_token]
    pub(super) async fn visible() -> String {
        private().await
    }

    async fn private() -> String {
        String::new()
    }
}

fn main() {
    let _ = App::new()
        .route("/", web::get().to(nothing_at_all))
        .route("/a/{id}", web::get().to(fallible))
        .route("/b", web::get().to(generic::<Memory, 3>))
        .route("/c/{name}", web::get().to(lifetime))
        .route("/d", web::get().to(late_lifetime::<Memory>))
        .route("/e/{id}", web::post().to(patterns))
        .route("/f/{id}", web::post().to(returns_a_future))
        .route("/g", web::post().to(returns_a_boxed_future))
        .route("/h", web::post().to(sixteen))
        .route("/i", web::post().to(request))
        .route("/incoming", web::post().to(incoming))
        .route("/j", web::post().to(r#match))
        .route("/k/{depth}", web::post().to(recursive))
        .route("/l", web::get().to(nested::visible));
}
