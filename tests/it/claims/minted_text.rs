//! The exact text of minted tokens. Other servers parse it, and caches compare it.

use std::collections::{BTreeMap, HashMap};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flask_pyjwt::{AuthTokenBuilder, Token};
use serde::Serialize;
use serde_json::{Value, json};

use support::{hs256, manager};

/// The payload's text, from the signed text.
fn payload(token: &Token) -> String {
    let segment = token.signed().split('.').nth(1).expect("a payload");
    let bytes = URL_SAFE_NO_PAD.decode(segment).expect("base64url");
    String::from_utf8(bytes).expect("UTF-8")
}

/// The payload of an auth token of `subject` for the audience `api`, with these claims as written.
fn expected(subject: &str, claims: &str) -> String {
    let comma = if claims.is_empty() { "" } else { "," };
    format!(
        r#"{{"aud":"api","exp":1800003600,"iat":1800000000,"iss":"https://issuer.example","sub":{subject},"type":"auth"{comma}{claims}}}"#
    )
}

#[derive(Serialize)]
struct Team {
    name: &'static str,
    id: u32,
    lead: Option<&'static str>,
}

#[derive(Serialize)]
struct Unit;

#[derive(Serialize)]
struct Wrapped(u8);

#[derive(Serialize)]
struct Pair(u8, &'static str);

#[derive(Serialize)]
enum Kind {
    Plain,
    New(u8),
    Two(u8, u8),
    Named { b: u8, a: u8 },
}

struct Bytes;

impl Serialize for Bytes {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&[0, 255])
    }
}

type Build = fn(AuthTokenBuilder<'_>) -> AuthTokenBuilder<'_>;

/// Builders, and the text of their claims.
const CLAIMS: &[(Build, &str)] = &[
    (|b| b, ""),
    // In the order of their names. The last value of a name counts.
    (
        |b| b.claim("b", 1).claim("a", 2).claim("c", 3),
        r#""a":2,"b":1,"c":3"#,
    ),
    (
        |b| b.claim("a", 1).claim("b", [1]).claim("a", "x"),
        r#""a":"x","b":[1]"#,
    ),
    (
        |b| b.claim("ab", 1).claim("a", 2).claim("", 3).claim("B", 4),
        r#""":3,"B":4,"a":2,"ab":1"#,
    ),
    // The scope.
    (|b| b.scope(json!({})), r#""scope":{}"#),
    (|b| b.scope(json!([])), r#""scope":[]"#),
    (|b| b.scope(""), r#""scope":"""#),
    (|b| b.scope(false), r#""scope":false"#),
    (
        |b| b.scope("orders:read orders:write"),
        r#""scope":"orders:read orders:write""#,
    ),
    (
        |b| b.scope(json!({"b": {"d": [1, {}], "c": null}, "a": true})),
        r#""scope":{"a":true,"b":{"c":null,"d":[1,{}]}}"#,
    ),
    (|b| b.scope("a").scope(Value::Null), ""),
    (
        |b| b.claim("z", 1).scope("a").claim("t", 2).scope(Value::Null),
        r#""t":2,"z":1"#,
    ),
    (|b| b.scope("a").claim("scope", "b"), r#""scope":"b""#),
    (|b| b.claim("scope", "b").scope("a"), r#""scope":"a""#),
    (|b| b.claim("scope", Value::Null), r#""scope":null"#),
    // Escapes and Unicode, in values and names.
    (
        |b| b.claim("x", "\"\\/\u{8}\u{c}\n\r\t\0\u{1f}"),
        r#""x":"\"\\/\b\f\n\r\t\u0000\u001f""#,
    ),
    (
        |b| b.claim("x", "é€😀\u{2028}\u{7f}\u{85}\u{fffd}"),
        "\"x\":\"é€😀\u{2028}\u{7f}\u{85}\u{fffd}\"",
    ),
    (|b| b.claim("x", "é€😀\n"), "\"x\":\"é€😀\\n\""),
    (
        |b| b.claim("a\"b", 1).claim("a\nb", 2).claim("é", 3),
        r#""a\nb":2,"a\"b":1,"é":3"#,
    ),
    (
        |b| b.claim("x", ["a\"b", "eightletters\\", "", "\u{1}"]),
        r#""x":["a\"b","eightletters\\","","\u0001"]"#,
    ),
    (
        |b| b.claim("x", json!({"a\"b": "\t", "é": ["\n"]})),
        r#""x":{"a\"b":"\t","é":["\n"]}"#,
    ),
    // Numbers.
    (
        |b| b.claim("x", [i64::MIN, -1, 0, 1, i64::MAX]),
        r#""x":[-9223372036854775808,-1,0,1,9223372036854775807]"#,
    ),
    (|b| b.claim("x", u64::MAX), r#""x":18446744073709551615"#),
    (
        |b| b.claim("x", [i128::from(i64::MIN), i128::from(u64::MAX)]),
        r#""x":[-9223372036854775808,18446744073709551615]"#,
    ),
    (
        |b| b.claim("x", (1_u8, -2_i8, 3_u16, -4_i16, 5_u32, -6_i32)),
        r#""x":[1,-2,3,-4,5,-6]"#,
    ),
    (
        |b| b.claim("x", u128::from(u64::MAX)),
        r#""x":18446744073709551615"#,
    ),
    (
        |b| {
            b.claim(
                "x",
                [
                    0.0,
                    -0.0,
                    1.0,
                    -1.5,
                    0.1,
                    1e20,
                    1e-7,
                    1e300,
                    f64::MAX,
                    5e-324,
                ],
            )
        },
        r#""x":[0.0,-0.0,1.0,-1.5,0.1,1e+20,1e-7,1e+300,1.7976931348623157e+308,5e-324]"#,
    ),
    (
        |b| b.claim("x", [f64::NAN, f64::INFINITY, f64::NEG_INFINITY]),
        r#""x":[null,null,null]"#,
    ),
    (
        |b| b.claim("x", json!([1.5, {"y": 2.5}])),
        r#""x":[1.5,{"y":2.5}]"#,
    ),
    // Other types.
    (
        |b| b.claim("x", true).claim("y", ()).claim("z", 'é'),
        r#""x":true,"y":null,"z":"é""#,
    ),
    (|b| b.claim("x", [Some(1), None]), r#""x":[1,null]"#),
    (
        |b| b.claim("x", ("a", 1, [true], ())),
        r#""x":["a",1,[true],null]"#,
    ),
    (|b| b.claim("x", [[""; 0]; 2]), r#""x":[[],[]]"#),
    (
        |b| b.claim("x", (Unit, Wrapped(1), Pair(2, "b"), Bytes)),
        r#""x":[null,1,[2,"b"],[0,255]]"#,
    ),
    (
        |b| {
            b.claim(
                "x",
                [
                    Kind::Plain,
                    Kind::New(1),
                    Kind::Two(1, 2),
                    Kind::Named { b: 1, a: 2 },
                ],
            )
        },
        r#""x":["Plain",{"New":1},{"Two":[1,2]},{"Named":{"a":2,"b":1}}]"#,
    ),
    (
        |b| {
            b.claim(
                "x",
                Team {
                    name: "é",
                    id: 7,
                    lead: None,
                },
            )
        },
        r#""x":{"id":7,"lead":null,"name":"é"}"#,
    ),
    (
        |b| {
            b.claim(
                "x",
                [Team {
                    name: "a",
                    id: 7,
                    lead: Some("b"),
                }],
            )
        },
        r#""x":[{"id":7,"lead":"b","name":"a"}]"#,
    ),
    (
        |b| b.claim("x", BTreeMap::from([(2, "b"), (10, "a")])),
        r#""x":{"10":"a","2":"b"}"#,
    ),
    (
        |b| b.claim("x", HashMap::from([(true, [1.0])])),
        r#""x":{"true":[1.0]}"#,
    ),
    (
        |b| b.claim("x", json!({"b": [{"d": 1, "c": {}}], "a": "é"})),
        r#""x":{"a":"é","b":[{"c":{},"d":1}]}"#,
    ),
];

#[test]
fn claims_are_written_in_this_form() {
    let auth = manager(hs256().audience("api"));
    for (build, claims) in CLAIMS {
        let token = build(auth.auth_token("alice")).sign().expect(claims);
        let expected = expected(r#""alice""#, claims);
        assert_eq!(payload(&token), expected);
        // What the token says is what it contains.
        let said: Value = serde_json::from_str(&expected).expect("JSON");
        assert_eq!(Value::Object(token.claims().clone()), said);
        assert_eq!((token.sub(), token.scope()), ("alice", said.get("scope")));
        let verified = auth.verify_token(token.signed()).expect(&expected);
        assert_eq!(verified.claims(), token.claims());
    }
}

#[test]
fn a_claim_of_an_f32_has_the_digits_of_its_double() {
    let auth = manager(hs256().audience("api"));
    let token = auth.auth_token("alice").claim("x", [0.1_f32]).sign();
    let expected = expected(r#""alice""#, r#""x":[0.10000000149011612]"#);
    assert_eq!(payload(&token.expect("minted")), expected);
}

#[test]
fn subjects_are_written_in_this_form() {
    let auth = manager(hs256().audience("api"));
    for (subject, written) in [
        ("alice", r#""alice""#),
        (" ", r#"" ""#),
        ("é€😀", r#""é€😀""#),
        (r#"a"b\c/d"#, r#""a\"b\\c/d""#),
        (
            "a longer subject with \"quotes\"",
            r#""a longer subject with \"quotes\"""#,
        ),
    ] {
        let token = auth.auth_token(subject).sign().expect(subject);
        assert_eq!(payload(&token), expected(written, ""));
        assert_eq!(token.sub(), subject);
    }
    let token = auth.auth_token(42).sign().expect("minted");
    assert_eq!(payload(&token), expected(r#""42""#, ""));
}

#[test]
fn a_whole_token_has_this_text() {
    let auth = manager(hs256());
    let token = auth
        .auth_token("alice")
        .scope(json!({"admin": true}))
        .claim("team", 7)
        .sign()
        .expect("minted");
    assert_eq!(
        token.signed(),
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjE4MDAwMDM2MDAsImlhdCI6MTgwMDAwMDAwMCwiaXNzIjoiaHR0cHM6Ly9pc3N1ZXIuZXhhbXBsZSIsInN1YiI6ImFsaWNlIiwidHlwZSI6ImF1dGgiLCJzY29wZSI6eyJhZG1pbiI6dHJ1ZX0sInRlYW0iOjd9.YlFpLh9GqxuE8fQ4mhM7TLaK8JfQ1-on5dqOkyVEwbU"
    );
    let token = auth.refresh_token("alice").sign().expect("minted");
    let text = payload(&token);
    let start = r#"{"exp":1800604800,"iat":1800000000,"iss":"https://issuer.example","sub":"alice","type":"refresh","rid":""#;
    let id = text
        .strip_prefix(start)
        .and_then(|rest| rest.strip_suffix("\"}"));
    assert_eq!(id.map(str::len), Some(22), "{text}");
}
