//! Rows 15 to 17: strict JSON of limited size.

use flask_pyjwt::AuthType;
use serde_json::json;

use super::{KEY, with_payload};
use support::{claims, claims_with, forge::forge, guarded_site, header, hs256, manager};

/// The valid claims as members, without the braces.
fn members() -> String {
    let claims = claims().to_string();
    claims[1..claims.len() - 1].to_owned()
}

#[actix_web::test]
async fn threat_15_a_duplicate_member_is_refused_at_any_depth_in_any_spelling() {
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
        // A header above the size limit is not read.
        let is_long = header.len() > 2_048;
        let reason = if is_long {
            "token_too_large"
        } else {
            "token_duplicate_member"
        };
        site.refuses(&token, reason, &header).await;
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
    // Equal names in different objects, and names that only look similar.
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
async fn threat_16_a_payload_must_be_one_json_object_in_utf_8() {
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
async fn threat_16_a_header_must_be_one_json_object_in_utf_8() {
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
async fn threat_17_deep_long_or_large_tokens_are_refused_cheaply() {
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
            let token = forge(&header, claims().to_string(), &KEY);
            // A header may take a quarter of the longest token.
            let is_long = header.len() > 1 << 18;
            let reason = if is_long {
                "token_too_large"
            } else {
                "token_header"
            };
            roomy.refuses(&token, reason, &what).await;
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
        .accepts(&token, "10,000 members, all of them valid")
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
async fn threat_17_the_size_limit_is_exact() {
    let auth = manager(hs256().max_token_size(1_000));
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
                auth.verify_token(&token).err().map(|error| error.reason()),
            )
        })
        .collect();
    for (size, refused) in &sizes {
        let expected = (*size > 1_000).then_some("token_too_large");
        assert_eq!(*refused, expected, "{size}");
    }
    assert!(sizes.iter().any(|(size, _)| *size == 1_000));
}
