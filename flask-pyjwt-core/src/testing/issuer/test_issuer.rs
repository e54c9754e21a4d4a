//! A test issuer: starts it, configures it, and makes its tokens.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    server::Mode,
    shape::{Finds, Shape},
    state::State,
    token::IssuerToken,
};
use crate::{
    Issuer,
    testing::{Clock, SystemClock},
};

/// An identity provider in the test's process: a server with discovery document and key set, and tokens in the shape
/// of a known provider.
///
/// The server listens on a free port of `127.0.0.1` and stops when the last clone is dropped. Paths, key set, header
/// and claims are those of the provider. [`issuer`](Self::issuer) has the settings of the guide's page about it.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, http::StatusCode, test, web};
/// use flask_pyjwt::{AuthManager, Config, RequireToken, testing::TestIssuer};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let entra = TestIssuer::entra();
/// let auth = AuthManager::new(Config::for_issuers([entra.issuer()]))?;
/// let reads = web::resource("/files").wrap(RequireToken::auth().scope("Files.Read"));
/// let app = App::new().app_data(auth).service(reads.to(|| async { "files" }));
/// let app = test::init_service(app).await;
/// let status = async |token: &str| {
///     let request = test::TestRequest::get().uri("/files");
///     let request = request.insert_header(("Authorization", format!("Bearer {token}")));
///     test::try_call_service(&app, request.to_request()).await.map_or_else(
///         |refused| refused.as_response_error().status_code(),
///         |answer| answer.status(),
///     )
/// };
///
/// let token = entra.token("alice").scope("Files.Read").sign();
/// assert_eq!(status(&token).await, StatusCode::OK);
/// let other = entra.token("alice").scope("Files.Read").for_other_audience().sign();
/// assert_eq!(status(&other).await, StatusCode::UNAUTHORIZED);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TestIssuer {
    state: Arc<State>,
    clock: Arc<dyn Clock>,
}

impl TestIssuer {
    pub(super) fn start(shape: &'static Shape) -> Self {
        let state = State::start(shape);
        let state = state
            .unwrap_or_else(|error| panic!("the test issuer cannot listen on 127.0.0.1: {error}"));
        Self {
            state: Arc::new(state),
            clock: Arc::new(SystemClock),
        }
    }

    /// Mints tokens at the time of this clock, which is also that of the test's manager. The default is the system's
    /// clock.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Returns the issuer for [`Config::trust`](crate::Config::trust) or
    /// [`Config::for_issuers`](crate::Config::for_issuers), with the settings of the guide's page and the audience of
    /// this issuer's tokens. Its keys are fetched from the server.
    pub fn issuer(&self) -> Issuer {
        let issuer = Issuer::new(self.url());
        let issuer = match self.state.shape.finds {
            Finds::Discovery => issuer.discovery(),
            Finds::KeySet => issuer.jwks_url(self.jwks_url()),
        };
        let issuer = issuer.allow_http_on_loopback(true);
        (self.state.shape.settings)(issuer, self.audience())
    }

    /// Returns the issuer's name: the `iss` of its tokens.
    #[must_use]
    pub fn url(&self) -> String {
        self.state.url()
    }

    /// Returns the address of the key set.
    #[must_use]
    pub fn jwks_url(&self) -> String {
        self.state.keys_url()
    }

    /// Returns the address of the discovery document, if the provider has one.
    #[must_use]
    pub fn discovery_url(&self) -> Option<String> {
        let document = self.state.shape.document.as_ref()?;
        Some(self.state.server.origin() + document.path)
    }

    /// Returns the audience of this issuer's tokens.
    #[must_use]
    pub fn audience(&self) -> &str {
        self.state.shape.audience
    }

    /// Begins a token of this subject. It is the subject that routes see: for Entra ID, it is written as `oid`.
    pub fn token(&self, subject: impl Into<String>) -> IssuerToken {
        let (state, clock) = (Arc::clone(&self.state), Arc::clone(&self.clock));
        IssuerToken::new(state, clock, subject.into())
    }

    /// Signs with a new key from now on. The previous ones stay in the key set.
    ///
    /// A manager fetches a set again for an unknown key, but not twice within 10 seconds: advance its clock, or call
    /// [`fetch_keys`](crate::AuthManager::fetch_keys).
    pub fn rotate(&self) {
        self.state.rotate(false);
    }

    /// Signs with a new key from now on, and removes all others from the key set.
    pub fn rotate_and_forget(&self) {
        self.state.rotate(true);
    }

    /// Returns how often each path was requested so far.
    #[must_use]
    pub fn requests(&self) -> BTreeMap<String, usize> {
        self.state.server.requests()
    }

    /// Takes requests without answering them, until [`recover`](Self::recover) or [`fail`](Self::fail) is called.
    /// A manager gives up after 5 seconds, which no test clock shortens.
    pub fn hang(&self) {
        self.state.server.answer(Mode::Hangs);
    }

    /// Answers every request with this status, until [`recover`](Self::recover) is called.
    pub fn fail(&self, status: u16) {
        self.state.server.answer(Mode::Fails(status));
    }

    /// Answers again, also the requests that wait.
    pub fn recover(&self) {
        self.state.server.answer(Mode::Answers);
    }
}

impl std::fmt::Debug for TestIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestIssuer")
            .field("provider", &self.state.shape.name)
            .field("url", &self.url())
            .finish_non_exhaustive()
    }
}
