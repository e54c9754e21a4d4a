//! What is wrong with a refused request and what to change, in one sentence for the log.
//!
//! A sentence has names, numbers, and what the route requires. Of a token's claims it has at most the JSON type,
//! and it never has text of a client.

mod claims;
mod credentials;
mod proofs;
mod tokens;

use std::borrow::Cow;

use super::{Rejection, claim_words::login_too_old, known::Known};
use crate::error_chain::said;

/// What is wrong, a colon, and what to do.
pub(super) fn sentence(rejection: &Rejection, known: Known<'_>) -> Cow<'static, str> {
    match rejection {
        Rejection::MissingCredentials => credentials::missing(known).into(),
        Rejection::MalformedCredentials => {
            "the credentials are not one token: send `Authorization: Bearer <token>`, with one space and nothing \
             after the token"
                .into()
        }
        Rejection::SeveralAuthorizations => {
            "the request has two header fields with credentials: send one, and check whether a proxy adds another"
                .into()
        }
        Rejection::SeveralCookies => {
            "the request has two cookies of one name with different values: the browser has it for two paths or \
             domains, so remove the older one, for instance with `Cookies::formerly`"
                .into()
        }
        Rejection::SeveralParameters => {
            "the query string has the token's parameter twice: send it once".into()
        }
        Rejection::SeveralProtocols => {
            "the WebSocket offers the protocol `bearer` twice: send `bearer, <token>` once".into()
        }
        Rejection::SeveralPlaces => credentials::several(known).into(),
        Rejection::InvalidToken(error) => {
            format!("{error}: {}", tokens::what_to_do(*error, known)).into()
        }
        Rejection::InvalidProof(error) => {
            format!("{error}: {}", proofs::what_to_do(*error)).into()
        }
        Rejection::NonceRequired { .. } => {
            "the DPoP proof has no nonce of this server, or an old one: put the answer's `DPoP-Nonce` into the claim \
             `nonce` of the next proof; all servers of a fleet need the same keys or `Config::dpop_nonce_secret`"
                .into()
        }
        Rejection::NotBound => {
            "the route requires a bound token, or the credentials have the scheme `DPoP`, and the token is not bound to a \
             key: mint it with `bind(&proof)`, and send it with `Authorization: DPoP <token>`; send a token that is bound to \
             a certificate, or to nothing, as `Bearer`"
                .into()
        }
        Rejection::NoCertificate => {
            "the token is bound to a client certificate, and the connection has none: connect with the certificate; \
             behind a proxy that ends TLS, see `Config::client_certificate_proxies`"
                .into()
        }
        Rejection::OtherCertificate => {
            "the token is bound to another client certificate than that of the connection: connect with that one, or \
             log in again with the new one"
                .into()
        }
        Rejection::UserNotFound => {
            "the token is valid, and the function of `Config::user_loader` has found no user for it: log in again, and \
             call `AuthManager::revoke_subject` when a user is deleted"
                .into()
        }
        Rejection::ClaimNotMet { name } => claims::not_met(name, known).into(),
        Rejection::ScopeNotMet => claims::scope_not_met(known).into(),
        Rejection::MissingScope { scope } => claims::missing_scope(scope, known).into(),
        Rejection::ClaimsDoNotFit => claims::do_not_fit(known).into(),
        Rejection::CrossSite => {
            "a page of another origin has sent the request: call from a page of this server's origin, or name the \
             page's origin in `Config::allowed_origins`; behind a proxy, pass on the `Host` that the browser sends"
                .into()
        }
        Rejection::CsrfProofMissing => credentials::no_proof(known).into(),
        Rejection::CsrfProofNotFirst => {
            "the token is in a cookie, and the first field of the multipart form is not the CSRF proof: make \
             `csrf_token` the first field, or send the proof in the header `X-CSRF-Token`"
                .into()
        }
        Rejection::CsrfProofWrong => credentials::wrong_proof(known).into(),
        Rejection::AcrNotMet { acr_values, .. } => claims::acr_not_met(acr_values, known).into(),
        Rejection::LoginTooOld { max_age, .. } => format!(
            "{}: send the user to the login, and mint there with `AuthManager::login`",
            login_too_old(*max_age)
        )
        .into(),
        Rejection::Unavailable { .. } => {
            "a check cannot be made at the moment: the session store, the keys or the introspection endpoint of an issuer, \
             a remote key, `Config::token_check` or `Config::user_loader` does not answer, or too many DPoP proofs are \
             remembered; an event before this one says which"
                .into()
        }
        Rejection::NotRevocable | Rejection::Misconfigured(_) => said(rejection).into(),
    }
}

#[cfg(test)]
mod tests;
