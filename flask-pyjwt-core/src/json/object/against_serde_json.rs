//! What is written equals what `serde_json` writes, and the nodes are those that the scanner finds.

use serde::{
    Serialize, Serializer,
    ser::{SerializeSeq, SerializeStruct},
};
use serde_json::{Map, Value, json};

use super::*;
use crate::json::scanner::scan;

/// The object with these members.
fn object(members: &[(&str, Value)]) -> WrittenObject {
    let mut own = Members::default();
    for (name, value) in members {
        own.insert((*name).to_owned(), value);
    }
    finished(own)
}

fn finished(mut own: Members) -> WrittenObject {
    own.sort();
    let mut object = ObjectWriter::with_space_for(&own, 0);
    object.members(&own);
    object.finish()
}

/// What a value serializes to, as the only member of an object.
fn written(value: &impl Serialize) -> Result<String, String> {
    let mut own = Members::default();
    own.serialize("x".to_owned(), value)
        .map_err(|(_, error)| error.to_string())?;
    Ok(finished(own).into_text())
}

fn expected(value: &impl Serialize) -> Result<String, String> {
    let value = serde_json::to_value(value).map_err(|error| error.to_string())?;
    Ok(Value::Object(Map::from_iter([("x".to_owned(), value)])).to_string())
}

/// A small generator of pseudo-random numbers.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let count = u64::try_from(from.len()).expect("few");
        from[usize::try_from(self.below(count)).expect("few")]
    }

    fn string(&mut self) -> String {
        const PARTS: &[&str] = &[
            "", "a", "b", "key", "eightlet", "\"", "\\", "/", "\n", "\0", "\u{7f}", "é", "😀",
            "\u{2028}",
        ];
        (0..self.below(5)).map(|_| self.pick(PARTS)).collect()
    }

    /// A name, rarely with an escape.
    fn name(&mut self) -> String {
        const PARTS: &[&str] = &["", "a", "b", "key", "eightlet", "/", "\u{7f}", "é", "😀"];
        if self.below(40) == 0 {
            return self.string();
        }
        (0..self.below(4)).map(|_| self.pick(PARTS)).collect()
    }

    fn value(&mut self, depth: u64) -> Value {
        const INTEGERS: &[i64] = &[0, 1, -1, 9, 10, i64::MIN, i64::MAX, 1_800_000_000];
        const FLOATS: &[f64] = &[0.0, -0.0, 1.0, 0.1, -1e300, 5e-324, f64::NAN];
        match self.below(if depth < 4 { 12 } else { 8 }) {
            0 => Value::Null,
            1 => self.pick(&[true, false]).into(),
            2 | 3 => self.pick(INTEGERS).into(),
            4 => self.pick(&[u64::MAX, u64::MAX - 9, 0]).into(),
            5 if self.below(4) == 0 => self.pick(FLOATS).into(),
            5..=7 => self.string().into(),
            8 | 9 => (0..self.below(4)).map(|_| self.value(depth + 1)).collect(),
            _ => {
                let members = (0..self.below(5)).map(|_| (self.name(), self.value(depth + 1)));
                Value::Object(members.collect())
            }
        }
    }
}

#[test]
fn random_objects_have_the_text_of_serde_json_and_the_nodes_of_the_scanner() {
    let (mut known, mut random) = (0, Random(1));
    for _ in 0..1_000 {
        let members: Vec<(String, Value)> = (0..random.below(20))
            .map(|_| (random.name(), random.value(0)))
            .collect();
        let named: Vec<_> = members
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        let object = object(&named);
        let text = object.text().to_owned();
        assert_eq!(
            text,
            Value::Object(members.into_iter().collect()).to_string()
        );
        // Not known if there is a float, or a name with an escape.
        if let Some(nodes) = object.writer.known_nodes() {
            known += 1;
            assert_eq!(scan(&text).as_deref(), Ok(nodes), "{text}");
        }
        let document = object.into_document().expect("what the scanner accepts");
        assert_eq!(document.text(), text);
        assert_eq!(Value::Object(document.to_map()).to_string(), text);
    }
    assert!(known > 100, "{known}");
}

#[test]
fn the_limits_are_those_of_the_scanner() {
    let deep = |depth: usize| (0..depth).fold(json!(1), |value, _| json!([value]));
    let wide = |count: usize| Value::Array(vec![json!(1); count]);
    let mut accepted = 0;
    let depths = (60..70).map(deep);
    let counts = (830..845).map(wide);
    for value in depths.chain(counts) {
        for value in [
            &value,
            &json!({ "a": value }),
            &json!({ "\n": value }),
            &json!([1.5, value]),
        ] {
            let object = object(&[("x", value.clone())]);
            let expected = scan(object.text()).map(drop);
            accepted += usize::from(expected.is_ok());
            assert_eq!(object.into_document().map(drop), expected, "{value}");
        }
    }
    assert_eq!(accepted, 41);
}

#[test]
fn a_name_that_is_written_twice_is_refused() {
    for name in ["sub", "eight letters"] {
        let mut own = Members::default();
        own.insert(name, &json!(1));
        let mut object = ObjectWriter::with_space_for(&own, 0);
        object.string(name, "alice");
        object.integer("iat", 1);
        object.members(&own);
        assert_eq!(
            object.finish().into_document().err(),
            Some(JsonError::Duplicate)
        );
    }
}

#[test]
fn the_last_member_of_a_name_counts_and_a_removed_one_does_not() {
    let text = |members: &[(&str, Value)]| object(members).into_text();
    let members = [("b", json!([1])), ("a", json!(2)), ("b", json!("x"))];
    assert_eq!(text(&members), r#"{"a":2,"b":"x"}"#);
    let many: Vec<_> = (0..1_000).map(|n| (["a", "b"][n % 2], json!(n))).collect();
    assert_eq!(text(&many), r#"{"a":998,"b":999}"#);

    let mut own = Members::default();
    for (name, value) in members {
        own.insert(name, &value);
    }
    own.remove("b");
    own.insert("c", &json!(3));
    assert_eq!(finished(own).into_text(), r#"{"a":2,"c":3}"#);
}

#[derive(Serialize)]
struct Team {
    name: &'static str,
    id: u32,
    lead: Option<f32>,
}

#[derive(Serialize)]
enum Kind {
    Plain,
    New(u8),
    Two(u8, u8),
    Named { b: u8, a: u8 },
}

/// Serializes a member twice: the last one counts.
struct Twice;

impl Serialize for Twice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("Twice", 2)?;
        members.serialize_field("a", &1)?;
        members.serialize_field("a", &2)?;
        members.end()
    }
}

/// Fails after two elements.
struct Fails;

impl Serialize for Fails {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        list.serialize_element("before")?;
        list.serialize_element(&[[1]])?;
        Err(serde::ser::Error::custom("no more"))
    }
}

/// Goes on after elements that fail.
struct Skips;

impl Serialize for Skips {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(None)?;
        for element in 0..4 {
            let _ = match element % 2 {
                0 => list.serialize_element(&[&Fails]),
                _ => list.serialize_element(&[[element]]),
            };
        }
        list.end()
    }
}

struct Bytes;

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&[0, 255])
    }
}

#[test]
fn types_are_written_as_to_value_writes_them() {
    fn check(value: &impl Serialize) {
        assert_eq!(written(value), expected(value));
    }
    check(&(
        1_u8,
        -2_i8,
        3_u16,
        -4_i16,
        5_u32,
        -6_i32,
        u64::MAX,
        i64::MIN,
    ));
    check(&(
        i128::from(u64::MAX),
        u128::from(u64::MAX),
        'é',
        '"',
        true,
        (),
    ));
    check(&(0.1_f32, 0.1, f32::NAN, f64::INFINITY, 1e20, Bytes));
    check(&(Some("a"), None::<u8>, [[""; 0]; 2], [Some(Some(1))]));
    check(&[
        Kind::Plain,
        Kind::New(1),
        Kind::Two(1, 2),
        Kind::Named { b: 1, a: 2 },
    ]);
    check(&[Team {
        name: "\u{1f}",
        id: 7,
        lead: Some(0.1),
    }]);
    check(&std::collections::BTreeMap::from([(2, "b"), (10, "a")]));
    check(&std::collections::HashMap::from([(true, [1.0])]));
    check(&[Twice]);
    check(&[(Skips, 1), (Skips, 2)]);
    check(&std::net::Ipv4Addr::LOCALHOST);
    check(&Value::Object(Map::from_iter([(
        "b".to_owned(),
        json!({"d": [], "c": 1}),
    )])));
    for depth in [60, 70] {
        check(&(0..depth).fold(json!(1), |value, _| json!([value])));
    }
}

#[test]
fn a_value_that_does_not_serialize_leaves_nothing_behind() {
    let no_text = std::collections::BTreeMap::from([([1_u8], 1)]);
    for error in [
        (written(&Fails), expected(&Fails)),
        (written(&[&no_text]), expected(&[&no_text])),
        (written(&[u128::MAX]), expected(&[u128::MAX])),
        (written(&i128::MIN), expected(&i128::MIN)),
    ] {
        assert_eq!(error.0, error.1);
        assert!(error.0.is_err());
    }
    let mut own = Members::default();
    own.insert("a", &json!(1));
    let (name, _) = own.serialize("b".to_owned(), &Fails).expect_err("it fails");
    assert_eq!(name, "b");
    own.serialize("c".to_owned(), &[1]).expect("an array");
    let object = finished(own);
    assert_eq!(object.text(), r#"{"a":1,"c":[1]}"#);
    assert!(object.writer.known_nodes().is_some());
    assert!(object.into_document().is_ok());
}
