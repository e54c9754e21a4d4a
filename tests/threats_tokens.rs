//! THREATS rows 12 to 17 and 23: the form of a token, its base64url, its header and its JSON.

mod common;

use flask_pyjwt::{AuthType, UnverifiedToken};
use serde_json::json;

use self::common::{
    ISSUER, NOW, SECRET, claims, claims_with, config,
    forge::{Key, encode, forge, segments, sign_segments},
    guarded_site, header, hs256,
};

const KEY: Key<'_> = Key::Hs256(SECRET);

fn good() -> String {
    forge(header(AuthType::HS256), claims().to_string(), &KEY)
}

/// A token with this payload text under a good header.
fn with_payload(payload: impl AsRef<[u8]>) -> String {
    forge(header(AuthType::HS256), payload, &KEY)
}

/// The good claims as members, without the braces.
fn members() -> String {
    let claims = claims().to_string();
    claims[1..claims.len() - 1].to_owned()
}

/// The character whose value is one more: the last one of a segment then has unused bits set.
fn next_character(text: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (head, last) = text.split_at(text.len() - 1);
    let value = ALPHABET.iter().position(|own| [*own] == *last.as_bytes());
    let next = ALPHABET[value.expect("base64url") + 1];
    format!("{head}{}", char::from(next))
}

#[actix_web::test]
async fn threat_12_only_strict_base64url_is_read() {
    let site = guarded_site(hs256()).await;
    // 43 characters of a 32-byte signature: the last one has two unused bits.
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
    // The alphabet of plain base64, where a segment has one of its characters.
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
    // Segments whose very text is signed.
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
fn threat_12_white_space_and_line_breaks_are_refused_where_http_does_not_do_it() {
    let auth = common::manager(hs256());
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

#[actix_web::test]
async fn threat_13_a_token_has_three_segments_none_of_which_is_empty() {
    let site = guarded_site(hs256()).await;
    let token = good();
    let [head, payload, signature] = segments(&token);
    for token in [
        ".",
        "..",
        "...",
        "....",
        head,
        &format!("{head}."),
        &format!(".{payload}"),
        &format!("{head}.{payload}"),
        &format!("{head}.{payload}."),
        &format!("{head}..{signature}"),
        &format!(".{payload}.{signature}"),
        &format!("{head}.{payload}.{signature}."),
        &format!(".{head}.{payload}.{signature}"),
        &format!("{head}..{payload}.{signature}"),
        &format!("{head}.{payload}.{signature}.{signature}"),
        &format!("{head}.{payload}.{signature}.{signature}.{signature}"),
        // A JWE's five segments, the first of which is a header.
        &format!(
            "{}.AA.AA.{payload}.{signature}",
            encode(r#"{"alg":"dir","enc":"A128GCM"}"#)
        ),
        &[head; 100].join("."),
    ] {
        site.refuses(token, "token_form", token).await;
    }
    // JSON serialization and detached payloads are no Bearer tokens.
    let auth = common::manager(hs256());
    for token in [
        String::new(),
        json!({"payload": payload, "protected": head, "signature": signature}).to_string(),
        json!({"payload": payload, "signatures": [{"protected": head, "signature": signature}]})
            .to_string(),
    ] {
        assert!(auth.verify_token(&token).is_err(), "{token}");
    }
    // A token inside a token.
    for header in [
        r#"{"alg":"HS256","typ":"JWT","cty":"JWT"}"#,
        r#"{"alg":"HS256","typ":"JWT"}"#,
    ] {
        let nested = forge(header, &token, &KEY);
        site.refuses(&nested, "token_payload", header).await;
    }
}

#[actix_web::test]
async fn threat_14_extensions_of_the_header_are_refused() {
    let site = guarded_site(hs256()).await;
    for member in [
        r#""crit":["exp"],"exp":1"#,
        r#""crit":["b64"],"b64":false"#,
        r#""crit":["b64"],"b64":true"#,
        r#""crit":["unknown"]"#,
        r#""crit":["http://example.com/x"],"http://example.com/x":true"#,
        r#""crit":[]"#,
        r#""crit":null"#,
        r#""crit":"exp""#,
        r#""crit":{}"#,
        r#""crit":["alg","alg"]"#,
        r#""\u0063rit":["x"]"#,
        r#""b64":false"#,
        r#""b64":true"#,
        r#""b64":null"#,
        r#""b6\u0034":false"#,
        r#""zip":"DEF""#,
        r#""zip":null"#,
    ] {
        for header in [
            format!(r#"{{"alg":"HS256","typ":"JWT",{member}}}"#),
            format!(r#"{{{member},"alg":"HS256","typ":"JWT"}}"#),
            // Whatever else is wrong: never a 500.
            format!(r#"{{"alg":"none",{member}}}"#),
        ] {
            let token = forge(&header, claims().to_string(), &KEY);
            site.refuses(&token, "token_critical", &header).await;
        }
    }
    // RFC 7797: the payload as it is, with a dot in it even.
    let head = encode(r#"{"alg":"HS256","typ":"JWT","b64":false,"crit":["b64"]}"#);
    let unencoded = sign_segments(&head, "payload", &KEY);
    site.refuses(&unencoded, "token_critical", "b64").await;
    // What no rule names is passed over.
    let header = r#"{"alg":"HS256","typ":"JWT","CRIT":["x"],"x":{"crit":[]}}"#;
    site.accepts(&forge(header, claims().to_string(), &KEY), header)
        .await;
}

#[actix_web::test]
async fn threat_15_a_member_twice_is_refused_at_any_depth_in_any_spelling() {
    let site = guarded_site(hs256()).await;
    let members = members();
    for (own, other) in [
        (r#""sub":"alice""#, r#""sub":"root""#),
        (r#""sub":"alice""#, r#""\u0073ub":"root""#),
        (r#""sub":"alice""#, r#""s\u0075\u0062":"alice""#),
        (r#""type":"auth""#, r#""type":"refresh""#),
        (r#""type":"auth""#, r#""typ\u0065":"auth""#),
    ] {
        assert!(members.contains(own));
        for payload in [
            format!("{{{other},{members}}}"),
            format!("{{{members},{other}}}"),
        ] {
            site.refuses(&with_payload(&payload), "token_duplicate_member", &payload)
                .await;
        }
    }
    let many = |count: usize| {
        let members = (0..count).map(|number| format!(r#""m{number}":{number},"#));
        members.collect::<String>()
    };
    for extra in [
        r#""x":1,"x":1"#,
        r#""":1,"":2"#,
        r#""x":{"a":1,"a":2}"#,
        r#""x":{"a":1,"b":{"c":[0,{"d":1,"e":2,"d":3}]}}"#,
        r#""x":[[[{"a":1,"\u0061":1}]]]"#,
        r#""é":1,"\u00e9":1"#,
        r#""😀":1,"\ud83d\ude00":1"#,
        r#""\ud83d\uDE00":1,"\uD83d\ude00":1"#,
        r#""a\/b":1,"a/b":1"#,
        r#""\n":1,"\u000a":1"#,
        r#""\u005c":1,"\\":1"#,
        r#""x":{"\"":1,"\u0022":1}"#,
        &format!(r#"{}"m0":0"#, many(16)),
        &format!(r#"{}"m15":0"#, many(16)),
        &format!(r#"{}"m399":0"#, many(400)),
        &format!(r#"{}"\u006d17":0"#, many(400)),
    ] {
        let payload = format!("{{{members},{extra}}}");
        let token = with_payload(&payload);
        site.refuses(&token, "token_duplicate_member", &payload)
            .await;
        let header = format!(r#"{{"alg":"HS256","typ":"JWT",{extra}}}"#);
        let token = forge(&header, claims().to_string(), &KEY);
        site.refuses(&token, "token_duplicate_member", &header)
            .await;
    }
    for header in [
        r#"{"alg":"HS256","alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"none","typ":"JWT","alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"JWT","alg":"none"}"#,
        r#"{"alg":"HS256","typ":"JWT","\u0061lg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"JWT","crit":["x"],"crit":["x"]}"#,
        r#"{"alg":"HS256","typ":"JWT","kid":"a","kid":"b"}"#,
    ] {
        let token = forge(header, claims().to_string(), &KEY);
        site.refuses(&token, "token_duplicate_member", header).await;
    }
    // The same name in different objects, and names that only look alike.
    for extra in [
        r#""x":{"sub":"root","x":{"sub":1}},"y":[{"a":1},{"a":1}]"#,
        r#""Sub":"root","sub ":"root","\u0000sub":1,"ѕub":"root""#,
        r#""e\u0301":1,"\u00e9":1"#,
    ] {
        site.accepts(&with_payload(format!("{{{members},{extra}}}")), extra)
            .await;
    }
}

#[actix_web::test]
async fn threat_16_a_payload_is_one_json_object_in_utf_8() {
    let site = guarded_site(hs256()).await;
    let (good, members) = (claims().to_string(), members());
    let text = |text: &str| text.as_bytes().to_vec();
    let with = |member: &[u8]| [b"{", members.as_bytes(), b",", member, b"}"].concat();
    let utf_16 = |big_endian: bool| -> Vec<u8> {
        let pair = |unit: u16| {
            if big_endian {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        };
        good.encode_utf16().flat_map(pair).collect()
    };
    let wrong = [
        text(&format!("\u{feff}{good}")),
        text(&format!("{good}\u{feff}")),
        text(&format!("{good}x")),
        text(&format!("{good}{good}")),
        text(&format!("{good},")),
        text(&format!("{good}\0")),
        text(&format!("\0{good}")),
        text(&format!("{good}//")),
        text(&format!("[{good}]")),
        text(&format!("{good:?}")),
        text(&good.replace('"', "'")),
        text(&good.replace('}', ",}")),
        text(&good[..good.len() - 1]),
        text(" "),
        text("null"),
        text("true"),
        text("1"),
        text("\"alice\""),
        text("[]"),
        text("{"),
        utf_16(true),
        utf_16(false),
        with(b"\"x\":\"\xff\""),
        with(b"\"\xff\":1"),
        with(b"\"x\":\"\xc0\xaf\""),
        with(b"\"x\":\"\xed\xa0\x80\""),
        with(b"\"x\":\"\xf4\x90\x80\x80\""),
        with(b"\"x\":\"\xc3\""),
        with(br#""x":"\ud800""#),
        with(br#""x":"\udc00""#),
        with(br#""x":"\ud800\u0041""#),
        with(br#""x":"\udc00\ud800""#),
        with(br#""\ud800":1"#),
        with(br#""x":"\u00g0""#),
        with(br#""x":"\u+041""#),
        with(br#""x":"\x41""#),
        with(b"\"x\":\"\0\""),
        with(b"\"x\":\"\n\""),
        with(b"\"x\":\"\x1f\""),
        with(b"\"x\":01"),
        with(b"\"x\":-01"),
        with(b"\"x\":+1"),
        with(b"\"x\":.5"),
        with(b"\"x\":5."),
        with(b"\"x\":1e"),
        with(b"\"x\":0x10"),
        with(b"\"x\":1_000"),
        with(b"\"x\":NaN"),
        with(b"\"x\":Infinity"),
        with(b"\"x\":-Infinity"),
        with(b"\"x\":undefined"),
        with(b"\"x\":True"),
        with(b"x:1"),
        with(b"\"x\""),
        with(b"\"x\":"),
        with(b"\"x\":1 \"y\":2"),
        with(b"\x0b\"x\":1"),
        with("\u{a0}\"x\":1".as_bytes()),
        with(b"/**/\"x\":1"),
    ];
    for payload in wrong {
        let what = payload.escape_ascii().to_string();
        site.refuses(&with_payload(&payload), "token_payload", &what)
            .await;
    }
    for payload in [
        format!(" \t\r\n{good} \t\r\n"),
        format!(r#"{{{members},"x":"\ud83d\ude00 😀 \u0000 \/"}}"#),
    ] {
        site.accepts(&with_payload(&payload), &payload).await;
    }
}

#[actix_web::test]
async fn threat_16_a_header_is_one_json_object_in_utf_8() {
    let site = guarded_site(hs256()).await;
    let good = header(AuthType::HS256);
    let members = &good[1..good.len() - 1];
    for header in [
        format!("\u{feff}{good}").as_bytes(),
        format!("{good}x").as_bytes(),
        format!("{good}\0").as_bytes(),
        format!("[{good}]").as_bytes(),
        b"null",
        b"[]",
        b"\"HS256\"",
        b"alg=HS256",
        &[b"{\"x\":\"\xff\",", members.as_bytes(), b"}"].concat(),
        format!(r#"{{"x":"\ud800",{members}}}"#).as_bytes(),
        format!("{{{members},}}").as_bytes(),
    ] {
        let token = forge(header, claims().to_string(), &KEY);
        let what = header.escape_ascii().to_string();
        site.refuses(&token, "token_header", &what).await;
    }
}

#[actix_web::test]
async fn threat_17_what_is_deep_long_or_large_is_refused_cheaply() {
    let small = guarded_site(hs256()).await;
    let roomy = guarded_site(hs256().max_token_size(1 << 20)).await;
    let members = members();
    let nested = |open: &str, close: &str, depth| {
        format!(
            "{{{members},\"x\":{}1{}}}",
            open.repeat(depth),
            close.repeat(depth)
        )
    };
    for depth in [64, 65, 128, 1_000, 10_000, 100_000] {
        for payload in [nested("[", "]", depth), nested("{\"a\":", "}", depth)] {
            let what = format!("depth {depth}");
            roomy
                .refuses(&with_payload(&payload), "token_payload", &what)
                .await;
            let header = payload.replacen('{', r#"{"alg":"HS256","typ":"JWT","#, 1);
            let token = forge(header, claims().to_string(), &KEY);
            roomy.refuses(&token, "token_header", &what).await;
        }
        let open = format!("{{{members},\"x\":{}", "[".repeat(depth));
        roomy
            .refuses(&with_payload(open), "token_payload", "never closed")
            .await;
    }
    small
        .accepts(&with_payload(nested("[", "]", 63)), "depth 64")
        .await;

    for digits in [500, 10_000, 500_000] {
        for number in [
            "1".repeat(digits),
            format!("-{}", "9".repeat(digits)),
            format!("0.{}", "3".repeat(digits)),
            format!("1e{}", "1".repeat(digits)),
            format!("1e-{}", "0".repeat(digits)),
        ] {
            let payload = format!("{{{members},\"x\":{number}}}");
            let what = format!("{digits} digits");
            roomy
                .refuses(&with_payload(payload), "token_payload", &what)
                .await;
        }
    }
    let many = (0..10_000).fold(String::new(), |text, n| text + &format!("\"m{n}\":0,"));
    let header = format!("{{{many}\"alg\":\"HS256\",\"typ\":\"JWT\"}}");
    let token = forge(&header, claims().to_string(), &KEY);
    small
        .refuses(&token, "token_too_large", "10,000 members")
        .await;
    roomy
        .accepts(&token, "10,000 members, of which none is wrong")
        .await;
    let header = header.replace("HS256", "none");
    let token = forge(header, claims().to_string(), &KEY);
    roomy
        .refuses(&token, "token_algorithm", "10,000 members")
        .await;

    for token in [
        "a".repeat(1 << 20),
        ".".repeat(1 << 20),
        format!("a.{}.b", "e30".repeat(1 << 19)),
    ] {
        small.refuses(&token, "token_too_large", "a megabyte").await;
    }
}

#[actix_web::test]
async fn threat_17_the_limit_of_size_is_exact() {
    let auth = common::manager(hs256().max_token_size(1_000));
    let sizes: Vec<_> = (300..600)
        .map(|length| {
            forge(
                header(AuthType::HS256),
                claims_with(json!({"x": "x".repeat(length)})),
                &KEY,
            )
        })
        .map(|token| {
            (
                token.len(),
                auth.verify_token(&token).err().map(|error| error.code()),
            )
        })
        .collect();
    for (size, refused) in &sizes {
        let expected = (*size > 1_000).then_some("token_too_large");
        assert_eq!(*refused, expected, "{size}");
    }
    assert!(sizes.iter().any(|(size, _)| *size == 1_000));
}

#[actix_web::test]
async fn threat_23_another_kind_of_token_of_the_same_key_is_refused() {
    let site = guarded_site(hs256()).await;
    for typ in [
        r#""dpop+jwt""#,
        r#""logout+jwt""#,
        r#""secevent+jwt""#,
        r#""id_token+jwt""#,
        r#""entity-statement+jwt""#,
        r#""token-introspection+jwt""#,
        r#""oauth-authz-req+jwt""#,
        r#""application/jwt""#,
        r#""jwt+at""#,
        r#""at+jwt ""#,
        r#"" JWT""#,
        r#""JWT\u0000""#,
        r#""JWS""#,
        r#""JOSE""#,
        r#""JWE""#,
        r#""""#,
        r#""J WT""#,
        r#""\u212aWT""#,
        "null",
        "true",
        "1",
        r#"["JWT"]"#,
        "{}",
    ] {
        let header = format!(r#"{{"alg":"HS256","typ":{typ}}}"#);
        let token = forge(&header, claims().to_string(), &KEY);
        site.refuses(&token, "token_kind", &header).await;
    }
    let token = forge(r#"{"alg":"HS256"}"#, claims().to_string(), &KEY);
    site.refuses(&token, "token_kind", "no typ").await;
    for typ in ["JWT", "jwt", "Jwt", "at+jwt", "AT+JWT", "At+Jwt"] {
        let header = format!(r#"{{"typ":"{typ}","alg":"HS256","cty":"x"}}"#);
        site.accepts(&forge(&header, claims().to_string(), &KEY), typ)
            .await;
    }
}

#[actix_web::test]
async fn threat_23_tokens_of_other_systems_with_the_same_key_are_refused() {
    let site = guarded_site(hs256()).await;
    for (payload, reason) in [
        // OpenID Connect's ID token, OAuth's logout token and a DPoP proof.
        (
            json!({"iss": ISSUER, "sub": "alice", "aud": "client", "iat": NOW, "exp": NOW + 60, "nonce": "n"}),
            "token_audience",
        ),
        (
            json!({"iss": ISSUER, "sub": "alice", "iat": NOW, "exp": NOW + 60, "events": {}}),
            "token_missing_claim",
        ),
        (
            json!({"jti": "x", "htm": "GET", "htu": "http://localhost/", "iat": NOW}),
            "token_missing_claim",
        ),
        (
            json!({"fresh": true, "iat": NOW, "jti": "x", "type": "access", "sub": "alice", "nbf": NOW, "exp": NOW + 60, "iss": ISSUER}),
            "token_mistyped_claim",
        ),
        (json!({}), "token_missing_claim"),
    ] {
        let token = with_payload(payload.to_string());
        site.refuses(&token, reason, &payload.to_string()).await;
    }
    // A key that is there for something else.
    let other = guarded_site(config(AuthType::HS256, [7; 32])).await;
    other
        .refuses(&good(), "token_signature", "another key")
        .await;
}
