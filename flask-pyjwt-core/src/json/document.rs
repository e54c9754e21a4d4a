//! A parsed JSON object, and views of its values.

use std::{borrow::Cow, ops::Range};

use serde_json::{Map, Number, Value};

use super::{
    escapes::{content_is, escaped, text_of},
    node::{Kind, Node},
    scanner::{JsonError, scan},
};

/// A JSON object: its text, and the positions of its values in the text.
pub(crate) struct Document {
    text: String,
    nodes: Vec<Node>,
}

impl Document {
    /// Parses a text that must be one JSON object.
    pub(crate) fn object(text: String) -> Result<Self, JsonError> {
        let nodes = scan(&text)?;
        if nodes.first().is_none_or(|root| root.kind != Kind::Object) {
            return Err(JsonError::Syntax);
        }
        Ok(Self { text, nodes })
    }

    /// The document of a text whose nodes are known.
    pub(super) fn written(text: String, nodes: Vec<Node>) -> Self {
        debug_assert_eq!(scan(&text).as_ref(), Ok(&nodes), "the scanner agrees");
        Self { text, nodes }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The memory that the document takes, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.text.capacity() + self.nodes.capacity() * size_of::<Node>()
    }

    pub(crate) fn root(&self) -> Json<'_> {
        Json {
            document: self,
            index: 0,
        }
    }

    /// Converts the object into an owned map.
    pub(crate) fn to_map(&self) -> Map<String, Value> {
        self.root()
            .members()
            .map(|(name, value)| (name.into_owned(), value.to_value()))
            .collect()
    }
}

/// A view of one value of a [`Document`].
#[derive(Clone, Copy)]
pub(crate) struct Json<'a> {
    document: &'a Document,
    index: usize,
}

impl<'a> Json<'a> {
    fn node(self) -> Node {
        self.document.nodes[self.index]
    }

    fn at(self, index: usize) -> Self {
        Self {
            document: self.document,
            index,
        }
    }

    pub(crate) fn kind(self) -> Kind {
        self.node().kind
    }

    /// The position of the value in the text. For a string, without the quotes.
    pub(crate) fn range(self) -> Range<usize> {
        let node = self.node();
        node.start as usize..node.end as usize
    }

    /// The text of a number, or the text between the quotes of a string.
    fn raw(self) -> &'a str {
        &self.document.text[self.range()]
    }

    /// The content of a string, with escapes resolved.
    pub(crate) fn as_str(self) -> Option<Cow<'a, str>> {
        match self.kind() {
            Kind::String | Kind::EscapedString => Some(text_of(&self.document.text, self.node())),
            _ => None,
        }
    }

    /// Whether this is a string with the content `text`.
    pub(crate) fn is_str(self, text: &str) -> bool {
        match self.kind() {
            // As bytes, whose lengths are compared first: most names differ in length.
            Kind::String => self.document.text.as_bytes()[self.range()] == *text.as_bytes(),
            Kind::EscapedString => content_is(&self.document.text, self.node(), text),
            _ => false,
        }
    }

    /// The content of a string, for comparison with ASCII names that fit the buffer. The result is
    /// empty for other types, and for a string with escapes that cannot be such a name.
    #[inline]
    pub(crate) fn as_short<'b, const N: usize>(self, buffer: &'b mut [u8; N]) -> &'b [u8]
    where
        'a: 'b,
    {
        let node = self.node();
        let bytes = &self.document.text.as_bytes()[node.start as usize..node.end as usize];
        match node.kind {
            Kind::String => bytes,
            Kind::EscapedString => short(bytes, buffer),
            _ => &[],
        }
    }

    /// A number as `serde_json` represents it: exact for every 64-bit integer.
    pub(crate) fn as_number(self) -> Option<Number> {
        let literal = self.raw();
        match self.kind() {
            Kind::Integer => match literal.parse::<u64>() {
                Ok(number) => Some(number.into()),
                Err(_) => literal.parse::<i64>().ok().map(Into::into),
            },
            Kind::Float => literal.parse().ok().and_then(Number::from_f64),
            _ => None,
        }
    }

    /// A number, unless it is an integer beyond 64 bits, which would be rounded.
    pub(crate) fn as_exact_number(self) -> Option<Number> {
        if self.is_rounded() {
            None
        } else {
            self.as_number()
        }
    }

    fn is_rounded(self) -> bool {
        self.kind() == Kind::Float && !self.raw().contains(['.', 'e', 'E']) && self.raw() != "-0"
    }

    /// Whether this is exactly that number, and an integer if that number is one. This does not use
    /// the comparison of `serde_json`, which compares texts if its feature `arbitrary_precision` is
    /// on.
    pub(crate) fn is_number(self, number: &Number) -> bool {
        // `-0` counts as a float.
        let negative = || number.as_i64().filter(|integer| *integer < 0);
        let unsigned = number.as_u64();
        match self.kind() {
            Kind::Integer => match (unsigned, negative()) {
                (Some(unsigned), _) => self.raw().parse() == Ok(unsigned),
                (None, Some(negative)) => self.raw().parse() == Ok(negative),
                (None, None) => false,
            },
            Kind::Float if unsigned.is_none() && negative().is_none() && !self.is_rounded() => {
                let value: Option<f64> = self.raw().parse().ok();
                value.is_some() && value == number.as_f64()
            }
            _ => false,
        }
    }

    /// The elements of an array. Empty for any other type.
    pub(crate) fn items(self) -> impl Iterator<Item = Json<'a>> {
        let is_array = self.kind() == Kind::Array;
        self.children().filter(move |_| is_array)
    }

    /// The members of an object, in the order of the text. Empty for any other type.
    pub(crate) fn members(self) -> impl Iterator<Item = (Cow<'a, str>, Json<'a>)> {
        self.named()
            .map(|(name, value)| (text_of(&self.document.text, name.node()), value))
    }

    /// The member with this name.
    pub(crate) fn member(self, name: &str) -> Option<Json<'a>> {
        self.named()
            .find(|(known, _)| known.is_str(name))
            .map(|(_, value)| value)
    }

    /// The members of an object, with their names as views.
    pub(crate) fn named(self) -> impl Iterator<Item = (Json<'a>, Json<'a>)> {
        let is_object = self.kind() == Kind::Object;
        let mut children = self.children();
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
            .filter(move |_| is_object)
    }

    fn children(self) -> impl Iterator<Item = Json<'a>> {
        let end = self.node().next as usize;
        let mut at = self.index + 1;
        std::iter::from_fn(move || {
            if at >= end {
                return None;
            }
            let child = self.at(at);
            at = child.node().next as usize;
            Some(child)
        })
    }

    /// Converts the value into an owned one.
    pub(crate) fn to_value(self) -> Value {
        match self.kind() {
            Kind::Null => Value::Null,
            Kind::True => Value::Bool(true),
            Kind::False => Value::Bool(false),
            Kind::Integer | Kind::Float => self.as_number().map_or(Value::Null, Value::Number),
            Kind::String | Kind::EscapedString => self
                .as_str()
                .map_or(Value::Null, |text| Value::String(text.into_owned())),
            Kind::Array => self.items().map(Json::to_value).collect(),
            Kind::Object => self
                .members()
                .map(|(name, value)| (name.into_owned(), value.to_value()))
                .collect(),
        }
    }
}

/// The content of a string with escapes, if it is ASCII and fits the buffer.
fn short<'a, const N: usize>(mut written: &[u8], buffer: &'a mut [u8; N]) -> &'a [u8] {
    let mut length = 0;
    while let [byte, ..] = written {
        let (character, used) = match byte {
            b'\\' => escaped(written),
            byte => (char::from(*byte), 1),
        };
        match buffer.get_mut(length) {
            Some(place) if character.is_ascii() => *place = character as u8,
            _ => return &[],
        }
        length += 1;
        written = written.get(used..).unwrap_or_default();
    }
    &buffer[..length]
}

#[cfg(test)]
mod against_serde_json;

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Document, JsonError> {
        Document::object(text.to_owned())
    }

    /// Compares with `serde_json`, an independent parser.
    #[test]
    fn reads_what_serde_json_reads() {
        for text in [
            r"{}",
            r#" { "a" : [ 1 , -2 , 3.5 , 1e2 , -0 , 0 , 18446744073709551615 , -9223372036854775808 ] } "#,
            r#"{"a":{"b":{"c":[]}},"d":[{},[[]],{"x":null}],"e":true,"f":false}"#,
            r#"{"\u0061\n\"\\\/\b\f\r\t":"\ud83d\ude00é€"}"#,
            r#"{"big":18446744073709551616,"huge":1e308,"tiny":1e-400}"#,
            "{\"\u{e9}\":\"\u{1f600}\",\"\":\"\"}",
        ] {
            let expected: Value = serde_json::from_str(text).expect("serde_json accepts it");
            let document = parse(text).expect(text);
            assert_eq!(Value::Object(document.to_map()), expected, "{text}");
        }
    }

    #[test]
    fn threats_15_to_17_what_is_not_a_strict_json_object_is_refused() {
        let deep =
            |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
        assert!(parse(&deep(63)).is_ok());
        let members = (0..50).fold(String::new(), |text, n| text + &format!(r#""m{n}":1,"#));
        for text in [
            "",
            " ",
            "null",
            "[]",
            "\"a\"",
            "{}x",
            "{}{}",
            "{},",
            "{}\0",
            "\u{feff}{}",
            "{\"a\":1,}",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{a:1}",
            "{'a':1}",
            "{\"a\":01}",
            "{\"a\":+1}",
            "{\"a\":1.}",
            "{\"a\":.5}",
            "{\"a\":1e}",
            "{\"a\":-}",
            "{\"a\":0x1}",
            "{\"a\":NaN}",
            "{\"a\":Infinity}",
            "{\"a\":1e400}",
            "{\"a\":tru}",
            "{\"a\":TRUE}",
            "{\"a\":\"\n\"}",
            "{\"a\":\"\0\"}",
            r#"{"a":"\x"}"#,
            r#"{"a":"\u12"}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\ud800\u0041"}"#,
            r#"{"a":"\udc00"}"#,
            r#"{"a":"\ud800\"}"#,
            "{\"a\":\"",
            "{\"a\":[1,]}",
            "{\"a\":[1 2]}",
            "{\"a\":[1}",
            "{/**/}",
            &deep(64),
            &deep(5_000),
            &format!(r#"{{"a":{}}}"#, "1".repeat(10_000)),
            &format!(r#"{{"a":0.{}}}"#, "1".repeat(10_000)),
        ] {
            assert_eq!(parse(text).err(), Some(JsonError::Syntax), "{text}");
        }
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"\u0061":1,"b":0,"a":2}"#,
            r#"{"b":{"x":[{"a":1,"a":2}]}}"#,
            r#"{"":1,"":2}"#,
            &format!(r#"{{{members}"m7":1}}"#),
            &format!(r#"{{{members}"\u006d49":1}}"#),
        ] {
            assert_eq!(parse(text).err(), Some(JsonError::Duplicate), "{text}");
        }
        assert!(parse(r#"{"a":{"a":{"a":[{"a":1},{"a":1}]}},"A":1}"#).is_ok());
    }

    #[test]
    fn integers_differ_from_floats_and_members_are_found() {
        let document =
            parse(r#"{"i":1,"f":1.0,"e":1e0,"z":-0,"\u0073":"\u0061","n":null}"#).expect("valid");
        let root = document.root();
        let kind = |name| root.member(name).map(Json::kind);
        assert_eq!(kind("i"), Some(Kind::Integer));
        assert_eq!(kind("f"), Some(Kind::Float));
        assert_eq!(kind("e"), Some(Kind::Float));
        assert_eq!(kind("z"), Some(Kind::Float));
        assert_eq!(kind("n"), Some(Kind::Null));
        assert_eq!(kind("x"), None);
        assert!(root.member("s").is_some_and(|value| value.is_str("a")));
        assert!(
            root.member("i")
                .is_some_and(|value| value.member("i").is_none())
        );
    }
}
