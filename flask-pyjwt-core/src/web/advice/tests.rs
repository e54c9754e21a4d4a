//! The sentences where nothing is known but the refusal. `tests/it/answers/sentences.rs` has those of requests.

use std::fmt::Write as _;

use time::Duration;

use super::{super::row::tests::all, *};
use crate::token::{TokenError, TokenType};

fn token_errors() -> Vec<TokenError> {
    let retry_after = Duration::SECOND;
    let expected = TokenType::Refresh;
    vec![
        TokenError::TooLarge,
        TokenError::Form,
        TokenError::Encoding,
        TokenError::Header,
        TokenError::Algorithm,
        TokenError::Kind,
        TokenError::Critical,
        TokenError::UnknownKey,
        TokenError::Payload,
        TokenError::DuplicateMember,
        TokenError::MissingClaim("exp"),
        TokenError::MistypedClaim("sub"),
        TokenError::MistypedClaim("iat"),
        TokenError::Lifetime,
        TokenError::Issuer,
        TokenError::IssuerClaim,
        TokenError::Audience,
        TokenError::WrongType { expected },
        TokenError::Bound,
        TokenError::UnknownBinding,
        TokenError::Revoked,
        TokenError::Inactive,
        TokenError::Replayed,
        TokenError::KeysUnavailable { retry_after },
        TokenError::Clock,
    ]
}

/// Reason and sentence of every refusal.
const TABLE: &str = r#"
missing_credentials | the request has no token: send `Authorization: Bearer <token>`
malformed_credentials | the credentials are not one token: send `Authorization: Bearer <token>`, with one space and nothing after the token
several_authorizations | the request has two header fields with credentials: send one, and check whether a proxy adds another
several_cookies | the request has two cookies of one name with different values: the browser has it for two paths or domains, so remove the older one, for instance with `Cookies::formerly`
several_parameters | the query string has the token's parameter twice: send it once
several_protocols | the WebSocket offers the protocol `bearer` twice: send `bearer, <token>` once
several_places | the request has tokens in two places: send one
token_signature | the signature does not verify: give this server the `JWT_SECRET` or the `JWT_PUBLICKEY` of the issuer, or get a new token if the key has changed since; for a token of a trusted issuer, give the issuer's key with `Issuer::key`, or have its key set fetched with `Issuer::jwks_url`, or get a new token if the key has changed since
token_expired | the token has expired: get a new one with the refresh token or by a login; `JWT_AUTHMAXAGE` says how long a token is valid; for a token of a trusted issuer, get a new one from the issuer, whose settings say how long a token is valid
token_not_yet_valid | the token is not valid yet: set the clocks of the issuer and of this server, or allow a difference with `JWT_LEEWAY`; for a token of a trusted issuer, set this server's clock, or allow a difference with `Issuer::leeway`
token_wrong_type | a token of type `auth` is required: send the auth token and not the refresh token, or write `#[require_token("refresh")]` on a route for refresh tokens
login_too_old | the route requires a login of the last 60 seconds, and the token's is older or unknown: send the user to the login, and mint there with `AuthManager::login`
dpop_replayed | the DPoP proof was used before: make a proof with a new `jti` for each request
dpop_nonce | the DPoP proof has no nonce of this server, or an old one: put the answer's `DPoP-Nonce` into the claim `nonce` of the next proof; all servers of a fleet need the same keys or `Config::dpop_nonce_secret`
token_not_bound | the route requires a bound token, or the credentials have the scheme `DPoP`, and the token is not bound to a key: mint it with `bind(&proof)`, and send it with `Authorization: DPoP <token>`; send a token that is bound to a certificate, or to nothing, as `Bearer`
certificate_missing | the token is bound to a client certificate, and the connection has none: connect with the certificate; behind a proxy that ends TLS, see `Config::client_certificate_proxies`
certificate_of_another | the token is bound to another client certificate than that of the connection: connect with that one, or log in again with the new one
acr_not_met | the route requires the claim `acr` to be one of `x`, and the token's is another or missing: send the user to such a login, and mint there with `LoginBuilder::acr` or `AuthTokenBuilder::acr`
user_not_found | the token is valid, and the function of `Config::user_loader` has found no user for it: log in again, and call `AuthManager::revoke_subject` when a user is deleted
claim_not_met | the claim `x` is not what is required: mint a token that has it
scope_not_met | the scope is not what is required: mint a token that has it with `.scope(…)`
scope_not_met | the token's scope lacks `x`, which the route requires: mint it with `.scope("x")`, beside what it has
claims_do_not_fit | the token is valid, and its claims do not fit the type `C` of the handler's `CurrentToken<C>`: mint every claim that `C` has, with its type, or make the member an `Option`
cross_site | a page of another origin has sent the request: call from a page of this server's origin, or name the page's origin in `Config::allowed_origins`; behind a proxy, pass on the `Host` that the browser sends
csrf_proof_missing | the token is in a cookie, and the request has no CSRF proof: send the value of the cookie `__Host-csrf` in the header `X-CSRF-Token`, or in the form field `csrf_token`
csrf_proof_not_first | the token is in a cookie, and the first field of the multipart form is not the CSRF proof: make `csrf_token` the first field, or send the proof in the header `X-CSRF-Token`
csrf_proof_wrong | the CSRF proof is not one of the token's session: read the cookie `__Host-csrf` anew for each request, since a login sets another, and send it once
not_revocable | the token has no id to revoke it by: mint it with `AuthManager::login`
unavailable | a check cannot be made at the moment: the session store, the keys or the introspection endpoint of an issuer, a remote key, `Config::token_check` or `Config::user_loader` does not answer, or too many DPoP proofs are remembered; an event before this one says which
no_session_store | no session store is configured: add `Config::session_store`
cookie_too_large | the cookie `x` has 5000 bytes, and browsers drop it above 4093: use fewer claims
no_csrf_secret | no CSRF proof can be made or checked without a secret: add `Config::csrf_secret`
not_minted | the token is not minted: the system's source of randomness fails
missing_manager | no AuthManager is registered: add `.app_data(auth.clone())` to the App
several_managers | one AuthManager is registered as web::Data and another one is not: register both with `.app_data(auth.clone())`
unguarded | the handler takes a CurrentToken or a CurrentUser, and nothing guards its route: add `#[require_token]` to the handler or wrap its scope in `RequireToken`
no_user_loader | the handler takes a CurrentUser<User>, and nothing loads it: add `Config::user_loader`
route_mistake | the route is mistaken: x
token_too_large | the token or its header is longer than the limit, or one of its segments has too many values: mint fewer claims, or raise `Config::max_token_size`; for a token of a trusted issuer, raise `Config::max_token_size`, or `Issuer::max_header_size` if the header is long
token_form | the token is not of the form header.payload.signature: send the token as it was minted, three parts with dots between them, without quotes
token_encoding | a segment of the token is not strict base64url: send the token as it was minted, without padding, line breaks or other changes
token_header | the header is not a strict JSON object: send a token that a JWT library has minted, since this is no JWT
token_algorithm | the header's `alg` is not the algorithm of the key: set `JWT_AUTHTYPE` to the algorithm that the issuer signs with, or correct the issuer; for a token of a trusted issuer, give the key with the algorithm that the issuer signs with, or add the algorithm to `Issuer::algorithms`
token_kind | the header's `typ` is not that of an access token: send an access token, whose `typ` is `JWT` or `at+jwt`, and not an ID token or another kind; for a token of a trusted issuer, send its access token and not its ID token; if its access tokens have another `typ` or none, use `Issuer::types` or `Issuer::accept_untyped`
token_critical | the header requires an extension that is not supported: mint the token without `crit`, `b64` and `zip` in its header
token_unknown_key | the header's `kid` is not the ID of a configured key: add the key to this server with `Config::verification_key`, or mint with a key that it has; after a rotation, an earlier key has to stay until its tokens have expired; for a token of a trusted issuer, check that the key is in `Issuer::key`, in `Issuer::jwk_set` or in the set that `Issuer::jwks_url` or `Issuer::discovery` fetches; after a rotation, get a new token
token_payload | the payload is not a strict JSON object: send a token that a JWT library has minted, since this is no JWT
token_duplicate_member | a JSON object has two members with the same name: mint the token with a library that writes each claim once
token_missing_claim | the required claim `exp` is missing: the issuer has to mint it, as `AuthManager` and Flask_PyJWT do; for a token of a trusted issuer, the issuer has to set it
token_mistyped_claim | the claim `sub` has a value of the wrong type or out of range: mint a text that is not empty, or accept integers with `Config::integer_subjects`; for a token of a trusted issuer, accept integers with `Config::integer_subjects`, or name another claim with `Issuer::map_claim`
token_mistyped_claim | the claim `iat` has a value of the wrong type or out of range: correct how the issuer mints it
token_lifetime | the token's lifetime is longer than the limit: mint tokens of a shorter life, or raise `Config::max_lifetime`; for a token of a trusted issuer, have the issuer mint tokens of a shorter life, or raise `Issuer::max_lifetime`
token_issuer | the token is from another issuer: set `JWT_ISSUER` to the `iss` that the issuer mints, or trust another issuer with `Config::trust`
token_issuer_claim | a claim does not have the value that is required for this issuer's tokens: see which claim `Issuer::require_claim` names, and have the issuer set it
token_audience | the token is for another audience: set `JWT_AUDIENCE` to the `aud` that the issuer mints; where it is not set, tokens with `aud` are refused; for a token of a trusted issuer, have the provider mint the token for the audience that `Issuer::audience` names, or add the `aud` of this server's tokens with `Issuer::audience`
token_wrong_type | a token of type `refresh` is required: send the refresh token and not the auth token, or write `#[require_token]` on a route for auth tokens
token_bound | the token is bound, and nothing proves that the client may use it: send it with `Authorization: DPoP <token>` and a proof in the field `DPoP`; outside a request nothing can prove it, so it is refused there
token_unknown_binding | the token is bound in a way that is not supported: have the issuer bind it with `jkt` or `x5t#S256` in `cnf`, and with nothing else
token_revoked | the token is revoked: log in again; if nobody has logged out, check that all processes share one session store, and that it outlives a restart, as `MemoryStore` does not
token_inactive | the issuer says that the token is not active: get a new one from the issuer; if it is new, check that the issuer knows this server's client as one that may ask about the token
token_replayed | the refresh token was used before: log in again, and have the client keep the refresh token of the latest answer only
keys_unavailable | the keys or the introspection endpoint of the token's issuer are not available at the moment: check that this server reaches the address of the issuer's keys, or of its introspection endpoint; `AuthManager::key_sources` and events before this one say what went wrong
token_clock | the clock is out of range: set this server's clock
login_too_old | the route requires `fresh`, and the token is of a refresh or has no `auth_time`: send the user to the login, and mint there with `AuthManager::login`
"#;

#[test]
fn every_refusal_has_a_sentence_that_says_what_to_change() {
    let of_tokens = token_errors().into_iter().map(Rejection::InvalidToken);
    let login = Rejection::LoginTooOld {
        max_age: 0,
        acr_values: String::new(),
    };
    let mut table = String::from("\n");
    for rejection in all().into_iter().chain(of_tokens).chain([login]) {
        let sentence = sentence(&rejection, Known::default());
        let _ = writeln!(table, "{} | {sentence}", rejection.reason());
        // Of these, the payload says what to do.
        if !matches!(rejection, Rejection::Misconfigured(_)) {
            let (wrong, to_do) = sentence.split_once(": ").expect("two parts");
            assert!(wrong.len() > 10 && to_do.len() >= 8, "{sentence}");
        }
        assert!(
            !sentence.ends_with('.') && !sentence.contains('\n'),
            "{sentence}"
        );
    }
    assert_eq!(table, TABLE, "\n{table}");
}
