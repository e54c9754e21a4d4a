//! The proof of a login: which key the tokens are to be bound to.

use actix_web::HttpRequest;

use super::{Rejection, binding, known::Known, refused::report};
use crate::{manager::AuthManager, possession::DpopProof};

impl AuthManager {
    /// The DPoP proof of a request that has no token yet, such as a login. `None` if the request has no field `DPoP`.
    ///
    /// The proof is checked for this request by all rules of RFC 9449, section 4.3, and can be used once. Call it after the
    /// password was right: used proofs are remembered, and strangers must not fill that memory. Handlers that a guard
    /// protects need not call it: the guard checks the proof of a bound token.
    ///
    /// ```
    /// # use flask_pyjwt_core as flask_pyjwt;
    /// use actix_web::{HttpRequest, HttpResponse};
    /// use flask_pyjwt::{AuthManager, Rejection};
    ///
    /// async fn login(auth: AuthManager, request: HttpRequest) -> Result<HttpResponse, Rejection> {
    ///     // … after the password was right:
    ///     let proof = auth.dpop_proof(&request).await?;
    ///     let pair = auth.login("alice").bind(&proof).await?;
    ///     Ok(HttpResponse::Ok().body(pair.auth.signed().to_owned()))
    /// }
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let _ = login;
    /// # use actix_web::test::TestRequest;
    /// # use flask_pyjwt::{AuthType, Config};
    /// # let auth = AuthManager::new(Config::new(
    /// #     "example", AuthType::HS256, "change-me: at least 32 bytes of secret",
    /// # ))?;
    /// let without = TestRequest::post().to_http_request();
    /// assert_eq!(auth.dpop_proof(&without).await?, None);
    ///
    /// let malformed = TestRequest::post().insert_header(("dpop", "no proof")).to_http_request();
    /// assert!(auth.dpop_proof(&malformed).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Rejection::InvalidProof`] or [`Rejection::NonceRequired`]. [`Rejection::Unavailable`] if the session store does not
    /// answer, or if too many proofs are remembered.
    #[doc(alias = "DPoP")]
    pub async fn dpop_proof(&self, request: &HttpRequest) -> Result<Option<DpopProof>, Rejection> {
        let proof = self.read_proof(request).await;
        proof.inspect_err(|rejection| {
            let known = Known {
                manager: Some(self),
                request: Some(request),
                ..Known::default()
            };
            report(rejection, known);
        })
    }

    async fn read_proof(&self, request: &HttpRequest) -> Result<Option<DpopProof>, Rejection> {
        let Some(proof) = binding::sole_proof(request)? else {
            return Ok(None);
        };
        let checked = binding::check_proof(self, request, proof, None)?;
        let replays = &self.parts().dpop.of_logins;
        binding::use_once(self, request, &checked, replays, checked.key.0).await?;
        Ok(Some(DpopProof::new(checked.key)))
    }
}
