//! An application with a slow response, during which a browser can do something else.

use std::sync::{Mutex, mpsc};

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, ServiceConfig},
};
use flask_pyjwt::{AuthManager, CurrentToken, Rejection, SilentRenewal, require_token};

use super::gate::Gate;

/// The channels of the slow handler.
pub struct Slow {
    pub gate: Gate,
    begun: Mutex<mpsc::Sender<()>>,
}

#[require_token("auth", "cookies")]
async fn slow(token: CurrentToken, slow: web::Data<Slow>) -> String {
    slow.begun
        .lock()
        .expect("not poisoned")
        .send(())
        .expect("awaited");
    slow.gate.point().await;
    token.sub().to_owned()
}

#[require_token("auth", "cookies")]
async fn me(token: CurrentToken) -> String {
    token.sub().to_owned()
}

/// A login that does not pass the request: the middleware replaces the old session.
async fn login(auth: AuthManager) -> Result<HttpResponse, Rejection> {
    let pair = auth.login("bob").await?;
    let mut answer = HttpResponse::Ok();
    auth.set_cookies(&mut answer, &pair)?;
    Ok(answer.finish())
}

async fn replacing(auth: AuthManager, request: HttpRequest) -> Result<HttpResponse, Rejection> {
    let pair = auth.login("bob").replacing(&request).await?;
    let mut answer = HttpResponse::Ok();
    auth.set_cookies(&mut answer, &pair)?;
    Ok(answer.finish())
}

async fn logout(auth: AuthManager, request: HttpRequest) -> Result<HttpResponse, Rejection> {
    let refresh = request.cookie("__Secure-refresh").expect("it exists");
    let token = auth.verify_token(refresh.value())?;
    auth.logout(&token).await?;
    let mut answer = HttpResponse::Ok();
    auth.clear_cookies(&mut answer);
    Ok(answer.finish())
}

/// Renews under `/renewed`. Logs in as bob at `/renewed/login` and, outside the middleware, at `/login`.
pub fn site(
    auth: &AuthManager,
    slow: &web::Data<Slow>,
) -> impl Fn(&mut ServiceConfig) + Send + Clone + 'static {
    let (auth, slow_part) = (auth.clone(), slow.clone());
    move |app| {
        let renewed = web::scope("/renewed")
            .wrap(SilentRenewal::new())
            .route("/slow", web::get().to(self::slow))
            .route("/me", web::get().to(me))
            .route("/login", web::get().to(login));
        app.app_data(auth.clone())
            .app_data(slow_part.clone())
            .service(renewed)
            .route("/login", web::get().to(replacing))
            .route("/alice", web::get().to(alice))
            .route("/logout", web::get().to(logout))
            .route("/me", web::get().to(me));
    }
}

impl Slow {
    /// The slow handler reports when it begins, and waits until its gate is opened.
    pub fn new() -> (web::Data<Self>, mpsc::Receiver<()>) {
        let (tells, begun) = mpsc::channel();
        let gate = Gate::default();
        gate.pause_at(0);
        let begins = Mutex::new(tells);
        (
            web::Data::new(Self {
                gate,
                begun: begins,
            }),
            begun,
        )
    }
}

async fn alice(auth: AuthManager) -> Result<HttpResponse, Rejection> {
    let pair = auth.login("alice").await?;
    let mut answer = HttpResponse::Ok();
    auth.set_cookies(&mut answer, &pair)?;
    Ok(answer.finish())
}
