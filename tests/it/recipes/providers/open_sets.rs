//! Providers whose tenants cannot be listed.

use flask_pyjwt::{AuthType, ExpectedClaim, Issuer, Key};
use serde_json::{Value, json};

use super::{Provider, Signs, accepted, provider, recipes, refused, typed, with};
use crate::recipes::page::normal;
use support::NOW;

/// The secret of the application. A server reads it from its configuration.
pub(crate) fn client_secret() -> String {
    "shpss_0123456789abcdef0123456789abcdef".to_owned()
}

fn entra_user(tenant: &str) -> Value {
    json!({
        "aud": "CLIENT-ID-OF-THE-API", "iss": format!("https://login.microsoftonline.com/{tenant}/v2.0"),
        "nbf": NOW - 10, "aio": "AVQAq/8T", "azp": "9d1b9c3e-client", "azpacr": "0",
        "name": "Jane Doe", "oid": "aaaa-oid", "preferred_username": "jane@example.com", "rh": "0.ARoA",
        "scp": "Files.Read", "sub": "pairwise-sub", "tid": tenant, "uti": "u", "ver": "2.0",
    })
}

pub(super) fn entra_tenants() -> Provider {
    /// The tenant of personal accounts.
    const CONSUMERS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
    let user = entra_user("TENANT-ID");
    let machine = with(
        &user,
        json!({"scp": null, "name": null, "roles": ["Files.Read.All"], "idtyp": "app", "oid": "bbbb-oid"}),
    );
    let mut provider = provider(
        "Microsoft Entra ID, several tenants",
        recipes! {
            issuer: Issuer::template("https://login.microsoftonline.com/{tenantid}/v2.0")
                .discovery_url("https://login.microsoftonline.com/organizations/v2.0/.well-known/openid-configuration")
                .claim_from_issuer("tid", "tenantid")
                .require_claim("tid", ExpectedClaim::one_of(["TENANT-ID", "ANOTHER-TENANT-ID"]))
                .audience("CLIENT-ID-OF-THE-API")
                .map_claim("scope", "scp")
                .map_claim("sub", "oid")
                .require_claim("ver", "2.0")
                .require_claim("azp", ExpectedClaim::Present)
                .require_any_claim(["scp", "roles"]);
        },
        vec![
            accepted("user", "aaaa-oid", &typed(), user.clone()),
            accepted(
                "user of another tenant",
                "aaaa-oid",
                &typed(),
                entra_user("ANOTHER-TENANT-ID"),
            ),
            accepted("machine", "bbbb-oid", &typed(), machine),
            refused(
                "a `tid` that is another tenant's",
                &typed(),
                with(&user, json!({"tid": "ANOTHER-TENANT-ID"})),
            ),
            refused("without `tid`", &typed(), with(&user, json!({"tid": null}))),
            refused("a stranger's tenant", &typed(), entra_user("STRANGER")),
            refused("a personal account", &typed(), entra_user(CONSUMERS)),
            refused(
                "the template itself as issuer",
                &typed(),
                entra_user("{tenantid}"),
            ),
            refused(
                "ID token",
                &typed(),
                with(&user, json!({"scp": null, "azp": null, "nonce": "n"})),
            ),
            refused(
                "another API",
                &typed(),
                with(&user, json!({"aud": "another-api"})),
            ),
        ],
    );
    provider.jwk = json!({"use": "sig", "x5t": "x", "x5c": ["MIIDBTCCAe2g"], "issuer": "i"});
    provider
}

pub(super) fn shopify() -> Provider {
    let header = json!({"alg": "HS256", "typ": "JWT"});
    let of_shop = |shop: &str| {
        json!({
            "iss": format!("https://{shop}.myshopify.com/admin"), "dest": format!("https://{shop}.myshopify.com"),
            "aud": "CLIENT-ID", "sub": "42", "exp": NOW + 60, "nbf": NOW, "iat": NOW,
            "jti": "f8912129-1af6-4cad-9ca3-76b0f7621087", "sid": "aaea182f2732d44c23057c0fea584021",
            "sig": "f07cf3740270c17fb61c700b2f0f2e7f2f4fc8ff48426221738f7a39e4c475bf",
        })
    };
    let user = of_shop("first-shop");
    let mut provider = provider(
        "Shopify",
        recipes! {
            issuer: Issuer::template("https://{shop}.myshopify.com/admin")
                .key(Key::new(AuthType::HS256, client_secret()))
                .audience("CLIENT-ID")
                .require_claim("dest", ExpectedClaim::Present);
        },
        vec![
            accepted("user", "42", &header, user.clone()),
            accepted("user of another shop", "42", &header, of_shop("shop-2")),
            refused(
                "another application",
                &header,
                with(&user, json!({"aud": "OTHER"})),
            ),
            refused(
                "without `dest`",
                &header,
                with(&user, json!({"dest": null})),
            ),
            refused(
                "a minute later",
                &header,
                with(&user, json!({"exp": NOW - 60})),
            ),
            refused("a host below a shop", &header, of_shop("a.first-shop")),
            refused(
                "a host that looks like a shop",
                &header,
                with(
                    &user,
                    json!({"iss": "https://first-shop.myshopify.com.evil.example/admin"}),
                ),
            ),
            refused(
                "without `/admin`",
                &header,
                with(&user, json!({"iss": "https://first-shop.myshopify.com"})),
            ),
        ],
    );
    provider.signs = Signs::Hs256;
    provider
}
