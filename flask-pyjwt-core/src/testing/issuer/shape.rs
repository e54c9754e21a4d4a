//! What tells the tokens, key sets and documents of providers apart, as data.
//!
//! The texts are JSON with placeholders: a string that is one, such as `"$iat"`, stands for a value. A string that
//! begins with `$origin` is an address on the issuer's server.

use serde_json::{Map, Value};

use crate::{AuthType, Issuer};

/// The shape of one provider's tokens, keys and documents.
#[derive(Debug)]
pub(super) struct Shape {
    /// The provider's name in messages.
    pub(super) name: &'static str,
    /// The path of the issuer's name. It is empty or begins with a slash.
    pub(super) issuer: &'static str,
    pub(super) document: Option<Document>,
    /// How the guide's recipe finds the keys.
    pub(super) finds: Finds,
    /// The path of the key set.
    pub(super) keys: &'static str,
    pub(super) algorithm: AuthType,
    pub(super) key_id: KeyId,
    /// The members of a key in addition to `kty`, its numbers and `kid`.
    pub(super) key: &'static str,
    /// A key for encryption in the same set.
    pub(super) encryption_key: Option<&'static str>,
    /// The header of a token.
    pub(super) header: &'static str,
    /// The claims of a user's token.
    pub(super) claims: &'static str,
    pub(super) audience: &'static str,
    pub(super) scope: Scope,
    /// The time from `iat` to `exp` in seconds.
    pub(super) lifetime: i64,
    /// The settings of the guide's recipe, for an audience.
    pub(super) settings: fn(Issuer, &str) -> Issuer,
}

/// A discovery document.
#[derive(Debug)]
pub(super) struct Document {
    /// Its path.
    pub(super) path: &'static str,
    /// Its members in addition to `issuer`, `jwks_uri` and what is the same for all. They win.
    pub(super) members: &'static str,
}

/// How the guide's recipe for a provider finds its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finds {
    Discovery,
    KeySet,
}

/// Where a provider writes the scope.
#[derive(Debug, Clone, Copy)]
pub(super) enum Scope {
    /// In a claim with this name, separated by spaces.
    Text(&'static str),
    /// In an array with this name.
    Array(&'static str),
    /// Nowhere.
    Nowhere,
}

/// The form of a provider's key IDs.
#[derive(Debug, Clone, Copy)]
pub(super) enum KeyId {
    /// 32 bytes in base64url.
    Base64Url,
    /// So many letters and digits.
    Short(usize),
    /// 32 bytes in base64, with `=` at the end.
    Padded,
    /// So many digits.
    Hex(usize),
    UpperHex(usize),
    Uuid,
    /// 18 decimal digits.
    Digits,
    /// The same as `x5t`.
    Thumbprint,
}

/// Reads the text of a shape, and fills in its placeholders.
pub(super) fn filled(text: &str, value: &dyn Fn(&str) -> Option<Value>) -> Map<String, Value> {
    let mut members: Map<String, Value> =
        serde_json::from_str(text).expect("the shapes are JSON objects");
    for member in members.values_mut() {
        fill(member, value);
    }
    members
}

fn fill(member: &mut Value, value: &dyn Fn(&str) -> Option<Value>) {
    match member {
        Value::Object(members) => members.values_mut().for_each(|it| fill(it, value)),
        Value::Array(elements) => elements.iter_mut().for_each(|it| fill(it, value)),
        Value::String(text) if text.starts_with('$') => {
            let path = text.strip_prefix("$origin");
            let found = match path {
                Some(path) => value("$origin").map(|origin| {
                    Value::from(format!("{}{path}", origin.as_str().unwrap_or_default()))
                }),
                None => value(text),
            };
            *member = found.unwrap_or_else(|| panic!("a shape has the placeholder {text}"));
        }
        _ => {}
    }
}
