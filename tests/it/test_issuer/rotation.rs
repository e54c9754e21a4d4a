//! New keys of an issuer.

use flask_pyjwt::testing::TestIssuer;
use time::Duration;

use super::{Setting, is_adfs};

/// Longer than the time between two fetches for unknown keys.
const LATER: Duration = Duration::seconds(11);

#[actix_web::test]
async fn after_a_rotation_tokens_of_both_keys_are_accepted() {
    for issuer in TestIssuer::all() {
        if is_adfs(&issuer) {
            // Its tokens name no key.
            continue;
        }
        let here = Setting::of(issuer).await;
        let what = format!("{:?}", here.issuer);
        let before = here.issuer.token("alice").sign();
        here.issuer.rotate();
        here.clock.advance(LATER);
        let after = here.issuer.token("alice").sign();
        here.site.accepts(&after, &what).await;
        here.site.accepts(&before, &what).await;
    }
}

#[actix_web::test]
async fn a_forgotten_key_is_refused() {
    for issuer in TestIssuer::all() {
        let here = Setting::of(issuer).await;
        let what = format!("{:?}", here.issuer);
        let before = here.issuer.token("alice").sign();
        here.issuer.rotate_and_forget();
        here.auth.fetch_keys().await;
        let after = here.issuer.token("alice").sign();
        here.site.accepts(&after, &what).await;
        here.site.refuses(&before, "token_unknown_key", &what).await;
    }
}

#[actix_web::test]
async fn an_issuer_can_rotate_any_number_of_times() {
    let here = Setting::of(TestIssuer::keycloak()).await;
    let mut last = here.issuer.token("alice").sign();
    for rotation in 0..9 {
        here.issuer.rotate();
        here.clock.advance(LATER);
        let next = here.issuer.token("alice").sign();
        here.site.accepts(&next, &rotation.to_string()).await;
        here.site.accepts(&last, &rotation.to_string()).await;
        last = next;
    }
}
