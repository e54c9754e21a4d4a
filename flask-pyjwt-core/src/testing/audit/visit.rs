//! Sends one request to the application, and tells what came back and what the guards noted.

use std::{
    cell::Cell,
    fmt::Write as _,
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use actix_http::{BoxedPayloadStream, HttpMessage as _, Payload, Request, error::PayloadError};
use actix_web::{http::Method, test::TestRequest, web::Bytes};
use futures_core::Stream;

use crate::{
    possession::ClientCertificate,
    web::{Probe, Told},
};

/// How long an answer may take before the audit gives up on a route.
const PATIENCE: Duration = Duration::from_secs(10);

/// The application: answers a request.
pub(super) type Application = Rc<dyn Fn(Request) -> Pin<Box<dyn Future<Output = Answer>>>>;

/// What came back.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The pattern of the route that was reached.
    pub(super) pattern: Option<String>,
}

/// A request to send.
#[derive(Debug, Clone)]
pub(super) struct Shot {
    pub(super) method: Method,
    /// With the query string.
    pub(super) path: String,
    pub(super) headers: Vec<(String, String)>,
}

impl Shot {
    pub(super) fn new(method: &Method, path: &str) -> Self {
        Self {
            method: method.clone(),
            path: path.to_owned(),
            headers: Vec::new(),
        }
    }

    pub(super) fn with(mut self, headers: impl IntoIterator<Item = (String, String)>) -> Self {
        self.headers.extend(headers);
        self
    }

    /// The request as a line for a terminal.
    pub(super) fn curl(&self) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let mut line = "curl -i".to_owned();
        if self.method != Method::GET {
            let _ = write!(line, " -X {}", self.method);
        }
        for (name, value) in &self.headers {
            let _ = write!(line, " -H {}", quoted(&format!("{name}: {value}")));
        }
        let _ = write!(
            line,
            " {}",
            quoted(&format!("http://localhost:8080{}", self.path))
        );
        line
    }

    fn request(&self) -> Request {
        let mut request = TestRequest::with_uri(&self.path).method(self.method.clone());
        for (name, value) in &self.headers {
            request = request.append_header((name.as_str(), value.as_str()));
        }
        request.to_request()
    }
}

/// The certificate of the audit's connections, to which it binds tokens where routes want that.
pub(super) fn certificate() -> ClientCertificate {
    ClientCertificate::from_der(b"the certificate of the audit")
}

/// What a request has shown.
#[derive(Clone)]
pub(super) struct Seen {
    /// `None` if the handler waits for the body, or for longer than the audit.
    pub(super) answer: Option<Answer>,
    pub(super) guards: Vec<Told>,
    /// A handler without a guard wanted the body or the manager.
    pub(super) handler_began: bool,
    /// No service of the application has answered.
    pub(super) is_default: bool,
}

impl Seen {
    pub(super) fn status(&self) -> Option<u16> {
        self.answer.as_ref().map(|answer| answer.status)
    }
}

/// Sends a request whose body never ends: a handler that reads it waits, and is dropped before it runs.
///
/// So many guards around scopes let an accepted request go further inside.
pub(super) async fn visit(application: &Application, shot: &Shot, passes: usize) -> Seen {
    let probe = Probe::new(passes);
    let asked = Rc::new(Cell::new(false));
    let payload: BoxedPayloadStream = Box::pin(Endless(Rc::clone(&asked)));
    let body = Payload::Stream { payload };
    let (request, _) = shot.request().replace_payload(body);
    request.extensions_mut().insert(probe.clone());
    request.extensions_mut().insert(certificate());
    let mut work = application(request);
    let answered = poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(answer) => Poll::Ready(Some(answer)),
        Poll::Pending if asked.get() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    let answer = tokio::time::timeout(PATIENCE, answered).await;
    Seen {
        answer: answer.ok().flatten(),
        guards: probe.guards(),
        handler_began: asked.get() || probe.manager_was_taken(),
        is_default: probe.is_default(),
    }
}

/// A body that says that it was asked for, and never comes.
struct Endless(Rc<Cell<bool>>);

impl Stream for Endless {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.set(true);
        Poll::Pending
    }
}
