//! Tests of the whole application in one process: routes, guards and middleware, with a database in a temporary
//! folder.

mod accounts;
mod browser;
mod described;
mod guards;
mod metrics;
mod notes;
mod sessions;
mod storage;

use std::rc::Rc;

use actix_http::Request;
use actix_web::{
    Error,
    body::MessageBody,
    dev::{Service, ServiceResponse},
    http::header,
    test::{self, TestRequest},
};
use flask_pyjwt::{AuthType, Config, testing::FrozenClock};
use serde_json::{Value, json};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

use crate::app::{self, State};

const SECRET: &str = "change-me: at least 32 bytes of secret";
const PASSWORD: &str = "down the rabbit hole";

/// A configuration that reads neither the environment nor a `.env`.
fn config() -> Config {
    Config::new("notes", AuthType::HS256, SECRET)
}

/// Longer than the grace window, in which an old refresh token gets the same pair again (`JWT_REFRESHGRACE`).
const AFTER_GRACE: Duration = Duration::seconds(11);

/// An answer whose body was read.
struct Answer {
    status: u16,
    headers: header::HeaderMap,
    body: Value,
}

impl Answer {
    /// A text of the body, such as a token.
    fn text(&self, name: &str) -> String {
        let text = self.body[name].as_str();
        text.unwrap_or_else(|| panic!("{name} is not in {}", self.body))
            .to_owned()
    }

    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|it| it.to_str().ok());
        value.unwrap_or_else(|| panic!("there is no {name}"))
    }

    /// The cookies of the answer, as a browser sends them back, and the CSRF proof from one of them.
    fn cookies(&self) -> (String, String) {
        let set = self.headers.get_all(header::SET_COOKIE);
        let pairs = set.map(|cookie| {
            cookie
                .to_str()
                .expect("ASCII")
                .split(';')
                .next()
                .unwrap_or("")
        });
        let pairs: Vec<_> = pairs.collect();
        let proof = pairs
            .iter()
            .find_map(|pair| pair.strip_prefix("__Host-csrf="));
        (pairs.join("; "), proof.unwrap_or("").to_owned())
    }
}

/// The application with a database in a temporary folder.
struct Server<S> {
    app: S,
    state: State,
    /// The time stands still until a test changes it.
    clock: FrozenClock,
    /// Deleted when the last owner is dropped.
    folder: Rc<TempDir>,
}

async fn start()
-> Server<impl Service<Request, Response = ServiceResponse<impl MessageBody>, Error = Error>> {
    start_in(temporary_folder()).await
}

fn temporary_folder() -> Rc<TempDir> {
    Rc::new(TempDir::new().expect("a temporary folder"))
}

async fn start_in(
    folder: Rc<TempDir>,
) -> Server<impl Service<Request, Response = ServiceResponse<impl MessageBody>, Error = Error>> {
    let clock = FrozenClock::new(OffsetDateTime::now_utc());
    let path = folder.path().join("data/notes.db");
    let state = State::open_with(&path, config().clock(clock.clone())).await;
    let state = state.expect("a new folder can hold a database");
    Server {
        app: test::init_service(app::create(&state)).await,
        state,
        clock,
        folder,
    }
}

impl<S, B> Server<S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    async fn send(&self, request: TestRequest) -> Answer {
        let response = test::call_service(&self.app, request.to_request()).await;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = test::read_body(response).await;
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer {
            status,
            headers,
            body,
        }
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        let request = TestRequest::get().uri(path);
        self.send(request.insert_header(bearer(token))).await
    }

    async fn delete(&self, path: &str, token: &str) -> Answer {
        let request = TestRequest::delete().uri(path);
        self.send(request.insert_header(bearer(token))).await
    }

    /// Sends JSON. An empty token is none.
    async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        let mut request = TestRequest::post().uri(path).set_json(body);
        if !token.is_empty() {
            request = request.insert_header(bearer(token));
        }
        self.send(request).await
    }

    async fn enter(&self, path: &str, username: &str, password: &str) -> Answer {
        let body = json!({"username": username, "password": password});
        self.post(path, "", body).await
    }

    /// Registers a user with `PASSWORD` and returns the auth token.
    async fn register(&self, username: &str) -> String {
        let answer = self.enter("/register", username, PASSWORD).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.text("auth_token")
    }

    /// Saves a note and returns its path.
    async fn save_note(&self, token: &str, text: &str) -> String {
        let answer = self.post("/notes", token, json!({"text": text})).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.header("location").to_owned()
    }

    /// Changes the database behind the application's back.
    async fn sql(&self, sql: &'static str) {
        let result = sqlx::query(sql).execute(&self.state.database).await;
        result.expect("the test's SQL is right");
    }
}

fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}
