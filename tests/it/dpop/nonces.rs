//! Nonces: demanded, told, rotated, and old ones refused (RFC 9449, sections 8 and 9).

use flask_pyjwt::testing::FrozenClock;
use time::Duration;

use super::*;
use support::{NOW, at};

fn demanding(clock: &FrozenClock) -> AuthManager {
    manager(hs256().clock(clock.clone()).dpop_nonce(true))
}

/// Asks without a nonce, and returns the one that the answer has.
async fn nonce(site: &Site, token: &str, now: i64) -> String {
    let proof = Proof::new("GET", BOUND).of(token).claim("iat", now).sign();
    let reply = present(site, BOUND, token, &proof).await;
    is_refused(&reply, "use_dpop_nonce", "dpop_nonce", "without a nonce");
    let nonce = reply.field("dpop-nonce").to_owned();
    assert!(nonce.len() > 40, "{nonce}");
    nonce
}

#[actix_web::test]
async fn a_proof_with_the_nonce_of_the_challenge_is_accepted() {
    let clock = support::frozen();
    let auth = demanding(&clock);
    let site = site(&auth).await;
    let token = token(&auth);
    let nonce = nonce(&site, &token, NOW).await;
    for iat in [NOW, NOW - 299, NOW + 299] {
        let proof = Proof::new("GET", BOUND).of(&token).claim("nonce", &*nonce);
        let reply = present(&site, BOUND, &token, &proof.claim("iat", iat).sign()).await;
        assert_eq!(
            (reply.outcome(), reply.field("dpop-nonce")),
            ((200, ""), ""),
            "{iat}"
        );
    }
    let old = Proof::new("GET", BOUND).of(&token).claim("nonce", &*nonce);
    let reply = present(&site, BOUND, &token, &old.claim("iat", NOW - 301).sign()).await;
    is_refused(&reply, "invalid_dpop_proof", "dpop_time", "old");
}

#[actix_web::test]
async fn threat_63_a_nonce_of_yesterday_and_a_forged_one_are_refused() {
    let clock = FrozenClock::new(at(NOW - NOW % 300));
    let auth = demanding(&clock);
    let site = site(&auth).await;
    let token = token(&auth);
    let mut now = NOW - NOW % 300;
    let first = nonce(&site, &token, now).await;
    let present_with = async |nonce: &str, now: i64| {
        let proof = Proof::new("GET", BOUND).of(&token).claim("nonce", nonce);
        present(&site, BOUND, &token, &proof.claim("iat", now).sign()).await
    };
    // The next one is told before the first one ends.
    clock.advance(Duration::seconds(300));
    now += 300;
    let reply = present_with(&first, now).await;
    assert_eq!(reply.outcome(), (200, ""));
    let second = reply.field("dpop-nonce").to_owned();
    assert_ne!(second, first);
    clock.advance(Duration::seconds(300));
    now += 300;
    for nonce in [
        &*first,
        "",
        "x",
        &format!("{}.{}", now / 300, "A".repeat(48)),
    ] {
        let reply = present_with(nonce, now).await;
        is_refused(&reply, "use_dpop_nonce", "dpop_nonce", nonce);
    }
    let (step, tag) = second.split_once('.').expect("two parts");
    let later = format!("{}.{tag}", step.parse::<i64>().expect("a number") + 1);
    is_refused(
        &present_with(&later, now).await,
        "use_dpop_nonce",
        "dpop_nonce",
        "later",
    );
    assert_eq!(present_with(&second, now).await.outcome(), (200, ""));
}

#[actix_web::test]
async fn a_fleet_shares_its_nonces() {
    let clock = support::frozen();
    let [one, other] = [(); 2].map(|()| demanding(&clock));
    let token = token(&one);
    let nonce = nonce(&site(&one).await, &token, NOW).await;
    let proof = || Proof::new("GET", BOUND).of(&token).claim("nonce", &*nonce);
    let reply = present(&site(&other).await, BOUND, &token, &proof().sign()).await;
    assert_eq!(reply.outcome(), (200, ""));

    // Another secret makes others.
    let apart = hs256()
        .clock(clock)
        .dpop_nonce(true)
        .dpop_nonce_secret([7; 32]);
    let reply = present(&site(&manager(apart)).await, BOUND, &token, &proof().sign()).await;
    is_refused(&reply, "use_dpop_nonce", "dpop_nonce", "another secret");
}

/// Otherwise no client of such a server could ever make a proof.
#[actix_web::test]
async fn an_answer_of_the_application_has_the_nonce_too() {
    let config = hs256().clock(support::frozen()).dpop_nonce(true);
    let auth = manager(config.on_rejection(|_, _, _| HttpResponse::Unauthorized().body("own")));
    let site = site(&auth).await;
    let token = token(&auth);
    let proof = Proof::new("GET", BOUND).of(&token).claim("iat", NOW).sign();
    let reply = present(&site, BOUND, &token, &proof).await;
    assert_eq!((reply.status, reply.text()), (401, "own"));
    assert!(reply.field("dpop-nonce").len() > 40);
}
