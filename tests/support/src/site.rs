//! An application without a socket, and its responses.

use std::{future::Future, pin::Pin, rc::Rc};

use actix_web::{
    App,
    body::to_bytes,
    dev::{Payload, Service as _},
    http::header::HeaderMap,
    test::{self, TestRequest},
    web::{Bytes, ServiceConfig},
};
use serde_json::Value;

use super::REASON;

type Answering = Pin<Box<dyn Future<Output = Reply>>>;

/// An application that gets requests without a socket.
#[derive(Clone)]
pub struct Site(Rc<dyn Fn(TestRequest, Option<Payload>) -> Answering>);

impl Site {
    /// Creates an application with this configuration.
    pub async fn new(configure: impl FnOnce(&mut ServiceConfig)) -> Self {
        let app = Rc::new(test::init_service(App::new().configure(configure)).await);
        Self(Rc::new(move |request, body| {
            let app = Rc::clone(&app);
            Box::pin(async move {
                let mut request = request.to_request();
                if let Some(body) = body {
                    (request, _) = request.replace_payload(body);
                }
                let response = match app.call(request).await {
                    Ok(response) => response.into_parts().1.map_into_boxed_body(),
                    Err(error) => error.error_response(),
                };
                let (head, body) = response.into_parts();
                Reply {
                    status: head.status().as_u16(),
                    headers: head.headers().clone(),
                    body: to_bytes(body).await.unwrap_or_default(),
                }
            })
        }))
    }

    pub async fn ask(&self, request: TestRequest) -> Reply {
        (self.0)(request, None).await
    }

    /// Sends a request with this body, which may never arrive.
    pub async fn ask_with(&self, request: TestRequest, body: Payload) -> Reply {
        (self.0)(request, Some(body)).await
    }

    /// `GET` with a token in the `Authorization` field.
    pub async fn get(&self, path: &str, token: &str) -> Reply {
        let request = TestRequest::get().uri(path);
        let field = ("authorization", format!("Bearer {token}"));
        self.ask(request.insert_header(field)).await
    }
}

impl Site {
    /// Asserts that `/` accepts a token.
    pub async fn accepts(&self, token: &str, what: &str) {
        let reply = self.get("/", token).await;
        assert_eq!(reply.outcome(), (200, ""), "{what}");
    }

    /// Asserts that `/` refuses a token for this reason, and that the client cannot see it in the body.
    pub async fn refuses(&self, token: &str, reason: &str, what: &str) {
        let reply = self.get("/", token).await;
        reply.is_refused(401, "invalid_token", reason, what);
    }
}

/// A complete response.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// A field's value, or the empty string if there is none.
    pub fn field(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str());
        value.unwrap_or(Ok("")).expect("visible ASCII")
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The status, and the code of the reason if the request was refused.
    pub fn outcome(&self) -> (u16, &str) {
        (self.status, self.field(REASON))
    }

    /// Asserts a refusal: its status, its reason, and the properties of every refusal.
    #[track_caller]
    pub fn is_refused(&self, status: u16, error: &str, reason: &str, what: &str) {
        assert_eq!(self.outcome(), (status, reason), "{what}");
        assert_eq!(self.json()["error"], error, "{what}");
        assert_eq!(self.field("content-type"), "application/json", "{what}");
        assert_eq!(self.field("cache-control"), "no-store", "{what}");
        let challenge = self.field("www-authenticate");
        // If a CSRF proof is missing, no other token would help.
        if (400..404).contains(&status) && error != "csrf_failed" {
            let scheme = if reason == "token_bound" {
                "DPoP"
            } else {
                "Bearer"
            };
            assert!(
                challenge.starts_with(&format!("{scheme} realm=\"")),
                "{what}: {challenge}"
            );
            let code = format!("error=\"{error}\"");
            let has_code = challenge.contains(&code);
            assert_eq!(has_code, error != "unauthorized", "{what}: {challenge}");
        } else {
            assert_eq!(challenge, "", "{what}");
        }
    }
}
