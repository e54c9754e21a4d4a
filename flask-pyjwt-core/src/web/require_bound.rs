//! What `RequireToken` can require of the binding of a token.

use super::RequireToken;

/// Tokens that are bound to their client.
impl RequireToken {
    /// `true` requires a token that is bound to a key or certificate of the client: with a DPoP proof (RFC 9449) or over a
    /// connection with the client certificate (RFC 8705). The default is `false`.
    ///
    /// A bound token without its proof is refused in any case.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::{App, HttpResponse, http::StatusCode, test, web};
    /// use flask_pyjwt::{AuthManager, AuthType, Config, RequireToken};
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let auth = AuthManager::new(Config::new(
    /// #     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
    /// # ))?;
    /// let vault = web::resource("/").wrap(RequireToken::auth().bound(true)).get(HttpResponse::Ok);
    /// let app = test::init_service(App::new().app_data(auth.clone()).service(vault)).await;
    ///
    /// // This token is bound to nothing: whoever finds it could use it.
    /// let token = auth.auth_token("alice").sign()?;
    /// let request = test::TestRequest::default()
    ///     .insert_header(("authorization", format!("Bearer {}", token.signed())));
    /// let refused = test::call_service(&app, request.to_request()).await;
    /// assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    /// let challenge = refused.headers().get("www-authenticate").ok_or("no challenge")?;
    /// assert!(challenge.to_str()?.starts_with("DPoP "));
    /// # Ok(())
    /// # }
    /// ```
    #[doc(alias = "DPoP")]
    #[doc(alias = "sender-constrained")]
    pub fn bound(self, bound: bool) -> Self {
        self.with(|requirement| requirement.bound(bound))
    }
}
