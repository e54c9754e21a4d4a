//! Credentials for the requests of tests.

use actix_web::{
    http::header::{AUTHORIZATION, CONNECTION, HeaderName, UPGRADE},
    test::TestRequest,
};

use super::{SignedToken, TestSession, TestToken};
use crate::{session::TokenPair, token::Token};

const CSRF_FIELD: HeaderName = HeaderName::from_static("x-csrf-token");
const PROTOCOL: HeaderName = HeaderName::from_static("sec-websocket-protocol");
const VERSION: HeaderName = HeaderName::from_static("sec-websocket-version");
const KEY: HeaderName = HeaderName::from_static("sec-websocket-key");

/// Something with the text of a token, for [`TestRequestExt`].
///
/// It is implemented for texts, for [`TestToken`], [`SignedToken`] and [`Token`], and for the auth token of a [`TestSession`]
/// and of a [`TokenPair`].
pub trait TokenText {
    /// The text.
    fn token_text(&self) -> String;
}

impl TokenText for str {
    fn token_text(&self) -> String {
        self.to_owned()
    }
}

impl TokenText for String {
    fn token_text(&self) -> String {
        self.clone()
    }
}

impl TokenText for TestToken {
    fn token_text(&self) -> String {
        self.sign().0
    }
}

impl TokenText for SignedToken {
    fn token_text(&self) -> String {
        self.0.clone()
    }
}

impl TokenText for Token {
    fn token_text(&self) -> String {
        self.signed().to_owned()
    }
}

impl TokenText for TokenPair {
    fn token_text(&self) -> String {
        self.auth.signed().to_owned()
    }
}

impl TokenText for TestSession {
    fn token_text(&self) -> String {
        self.auth().signed().to_owned()
    }
}

impl<T: TokenText + ?Sized> TokenText for &T {
    fn token_text(&self) -> String {
        (**self).token_text()
    }
}

/// Adds credentials to a request: to actix-web's [`TestRequest`], and with the feature `jwks` to `reqwest`'s requests.
///
/// For other clients, [`SignedToken::header`] and [`TestSession::headers`] give the header fields.
pub trait TestRequestExt: Sized {
    /// Adds one header field.
    #[doc(hidden)]
    #[must_use]
    fn field(self, name: HeaderName, value: String) -> Self;

    /// Adds the cookies of a session.
    #[doc(hidden)]
    #[must_use]
    fn session_cookies(self, session: &TestSession) -> Self;

    /// Sends a token as `Authorization: Bearer …`.
    #[must_use]
    fn bearer(self, token: impl TokenText) -> Self {
        self.field(AUTHORIZATION, format!("Bearer {}", token.token_text()))
    }

    /// Sends what a page of this server sends in the session: the cookies, a CSRF proof, `Origin` and `Sec-Fetch-Site`.
    #[must_use]
    fn session(self, session: &TestSession) -> Self {
        let request = self.session_cookies(session);
        let headers = session.page_headers().into_iter();
        headers.fold(request, |request, (name, value)| request.field(name, value))
    }

    /// Sends this text as the CSRF proof, in place of the one of [`session`](Self::session).
    #[must_use]
    fn proof(self, proof: impl AsRef<str>) -> Self {
        self.field(CSRF_FIELD, proof.as_ref().to_owned())
    }

    /// Opens a WebSocket with a token, as the page's `new WebSocket(url, ["bearer", token])` does.
    #[must_use]
    fn websocket_token(self, token: impl TokenText) -> Self {
        let fields = [
            (CONNECTION, "Upgrade".to_owned()),
            (UPGRADE, "websocket".to_owned()),
            (VERSION, "13".to_owned()),
            (KEY, "dGhlIHNhbXBsZSBub25jZQ==".to_owned()),
            (PROTOCOL, format!("bearer, {}", token.token_text())),
        ];
        let fields = fields.into_iter();
        fields.fold(self, |request, (name, value)| request.field(name, value))
    }
}

impl TestRequestExt for TestRequest {
    fn field(self, name: HeaderName, value: String) -> Self {
        self.insert_header((name, value))
    }

    fn session_cookies(self, session: &TestSession) -> Self {
        let cookies = session.cookies().into_iter();
        cookies.fold(self, |request, cookie| request.cookie(cookie))
    }
}

#[cfg(feature = "jwks")]
impl TestRequestExt for reqwest::RequestBuilder {
    fn field(self, name: HeaderName, value: String) -> Self {
        // A field that is there already is replaced, as with actix-web's requests.
        let name = reqwest::header::HeaderName::try_from(name.as_str());
        let value = reqwest::header::HeaderValue::try_from(value);
        match (name, value) {
            (Ok(name), Ok(value)) => self.headers([(name, value)].into_iter().collect()),
            _ => panic!("a token cannot be sent that has a line break"),
        }
    }

    fn session_cookies(self, session: &TestSession) -> Self {
        match session.headers().into_iter().next() {
            Some((name, value)) => self.field(name, value),
            None => self,
        }
    }
}
