//! Row 12: base64url and nothing else.

use flask_pyjwt::{AuthType, UnverifiedToken};
use serde_json::json;

use super::{KEY, good};
use support::{
    claims, claims_with,
    forge::{encode, segments, sign_segments},
    guarded_site, header, hs256, manager,
};

/// The character with the next value: as the last one of a segment it has unused bits set.
fn next_character(text: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (head, last) = text.split_at(text.len() - 1);
    let value = ALPHABET.iter().position(|own| [*own] == *last.as_bytes());
    let next = ALPHABET[value.expect("base64url") + 1];
    format!("{head}{}", char::from(next))
}

#[actix_web::test]
async fn threat_12_only_strict_base64url_is_accepted() {
    let site = guarded_site(hs256()).await;
    // 43 characters encode a signature of 32 bytes: the last one has two unused bits.
    let token = good();
    let [head, payload, signature] = segments(&token);
    let trailing_bits = next_character(signature);
    for signature in [
        trailing_bits.as_str(),
        &format!("{signature}="),
        &format!("{signature}=="),
        &format!("{signature}AA="),
        &format!("{signature}+"),
        &format!("{signature}/"),
        &format!("{signature}~"),
        &format!("={signature}"),
        &format!("{}=", &signature[..42]),
        &signature[..41],
        "+/+/",
        "A",
        "=",
        "====",
    ] {
        let token = format!("{head}.{payload}.{signature}");
        site.refuses(&token, "token_encoding", &token).await;
    }
    // The alphabet of plain base64, where a segment contains one of its characters.
    for (url, plain) in [("-", "+"), ("_", "/")] {
        for name in ["", "?", "??", "~", "~~", "\u{3ff}", "x\u{3ff}", "xx\u{3ff}"] {
            let payload = encode(claims_with(json!({"x": name.repeat(3)})));
            let token = sign_segments(head, &payload.replace(url, plain), &KEY);
            if payload.contains(url) {
                site.refuses(&token, "token_encoding", &token).await;
            } else {
                site.accepts(&token, &token).await;
            }
        }
    }
    // The signature covers the text of these segments.
    let padded: Vec<_> = ["", " ", "  "]
        .map(|blank| encode(claims().to_string() + blank))
        .into();
    let mut with_bits = 0;
    for payload in &padded {
        site.accepts(&sign_segments(head, payload, &KEY), payload)
            .await;
        for wrong in [
            format!("{payload}="),
            format!("{payload}=="),
            format!("{payload}/"),
        ] {
            let token = sign_segments(head, &wrong, &KEY);
            site.refuses(&token, "token_encoding", &wrong).await;
        }
        if payload.len() % 4 != 0 {
            with_bits += 1;
            let wrong = next_character(payload);
            let token = sign_segments(head, &wrong, &KEY);
            site.refuses(&token, "token_encoding", &wrong).await;
        }
    }
    assert_eq!(with_bits, 2);
    for blank in ["", " ", "  "] {
        let segment = encode(header(AuthType::HS256) + blank);
        site.accepts(&sign_segments(&segment, payload, &KEY), blank)
            .await;
        let wrong = format!("{segment}=");
        let token = sign_segments(&wrong, payload, &KEY);
        site.refuses(&token, "token_encoding", &wrong).await;
        if !segment.len().is_multiple_of(4) {
            let token = sign_segments(&next_character(&segment), payload, &KEY);
            site.refuses(&token, "token_encoding", blank).await;
        }
    }
}

#[test]
fn threat_12_white_space_and_line_breaks_are_refused() {
    let auth = manager(hs256());
    let good = good();
    for junk in [
        " ", "\t", "\n", "\r\n", "\u{a0}", "\u{feff}", "\0", "\u{2024}", "é", "%",
    ] {
        let [head, payload, signature] = segments(&good);
        for token in [
            format!("{junk}{good}"),
            format!("{good}{junk}"),
            format!("{head}{junk}.{payload}.{signature}"),
            format!("{head}.{junk}{payload}.{signature}"),
            format!(
                "{head}.{}{junk}{}.{signature}",
                &payload[..7],
                &payload[7..]
            ),
            format!(
                "{head}.{payload}.{}{junk}{}",
                &signature[..7],
                &signature[7..]
            ),
            sign_segments(head, &format!("{payload}{junk}"), &KEY),
            sign_segments(&format!("{junk}{head}"), payload, &KEY),
        ] {
            assert!(auth.verify_token(&token).is_err(), "{token:?}");
            assert!(UnverifiedToken::decode(&token).is_err(), "{token:?}");
        }
    }
}
