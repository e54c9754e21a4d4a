//! `docs/threats.md` 49: the work for a token before its signature is verified is bounded.
//! `benches/callgrind.sh` counts its cost.

use flask_pyjwt::{AuthManager, AuthType, Issuer, Key as IssuerKey, TokenError};

use super::{KEY, SECRET};
use support::{claims, forge::forge, guarded_site, hs256, manager};

const OTHER: &str = "https://other.example";

/// A header of so many bytes.
fn header_of(size: usize) -> String {
    let header = |padding: usize| {
        let x5c = "M".repeat(padding);
        format!(r#"{{"alg":"HS256","typ":"JWT","x5c":["{x5c}"]}}"#)
    };
    let header = header(size - header(0).len());
    assert_eq!(header.len(), size);
    header
}

/// By default 2 KiB: a quarter of the longest token.
#[actix_web::test]
async fn a_header_of_more_than_2_kib_is_refused() {
    let site = guarded_site(hs256()).await;
    let token = |header: &str| forge(header, claims().to_string(), &KEY);
    for size in [100, 2_047, 2_048] {
        site.accepts(&token(&header_of(size)), &size.to_string())
            .await;
    }
    for size in [2_049, 2_050, 2_051, 4_000] {
        // The header is not read.
        for header in [header_of(size), "x".repeat(size)] {
            site.refuses(&token(&header), "token_too_large", &size.to_string())
                .await;
        }
    }
}

#[test]
fn the_header_limit_can_be_raised_for_certificates() {
    let issuer = || {
        Issuer::new(OTHER)
            .key(IssuerKey::new(AuthType::HS256, SECRET))
            .any_audience(true)
    };
    let claims = claims().to_string().replace(super::ISSUER, OTHER);
    let verify = |auth: &AuthManager, size: usize| {
        let token = forge(header_of(size), &claims, &KEY);
        auth.verify_token(&token).err()
    };
    let usual = manager(hs256().trust(issuer()));
    assert_eq!(verify(&usual, 2_048), None);
    assert_eq!(verify(&usual, 2_049), Some(TokenError::TooLarge));
    let roomy = manager(hs256().trust(issuer().max_header_size(5_000)));
    assert_eq!(verify(&roomy, 5_000), None);
    assert_eq!(verify(&roomy, 5_001), Some(TokenError::TooLarge));
    for wrong in [0, 255, (1 << 20) + 1, usize::MAX] {
        let config = hs256().trust(issuer().max_header_size(wrong));
        assert!(AuthManager::new(config).is_err(), "{wrong}");
    }
}

/// More values than any issuer needs would take long to read for their size.
#[actix_web::test]
async fn more_than_840_names_and_values_are_refused() {
    let site = guarded_site(hs256()).await;
    let claims = claims();
    let object = claims.as_object().expect("an object");
    assert!(
        object
            .values()
            .all(|value| !value.is_array() && !value.is_object())
    );
    // Including the name and the array.
    let room = 840 - 2 * object.len() - 2;
    let token = |count: usize| {
        let claims = claims.to_string();
        let groups = vec!["0"; count].join(",");
        let claims = claims.replacen('{', &format!("{{\"groups\":[{groups}],"), 1);
        forge(r#"{"alg":"HS256","typ":"JWT"}"#, claims, &KEY)
    };
    site.accepts(&token(room), "as many as may be").await;
    site.refuses(&token(room + 1), "token_too_large", "one more")
        .await;
    let group = "0c5ba2a5-0a0f-4e1f-9a3c-0123456789ab";
    let groups: Vec<_> = (0..200).map(|n| format!("{group}{n}")).collect();
    let roomy = guarded_site(hs256().max_token_size(1 << 16)).await;
    let claims = support::claims_with(serde_json::json!({ "groups": groups }));
    let token = forge(r#"{"alg":"HS256","typ":"JWT"}"#, claims, &KEY);
    roomy
        .accepts(&token, "as many groups as Entra writes")
        .await;
}

#[actix_web::test]
async fn numbers_that_no_double_holds_are_refused_and_all_others_accepted() {
    let site = guarded_site(hs256()).await;
    let token = |number: &str| {
        let claims = claims().to_string();
        let claims = claims.replacen('{', &format!("{{\"x\":{number},"), 1);
        forge(r#"{"alg":"HS256","typ":"JWT"}"#, claims, &KEY)
    };
    let largest = "17976931348623157";
    for number in [
        "1.7976931348623157e308",
        "1.7976931348623158e308",
        "-1.79769313486231580793e308",
        &format!("{largest}{}", "0".repeat(292)),
        &format!("0.{}{largest}e320", "0".repeat(11)),
        "0e99999999999999999999",
        "-0.000e400",
        "1e-99999999999999999999",
        &format!("1{}e-200", "0".repeat(350)),
    ] {
        assert!(number.parse::<f64>().is_ok_and(f64::is_finite));
        site.accepts(&token(number), number).await;
    }
    for number in [
        "1.7976931348623159e308",
        "-1.797693134862315808e308",
        "1e309",
        "1e99999999999999999999",
        &format!("18{}", "0".repeat(307)),
        &format!("1{}", "0".repeat(309)),
        &format!("0.{}18e320", "0".repeat(11)),
    ] {
        assert!(
            number.parse::<f64>().is_ok_and(f64::is_infinite),
            "{number}"
        );
        site.refuses(&token(number), "token_payload", number).await;
    }
}
