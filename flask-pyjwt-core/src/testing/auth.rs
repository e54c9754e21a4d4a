//! `TestAuth`: a manager for tests.

use std::fmt;

use time::OffsetDateTime;

use super::{FrozenClock, TestLogin, TestToken};
use crate::{
    config::Config, jose::TokenType, keys::AuthType, manager::AuthManager, session::MemoryStore,
};

/// Makes tokens and sessions for tests: good ones, and each kind of bad one by its name.
///
/// Its manager is a real one. Requests with its tokens go through the real guards.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, HttpResponse, test::{self, TestRequest}, web};
/// use flask_pyjwt::{RequireToken, testing::{TestAuth, TestRequestExt as _, assert_accepted, assert_refused}};
/// use serde_json::json;
///
/// # #[actix_web::main]
/// # async fn main() {
/// let auth = TestAuth::new();
/// let guard = RequireToken::auth().scope(json!({"admin": true}));
/// let app = test::init_service(
///     App::new()
///         .app_data(auth.manager())
///         .service(web::resource("/admin").wrap(guard).get(HttpResponse::Ok)),
/// )
/// .await;
/// let get = || TestRequest::with_uri("/admin");
///
/// let admin = auth.token("alice").scope(json!({"admin": true}));
/// assert_accepted!(app, get().bearer(admin.clone()));
/// assert_refused!(app, get().bearer(admin.expired()), 401, "invalid_token");
/// assert_refused!(app, get().bearer(auth.token("bob")), 403, "insufficient_scope");
/// assert_refused!(app, get(), 401);
/// # }
/// ```
#[derive(Clone)]
pub struct TestAuth {
    manager: AuthManager,
    clock: FrozenClock,
}

impl TestAuth {
    /// A manager with a random HS256 secret, the issuer `test`, a new [`MemoryStore`], and a clock that stands still at
    /// the current second.
    ///
    /// # Panics
    ///
    /// If the system has no randomness.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "each has other keys")]
    pub fn new() -> Self {
        let mut secret = [0; 64];
        getrandom::fill(&mut secret).expect("the system has randomness");
        let config = Config::new("test", AuthType::HS256, secret);
        Self::around(config.session_store(MemoryStore::default()))
    }

    /// A manager with the application's own configuration: its keys, its session store, its cookies. Only the clock is
    /// another one, which stands still at the current second.
    ///
    /// # Panics
    ///
    /// If the configuration is not valid, with the sentence of the [`ConfigError`](crate::ConfigError).
    #[must_use]
    pub fn around(config: Config) -> Self {
        let now = OffsetDateTime::now_utc();
        let clock = FrozenClock::new(now.truncate_to_second());
        match AuthManager::new(config.clock(clock.clone())) {
            Ok(manager) => Self { manager, clock },
            Err(error) => panic!("TestAuth::around: {error:?}"),
        }
    }

    /// The manager, for [`App::app_data`](actix_web::App::app_data).
    #[must_use]
    pub fn manager(&self) -> AuthManager {
        self.manager.clone()
    }

    /// The clock of the manager. It stands still until you move it.
    #[must_use]
    pub fn clock(&self) -> FrozenClock {
        self.clock.clone()
    }

    /// An auth token of this subject, without a session.
    pub fn token(&self, subject: impl fmt::Display) -> TestToken {
        TestToken::new(self.manager(), TokenType::Auth, subject.to_string())
    }

    /// A refresh token of this subject, without a session.
    pub fn refresh_token(&self, subject: impl fmt::Display) -> TestToken {
        TestToken::new(self.manager(), TokenType::Refresh, subject.to_string())
    }

    /// Opens a session of this subject, as a login does. Await it for the [`TestSession`](super::TestSession).
    pub fn session(&self, subject: impl fmt::Display) -> TestLogin {
        TestLogin::new(self.manager(), subject.to_string())
    }
}

impl fmt::Debug for TestAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestAuth")
            .field("manager", &self.manager)
            .field("clock", &self.clock)
            .finish()
    }
}
