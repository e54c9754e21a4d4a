//! THREATS rows 18, 19, 21, 22, 24, 25, 34 and 42: the claims of a genuine token, and the clock.

mod common;

use flask_pyjwt::{AuthType, FrozenClock, MintError, TokenError};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use self::common::{
    ISSUER, NOW, SECRET, at, claims, claims_with,
    forge::{Key, forge},
    guarded_site, header, hs256, manager,
    site::Site,
};

const MISSING: &str = "token_missing_claim";
const MISTYPED: &str = "token_mistyped_claim";
const EXPIRED: &str = "token_expired";
const EARLY: &str = "token_not_yet_valid";

/// A token with this payload under a good header and signature.
fn token(payload: impl AsRef<[u8]>) -> String {
    forge(header(AuthType::HS256), payload, &Key::Hs256(SECRET))
}

/// The good claims, one of which is this text. `""` leaves it out.
fn with(name: &str, literal: &str) -> String {
    let mut members: Vec<_> = claims()
        .as_object()
        .expect("an object")
        .iter()
        .filter(|(own, _)| *own != name)
        .map(|(own, value)| format!("{own:?}:{value}"))
        .collect();
    if !literal.is_empty() {
        members.push(format!("{name:?}:{literal}"));
    }
    format!("{{{}}}", members.join(","))
}

/// Asks with the claim as each of these texts; the reason is empty where it is accepted.
async fn judge(site: &Site, name: &str, rows: &[(&str, &str)]) {
    for (literal, reason) in rows {
        let payload = with(name, literal);
        match *reason {
            "" => site.accepts(&token(&payload), &payload).await,
            reason => site.refuses(&token(&payload), reason, &payload).await,
        }
    }
}

/// What is no moment, whatever the claim.
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
async fn threat_18_exp_is_a_moment_later_than_now() {
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
async fn threat_18_a_token_expires_at_that_very_moment() {
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
    // The second time, and the other way round, tokens have been seen before.
    for (second, part, expected) in moments.iter().chain(&moments).chain(moments.iter().rev()) {
        clock.set(at(NOW + second) + *part);
        let refused = auth.verify_token(token.signed()).err();
        assert_eq!(
            refused.map(|error| error.code()),
            *expected,
            "{second} {part}"
        );
    }
}

#[actix_web::test]
async fn threat_19_iat_and_nbf_are_moments_that_have_come() {
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
    // `exp` before `iat`, both past; `nbf` counts where `iat` is good, and the other way round.
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
async fn threat_20_leeway_counts_for_every_moment_and_no_further() {
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
async fn threat_21_the_issuer_is_exactly_the_configured_one() {
    let site = guarded_site(hs256()).await;
    for other in [
        "",
        "https://issuer.exampl",
        "https://issuer.example/",
        "https://issuer.example.evil",
        "HTTPS://issuer.example",
        "https://Issuer.example",
        "http://issuer.example",
        " https://issuer.example",
        "https://issuer.example\0",
        "https://issuer.example\n",
        "https://\u{456}ssuer.example",
        "*",
        "null",
    ] {
        judge(&site, "iss", &[(&json!(other).to_string(), "token_issuer")]).await;
    }
    for value in [
        json!([ISSUER]),
        json!({"iss": ISSUER}),
        json!(7),
        json!(true),
        Value::Null,
    ] {
        judge(&site, "iss", &[(&value.to_string(), MISTYPED)]).await;
    }
    judge(&site, "iss", &[("", MISSING)]).await;
    judge(&site, "iss", &[(r#""https:\/\/issuer\u002eexample""#, "")]).await;
}

#[actix_web::test]
async fn threat_21_a_configured_audience_is_required_and_has_to_be_named() {
    let site = guarded_site(hs256().audience("api")).await;
    judge(
        &site,
        "aud",
        &[
            ("", MISSING),
            ("null", MISTYPED),
            ("7", MISTYPED),
            ("true", MISTYPED),
            ("{}", MISTYPED),
            (r#"{"api":true}"#, MISTYPED),
            (r#"["api",7]"#, MISTYPED),
            (r#"["api",null]"#, MISTYPED),
            (r#"["api",["api"]]"#, MISTYPED),
            (r#"[["api"]]"#, MISTYPED),
            (r#"[{"aud":"api"}]"#, MISTYPED),
            ("[]", "token_audience"),
            (r#""""#, "token_audience"),
            (r#"[""]"#, "token_audience"),
            (r#""API""#, "token_audience"),
            (r#""api ""#, "token_audience"),
            (r#""ap""#, "token_audience"),
            (r#""apis""#, "token_audience"),
            (r#""other api""#, "token_audience"),
            (r#""api,other""#, "token_audience"),
            (r#"["other"]"#, "token_audience"),
            (r#""*""#, "token_audience"),
            (r#""api""#, ""),
            (r#"["api"]"#, ""),
            (r#"["other","api"]"#, ""),
            (r#""\u0061pi""#, ""),
        ],
    )
    .await;
}

#[actix_web::test]
async fn threat_21_without_a_configured_audience_a_token_that_has_one_is_refused() {
    let site = guarded_site(hs256()).await;
    for audience in ["\"api\"", "[]", "[\"api\"]", "null", "\"\"", "7", "{}"] {
        judge(&site, "aud", &[(audience, "token_audience")]).await;
    }
}

#[actix_web::test]
async fn threat_22_a_subject_is_a_text_without_control_characters() {
    let site = guarded_site(hs256()).await;
    let strict = [
        ("", MISSING),
        ("\"\"", MISTYPED),
        ("null", MISTYPED),
        ("true", MISTYPED),
        ("[]", MISTYPED),
        ("[\"alice\"]", MISTYPED),
        ("{}", MISTYPED),
        ("1.5", MISTYPED),
        ("42.0", MISTYPED),
        ("4.2e1", MISTYPED),
        ("-0", MISTYPED),
        ("18446744073709551616", MISTYPED),
        (r#""alice\u0000""#, MISTYPED),
        (r#""alice\n""#, MISTYPED),
        (r#""a\r\nSet-Cookie: x""#, MISTYPED),
        (r#""\t""#, MISTYPED),
        (r#""alice\u001b[31m""#, MISTYPED),
        (r#""\u007f""#, MISTYPED),
        (r#""\u0085""#, MISTYPED),
        (r#""\u009f""#, MISTYPED),
        ("\"alice\u{85}\"", MISTYPED),
        ("\"alice\u{7f}\"", MISTYPED),
        (r#"" ""#, ""),
        (r#""null""#, ""),
        (r#""é 😀 \" \\""#, ""),
    ];
    judge(&site, "sub", &strict).await;
    let integers = ["42", "0", "-7", "18446744073709551615"];
    for integer in integers {
        judge(&site, "sub", &[(integer, MISTYPED)]).await;
    }
    // Old fleets' integers are let in on demand, and nothing else is.
    let lenient = guarded_site(hs256().integer_subjects(true)).await;
    judge(&lenient, "sub", &strict).await;
    for integer in integers {
        let reply = lenient.get("/", &token(with("sub", integer))).await;
        assert_eq!((reply.status, reply.text()), (200, integer));
    }
}

#[actix_web::test]
async fn threat_24_a_token_is_of_the_type_that_the_route_wants() {
    let site = guarded_site(hs256()).await;
    for (literal, on_auth, on_refresh) in [
        ("\"auth\"", "", "token_wrong_type"),
        ("\"refresh\"", "token_wrong_type", ""),
        ("\"\\u0061uth\"", "", "token_wrong_type"),
        ("\"Auth\"", MISTYPED, MISTYPED),
        ("\"AUTH\"", MISTYPED, MISTYPED),
        ("\"Refresh\"", MISTYPED, MISTYPED),
        ("\"auth \"", MISTYPED, MISTYPED),
        ("\"access\"", MISTYPED, MISTYPED),
        ("\"authrefresh\"", MISTYPED, MISTYPED),
        ("\"auth,refresh\"", MISTYPED, MISTYPED),
        ("\"\"", MISTYPED, MISTYPED),
        ("[\"auth\"]", MISTYPED, MISTYPED),
        ("[\"auth\",\"refresh\"]", MISTYPED, MISTYPED),
        ("{\"auth\":true}", MISTYPED, MISTYPED),
        ("null", MISTYPED, MISTYPED),
        ("true", MISTYPED, MISTYPED),
        ("0", MISTYPED, MISTYPED),
        ("", MISSING, MISSING),
    ] {
        let payload = with("type", literal);
        for (path, reason) in [("/", on_auth), ("/refresh", on_refresh)] {
            let reply = site.get(path, &token(&payload)).await;
            let what = format!("{path} {payload}");
            match reason {
                "" => assert_eq!(reply.outcome(), (200, ""), "{what}"),
                reason => reply.is_refused(401, "invalid_token", reason, &what),
            }
        }
    }
    let auth = manager(hs256());
    let minted = [
        auth.auth_token("alice").sign().expect("minted"),
        auth.refresh_token("alice").sign().expect("minted"),
    ];
    for (token, own, other) in [(&minted[0], "/", "/refresh"), (&minted[1], "/refresh", "/")] {
        assert_eq!(site.get(own, token.signed()).await.outcome(), (200, ""));
        let reply = site.get(other, token.signed()).await;
        reply.is_refused(401, "invalid_token", "token_wrong_type", other);
        assert_eq!(
            reply.json()["error_description"],
            "A token of another type is required"
        );
    }
}

#[test]
fn threat_25_claims_of_the_managers_own_cannot_be_minted_over() {
    let auth = manager(hs256());
    for reserved in [
        "iss", "sub", "iat", "exp", "nbf", "aud", "type", "rid", "jti", "cnf",
    ] {
        for value in [json!(1), json!("x"), Value::Null, json!([])] {
            let minted = auth
                .auth_token("alice")
                .claim("good", 1)
                .claim(reserved, value)
                .claim("good", 2)
                .sign();
            match minted {
                Err(MintError::ReservedClaim { name }) => assert_eq!(name, reserved),
                other => panic!("{reserved}: {other:?}"),
            }
        }
    }
    // Names that only look alike are claims like any other.
    let token = auth
        .auth_token("alice")
        .claim("EXP", 1)
        .claim("exp ", 2)
        .claim("", 3)
        .claim("\u{435}xp", 4)
        .sign()
        .expect("minted");
    assert_eq!(token.exp(), at(NOW + 3_600));
    assert!(auth.verify_token(token.signed()).is_ok());
}

#[test]
fn threat_25_what_verification_would_refuse_is_not_minted() {
    let auth = manager(hs256().max_token_size(2_000));
    let refused = |subject: &str| match auth.auth_token(subject).sign() {
        Err(MintError::Refused(error)) => error,
        other => panic!("{subject:?}: {other:?}"),
    };
    for subject in ["", "a\0", "a\n", "\u{7f}", "\u{85}"] {
        assert_eq!(
            refused(subject),
            TokenError::MistypedClaim("sub"),
            "{subject:?}"
        );
        assert!(auth.refresh_token(subject).sign().is_err(), "{subject:?}");
    }
    let deep = (0..70).fold(json!(1), |value, _| json!([value]));
    let minted = auth.auth_token("alice").claim("x", deep).sign();
    assert!(
        matches!(minted, Err(MintError::Refused(TokenError::Payload))),
        "{minted:?}"
    );
    let minted = auth
        .auth_token("alice")
        .claim("x", "x".repeat(2_000))
        .sign();
    assert!(
        matches!(minted, Err(MintError::TooLarge { limit: 2_000, .. })),
        "{minted:?}"
    );
    let no_text = std::collections::BTreeMap::from([([1_u8], 1)]);
    let minted = auth.auth_token("alice").claim("x", no_text).sign();
    assert!(
        matches!(minted, Err(MintError::NoJson { .. })),
        "{minted:?}"
    );
}

#[actix_web::test]
async fn threat_34_a_token_that_is_bound_to_a_key_is_no_bearer_token() {
    let site = guarded_site(hs256()).await;
    for confirmation in [
        r#"{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#,
        r#"{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}"#,
        r#"{"jwk":{"kty":"oct"}}"#,
        r#"{"kid":"x"}"#,
        "{}",
        "[]",
        "null",
        "false",
        "\"\"",
    ] {
        judge(&site, "cnf", &[(confirmation, "token_bound")]).await;
    }
    let escaped = with("x", "1").replace("\"x\"", r#""\u0063nf""#);
    site.refuses(&token(escaped), "token_bound", "escaped")
        .await;
    let nested = claims_with(json!({"act": {"cnf": {"jkt": "x"}}}));
    site.accepts(&token(nested), "not the token's own").await;
}

#[actix_web::test]
async fn threat_42_a_clock_before_1970_or_after_9999_refuses_everything() {
    let clock = FrozenClock::new(at(NOW));
    let auth = manager(hs256().clock(clock.clone()));
    let site = Site::new(common::guarded(&auth)).await;
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
async fn threat_42_a_clock_that_steps_back_makes_tokens_early_not_eternal() {
    let clock = FrozenClock::new(at(NOW));
    let auth = manager(hs256().clock(clock.clone()));
    let site = Site::new(common::guarded(&auth)).await;
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
