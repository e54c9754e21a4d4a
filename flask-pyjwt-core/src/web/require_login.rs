//! What `RequireToken` can require of the login of a token.

use super::RequireToken;
use crate::rules::AcrValues;

/// Requirements of the login.
impl RequireToken {
    /// `true` requires the token that the login returned, and not one of a refresh. Others are answered with 401 and a
    /// challenge that asks for a new login (RFC 9470, section 3). The default is `false`.
    ///
    /// Tokens without a session are refused.
    #[doc(alias = "fresh_jwt_required")]
    pub fn fresh(self, fresh: bool) -> Self {
        self.with(|requirement| requirement.fresh(fresh))
    }

    /// Requires a login at most this many seconds ago, by the claim `auth_time`. Others are answered with 401 and a
    /// challenge that asks for a new login (RFC 9470, section 3).
    ///
    /// Tokens without `auth_time`, such as those without a session, are refused.
    #[doc(alias = "auth_time")]
    pub fn max_age(self, seconds: u32) -> Self {
        self.with(|requirement| requirement.max_age(seconds))
    }

    /// Requires that the claim `acr` of the token, its authentication context class, is one of these values (`OpenID`
    /// Connect Core, section 2). Others, and tokens without `acr`, are answered with 401 and a challenge that names the
    /// values in this order (RFC 9470, section 3). Put the preferred one first.
    ///
    /// With [`fresh`](Self::fresh) or [`max_age`](Self::max_age), one challenge asks for both.
    /// [`LoginBuilder::acr`](crate::LoginBuilder::acr) mints the claim.
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
    /// let guard = RequireToken::auth().acr(["urn:example:mfa"]);
    /// let payments = web::resource("/payments").wrap(guard).post(HttpResponse::Ok);
    /// let app = test::init_service(App::new().app_data(auth.clone()).service(payments)).await;
    ///
    /// for (acr, status) in [("urn:example:mfa", StatusCode::OK), ("urn:example:pwd", StatusCode::UNAUTHORIZED)] {
    ///     let token = auth.auth_token("alice").acr(acr).sign()?;
    ///     let request = test::TestRequest::post().uri("/payments")
    ///         .insert_header(("authorization", format!("Bearer {}", token.signed())));
    ///     assert_eq!(test::call_service(&app, request.to_request()).await.status(), status);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no value, or one that the challenge cannot name: values are printable ASCII characters, without blanks,
    /// `"` and `\`.
    #[doc(alias = "acr_values")]
    #[doc(alias = "step-up")]
    pub fn acr(self, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let values = AcrValues::new(values);
        if let Some(problem) = values.problem() {
            panic!("RequireToken::acr {problem}");
        }
        self.with(|requirement| requirement.acr(values.as_slice()))
    }
}
