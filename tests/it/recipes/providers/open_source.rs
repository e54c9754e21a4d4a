//! Tokens of the smaller self-hosted identity providers.

use flask_pyjwt::{ExpectedClaim, Issuer};
use serde_json::json;

use super::{Provider, accepted, provider, recipes, refused, typed, untyped, with};
use crate::recipes::page::normal;
use support::NOW;

pub(super) fn zitadel() -> Provider {
    let user = json!({
        "iss": "https://INSTANCE.zitadel.cloud", "sub": "165617850692654601",
        "aud": ["170079991923474689@project", "PROJECT-ID"], "nbf": NOW - 10, "jti": "170085681677713985",
        "azp": "170079991923474689@project", "client_id": "170079991923474689@project",
    });
    let id = json!({
        "iss": "https://INSTANCE.zitadel.cloud", "sub": "165617850692654601",
        "aud": ["170079991923474689@project", "PROJECT-ID"], "auth_time": NOW - 20, "amr": ["pwd"],
        "azp": "170079991923474689@project", "client_id": "170079991923474689@project", "at_hash": "a",
    });
    provider(
        "Zitadel",
        recipes! {
            issuer: Issuer::new("https://INSTANCE.zitadel.cloud")
                .discovery()
                .audience("PROJECT-ID")
                .map_claim("roles", "urn:zitadel:iam:org:project:roles")
                .require_claim("jti", ExpectedClaim::Present)
                .require_claim("auth_time", ExpectedClaim::Absent)
                .require_claim("amr", ExpectedClaim::Absent);
        },
        vec![
            accepted("user", "165617850692654601", &typed(), user.clone()),
            accepted(
                "machine",
                "165617850692654999",
                &typed(),
                with(&user, json!({"sub": "165617850692654999"})),
            ),
            refused("ID token", &typed(), id),
            refused(
                "another project",
                &typed(),
                with(&user, json!({"aud": ["other@other", "OTHER"]})),
            ),
        ],
    )
}

pub(super) fn authentik() -> Provider {
    let id = json!({
        "iss": "https://authentik.example.com/application/o/APPLICATION/", "sub": "hashed-user",
        "aud": "CLIENT-ID", "auth_time": NOW - 20, "acr": "goauthentik.io/providers/oauth2/default",
        "amr": ["pwd"], "sid": "s", "email": "jane@example.com", "groups": ["admins"],
    });
    let user = with(
        &id,
        json!({"azp": "CLIENT-ID", "uid": "u", "scope": "openid profile email"}),
    );
    provider(
        "Authentik",
        recipes! {
            issuer: Issuer::new("https://authentik.example.com/application/o/APPLICATION/")
                .discovery()
                .audience("CLIENT-ID")
                .require_claim("uid", ExpectedClaim::Present)
                .require_claim("scope", ExpectedClaim::Present);
        },
        vec![
            accepted("user", "hashed-user", &typed(), user.clone()),
            accepted(
                "machine",
                "hashed-service",
                &typed(),
                with(
                    &user,
                    json!({"sub": "hashed-service", "auth_time": null, "amr": null}),
                ),
            ),
            refused("ID token", &typed(), id),
            refused(
                "another application",
                &typed(),
                with(
                    &user,
                    json!({
                        "iss": "https://authentik.example.com/application/o/OTHER/", "aud": "OTHER",
                    }),
                ),
            ),
        ],
    )
}

pub(super) fn hydra() -> Provider {
    let user = json!({
        "aud": ["my-api"], "client_id": "web", "ext": {}, "iss": "https://hydra.example.com", "jti": "j",
        "nbf": NOW - 10, "scp": ["openid", "read"], "sub": "jane",
    });
    provider(
        "Ory Hydra",
        recipes! {
            issuer: Issuer::new("https://hydra.example.com")
                .discovery()
                .audience("my-api")
                .map_claim("scope", "scp")
                .require_claim("client_id", ExpectedClaim::Present)
                .require_claim("scp", ExpectedClaim::Present);
        },
        vec![
            accepted("user", "jane", &typed(), user.clone()),
            accepted(
                "machine",
                "job",
                &typed(),
                with(&user, json!({"client_id": "job", "sub": "job"})),
            ),
            refused(
                "ID token",
                &typed(),
                json!({
                    "at_hash": "a", "aud": ["my-api"], "auth_time": NOW - 20, "iss": "https://hydra.example.com",
                    "jti": "j", "nonce": "n", "rat": NOW - 30, "sid": "s", "sub": "jane",
                }),
            ),
            refused(
                "another API",
                &typed(),
                with(&user, json!({"aud": ["other-api"]})),
            ),
            refused(
                "without any audience",
                &typed(),
                with(&user, json!({"aud": []})),
            ),
        ],
    )
}

pub(super) fn dex() -> Provider {
    let user = json!({
        "iss": "https://dex.example.com", "sub": "CgcyMzQyNzQ5EgZnaXRodWI", "aud": "example-app",
        "at_hash": "bi96gOXZShvlWYtal9Eqiw", "email": "jane@example.com", "email_verified": true,
        "groups": ["admins", "developers"], "name": "Jane Doe",
    });
    provider(
        "Dex",
        recipes! {
            issuer: Issuer::new("https://dex.example.com")
                .discovery()
                .accept_untyped(true)
                .audience("example-app")
                .require_claim("email_verified", true);
        },
        vec![
            accepted("user", "CgcyMzQyNzQ5EgZnaXRodWI", &untyped(), user.clone()),
            refused(
                "another application",
                &untyped(),
                with(&user, json!({"aud": "other-app"})),
            ),
            refused(
                "unverified address",
                &untyped(),
                with(&user, json!({"email_verified": false})),
            ),
        ],
    )
}

pub(super) fn rauthy() -> Provider {
    let user = json!({
        "iss": "https://rauthy.example.com/auth/v1/", "sub": "9yTRNVGgzMxGq2Vy2Y0GnIzn", "aud": ["web", "my-api"],
        "typ": "Bearer", "azp": "web", "scope": "openid profile email", "nbf": NOW - 10, "jti": "SKPUoOwidvwK",
        "preferred_username": "jane", "roles": ["admin"],
    });
    // With a subject that is `null`.
    let machine = json!({
        "iss": "https://rauthy.example.com/auth/v1/", "sub": null, "aud": ["rs-test", "my-api"], "typ": "Bearer",
        "azp": "rs-test", "scope": "openid", "nbf": NOW - 10, "jti": "SKPUoOwidvwK",
    });
    provider(
        "Rauthy",
        recipes! {
            issuer: Issuer::new("https://rauthy.example.com/auth/v1/")
                .discovery()
                .audience("my-api")
                .require_claim("typ", "Bearer")
                .map_claim("sub", ["sub", "azp"]);
        },
        vec![
            accepted("user", "9yTRNVGgzMxGq2Vy2Y0GnIzn", &typed(), user.clone()),
            accepted("machine", "rs-test", &typed(), machine),
            refused("ID token", &typed(), with(&user, json!({"typ": "Id"}))),
            refused(
                "refresh token",
                &typed(),
                with(&user, json!({"typ": "Refresh"})),
            ),
            refused(
                "another client's token",
                &typed(),
                with(&user, json!({"aud": "web"})),
            ),
            refused(
                "the issuer without its slash",
                &typed(),
                with(&user, json!({"iss": "https://rauthy.example.com/auth/v1"})),
            ),
        ],
    )
}
