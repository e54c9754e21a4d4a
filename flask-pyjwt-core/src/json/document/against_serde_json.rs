//! Compares the parser with `serde_json`, on random and mutated texts.

use serde_json::{Map, Value};

use super::*;

fn parse(text: &str) -> Result<Document, JsonError> {
    Document::object(text.to_owned())
}

/// A value that `serde_json` has parsed, in which no object has two members with the same name.
struct Strict(Value);

impl<'de> serde::Deserialize<'de> for Strict {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

/// By default, `serde_json` is wrong in the last digit of some floats.
fn rounded(float: f64) -> Value {
    format!("{float:.12e}").into()
}

fn with_rounded_floats(value: Value) -> Value {
    match value {
        Value::Number(number) if number.is_f64() => number.as_f64().map_or(Value::Null, rounded),
        Value::Array(items) => items.into_iter().map(with_rounded_floats).collect(),
        Value::Object(members) => {
            let members = members.into_iter();
            members
                .map(|(name, value)| (name, with_rounded_floats(value)))
                .collect()
        }
        value => value,
    }
}

impl<'de> serde::de::Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(rounded(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(array.into())
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((name, Strict(value))) = members.next_entry::<String, _>()? {
            if map.insert(name, value).is_some() {
                return Err(serde::de::Error::custom("twice"));
            }
        }
        Ok(map.into())
    }
}

/// Most of the random texts are nearly JSON.
#[test]
fn accepts_and_reads_exactly_what_serde_json_does() {
    let parts = [
        "{",
        "}",
        "[",
        "]",
        ",",
        ",",
        ":",
        ":",
        "\"",
        "\"a\"",
        "\"b\"",
        "\"\\u0061\"",
        "\"\\n\"",
        "\"\"",
        " ",
        "\n",
        "0",
        "1",
        "-",
        "-0",
        "12",
        "01",
        ".",
        ".5",
        "e",
        "E+",
        "1e9",
        "1e309",
        "true",
        "null",
        "false",
        "tru",
        "\\",
        "\\u",
        "\\ud83d",
        "\\ude00",
        "é",
        "\"é\"",
        "\"c\":1",
        "\"a\":",
        "[]",
        "{}",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775808",
        "999999999999999999",
        "-9223372036854775809",
        "9999999999999999999",
        "\u{1}",
        "\"long text, plain\"",
        "123456789012345678",
        "1.7976931348623157e308",
        "1.7976931348623159e308",
        "\"\\ud83d\\ude00\"",
        "\"\\uD83D\"",
        "x",
    ];
    let good = [
        r#"{"a":[1,-2,3.5,1e2,-0,0,18446744073709551615],"b":{"c":[],"d":{}},"e":"x\n\u00e9y"}"#,
        r#"{"iss":"i","sub":"alice","exp":4000000000,"iat":1,"x":[true,false,null,"",{"a":1,"b":2}]}"#,
        r#"{"\ud83d\ude00":"\"\\\/\b\f\r\t","a":{"a":{"a":[{},[[]],0.5e-3,1E+4]}},"\u0062":0}"#,
    ];
    let mut state = 1_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 12) as usize
    };
    let mut accepted = 0;
    for round in 0..100_000 {
        let text: String = if round % 2 == 0 {
            let count = random() % 8;
            let inner: String = (0..count).map(|_| parts[random() % parts.len()]).collect();
            format!("{{\"x\":{inner}}}")
        } else {
            let mut text: Vec<char> = good[random() % good.len()].chars().collect();
            for _ in 0..=random() % 3 {
                let (at, part) = (random() % text.len(), parts[random() % parts.len()]);
                let end = (at + random() % 3).min(text.len());
                text.splice(at..end, part.chars());
            }
            text.into_iter().collect()
        };
        let expected = serde_json::from_str::<Strict>(&text).ok();
        let expected = expected.map(|strict| strict.0).filter(Value::is_object);
        let read = parse(&text)
            .ok()
            .map(|document| with_rounded_floats(Value::Object(document.to_map())));
        accepted += usize::from(read.is_some());
        assert_eq!(read, expected, "{text}");
    }
    assert!(accepted > 5_000, "{accepted}");
}

/// `docs/threats.md` 49: names and values are counted together, at any depth. Longer texts may have
/// more.
#[test]
fn the_number_of_names_and_values_is_limited() {
    let numbers = |count: usize| format!("{{\"a\":[{}]}}", vec!["0"; count].join(","));
    let members = |count: usize| {
        let members: Vec<_> = (0..count).map(|n| format!("\"{n:x}\":{{}}")).collect();
        format!("{{{}}}", members.join(","))
    };
    let escaped = |count: usize| {
        let members: Vec<_> = (0..count).map(|n| format!("\"\\u{n:04x}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    let floats = |count: usize| format!("[{}]", vec!["0.5"; count].join(","));
    let floats = |count: usize| format!("{{\"a\":{}}}", floats(count));
    let nested = |count: usize| format!("{{\"a\":[{}]}}", vec!["{\"\":0}"; count].join(","));
    let padded = |text: &str, size: usize| format!("{text}{}", " ".repeat(size - text.len()));
    for (most, too_many) in [
        (numbers(838), numbers(839)),
        (members(420), members(421)),
        (nested(279), nested(280)),
        (escaped(280), escaped(281)),
        (floats(419), floats(420)),
        (
            padded(&numbers(1_838), 6_144 + 4_000),
            padded(&numbers(1_839), 6_144 + 4_000),
        ),
    ] {
        assert!(parse(&most).is_ok(), "{most}");
        assert_eq!(
            parse(&too_many).err(),
            Some(JsonError::TooMany),
            "{too_many}"
        );
    }
}
