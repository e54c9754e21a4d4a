//! Tokens of self-hosted identity providers.

use flask_pyjwt::{ExpectedClaim, Issuer};
use serde_json::json;

use super::{Provider, accepted, provider, recipes, refused, typed, with};
use crate::recipes::page::normal;
use support::NOW;

pub(super) fn keycloak() -> Provider {
    let user = json!({
        "jti": "onrtac:4ab4", "iss": "https://sso.example.com/realms/REALM", "aud": ["my-api", "account"],
        "sub": "b5f0b2b0-5a4d-4b5b-9f0d-0f5f2c0d7e11", "typ": "Bearer", "azp": "web", "sid": "1c0c",
        "acr": "1", "auth_time": NOW - 20, "realm_access": {"roles": ["offline_access", "admin"]},
        "resource_access": {"my-api": {"roles": ["reader"]}}, "scope": "openid profile email",
        "preferred_username": "jane",
    });
    let machine = json!({
        "jti": "trrtcc:77", "iss": "https://sso.example.com/realms/REALM", "aud": ["my-api", "account"],
        "sub": "5a9e2a8e-16a7-4c1c-8f0f-2f6d8f1f5b22", "typ": "Bearer", "azp": "job", "acr": "1",
        "scope": "profile email", "clientHost": "10.0.0.7", "client_id": "job",
        "preferred_username": "service-account-job",
    });
    let mut provider = provider(
        "Keycloak",
        recipes! {
            issuer: Issuer::new("https://sso.example.com/realms/REALM")
                .discovery()
                .audience("my-api")
                .require_claim("typ", "Bearer")
                .map_claim("roles", "/realm_access/roles")
                .map_claim("api_roles", "/resource_access/my-api/roles");
        },
        vec![
            accepted(
                "user",
                "b5f0b2b0-5a4d-4b5b-9f0d-0f5f2c0d7e11",
                &typed(),
                user.clone(),
            ),
            accepted(
                "machine",
                "5a9e2a8e-16a7-4c1c-8f0f-2f6d8f1f5b22",
                &typed(),
                machine,
            ),
            refused(
                "ID token",
                &typed(),
                with(
                    &user,
                    json!({"typ": "ID", "aud": "my-api", "nonce": "x", "at_hash": "y"}),
                ),
            ),
            refused(
                "refresh token",
                &typed(),
                with(&user, json!({"typ": "Refresh"})),
            ),
            refused(
                "offline token",
                &typed(),
                with(&user, json!({"typ": "Offline"})),
            ),
            refused(
                "DPoP-bound token as bearer",
                &typed(),
                with(&user, json!({"typ": "DPoP", "cnf": {"jkt": "x"}})),
            ),
            refused(
                "token without sub",
                &typed(),
                with(&user, json!({"sub": null})),
            ),
            refused(
                "another client's API",
                &typed(),
                with(&user, json!({"aud": ["account"]})),
            ),
            refused(
                "another realm",
                &typed(),
                with(
                    &user,
                    json!({"iss": "https://sso.example.com/realms/OTHER"}),
                ),
            ),
        ],
    );
    provider.other_keys = vec![json!({
        "kid": "enc-key", "kty": "RSA", "alg": "RSA-OAEP", "use": "enc", "n": "AQAB", "e": "AQAB",
        "x5c": ["MIICmzCCAYMCBgF"], "x5t": "x",
    })];
    provider
}

pub(super) fn duende() -> Provider {
    let at_jwt = json!({"alg": "RS256", "kid": "", "typ": "at+jwt"});
    let user = json!({
        "iss": "https://identity.example.com", "nbf": NOW - 10, "aud": "my-api", "scope": ["openid", "read"],
        "amr": ["pwd"], "client_id": "web", "sub": "88421113", "auth_time": NOW - 20, "idp": "local",
        "sid": "s", "jti": "j",
    });
    let machine = json!({
        "iss": "https://identity.example.com", "nbf": NOW - 10, "aud": "my-api", "scope": ["jobs"],
        "client_id": "job", "jti": "j",
    });
    provider(
        "Duende IdentityServer",
        recipes! {
            issuer: Issuer::new("https://identity.example.com")
                .discovery()
                .audience("my-api")
                .types(["at+jwt"])
                .map_claim("sub", ["sub", "client_id"]);
        },
        vec![
            accepted("user", "88421113", &at_jwt, user.clone()),
            accepted("machine", "job", &at_jwt, machine),
            refused(
                "ID token",
                &typed(),
                json!({
                    "iss": "https://identity.example.com", "nbf": NOW - 10, "aud": "my-api", "amr": ["pwd"],
                    "at_hash": "a", "sid": "s", "sub": "88421113", "auth_time": NOW - 20, "idp": "local",
                }),
            ),
            refused(
                "another API",
                &at_jwt,
                with(&user, json!({"aud": "other-api"})),
            ),
            refused(
                "a subject that is no text",
                &at_jwt,
                with(&user, json!({"sub": 88_421_113})),
            ),
        ],
    )
}

pub(super) fn adfs() -> Provider {
    // Access tokens name their key by `x5t` only.
    let header = json!({"typ": "JWT", "alg": "RS256", "x5t": "l_OZUmitFFug_qgT4aBrvnyxm94"});
    let id_header = with(&header, json!({"kid": "l_OZUmitFFug_qgT4aBrvnyxm94"}));
    let user = json!({
        "aud": "microsoft:identityserver:CLIENT-ID-OF-THE-API",
        "iss": "http://adfs.example.com/adfs/services/trust", "apptype": "Confidential", "appid": "PDLAPI",
        "authmethod": "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
        "auth_time": "2027-01-15T07:59:40.733Z", "ver": "1.0", "scp": "openid",
        "sub": "xBZpMT9zNKNyMjFsj4CF80crrwS/ATrfkgm4n4iYDFw=",
    });
    let id = json!({
        "aud": "CLIENT-ID-OF-THE-API", "iss": "https://adfs.example.com/adfs", "auth_time": NOW - 20,
        "sub": "xBZpMT9zNKNyMjFsj4CF80crrwS/ATrfkgm4n4iYDFw=", "upn": "jane@example.com",
        "unique_name": "EXAMPLE\\jane",
    });
    let mut provider = provider(
        "AD FS",
        recipes! {
            issuer: Issuer::new("http://adfs.example.com/adfs/services/trust")
                .jwks_url("https://adfs.example.com/adfs/discovery/keys")
                .audience("microsoft:identityserver:CLIENT-ID-OF-THE-API")
                .map_claim("scope", "scp")
                .map_claim("sub", ["sub", "upn"])
                .require_claim("appid", ExpectedClaim::Present);
        },
        vec![
            accepted(
                "user",
                "xBZpMT9zNKNyMjFsj4CF80crrwS/ATrfkgm4n4iYDFw=",
                &header,
                user.clone(),
            ),
            accepted(
                "user with a claim rule for the upn",
                "jane@example.com",
                &header,
                with(&user, json!({"sub": null, "upn": "jane@example.com"})),
            ),
            refused(
                "machine, or a user without a claim rule",
                &header,
                with(&user, json!({"sub": null})),
            ),
            refused("ID token", &id_header, id.clone()),
            refused(
                "ID token in the access tokens' name",
                &header,
                with(
                    &id,
                    json!({
                        "iss": "http://adfs.example.com/adfs/services/trust",
                        "aud": "microsoft:identityserver:CLIENT-ID-OF-THE-API",
                    }),
                ),
            ),
            refused(
                "another API",
                &header,
                with(&user, json!({"aud": "urn:microsoft:userinfo"})),
            ),
        ],
    );
    provider.jwk = json!({"use": "sig", "alg": "RS256", "x5t": "l_OZUmitFFug_qgT4aBrvnyxm94"});
    provider
}
