//! Tokens for tests, good and bad.

use std::{any::TypeId, fmt, future::Future, ops::Deref, sync::Arc, thread};

use actix_web::http::header::{AUTHORIZATION, HeaderName};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use time::Duration;

use super::forge::{Forgery, Signer, with_tampered_claims};
use crate::{
    jose::TokenType,
    manager::AuthManager,
    token::Token,
    users::Record,
    web::{AnyClaims, CurrentToken},
};

/// The issuer of tokens of another issuer.
const OTHER_ISSUER: &str = "https://another-issuer.example";

/// A token that a test wants: the result of [`TestAuth::token`](super::TestAuth::token).
///
/// Give it to [`bearer`](super::TestRequestExt::bearer) as it is, or [`sign`](Self::sign) it. A bad token differs from the
/// good one in one thing, so that nothing else can be the reason of its refusal. A second one is a panic.
#[derive(Clone)]
#[must_use = "give it to a request, or call `sign()`"]
pub struct TestToken {
    manager: AuthManager,
    token_type: TokenType,
    subject: String,
    /// `None` removes the claim.
    claims: Vec<(String, Option<Value>)>,
    age: Duration,
    flaw: Option<Flaw>,
    users: Vec<(TypeId, Record)>,
}

/// What is wrong with a bad token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    Expired,
    NotYetValid,
    OtherKey,
    OtherIssuer,
    AlgNone,
    Revoked,
    Tampered,
}

impl TestToken {
    pub(super) fn new(manager: AuthManager, token_type: TokenType, subject: String) -> Self {
        Self {
            manager,
            token_type,
            subject,
            claims: Vec::new(),
            age: Duration::ZERO,
            flaw: None,
            users: Vec::new(),
        }
    }

    /// Sets the claim `scope`.
    pub fn scope(self, scope: impl Into<Value>) -> Self {
        self.claim("scope", scope)
    }

    /// Sets a claim, also one that a manager would not let you set, such as `aud`.
    pub fn claim(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.claims.push((name.into(), Some(value.into())));
        self
    }

    /// Leaves a claim out, such as `exp`.
    pub fn without_claim(mut self, name: impl Into<String>) -> Self {
        self.claims.push((name.into(), None));
        self
    }

    /// Lets requests with this token have this user, whatever [`Config::user_loader`](crate::Config::user_loader) would
    /// load, also where there is no loader.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::{App, test::{self, TestRequest}, web};
    /// use flask_pyjwt::{CurrentUser, RequireToken, testing::{TestAuth, TestRequestExt as _, assert_accepted, assert_refused}};
    ///
    /// struct User {
    ///     email: String,
    /// }
    ///
    /// async fn show(user: CurrentUser<User>) -> String {
    ///     user.email.clone()
    /// }
    ///
    /// # #[actix_web::main]
    /// # async fn main() {
    /// let auth = TestAuth::new();
    /// let me = web::resource("/me").wrap(RequireToken::auth()).get(show);
    /// let app = test::init_service(App::new().app_data(auth.manager()).service(me)).await;
    /// let get = || TestRequest::with_uri("/me");
    ///
    /// let alice = User { email: "alice@example.com".to_owned() };
    /// assert_accepted!(app, get().bearer(auth.token("alice").user(alice)));
    /// assert_refused!(app, get().bearer(auth.token("bob")), 500, "server_error"); // nothing loads him
    /// # }
    /// ```
    pub fn user<U: Send + Sync + 'static>(mut self, user: U) -> Self {
        self.users.push((TypeId::of::<U>(), Arc::new(user)));
        self
    }

    /// Minted so long ago. It has expired if that is longer than the age of such tokens
    /// ([`Config::auth_max_age`](crate::Config::auth_max_age)).
    pub fn age(mut self, age: Duration) -> Self {
        self.age = age;
        self
    }

    fn flawed(mut self, flaw: Flaw) -> Self {
        if let Some(before) = self.flaw.replace(flaw) {
            panic!("a bad token has one flaw, and this one has two: {before:?} and {flaw:?}");
        }
        self
    }

    /// Expired a second ago, after the configured leeway.
    pub fn expired(self) -> Self {
        self.flawed(Flaw::Expired)
    }

    /// Valid from a minute after now and the configured leeway, by the claim `nbf`.
    pub fn not_yet_valid(self) -> Self {
        self.flawed(Flaw::NotYetValid)
    }

    /// Signed with another key of the same algorithm.
    pub fn of_other_key(self) -> Self {
        self.flawed(Flaw::OtherKey)
    }

    /// Signed with the right key, and with another `iss`.
    pub fn of_other_issuer(self) -> Self {
        self.flawed(Flaw::OtherIssuer)
    }

    /// Not signed: the header says `alg: none`.
    pub fn alg_none(self) -> Self {
        self.flawed(Flaw::AlgNone)
    }

    /// Revoked in the manager's session store.
    pub fn revoked(self) -> Self {
        self.flawed(Flaw::Revoked)
    }

    /// With a claim that was added after the signature.
    pub fn tampered(self) -> Self {
        self.flawed(Flaw::Tampered)
    }

    /// Signs the token.
    ///
    /// # Panics
    ///
    /// If the manager has no key that signs. If the token has to be [`revoked`](Self::revoked) and the manager has no
    /// session store.
    #[must_use]
    pub fn sign(&self) -> SignedToken {
        let forgery = self.forgery();
        let signer = match self.flaw {
            Some(Flaw::OtherKey) => Signer::Stranger,
            Some(Flaw::AlgNone) => Signer::Nobody,
            _ => Signer::Manager,
        };
        let text = forgery.sign(&self.manager, signer);
        let text = text.expect("the manager has signed a token before");
        for (user, record) in &self.users {
            let users = &self.manager.parts().users;
            users.give(*user, &text, record.clone());
        }
        match self.flaw {
            Some(Flaw::Tampered) => SignedToken(with_tampered_claims(&text)),
            Some(Flaw::Revoked) => {
                self.revoke(&text);
                SignedToken(text)
            }
            _ => SignedToken(text),
        }
    }

    /// The header and the claims.
    fn forgery(&self) -> Forgery {
        let minted = match self.token_type {
            TokenType::Auth => self.manager.auth_token(&self.subject).sign(),
            TokenType::Refresh => self.manager.refresh_token(&self.subject).sign(),
        };
        let minted = minted.unwrap_or_else(|error| panic!("no token was minted: {error:?}"));
        let leeway = self.manager.parts().verification.rules.leeway;
        let (now, lifetime) = (minted.iat().unix_timestamp(), minted.max_age());
        let mut forgery = Forgery::of(&minted);
        let issued_at = match self.flaw {
            Some(Flaw::Expired) => now - lifetime.whole_seconds() - leeway - 1,
            _ => now - self.age.whole_seconds(),
        };
        forgery.set("iat", issued_at);
        forgery.set("exp", issued_at + lifetime.whole_seconds());
        match self.flaw {
            Some(Flaw::NotYetValid) => forgery.set("nbf", now + leeway + 60),
            Some(Flaw::OtherIssuer) => forgery.set("iss", OTHER_ISSUER),
            // An auth token without a session has nothing that could be revoked.
            Some(Flaw::Revoked) if self.token_type == TokenType::Auth => {
                let mut id = [0; 16];
                getrandom::fill(&mut id).expect("the system has randomness");
                forgery.set("jti", u128::from_ne_bytes(id).to_string());
            }
            _ => {}
        }
        for (name, value) in &self.claims {
            match value {
                Some(value) => forgery.set(name, value.clone()),
                None => drop(forgery.claims.remove(name)),
            }
        }
        forgery
    }

    fn revoke(&self, signed: &str) {
        let token = self.manager.verify_token(signed);
        let token = token.unwrap_or_else(|error| panic!("a bad token is not revoked: {error:?}"));
        if let Err(error) = finish(self.manager.revoke_token(&token)) {
            panic!("the token was not revoked: {error:?}");
        }
    }

    /// The token as the guard gives it to a handler, for a test that calls the handler as a function.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{CurrentToken, testing::TestAuth};
    ///
    /// fn greeting(token: &CurrentToken) -> String {
    ///     format!("hello, {}", token.sub())
    /// }
    ///
    /// let auth = TestAuth::new();
    /// assert_eq!(greeting(&auth.token("alice").current()), "hello, alice");
    /// ```
    ///
    /// # Panics
    ///
    /// If the token is a bad one, with the reason.
    #[must_use]
    pub fn current(&self) -> CurrentToken {
        CurrentToken::for_test(self.verified(), AnyClaims::default())
    }

    /// The same with the claims as a type, for handlers that take `CurrentToken<C>`.
    ///
    /// # Panics
    ///
    /// If the token is a bad one, or its claims do not fit `C`.
    #[must_use]
    pub fn current_as<C: DeserializeOwned>(&self) -> CurrentToken<C> {
        let token = self.verified();
        match token.claims_as() {
            Ok(claims) => CurrentToken::for_test(token, claims),
            Err(error) => panic!(
                "the claims do not fit {}: {error}",
                std::any::type_name::<C>()
            ),
        }
    }

    fn verified(&self) -> Token {
        let verified = self.manager.verify_token(self.sign().signed());
        match (verified, self.flaw) {
            (Ok(token), None) => token,
            (Ok(_), Some(flaw)) => panic!("no handler gets a token that is {flaw:?}"),
            (Err(error), _) => panic!("no handler gets this token: {error:?}"),
        }
    }
}

impl fmt::Debug for TestToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestToken")
            .field("token_type", &self.token_type)
            .field("subject", &self.subject)
            .field("claims", &json!(self.claims))
            .field("flaw", &self.flaw)
            .finish_non_exhaustive()
    }
}

/// Runs a future to its end on a thread of its own, where it may wait without holding up the test's runtime.
fn finish<T: Send>(work: impl Future<Output = T> + Send) -> T {
    thread::scope(|scope| {
        let run = || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("the system has a thread").block_on(work)
        };
        scope.spawn(run).join().expect("the thread has ended well")
    })
}

/// The text of a token. It derefs to `str`.
#[derive(Clone, PartialEq, Eq)]
pub struct SignedToken(pub(super) String);

impl SignedToken {
    /// The text.
    #[must_use]
    pub fn signed(&self) -> &str {
        &self.0
    }

    /// The header field `Authorization`, for a client that [`TestRequestExt`](super::TestRequestExt) does not cover.
    #[must_use]
    pub fn header(&self) -> (HeaderName, String) {
        (AUTHORIZATION, format!("Bearer {}", self.0))
    }
}

impl Deref for SignedToken {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for SignedToken {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SignedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SignedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedToken").finish_non_exhaustive()
    }
}
