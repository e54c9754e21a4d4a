//! What a Flask server and an actix server must agree on: each other's tokens, and the access to routes.

use serde_json::{Value, json};

use super::{
    http::{Answer, get, post},
    python::Flask,
    server::Actix,
    setup::{AUTH_MAX_AGE, ISSUER, REFRESH_MAX_AGE},
};

/// Two servers with one configuration.
pub(crate) struct Fleet {
    pub(crate) flask: Flask,
    pub(crate) actix: Actix,
}

impl Fleet {
    /// Sends the same request to both servers.
    pub(crate) fn get(&self, path: &str, headers: &str) -> (Answer, Answer) {
        (
            get(self.flask.port, path, headers),
            get(self.actix.port, path, headers),
        )
    }

    /// A token with any claims and a valid signature.
    pub(crate) fn forge(&self, algorithm: &str, claims: &Value) -> String {
        let wanted = json!({"algorithm": algorithm, "claims": claims});
        text(&post(self.flask.port, "/forge", &wanted).body["signed"]).to_owned()
    }

    pub(crate) fn tokens_of_each_are_accepted_and_read_alike_by_both(&self, algorithm: &str) {
        for port in [self.flask.port, self.actix.port] {
            for wanted in [
                json!({"sub": "alice", "scope": null, "claims": {}}),
                json!({"sub": "åsa 😀 /?#%20", "scope": {"admin": true, "in": {"n": [1, 2]}}, "claims": {}}),
                json!({"sub": "42", "scope": "read write", "claims": {"team": 7, "perms": ["read"]}}),
                json!({"sub": "bob", "scope": 3, "claims": {
                    "https://example.com/role": "editor", "naïve \"😀\"\u{1}": "\u{7f}\u{2028}\\",
                    "null": null, "yes": true, "no": false, "list": [[], {}, [null, "x"]],
                    "exact": 9_007_199_254_740_993_u64, "large": u64::MAX, "small": i64::MIN,
                    "real": 1.5, "near": 0.300_000_000_000_000_04, "far": 1.797_693_134_862_315_7e308,
                }}),
            ] {
                let minted = post(port, "/mint/auth", &wanted);
                self.reads_as(&minted, "/protected", algorithm, AUTH_MAX_AGE);
                let token = &minted.body;
                assert_eq!(token["type"], "auth");
                assert_eq!(token["sub"], wanted["sub"]);
                assert_eq!(token["scope"], wanted["scope"]);
                for (name, value) in wanted["claims"].as_object().into_iter().flatten() {
                    assert_eq!(&token["claims"][name], value, "{name}");
                }
                assert!(token["claims"].get("rid").is_none());

                let cookie = format!("Cookie: a=b; auth_token={}\r\n", text(&token["signed"]));
                let read = self.get("/cookie", &cookie);
                assert_eq!((&read.0, &read.1), (&minted, &minted));
            }
            let minted = post(port, "/mint/refresh", &json!({"sub": "alice"}));
            self.reads_as(&minted, "/refresh", algorithm, REFRESH_MAX_AGE);
            assert_eq!(minted.body["type"], "refresh");
            assert_eq!(minted.body["scope"], Value::Null);
            assert_eq!(text(&minted.body["claims"]["rid"]).len(), 22);
        }
    }

    /// Both servers accept the token and describe it in the same words as the server that minted it.
    fn reads_as(&self, minted: &Answer, path: &str, algorithm: &str, max_age: i64) {
        assert_eq!(minted.status, 200);
        let token = &minted.body;
        let read = self.get(path, &bearer(text(&token["signed"])));
        assert_eq!(&read.0, minted, "Flask");
        assert_eq!(&read.1, minted, "actix");
        assert_eq!(token["iss"], ISSUER);
        assert_eq!(token["max_age"], max_age);
        assert_eq!(token["alg"], algorithm);
        assert_eq!(token["header"], json!({"typ": "JWT", "alg": algorithm}));
        for (name, property) in [
            ("iss", "iss"),
            ("iat", "iat"),
            ("exp", "exp"),
            ("sub", "sub"),
            ("type", "type"),
        ] {
            assert_eq!(token["claims"][name], token[property]);
        }
    }

    pub(crate) fn routes_answer_alike(&self) {
        let mint = |sub: &str, scope: Value, claims: Value| {
            let wanted = json!({"sub": sub, "scope": scope, "claims": claims});
            let minted = post(self.actix.port, "/mint/auth", &wanted);
            bearer(text(&minted.body["signed"]))
        };
        let alice = mint(
            "alice",
            json!({"admin": false}),
            json!({"team": 7, "perms": ["read", "write"]}),
        );
        let asa = mint("åsa b", Value::Null, json!({"team": 8, "perms": ["read"]}));
        let root = mint(
            "root",
            json!({"admin": true}),
            json!({"admin": true, "team": 7}),
        );
        for (path, headers, status) in [
            ("/user/alice", &alice, 200),
            ("/user/%61lice", &alice, 200),
            ("/user/Alice", &alice, 403),
            ("/user/bob", &alice, 403),
            ("/user/%C3%A5sa%20b", &asa, 200),
            ("/user/%25C3%25A5sa%2520b", &asa, 403),
            ("/user/alice", &root, 403),
            ("/overridable/alice", &alice, 200),
            ("/overridable/alice", &root, 200),
            ("/overridable/alice", &asa, 403),
            ("/admin", &root, 200),
            ("/admin", &alice, 403),
            ("/admin", &asa, 403),
            ("/team", &alice, 200),
            ("/team", &asa, 403),
            ("/team", &root, 403),
        ] {
            let (flask, actix) = self.get(path, headers);
            assert_eq!((flask.status, actix.status), (status, status), "{path}");
            if status == 200 {
                assert_eq!(flask.body, actix.body, "{path}");
            }
        }
    }
}

pub(crate) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}
