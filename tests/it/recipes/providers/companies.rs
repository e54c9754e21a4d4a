//! Tokens of companies that run an identity provider for others.

use flask_pyjwt::{ExpectedClaim, Issuer};
use serde_json::{Value, json};

use super::{Provider, accepted, provider, recipes, refused, typed, untyped, with};
use crate::recipes::page::normal;
use support::NOW;

pub(super) fn auth0() -> Provider {
    let user = json!({
        "iss": "https://TENANT.eu.auth0.com/", "sub": "auth0|5f7c8ec7c33c6c004bbafe82",
        "aud": ["https://api.example.com", "https://TENANT.eu.auth0.com/userinfo"],
        "azp": "my_client_id", "scope": "openid profile read:items",
    });
    let machine = json!({
        "iss": "https://TENANT.eu.auth0.com/", "sub": "my_client_id@clients",
        "aud": "https://api.example.com", "azp": "my_client_id", "gty": "client-credentials",
    });
    let id = json!({
        "nickname": "jane", "name": "jane@example.com", "updated_at": "2026-11-26T10:00:00.000Z",
        "iss": "https://TENANT.eu.auth0.com/", "aud": "my_client_id", "nonce": "n-0S6_WzA2Mj",
        "sub": "auth0|5f7c8ec7c33c6c004bbafe82", "sid": "0Ko0CWG", "at_hash": "abc",
    });
    let rfc9068 = json!({"alg": "RS256", "typ": "at+jwt", "kid": ""});
    provider(
        "Auth0",
        recipes! {
            issuer: Issuer::new("https://TENANT.eu.auth0.com/")
                .discovery()
                .audience("https://api.example.com")
                .types(["at+jwt", "JWT"])
                .require_claim("nonce", ExpectedClaim::Absent);
        },
        vec![
            accepted(
                "user",
                "auth0|5f7c8ec7c33c6c004bbafe82",
                &typed(),
                user.clone(),
            ),
            accepted(
                "user, RFC 9068",
                "auth0|5f7c8ec7c33c6c004bbafe82",
                &rfc9068,
                user.clone(),
            ),
            accepted("machine", "my_client_id@clients", &typed(), machine.clone()),
            refused("ID token", &typed(), id.clone()),
            refused(
                "ID token of a client that is called like the API",
                &typed(),
                with(&id, json!({"aud": "https://api.example.com"})),
            ),
            refused(
                "another API",
                &typed(),
                with(&user, json!({"aud": "https://other.example"})),
            ),
            refused(
                "another tenant",
                &typed(),
                with(&machine, json!({"iss": "https://OTHER.eu.auth0.com/"})),
            ),
        ],
    )
}

/// A token of Entra's version 2.0.
fn entra_user() -> Value {
    json!({
        "aud": "CLIENT-ID-OF-THE-API", "iss": "https://login.microsoftonline.com/TENANT-ID/v2.0",
        "nbf": NOW - 10, "aio": "AVQAq/8T", "azp": "9d1b9c3e-client", "azpacr": "0",
        "name": "Jane Doe", "oid": "aaaa-oid", "preferred_username": "jane@example.com", "rh": "0.ARoA",
        "scp": "Files.Read", "sub": "pairwise-sub", "tid": "TENANT-ID", "uti": "u", "ver": "2.0",
    })
}

pub(super) fn entra() -> Provider {
    let user = entra_user();
    let machine = with(
        &user,
        json!({
            "scp": null, "name": null, "preferred_username": null, "azpacr": "1", "idtyp": "app",
            "roles": ["Files.Read.All"], "oid": "bbbb-oid", "sub": "bbbb-oid",
        }),
    );
    let id = with(
        &user,
        json!({"scp": null, "azp": null, "azpacr": null, "nonce": "n", "sub": "pairwise"}),
    );
    let groups: Vec<_> = (0..200)
        .map(|group| format!("{group:08x}-1111-2222-3333-444444444444"))
        .collect();
    let mut provider = provider(
        "Microsoft Entra ID",
        recipes! {
            issuer: Issuer::new("https://login.microsoftonline.com/TENANT-ID/v2.0")
                .discovery()
                .audience("CLIENT-ID-OF-THE-API")
                .map_claim("scope", "scp")
                .map_claim("sub", "oid")
                .require_claim("ver", "2.0")
                .require_claim("tid", "TENANT-ID")
                .require_claim("azp", ExpectedClaim::Present)
                .require_any_claim(["scp", "roles"]);
        },
        vec![
            accepted("user", "aaaa-oid", &typed(), user.clone()),
            accepted("machine", "bbbb-oid", &typed(), machine.clone()),
            accepted(
                "user of 200 groups",
                "aaaa-oid",
                &typed(),
                with(&user, json!({"groups": groups})),
            ),
            refused("ID token", &typed(), id.clone()),
            refused(
                "ID token with app roles",
                &typed(),
                with(&id, json!({"roles": ["admin"]})),
            ),
            refused(
                "machine without any permission",
                &typed(),
                with(&machine, json!({"roles": null})),
            ),
            refused(
                "another API",
                &typed(),
                with(&user, json!({"aud": "another-api"})),
            ),
            refused(
                "another tenant's claim",
                &typed(),
                with(&user, json!({"tid": "OTHER"})),
            ),
            refused(
                "version 1.0",
                &typed(),
                with(
                    &user,
                    json!({"ver": "1.0", "iss": "https://sts.windows.net/TENANT-ID/"}),
                ),
            ),
            refused(
                "a token for Microsoft Graph",
                &json!({"alg": "RS256", "typ": "JWT", "kid": "", "nonce": "n"}),
                with(
                    &user,
                    json!({"aud": "00000003-0000-0000-c000-000000000000"}),
                ),
            ),
        ],
    );
    provider.config = |config| config.max_token_size(32 * 1024);
    // Its keys have no `alg`.
    provider.jwk = json!({"use": "sig", "x5t": "x", "x5c": ["MIIDBTCCAe2g"], "issuer": "i"});
    provider
}

pub(super) fn entra_v1() -> Provider {
    let user = json!({
        "aud": "api://CLIENT-ID-OF-THE-API", "iss": "https://sts.windows.net/TENANT-ID/", "nbf": NOW - 10,
        "acr": "1", "amr": ["pwd"], "appid": "9d1b9c3e-client", "appidacr": "0", "oid": "aaaa-oid",
        "scp": "user_impersonation", "sub": "pairwise-sub", "tid": "TENANT-ID", "ver": "1.0",
        "unique_name": "jane@example.com", "upn": "jane@example.com",
    });
    let mut provider = provider(
        "Microsoft Entra ID, tokens of version 1",
        recipes! {
            issuer: Issuer::new("https://sts.windows.net/TENANT-ID/")
                .discovery_url("https://login.microsoftonline.com/TENANT-ID/.well-known/openid-configuration")
                .audience("api://CLIENT-ID-OF-THE-API")
                .map_claim("scope", "scp")
                .map_claim("sub", "oid")
                .require_claim("ver", "1.0")
                .require_claim("tid", "TENANT-ID")
                .require_claim("appid", ExpectedClaim::Present)
                .require_any_claim(["scp", "roles"]);
        },
        vec![
            accepted("user", "aaaa-oid", &typed(), user.clone()),
            accepted(
                "machine",
                "bbbb-oid",
                &typed(),
                with(
                    &user,
                    json!({"scp": null, "roles": ["Files.Read.All"], "oid": "bbbb-oid"}),
                ),
            ),
            refused(
                "ID token",
                &typed(),
                with(&user, json!({"scp": null, "appid": null, "nonce": "n"})),
            ),
            refused(
                "another API",
                &typed(),
                with(&user, json!({"aud": "api://other"})),
            ),
            refused("version 2.0", &typed(), entra_user()),
        ],
    );
    provider.jwk = json!({"use": "sig", "x5t": "x"});
    provider
}

pub(super) fn okta() -> Provider {
    let user = json!({
        "ver": 1, "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE",
        "iss": "https://DOMAIN.okta.com/oauth2/default", "aud": "api://default", "cid": "CLIENT-ID",
        "uid": "00ujmkLgagxeRrAg20g3", "scp": ["openid", "read:items"], "auth_time": NOW - 20,
        "sub": "jane@example.com",
    });
    let id = json!({
        "sub": "00ujmkLgagxeRrAg20g3", "name": "Jane", "email": "jane@example.com", "ver": 1,
        "iss": "https://DOMAIN.okta.com/oauth2/default", "aud": "CLIENT-ID", "jti": "ID.ewMNfSvcpuqyS93OgVeC",
        "amr": ["pwd"], "idp": "00ok1u7AsAkrwdZL3z0k", "nonce": "n", "auth_time": NOW - 20, "at_hash": "a",
    });
    provider(
        "Okta",
        recipes! {
            issuer: Issuer::new("https://DOMAIN.okta.com/oauth2/default")
                .discovery()
                .accept_untyped(true)
                .audience("api://default")
                .map_claim("scope", "scp")
                .require_claim("cid", ExpectedClaim::Present)
                .require_claim("scp", ExpectedClaim::Present);
        },
        vec![
            accepted("user", "jane@example.com", &untyped(), user.clone()),
            accepted(
                "machine",
                "CLIENT-ID",
                &untyped(),
                with(
                    &user,
                    json!({"uid": null, "sub": "CLIENT-ID", "scp": ["jobs"]}),
                ),
            ),
            refused("ID token", &untyped(), id.clone()),
            refused(
                "ID token of a client that is called like the API",
                &untyped(),
                with(&id, json!({"aud": "api://default"})),
            ),
            refused(
                "another API",
                &untyped(),
                with(&user, json!({"aud": "api://other"})),
            ),
            refused(
                "the organisation's own server",
                &untyped(),
                with(&user, json!({"iss": "https://DOMAIN.okta.com"})),
            ),
        ],
    )
}

pub(super) fn cognito() -> Provider {
    let user = json!({
        "sub": "aaaaaaaa-bbbb-cccc-dddd-example", "device_key": "d", "cognito:groups": ["admins"],
        "iss": "https://cognito-idp.REGION.amazonaws.com/POOL-ID", "version": 2, "client_id": "CLIENT-ID",
        "origin_jti": "o", "event_id": "e", "token_use": "access", "scope": "phone openid email",
        "auth_time": NOW - 20, "jti": "j", "username": "jane",
    });
    let id = json!({
        "sub": "aaaaaaaa-bbbb-cccc-dddd-example", "cognito:groups": ["admins"], "email_verified": true,
        "iss": "https://cognito-idp.REGION.amazonaws.com/POOL-ID", "cognito:username": "jane",
        "aud": "CLIENT-ID", "token_use": "id", "auth_time": NOW - 20, "jti": "j", "email": "j@example.com",
    });
    provider(
        "Amazon Cognito",
        recipes! {
            issuer: Issuer::new("https://cognito-idp.REGION.amazonaws.com/POOL-ID")
                .discovery()
                .accept_untyped(true)
                .map_claim("aud", "client_id")
                .audience("CLIENT-ID")
                .require_claim("token_use", "access")
                .map_claim("groups", "cognito:groups");
        },
        vec![
            accepted(
                "user",
                "aaaaaaaa-bbbb-cccc-dddd-example",
                &untyped(),
                user.clone(),
            ),
            accepted(
                "machine",
                "CLIENT-ID",
                &untyped(),
                with(
                    &user,
                    json!({"sub": "CLIENT-ID", "username": null, "cognito:groups": null}),
                ),
            ),
            refused("ID token", &untyped(), id.clone()),
            refused(
                "ID token that names the client",
                &untyped(),
                with(&id, json!({"client_id": "CLIENT-ID"})),
            ),
            refused(
                "another application",
                &untyped(),
                with(&user, json!({"client_id": "OTHER"})),
            ),
        ],
    )
}
