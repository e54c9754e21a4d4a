//! The measured payload of 237 bytes, and the types that it is deserialized into.

use std::time::{SystemTime, UNIX_EPOCH};

use flask_pyjwt::{AuthManager, Token};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub(crate) const ISSUER: &str = "https://auth.example.com";
pub(crate) const SUBJECT: &str = "alice@example.com";
const NAME: &str = "Alice Pleasance Liddell of Oxford";
const ROLES: [&str; 2] = ["editor", "reader"];

/// Length of the payload in bytes.
pub(crate) const PAYLOAD_SIZE: usize = 237;

/// The claims as an owned user-defined type.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) exp: i64,
    pub(crate) iat: i64,
    pub(crate) iss: String,
    pub(crate) name: String,
    pub(crate) roles: Vec<String>,
    pub(crate) scope: Scope,
    pub(crate) sub: String,
    pub(crate) team: u32,
    #[serde(rename = "type")]
    pub(crate) token_type: String,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Scope {
    pub(crate) admin: bool,
    pub(crate) orders: String,
}

/// The claims as a user-defined type that borrows from the payload.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read by serde, to be measured")]
pub(crate) struct Borrowed<'a> {
    exp: i64,
    iat: i64,
    iss: &'a str,
    name: &'a str,
    #[serde(borrow)]
    roles: [&'a str; 2],
    #[serde(borrow)]
    scope: BorrowedScope<'a>,
    sub: &'a str,
    team: u32,
    #[serde(rename = "type")]
    token_type: &'a str,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read by serde, to be measured")]
pub(crate) struct BorrowedScope<'a> {
    admin: bool,
    orders: &'a str,
}

pub(crate) fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH);
    elapsed.map_or(0, |elapsed| elapsed.as_secs().cast_signed())
}

impl Claims {
    /// Claims of a token that was minted this second and is valid for an hour.
    pub(crate) fn fresh() -> Self {
        let iat = now();
        Self {
            exp: iat + 3_600,
            iat,
            iss: ISSUER.to_owned(),
            name: NAME.to_owned(),
            roles: ROLES.map(str::to_owned).to_vec(),
            scope: Scope {
                admin: true,
                orders: "write".to_owned(),
            },
            sub: SUBJECT.to_owned(),
            team: 7,
            token_type: "auth".to_owned(),
        }
    }

    /// The same as a map.
    pub(crate) fn to_map(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map,
            _ => Map::new(),
        }
    }
}

/// Mints the measured token with a manager of this package.
pub(crate) fn mint(auth: &AuthManager, subject: &str) -> Token {
    auth.auth_token(subject)
        .scope(json!({ "admin": true, "orders": "write" }))
        .claim("name", NAME)
        .claim("roles", ROLES)
        .claim("team", 7)
        .sign()
        .expect("minted")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_payload_has_the_documented_length() {
        let payload = serde_json::to_string(&Claims::fresh()).expect("JSON");
        assert_eq!(payload.len(), PAYLOAD_SIZE, "{payload}");
    }
}
