//! Compares a required value with the value in a token.

use serde_json::Value;

use crate::json::{Json, Kind};

/// Whether a token's value satisfies a required one.
///
/// An object requires each of its members, recursively, and an array each of its elements. Anything
/// else has to be equal and of the same JSON type: `true`, `1`, `1.0` and `"true"` are four
/// different values. Integers are compared exactly, and an integer beyond 64 bits equals nothing.
pub(crate) fn matches(required: &Value, actual: Json<'_>) -> bool {
    match required {
        Value::Null => actual.kind() == Kind::Null,
        Value::Bool(true) => actual.kind() == Kind::True,
        Value::Bool(false) => actual.kind() == Kind::False,
        Value::Number(number) => actual.is_number(number),
        Value::String(text) => actual.is_str(text),
        Value::Array(required) => {
            actual.kind() == Kind::Array
                && required
                    .iter()
                    .all(|item| actual.items().any(|element| matches(item, element)))
        }
        Value::Object(required) => {
            actual.kind() == Kind::Object
                && required.iter().all(|(name, value)| {
                    actual
                        .member(name)
                        .is_some_and(|member| matches(value, member))
                })
        }
    }
}

/// Whether a token's value equals the text of a route variable: the same string, or a number with
/// this decimal text.
pub(crate) fn matches_text(text: &str, actual: Json<'_>) -> bool {
    actual.is_str(text)
        || actual
            .as_exact_number()
            .is_some_and(|number| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{matches, matches_text};
    use crate::json::Document;

    fn holds(required: &Value, actual: &str) -> bool {
        let document = Document::object(format!(r#"{{"it":{actual}}}"#)).expect("valid JSON");
        document
            .root()
            .member("it")
            .is_some_and(|actual| matches(required, actual))
    }

    #[test]
    fn threat_27_only_the_same_value_of_the_same_type_matches() {
        let values = [
            "null",
            "true",
            "false",
            "0",
            "1",
            "-1",
            "1.0",
            "1e0",
            "0.5",
            "\"\"",
            "\"1\"",
            "\"true\"",
            "\"null\"",
            "[]",
            "{}",
            "9007199254740993",
            "9007199254740992",
            "18446744073709551615",
        ];
        for required in values {
            for actual in values {
                let same = required == actual
                    || matches!((required, actual), ("1.0", "1e0") | ("1e0", "1.0"));
                let value: Value = serde_json::from_str(required).expect("valid JSON");
                assert_eq!(holds(&value, actual), same, "{required} {actual}");
            }
        }
    }

    #[test]
    fn objects_and_arrays_need_every_part() {
        for (required, actual, expected) in [
            (json!({}), r#"{"a":1}"#, true),
            (json!({"a": 1}), r#"{"b":2,"a":1}"#, true),
            (json!({"a": 1, "b": 2}), r#"{"a":1}"#, false),
            // Flask_PyJWT stopped at the first nested object.
            (
                json!({"a": {"x": 1}, "b": 2}),
                r#"{"a":{"x":1},"b":3}"#,
                false,
            ),
            (json!({"a": {"x": 1, "y": 2}}), r#"{"a":{"x":1}}"#, false),
            (json!({"a": {"x": 1}}), r#"{"a":{"x":1,"y":2}}"#, true),
            (json!([]), r#"["a"]"#, true),
            (json!([]), r"{}", false),
            (json!(["a"]), r#"["b","a"]"#, true),
            (json!(["a", "c"]), r#"["b","a"]"#, false),
            (json!(["admin"]), r#"["nonadmin"]"#, false),
            (json!(["a"]), r#""a""#, false),
            (json!("a"), r#"["a"]"#, false),
            (json!([{"a": 1}]), r#"[{"a":1,"b":2}]"#, true),
            (json!([1]), r"[true, 1.0]", false),
            (json!("é"), r#""\u00e9""#, true),
        ] {
            assert_eq!(holds(&required, actual), expected, "{required} {actual}");
        }
    }

    #[test]
    fn a_route_variable_matches_a_string_or_a_number_with_its_decimal_text() {
        for (text, actual, expected) in [
            ("42", "\"42\"", true),
            ("42", "42", true),
            ("042", "42", false),
            ("+42", "42", false),
            ("-7", "-7", true),
            ("18446744073709551615", "18446744073709551615", true),
            ("true", "true", false),
            ("null", "null", false),
            ("a", "[\"a\"]", false),
        ] {
            let document = Document::object(format!(r#"{{"it":{actual}}}"#)).expect("valid JSON");
            let actual = document.root().member("it").expect("it is there");
            assert_eq!(matches_text(text, actual), expected, "{text}");
        }
    }
}
