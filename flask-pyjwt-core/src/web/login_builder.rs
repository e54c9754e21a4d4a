//! Login: the builder of a session.

use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
};

use actix_web::{HttpRequest, http::header};
use serde::Serialize;
use serde_json::Value;

use super::refused::reporting;
use crate::{
    manager::AuthManager,
    possession::{ClientCertificate, DpopProof},
    session::{LONGEST_ADDRESS, LONGEST_USER_AGENT, Login, SessionError, TokenPair, shortened},
    token::OwnClaims,
};

/// The longest label, in characters. Longer ones are cut.
const LONGEST_LABEL: usize = 256;

/// Builds a session: the result of [`AuthManager::login`]. The session opens when this is awaited.
///
/// ```
/// # use flask_pyjwt_core as flask_pyjwt;
/// use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore};
/// use serde_json::json;
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let auth = AuthManager::new(
///     Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret")
///         .session_store(MemoryStore::default()),
/// )?;
/// let pair = auth.login("alice").scope(json!({"admin": true})).label("Firefox").await?;
/// assert!(auth.check_revocation(&pair.auth).await.is_ok());
///
/// auth.logout(&pair.auth).await?;
/// assert!(auth.check_revocation(&pair.auth).await.is_err());
/// # Ok(())
/// # }
/// ```
#[must_use = "the session opens when this is awaited: add `.await?`"]
pub struct LoginBuilder<'a> {
    manager: &'a AuthManager,
    login: Login,
    /// What the first poll has begun.
    opening: Option<Opening<'a>>,
}

type Opening<'a> = Pin<Box<dyn Future<Output = Result<TokenPair, SessionError>> + Send + 'a>>;

impl AuthManager {
    /// Opens a session for a subject. When awaited, it returns a [`TokenPair`]: an auth token and a refresh token.
    ///
    /// Check the password before you call it. The subject becomes a string: `42` gives `"42"`. It needs a
    /// [session store](crate::Config::session_store).
    ///
    /// If the subject already has [`Config::max_sessions`](crate::Config::max_sessions) sessions, the one whose last refresh
    /// is the oldest ends in the same step. A login that fails ends no session.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// # use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore};
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// let auth = AuthManager::new(config.clone().session_store(MemoryStore::default()))?;
    /// let pair = auth.login("alice").claim("team", 7).await?;
    /// assert_eq!(pair.auth.sub(), "alice");
    ///
    /// // Without a session store there are no sessions.
    /// assert!(AuthManager::new(config)?.login("alice").await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When awaited: [`SessionError::NoStore`] without a session store. [`SessionError::Store`] if the store does not
    /// answer. [`SessionError::Mint`] if the tokens cannot be signed, for instance because of a reserved claim.
    #[doc(alias = "create_access_token")]
    #[doc(alias = "create_refresh_token")]
    #[doc(alias = "session")]
    pub fn login(&self, subject: impl fmt::Display) -> LoginBuilder<'_> {
        LoginBuilder {
            manager: self,
            login: Login {
                subject: subject.to_string(),
                claims: OwnClaims::default(),
                label: None,
                address: None,
                user_agent: None,
                replaced: Vec::new(),
            },
            opening: None,
        }
    }
}

impl LoginBuilder<'_> {
    /// Sets the claim `scope` of all auth tokens of the session, as any JSON value.
    pub fn scope(mut self, scope: impl Into<Value>) -> Self {
        self.login.claims.scope(&scope.into());
        self
    }

    /// Sets a claim of all auth tokens of the session to any value that can be serialized as JSON.
    ///
    /// The manager sets the reserved claims itself, and `sid` and `auth_time` too: setting one is an error when the login
    /// is awaited.
    #[doc(alias = "additional_claims")]
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.login.claims.session_claim(name.into(), &value);
        self
    }

    /// Binds all tokens of the session to the key of a client: whoever presents one has to prove that they have the key (RFC 9449, section
    /// 6). Takes what [`AuthManager::dpop_proof`](crate::AuthManager::dpop_proof) has returned; `None` changes nothing.
    #[doc(alias = "DPoP")]
    #[doc(alias = "cnf")]
    pub fn bind<'p>(mut self, proof: impl Into<Option<&'p DpopProof>>) -> Self {
        if let Some(proof) = proof.into() {
            self.login.claims.bind_to_key(proof.key());
        }
        self
    }

    /// Binds all tokens of the session to the key with this JWK thumbprint (RFC 7638): 43 characters of base64url. Another text is an error
    /// when they are minted.
    #[doc(alias = "jkt")]
    pub fn bind_to(mut self, thumbprint: impl AsRef<str>) -> Self {
        self.login.claims.bind_to(thumbprint.as_ref());
        self
    }

    /// Binds all tokens of the session to the client certificate of a connection (RFC 8705, section 3). Takes what
    /// [`AuthManager::client_certificate`](crate::AuthManager::client_certificate) has returned; `None` changes nothing.
    #[doc(alias = "mTLS")]
    pub fn bind_to_certificate<'p>(
        mut self,
        certificate: impl Into<Option<&'p ClientCertificate>>,
    ) -> Self {
        if let Some(certificate) = certificate.into() {
            self.login.claims.bind_to_certificate(certificate.hash());
        }
        self
    }

    /// Sets the claim `acr` of all auth tokens of the session: the authentication context class of this login, such as
    /// `"urn:example:mfa"` (`OpenID` Connect Core, section 2). `#[require_token(acr = "…")]` requires it.
    ///
    /// Refreshes keep it. When the user logs in once more, with another factor, the new session has the new `acr`.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// # use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore};
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// # let auth = AuthManager::new(config.session_store(MemoryStore::default()))?;
    /// let pair = auth.login("alice").acr("urn:example:mfa").await?;
    /// assert_eq!(pair.auth.claims()["acr"], "urn:example:mfa");
    ///
    /// // A challenge could not name it.
    /// assert!(auth.login("alice").acr("two factors").await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When awaited: [`SessionError::Mint`] unless it is text of printable ASCII characters without blanks, `"` and `\`.
    pub fn acr(mut self, acr: impl AsRef<str>) -> Self {
        self.login.claims.acr(acr.as_ref());
        self
    }

    /// Sets the claim `client_id` of all auth tokens of the session: the client that asks for them (RFC 8693, section 4.3).
    /// With [`Config::access_token_profile`](crate::Config::access_token_profile), it replaces the configured one.
    ///
    /// Refreshes keep it.
    ///
    /// # Errors
    ///
    /// When awaited: [`SessionError::Mint`] unless it is text of printable ASCII characters.
    pub fn client_id(mut self, client_id: impl AsRef<str>) -> Self {
        self.login.claims.client_id(client_id.as_ref());
        self
    }

    /// Sets a text by which users recognise the session in a list, for instance the `User-Agent`. The first 256 characters
    /// are kept.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        let label: String = label.into();
        self.login.label = Some(label.chars().take(LONGEST_LABEL).collect());
        self
    }

    /// Sets the network address from which the user logs in, for the list of sessions and for
    /// [events](crate::SessionEvent). The first 64 bytes are kept.
    ///
    /// Nothing is stored by default, because an address is personal data. It stays the same when the session is refreshed,
    /// and nothing is decided by it.
    ///
    /// Characters that are not seen, such as line breaks, become spaces.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// # use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore};
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::net::Ipv4Addr;
    ///
    /// # let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// # let auth = AuthManager::new(config.session_store(MemoryStore::default()))?;
    /// auth.login("alice").address(Ipv4Addr::new(192, 0, 2, 1)).user_agent("Firefox\n").await?;
    /// auth.login("bob").await?;
    ///
    /// let alice = &auth.sessions("alice").await?[0];
    /// assert_eq!(alice.address.as_deref(), Some("192.0.2.1"));
    /// assert_eq!(alice.user_agent.as_deref(), Some("Firefox"));
    /// assert_eq!(auth.sessions("bob").await?[0].address, None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn address(mut self, address: impl fmt::Display) -> Self {
        self.login.address = shortened(address, LONGEST_ADDRESS);
        self
    }

    /// Sets the `User-Agent` of the login, for the list of sessions and for [events](crate::SessionEvent). The first 256
    /// bytes are kept. The rules of [`address`](Self::address) apply.
    pub fn user_agent(mut self, user_agent: impl AsRef<str>) -> Self {
        self.login.user_agent = shortened(user_agent.as_ref(), LONGEST_USER_AGENT);
        self
    }

    /// Sets [`address`](Self::address) and [`user_agent`](Self::user_agent) from the request of the login.
    ///
    /// The address is that of the connection, which a client cannot forge. Fields such as `X-Forwarded-For` do not count.
    /// Behind a proxy it is the proxy's address: call [`address`](Self::address) afterwards with the address that your
    /// proxy reports. A `User-Agent` is what the client says.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// # use flask_pyjwt::{AuthManager, AuthType, Config, MemoryStore};
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_web::test::TestRequest;
    ///
    /// # let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// # let auth = AuthManager::new(config.session_store(MemoryStore::default()))?;
    /// let request = TestRequest::default()
    ///     .peer_addr("192.0.2.1:50000".parse()?)
    ///     .insert_header(("User-Agent", "Firefox"))
    ///     .insert_header(("X-Forwarded-For", "203.0.113.9"))
    ///     .to_http_request();
    /// auth.login("alice").seen_from(&request).await?;
    ///
    /// let session = &auth.sessions("alice").await?[0];
    /// assert_eq!(session.user_agent.as_deref(), Some("Firefox"));
    /// assert_eq!(session.address.as_deref(), Some("192.0.2.1"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn seen_from(mut self, request: &HttpRequest) -> Self {
        let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
        self.login.address = peer.and_then(|peer| shortened(peer, LONGEST_ADDRESS));
        let user_agent = request.headers().get(header::USER_AGENT);
        self.login.user_agent = user_agent.and_then(|user_agent| {
            let bytes = user_agent.as_bytes();
            let beginning = &bytes[..bytes.len().min(LONGEST_USER_AGENT)];
            shortened(String::from_utf8_lossy(beginning), LONGEST_USER_AGENT)
        });
        self
    }

    pub(super) fn manager(&self) -> &AuthManager {
        self.manager
    }

    /// Ends a session of a subject when the new one opens.
    pub(super) fn replaces(mut self, subject: String, session: String) -> Self {
        self.login.replaced.push((subject, session));
        self
    }
}

// A future, and not only `IntoFuture`: the compiler proposes `.await` where it is forgotten.
impl Future for LoginBuilder<'_> {
    type Output = Result<TokenPair, SessionError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Self {
            manager,
            login,
            opening,
        } = &mut *self;
        let opening = opening.get_or_insert_with(|| {
            let (manager, login) = (*manager, mem::take(login));
            let work = async move { manager.session_issuer()?.login(login).await };
            Box::pin(reporting(manager, None, work))
        });
        opening.as_mut().poll(context)
    }
}

impl fmt::Debug for LoginBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginBuilder").finish_non_exhaustive()
    }
}
