//! Two issuers side by side.

use flask_pyjwt::{AuthType, testing::TestIssuer};
use support::{SECRET, config, frozen, manager};

use super::site;

#[actix_web::test]
async fn issuers_do_not_vouch_for_each_other() {
    let clock = frozen();
    let [keycloak, other] = [TestIssuer::keycloak(), TestIssuer::keycloak()];
    let (keycloak, other) = (keycloak.clock(clock.clone()), other.clock(clock.clone()));
    let entra = TestIssuer::entra().clock(clock.clone());
    assert_ne!(keycloak.url(), other.url());
    let config = config(AuthType::HS256, SECRET).clock(clock);
    let config = config.trust(keycloak.issuer()).trust(entra.issuer());
    let auth = manager(config);
    auth.fetch_keys().await;
    let site = site(auth).await;
    site.accepts(&keycloak.token("alice").sign(), "keycloak")
        .await;
    site.accepts(&entra.token("alice").sign(), "entra").await;
    let stranger = other.token("alice");
    site.refuses(
        &stranger.sign(),
        "token_issuer",
        "an issuer that is not trusted",
    )
    .await;
    let in_its_name = stranger.claim("iss", keycloak.url()).sign();
    site.refuses(&in_its_name, "token_unknown_key", "in another's name")
        .await;
    let in_its_name = entra.token("alice").claim("iss", keycloak.url()).sign();
    let reply = site.get("/", &in_its_name).await;
    assert_eq!(reply.status, 401);
}
