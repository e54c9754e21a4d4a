//! The settings for tokens that are bound to a key or a certificate of their client.

use time::Duration;

use super::Config;
use crate::{
    keys::{AuthType, Secret},
    possession::DpopConfig,
};

/// What is configured about bound tokens, not checked yet.
#[derive(Debug, Clone, Default)]
pub(super) struct PossessionConfig {
    pub(super) dpop: DpopConfig,
    pub(super) require_bound: bool,
    pub(super) certificate_proxies: Vec<String>,
}

impl Config {
    /// `true` lets every guard of the manager require a bound token, as `#[require_token(bound)]` does for one route. The
    /// default is `false`.
    ///
    /// A token that is bound is refused without its proof in any case.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::{App, HttpResponse, http::StatusCode, test, web};
    /// use flask_pyjwt::{AuthManager, AuthType, Config, RequireToken};
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// for (bound, status) in [(false, StatusCode::OK), (true, StatusCode::UNAUTHORIZED)] {
    ///     let auth = AuthManager::new(config.clone().require_bound(bound))?;
    ///     let route = web::resource("/").wrap(RequireToken::auth()).get(HttpResponse::Ok);
    ///     let app = test::init_service(App::new().app_data(auth.clone()).service(route)).await;
    ///     let token = auth.auth_token("alice").sign()?; // bound to nothing
    ///     let request = test::TestRequest::default()
    ///         .insert_header(("authorization", format!("Bearer {}", token.signed())));
    ///     assert_eq!(test::call_service(&app, request.to_request()).await.status(), status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "sender-constrained")]
    pub fn require_bound(mut self, bound: bool) -> Self {
        self.possession.require_bound = bound;
        self
    }

    /// Sets the algorithms of DPoP proofs that are accepted. The default is all that have a public key.
    ///
    /// A symmetric algorithm, or no algorithm at all, is an error of `AuthManager::new` (RFC 9449, section 11.6).
    pub fn dpop_algorithms(mut self, algorithms: impl Into<Vec<AuthType>>) -> Self {
        self.possession.dpop.algorithms = algorithms.into();
        self
    }

    /// Sets how far the `iat` of a DPoP proof may be from this server's clock: 1 to 600 whole seconds. The default is one
    /// minute (RFC 9449, section 11.1).
    ///
    /// A proof is remembered for this time, so that it is used once. With [`dpop_nonce`](Self::dpop_nonce) the difference may
    /// be 5 minutes, because the nonce says when the proof was made.
    pub fn dpop_max_age(mut self, age: Duration) -> Self {
        self.possession.dpop.max_age = age;
        self
    }

    /// `true` demands a nonce of this server in each DPoP proof. The default is `false` (RFC 9449, sections 8 and 9).
    ///
    /// A proof without one is answered with the error `use_dpop_nonce` and a nonce in the field `DPoP-Nonce`, which clients
    /// use from then on. A nonce is accepted for 5 to 10 minutes. Nonces are not stored: they are made with a key that is
    /// derived from the signing key, or from the local secret of a remote one. Servers without either make them with a random key, unless
    /// [`dpop_nonce_secret`](Self::dpop_nonce_secret) is set.
    pub fn dpop_nonce(mut self, demand: bool) -> Self {
        self.possession.dpop.nonce = demand;
        self
    }

    /// Sets the secret for the nonces of DPoP proofs: at least 32 bytes, the same on all servers of a fleet.
    ///
    /// It is for servers that only verify, and for those with a [remote key](crate::Key::remote) that has no
    /// [local secret](crate::Key::local_secret). The others derive one from their signing key.
    pub fn dpop_nonce_secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.possession.dpop.nonce_secret = Some(Secret::new(secret));
        self
    }

    /// Sets the addresses under which clients reach this server, such as `https://api.example.com`. A DPoP proof has to
    /// name one of them, followed by the path of the request. An address can have a path of its own, which a proxy removes.
    ///
    /// By default, the scheme and host of a proof have to be those of the request: as this server has received it, or as a
    /// proxy names them in `Forwarded`, `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-Port`. Set the addresses if
    /// clients reach this server without the proxy, too, and can then set those fields themselves.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use flask_pyjwt::{AuthManager, AuthType, Config};
    ///
    /// let config = Config::new("example", AuthType::HS256, "change-me: at least 32 bytes of secret");
    /// assert!(AuthManager::new(config.clone().public_urls(["https://api.example.com/v1"])).is_ok());
    ///
    /// // Not an address: it has no scheme.
    /// assert!(AuthManager::new(config.public_urls(["api.example.com"])).is_err());
    /// ```
    #[doc(alias = "htu")]
    #[doc(alias = "proxy")]
    pub fn public_urls<I>(mut self, urls: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.possession.dpop.public_urls = urls.into_iter().map(Into::into).collect();
        self
    }
}
