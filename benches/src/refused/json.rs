//! JSON objects that are slow to parse for their size.

use serde_json::Value;

/// The part that is repeated in an object, by its number, and the end of the object.
pub(super) struct Shape {
    pub(super) name: &'static str,
    /// The text before the repeated parts.
    begin: &'static str,
    part: fn(usize) -> String,
    end: &'static str,
}

/// The most names and values that are read of a text, without those that duplicate members can hide.
const MOST_NODES: usize = 956;

impl Shape {
    /// An object of at most so many bytes that begins with these members.
    pub(super) fn object(&self, members: &str, size: usize) -> Vec<u8> {
        self.of(members, usize::MAX, size).into_bytes()
    }

    /// The same with only as many parts as are parsed, filled up with a string. `None` if all parts are parsed.
    pub(super) fn bounded(&self, members: &str, size: usize) -> Option<Vec<u8>> {
        let nodes = |parts| nodes(&serde_json::from_str(&self.of(members, parts, size)).ok()?);
        let (one, two) = (nodes(1)?, nodes(2)?);
        // The filling is a name and a value.
        let parts = 1 + (MOST_NODES - 2 - one).checked_div(two - one)?;
        let length = self.of(members, parts, size).len();
        let filling = size.checked_sub(length + 10).filter(|length| *length > 0)?;
        let members = format!("\"pad\":\"{}\",{members}", "x".repeat(filling));
        Some(self.of(&members, parts, size).into_bytes())
    }

    fn of(&self, members: &str, parts: usize, size: usize) -> String {
        let mut text = format!("{{{members}{}", self.begin);
        for part in (0..parts).map(self.part) {
            if text.len() + part.len() + self.end.len() >= size {
                break;
            }
            text.push_str(&part);
        }
        if !self.end.is_empty() {
            text.truncate(text.trim_end_matches(',').len());
        }
        text.push_str(self.end);
        text
    }
}

/// The number of values in an object, including the names of members.
fn nodes(value: &Value) -> Option<usize> {
    fn count(value: &Value) -> usize {
        1 + match value {
            Value::Array(items) => items.iter().map(count).sum(),
            Value::Object(members) => members.values().map(|value| 1 + count(value)).sum(),
            _ => 0,
        }
    }
    value.is_object().then(|| count(value))
}

/// A name for this number, of these characters.
fn spell(number: usize, alphabet: &[&str]) -> String {
    let mut rest = number;
    let mut name = String::new();
    loop {
        name.push_str(alphabet[rest % alphabet.len()]);
        rest /= alphabet.len();
        if rest == 0 {
            return name;
        }
    }
}

const LETTERS: [&str; 10] = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
const ESCAPES: [&str; 8] = ["\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t"];

fn short(n: usize) -> String {
    format!("\"{}\":0,", spell(n, &LETTERS))
}

fn escaped(n: usize) -> String {
    format!("\"{}\":0,", spell(n, &ESCAPES))
}

fn coded(n: usize) -> String {
    format!("\"\\u{:04x}\":0,", 0x100 + n % 0xD000)
}

/// Sixteen names with the same length, first and last character.
fn alike(n: usize) -> String {
    let member = |n: usize| format!("\"a{}z\":0", LETTERS[n % 10].repeat(1 + n / 10));
    let members: Vec<_> = (0..16).map(member).collect();
    format!("\"{n}\":{{{}}},", members.join(","))
}

fn alike_escaped(n: usize) -> String {
    let member = |n: usize| format!("\"\\n{}\\n\":0", spell(n + 10, &LETTERS));
    let members: Vec<_> = (0..16).map(member).collect();
    format!("\"{n}\":{{{}}},", members.join(","))
}

fn seventeen(n: usize) -> String {
    let members: Vec<_> = (0..17)
        .map(|n| format!("\"{}\":0", spell(n, &LETTERS)))
        .collect();
    format!("\"{n}\":{{{}}},", members.join(","))
}

fn deep(n: usize) -> String {
    format!("\"{n}\":{}{},", "[".repeat(63), "]".repeat(63))
}

fn deep_objects(n: usize) -> String {
    format!("\"{n}\":{}0{},", "{\"\":".repeat(63), "}".repeat(63))
}

pub(super) const SHAPES: [Shape; 34] = {
    const fn members(name: &'static str, part: fn(usize) -> String) -> Shape {
        Shape {
            name,
            begin: "",
            part,
            end: "}",
        }
    }
    const fn items(name: &'static str, part: fn(usize) -> String) -> Shape {
        Shape {
            name,
            begin: "\"x\":[",
            part,
            end: "]}",
        }
    }
    const fn string(name: &'static str, part: fn(usize) -> String) -> Shape {
        Shape {
            name,
            begin: "\"x\":\"",
            part,
            end: "\"}",
        }
    }
    [
        members("members", short),
        members("members-escaped", escaped),
        members("members-coded", coded),
        members("members-alike", |n| {
            format!("\"aaaaaaaa{n:04}aaaaaaaa\":0,")
        }),
        members("members-strings", |n| {
            format!("\"{}\":\"\",", spell(n, &LETTERS))
        }),
        members("objects-alike", alike),
        members("objects-alike-escaped", alike_escaped),
        members("objects-seventeen", seventeen),
        members("deep", deep),
        members("deep-objects", deep_objects),
        Shape {
            name: "too-deep",
            begin: "\"x\":",
            part: |_| "[".to_owned(),
            end: "",
        },
        Shape {
            name: "member-twice",
            begin: "",
            part: short,
            end: ",\"a\":0}",
        },
        Shape {
            name: "member-twice-escaped",
            begin: "",
            part: escaped,
            end: ",\"\\u000a\":0}",
        },
        Shape {
            name: "unclosed",
            begin: "",
            part: short,
            end: "",
        },
        items("objects-pairs", |_| "{\"a\":0,\"b\":0},".to_owned()),
        items("objects-pairs-escaped", |_| {
            "{\"\\n\":0,\"\\t\":0},".to_owned()
        }),
        items("objects-one", |_| "{\"\":0},".to_owned()),
        items("objects-empty", |_| "{},".to_owned()),
        items("arrays-empty", |_| "[],".to_owned()),
        items("zeros", |_| "0,".to_owned()),
        items("minus-zeros", |_| "-0,".to_owned()),
        items("integers", |_| "18446744073709551615,".to_owned()),
        items("integers-long", |_| "99999999999999999999,".to_owned()),
        items("floats", |_| "1e9,".to_owned()),
        items("floats-halfway", |_| {
            "9007199254740993.00000000000001,".to_owned()
        }),
        items("floats-largest", |_| "1.797693134862315807e308,".to_owned()),
        items("floats-long", |n| format!("0.{}{n},", "9".repeat(380))),
        items("strings-empty", |_| "\"\",".to_owned()),
        items("literals", |_| "null,".to_owned()),
        Shape {
            name: "blanks",
            begin: "\"x\":0",
            part: |_| " ".to_owned(),
            end: "}",
        },
        string("string-escapes", |_| "\\n".to_owned()),
        string("string-codes", |_| "\\u0000".to_owned()),
        string("string-pairs", |_| "\\ud83d\\ude00".to_owned()),
        string("string-mixed", |_| "é\\n".to_owned()),
    ]
};
