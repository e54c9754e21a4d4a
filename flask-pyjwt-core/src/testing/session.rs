//! Sessions for tests.

use std::{
    any::TypeId,
    fmt,
    future::{Future, IntoFuture},
    ops::Deref,
    pin::Pin,
    sync::Arc,
};

use actix_web::{
    cookie::Cookie,
    http::header::{COOKIE, HeaderName, ORIGIN},
};
use serde_json::Value;

use crate::{manager::AuthManager, session::TokenPair, token::Token, users::Record};

const CSRF_FIELD: HeaderName = HeaderName::from_static("x-csrf-token");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What actix-web's test requests take for their own host.
const OWN_ORIGIN: &str = "http://localhost:8080";

/// A login that a test wants: the result of [`TestAuth::session`](super::TestAuth::session). Await it.
///
/// # Panics
///
/// When awaited, if the login fails.
#[derive(Clone)]
#[must_use = "the session opens when this is awaited"]
pub struct TestLogin {
    manager: AuthManager,
    subject: String,
    scope: Option<Value>,
    claims: Vec<(String, Value)>,
    users: Vec<(TypeId, Record)>,
}

impl TestLogin {
    pub(super) fn new(manager: AuthManager, subject: String) -> Self {
        Self {
            manager,
            subject,
            scope: None,
            claims: Vec::new(),
            users: Vec::new(),
        }
    }

    /// Sets the claim `scope` of the session's tokens.
    pub fn scope(mut self, scope: impl Into<Value>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// Sets a claim of the session's tokens.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.push((name.into(), value.into()));
        self
    }

    /// Lets requests with the session's first tokens have this user, whatever
    /// [`Config::user_loader`](crate::Config::user_loader) would load. Tokens of a refresh have the loader's.
    pub fn user<U: Send + Sync + 'static>(mut self, user: U) -> Self {
        self.users.push((TypeId::of::<U>(), Arc::new(user)));
        self
    }

    async fn open(self) -> TestSession {
        let mut login = self.manager.login(&self.subject);
        if let Some(scope) = self.scope {
            login = login.scope(scope);
        }
        for (name, value) in self.claims {
            login = login.claim(name, value);
        }
        match login.await {
            Ok(pair) => {
                let users = &self.manager.parts().users;
                for (user, record) in self.users {
                    users.give(user, pair.auth.signed(), record.clone());
                    users.give(user, pair.refresh.signed(), record);
                }
                TestSession {
                    manager: self.manager.clone(),
                    pair,
                }
            }
            Err(error) => panic!("no session was opened: {error:?}"),
        }
    }
}

impl fmt::Debug for TestLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestLogin")
            .field("subject", &self.subject)
            .field("scope", &self.scope)
            .field("claims", &self.claims)
            .finish_non_exhaustive()
    }
}

impl IntoFuture for TestLogin {
    type Output = TestSession;
    type IntoFuture = Pin<Box<dyn Future<Output = TestSession>>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.open())
    }
}

/// An open session. It derefs to the [`TokenPair`], with the fields `auth` and `refresh`.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use actix_web::{App, HttpResponse, test::{self, TestRequest}, web};
/// use flask_pyjwt::{RequireToken, testing::{TestAuth, TestRequestExt as _, assert_accepted, assert_refused}};
///
/// # #[actix_web::main]
/// # async fn main() {
/// let auth = TestAuth::new();
/// let notes = web::resource("/notes").wrap(RequireToken::auth().cookies()).post(HttpResponse::Created);
/// let app = test::init_service(App::new().app_data(auth.manager()).service(notes)).await;
///
/// let session = auth.session("alice").await;
/// let post = || TestRequest::post().uri("/notes");
/// assert_accepted!(app, post().session(&session));
/// assert_refused!(app, post().session(&session).proof("a guess"), 403, "csrf_failed");
///
/// session.end().await;
/// assert_refused!(app, post().session(&session), 401, "token_revoked");
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TestSession {
    manager: AuthManager,
    pair: TokenPair,
}

impl TestSession {
    /// The auth token.
    #[must_use]
    pub fn auth(&self) -> &Token {
        &self.pair.auth
    }

    /// A new CSRF proof of this session.
    ///
    /// # Panics
    ///
    /// If the manager has no key for proofs.
    #[must_use]
    pub fn proof(&self) -> String {
        let proof = self.manager.csrf_proof(&self.pair.auth);
        proof.unwrap_or_else(|error| panic!("no CSRF proof was made: {error:?}"))
    }

    /// The session's cookies, as the browser has got them: auth token, refresh token, CSRF proof.
    ///
    /// # Panics
    ///
    /// If a token is too large for a cookie, or the manager has no key for proofs.
    #[must_use]
    pub fn cookies(&self) -> Vec<Cookie<'static>> {
        let cookies = [
            self.manager.auth_cookie(&self.pair.auth),
            self.manager.refresh_cookie(&self.pair.refresh),
            self.manager.csrf_cookie(&self.pair.refresh),
        ];
        let cookies = cookies.into_iter().collect::<Result<_, _>>();
        cookies.unwrap_or_else(|error| panic!("no cookie was made: {error:?}"))
    }

    /// The header fields of a page's own request in this session, for a client that
    /// [`TestRequestExt`](super::TestRequestExt) does not cover: `Cookie` and those of [`page_headers`](Self::page_headers).
    ///
    /// # Panics
    ///
    /// As [`cookies`](Self::cookies).
    #[must_use]
    pub fn headers(&self) -> Vec<(HeaderName, String)> {
        let pair = |cookie: &Cookie<'_>| format!("{}={}", cookie.name(), cookie.value());
        let cookies = self.cookies().iter().map(pair).collect::<Vec<_>>();
        let mut headers = vec![(COOKIE, cookies.join("; "))];
        headers.extend(self.page_headers());
        headers
    }

    /// The header fields without the cookies: the CSRF proof, `Origin` and `Sec-Fetch-Site`.
    ///
    /// # Panics
    ///
    /// If the manager has no key for proofs.
    #[must_use]
    pub fn page_headers(&self) -> Vec<(HeaderName, String)> {
        vec![
            (CSRF_FIELD, self.proof()),
            (ORIGIN, OWN_ORIGIN.to_owned()),
            (SEC_FETCH_SITE, "same-origin".to_owned()),
        ]
    }

    /// Ends the session, as a logout does.
    ///
    /// # Panics
    ///
    /// If the session store fails.
    pub async fn end(&self) {
        if let Err(error) = self.manager.logout(&self.pair.auth).await {
            panic!("the session was not ended: {error:?}");
        }
    }
}

impl Deref for TestSession {
    type Target = TokenPair;

    fn deref(&self) -> &TokenPair {
        &self.pair
    }
}
