//! Rows 18 to 20 and 42: when a token is valid, and wrong clocks.

use flask_pyjwt::{MintError, TokenError, testing::FrozenClock};
use serde_json::json;
use time::{Duration, OffsetDateTime};

use super::{MISSING, MISTYPED, judge, token};
use support::{NOW, at, claims_with, guarded, guarded_site, hs256, manager, site::Site};

const EXPIRED: &str = "token_expired";
const EARLY: &str = "token_not_yet_valid";

/// Values that are not a time, in any claim.
const NO_MOMENTS: [&str; 20] = [
    "\"1800000000\"",
    "\"\"",
    "\"2037-01-01T00:00:00Z\"",
    "true",
    "false",
    "null",
    "[]",
    "[1800003590]",
    "{}",
    "-1",
    "-1800003590",
    "-0.5",
    "1e300",
    "-1e300",
    "253402300800",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "1800003590000000",
];

#[actix_web::test]
async fn threat_18_exp_must_be_later_than_now() {
    let site = guarded_site(hs256()).await;
    for literal in NO_MOMENTS {
        judge(&site, "exp", &[(literal, MISTYPED)]).await;
    }
    for literal in ["NaN", "Infinity", "1e400", "0x7fffffff", "1_800_003_590"] {
        judge(&site, "exp", &[(literal, "token_payload")]).await;
    }
    judge(
        &site,
        "exp",
        &[
            ("", MISSING),
            ("0", EXPIRED),
            ("-0", EXPIRED),
            ("0.0", EXPIRED),
            ("1799999999", EXPIRED),
            ("1799999999.999", EXPIRED),
            ("1800000000", EXPIRED),
            ("1800000000.0", EXPIRED),
            ("1.8e9", EXPIRED),
            ("1800000000.5", ""),
            ("1800000001", ""),
            ("1.800000001e9", ""),
            ("253402300799", ""),
        ],
    )
    .await;
}

#[actix_web::test]
async fn threat_18_a_token_is_expired_in_the_second_of_its_exp() {
    let clock = FrozenClock::new(at(NOW));
    let auth = manager(hs256().clock(clock.clone()));
    let token = auth.auth_token("alice").sign().expect("minted");
    let moments = [
        (-1, Duration::ZERO, Some(EARLY)),
        (0, Duration::nanoseconds(-1), Some(EARLY)),
        (0, Duration::ZERO, None),
        (3_599, Duration::milliseconds(999), None),
        (3_600, Duration::nanoseconds(-1), None),
        (3_600, Duration::ZERO, Some(EXPIRED)),
        (3_601, Duration::ZERO, Some(EXPIRED)),
        (1_000_000, Duration::ZERO, Some(EXPIRED)),
    ];
    // The second time, and in the other order, the tokens were seen before.
    for (second, part, expected) in moments.iter().chain(&moments).chain(moments.iter().rev()) {
        clock.set(at(NOW + second) + *part);
        let refused = auth.verify_token(token.signed()).err();
        assert_eq!(
            refused.map(|error| error.reason()),
            *expected,
            "{second} {part}"
        );
    }
}

#[actix_web::test]
async fn threat_19_iat_and_nbf_must_not_be_in_the_future() {
    let site = guarded_site(hs256()).await;
    for name in ["iat", "nbf"] {
        for literal in NO_MOMENTS {
            judge(&site, name, &[(literal, MISTYPED)]).await;
        }
        judge(
            &site,
            name,
            &[
                ("1800000001", EARLY),
                ("1800000000.25", EARLY),
                ("1800003590", EARLY),
                ("253402300799", EARLY),
                ("1800000000", ""),
                ("1799999999.5", ""),
                ("0", ""),
            ],
        )
        .await;
    }
    judge(&site, "iat", &[("", MISSING)]).await;
    // `exp` is before `iat`, and both are in the past. `nbf` counts where `iat` is valid, and vice versa.
    let payload = claims_with(json!({"iat": NOW - 5, "exp": NOW - 10}));
    site.refuses(&token(payload), EXPIRED, "exp before iat")
        .await;
    let payload = claims_with(json!({"iat": NOW + 1, "nbf": NOW - 10}));
    site.refuses(&token(payload), EARLY, "iat later than nbf")
        .await;
}

#[actix_web::test]
async fn threat_19_a_lifetime_above_the_maximum_is_refused() {
    let day = Duration::days(1);
    let config = hs256()
        .auth_max_age(day)
        .refresh_max_age(day)
        .max_lifetime(day);
    let site = guarded_site(config).await;
    for (iat, exp, reason) in [
        (json!(NOW), json!(NOW + 86_400), ""),
        (json!(NOW - 1), json!(NOW + 86_399), ""),
        (json!(NOW), json!(NOW + 86_401), "token_lifetime"),
        (json!(NOW - 1), json!(NOW + 86_400), "token_lifetime"),
        (json!(0), json!(NOW + 1), "token_lifetime"),
        (json!(NOW), json!(253_402_300_799_i64), "token_lifetime"),
    ] {
        let payload = claims_with(json!({"iat": iat, "exp": exp}));
        match reason {
            "" => site.accepts(&token(&payload), &payload).await,
            reason => site.refuses(&token(&payload), reason, &payload).await,
        }
    }
}

#[actix_web::test]
async fn threat_20_leeway_applies_to_exp_iat_and_nbf_and_is_exact() {
    let site = guarded_site(hs256().leeway(Duration::seconds(60))).await;
    let rows = [
        ("exp", NOW - 60, EXPIRED),
        ("exp", NOW - 59, ""),
        ("iat", NOW + 60, ""),
        ("iat", NOW + 61, EARLY),
        ("nbf", NOW + 60, ""),
        ("nbf", NOW + 61, EARLY),
    ];
    for (name, moment, reason) in rows {
        judge(&site, name, &[(&moment.to_string(), reason)]).await;
    }
}

#[actix_web::test]
async fn threat_42_a_clock_before_1970_or_after_9999_refuses_everything() {
    let clock = FrozenClock::new(at(NOW));
    let auth = manager(hs256().clock(clock.clone()));
    let site = Site::new(guarded(&auth)).await;
    let good = auth.auth_token("alice").sign().expect("minted");
    let eternal = token(claims_with(json!({"iat": 0, "exp": 253_402_300_799_i64})));
    site.accepts(good.signed(), "now").await;
    site.accepts(&eternal, "now").await;

    let never = [
        at(-1),
        at(0) - Duration::nanoseconds(1),
        at(-100_000_000_000),
        time::macros::datetime!(-9999-01-01 00:00 UTC),
        OffsetDateTime::UNIX_EPOCH.saturating_sub(Duration::MAX),
    ];
    for moment in never {
        clock.set(moment);
        let what = moment.to_string();
        site.refuses(good.signed(), "token_clock", &what).await;
        site.refuses(&eternal, "token_clock", &what).await;
        site.refuses("a.b.c", "token_encoding", &what).await;
        for minted in [
            auth.auth_token("alice").sign(),
            auth.refresh_token("alice").sign(),
        ] {
            let minted = minted.map(|token| token.exp());
            assert!(
                matches!(minted, Err(MintError::Refused(TokenError::Clock))),
                "{what}: {minted:?}"
            );
        }
    }
    clock.set(at(0));
    site.refuses(good.signed(), EARLY, "1970").await;
    site.accepts(&eternal, "1970").await;
    clock.set(time::macros::datetime!(9999-12-31 23:59:59 UTC));
    site.refuses(good.signed(), EXPIRED, "9999").await;
    site.refuses(&eternal, EXPIRED, "9999").await;
    let minted = auth.auth_token("alice").sign().map(|token| token.exp());
    assert!(
        matches!(
            minted,
            Err(MintError::Refused(TokenError::MistypedClaim("exp")))
        ),
        "{minted:?}"
    );
    clock.advance(Duration::MAX);
    clock.advance(Duration::MIN);
    site.refuses(&eternal, "token_clock", "the beginning of the calendar")
        .await;
}

#[actix_web::test]
async fn threat_42_a_clock_that_steps_back_makes_tokens_early_and_extends_none() {
    let clock = FrozenClock::new(at(NOW));
    let auth = manager(hs256().clock(clock.clone()));
    let site = Site::new(guarded(&auth)).await;
    let minted = auth.auth_token("alice").sign().expect("minted");
    for _ in 0..3 {
        clock.set(at(NOW));
        site.accepts(minted.signed(), "now").await;
        clock.advance(Duration::seconds(-1));
        site.refuses(minted.signed(), EARLY, "a second ago").await;
        clock.advance(Duration::seconds(3_600));
        site.accepts(minted.signed(), "its last second").await;
        clock.advance(Duration::seconds(1));
        site.refuses(minted.signed(), EXPIRED, "expired").await;
        clock.advance(Duration::days(-365));
        site.refuses(minted.signed(), EARLY, "a year ago").await;
    }
}
