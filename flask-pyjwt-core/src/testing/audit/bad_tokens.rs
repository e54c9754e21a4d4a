//! Tokens that differ in one thing from one that is accepted.

use serde_json::{Value, json};

use super::{
    super::forge::{Forgery, Signer, with_tampered_claims, with_tampered_signature},
    good::Good,
};
use crate::{
    claims::ExpectedClaim,
    possession::ClientCertificate,
    token::{Token, TokenType, random_id},
};

const OTHER_ISSUER: &str = "https://another-issuer.example";
const OTHER_AUDIENCE: &str = "https://another-audience.example";

/// What is wrong with each token, and its text.
pub(super) async fn bad_tokens(good: &Good) -> Vec<(String, String)> {
    let mut bad = BadTokens {
        good,
        tokens: Vec::new(),
    };
    bad.times();
    bad.signatures();
    bad.logins();
    bad.acr();
    bad.binding();
    bad.claims();
    bad.override_inside_scope();
    if let Some(signed) = revoked(good).await {
        bad.add("revoked", Some(signed));
    }
    bad.tokens
}

struct BadTokens<'a> {
    good: &'a Good,
    tokens: Vec<(String, String)>,
}

impl BadTokens<'_> {
    fn add(&mut self, name: &str, signed: Option<String>) {
        self.tokens
            .extend(signed.map(|signed| (name.to_owned(), signed)));
    }

    /// A token that differs from the good one in this, and is signed with the right key.
    fn changed(&mut self, name: &str, change: impl FnOnce(&mut Forgery)) {
        let mut forgery = self.good.forgery.clone();
        change(&mut forgery);
        let signed = forgery.sign(&self.good.manager, Signer::Manager);
        self.add(name, signed);
    }

    fn leeway(&self) -> i64 {
        self.good.manager.parts().verification.rules.leeway
    }

    fn now(&self) -> i64 {
        self.good.minted.iat().unix_timestamp()
    }

    fn times(&mut self) {
        let (now, leeway) = (self.now(), self.leeway());
        let lifetime = self.good.minted.max_age().whole_seconds();
        self.changed("expired", |it| {
            it.set("iat", now - lifetime - leeway - 1);
            it.set("exp", now - leeway - 1);
        });
        self.changed("not yet valid", |it| it.set("nbf", now + leeway + 60));
        self.changed("issued in the future", |it| {
            it.set("iat", now + leeway + 60);
            it.set("exp", now + leeway + 60 + lifetime);
        });
        self.changed("without `exp`", |it| drop(it.claims.remove("exp")));
    }

    fn signatures(&mut self) {
        let good = self.good;
        self.add("no token", Some("garbage".to_owned()));
        let stranger = good.forgery.sign(&good.manager, Signer::Stranger);
        self.add("signed with another key", stranger);
        self.changed("of another issuer", |it| it.set("iss", OTHER_ISSUER));
        self.changed("for another audience", |it| it.set("aud", OTHER_AUDIENCE));
        let unsigned = good.forgery.sign(&good.manager, Signer::Nobody);
        let with_signature = unsigned.as_deref().map(|unsigned| {
            let signature = good.signed.rsplit('.').next().unwrap_or_default();
            format!("{unsigned}{signature}")
        });
        self.add("`alg: none`, with the old signature", with_signature);
        self.add("`alg: none`", unsigned);
        let changed = with_tampered_claims(&good.signed);
        self.add("with changed claims", Some(changed));
        let changed = with_tampered_signature(&good.signed);
        self.add("with a changed signature", Some(changed));
        let other_type = match good.requirement.token_type {
            TokenType::Auth => TokenType::Refresh,
            TokenType::Refresh => TokenType::Auth,
        };
        self.changed("of the other type", |it| it.set("type", other_type.name()));
    }

    /// What the token is bound to, where the route wants that.
    fn binding(&mut self) {
        if !self.good.forgery.claims.contains_key("cnf") {
            return;
        }
        let other = ClientCertificate::from_der(b"another certificate").thumbprint();
        self.changed("bound to nothing", |it| drop(it.claims.remove("cnf")));
        self.changed("bound to another certificate", |it| {
            it.set("cnf", json!({"x5t#S256": other}));
        });
        self.changed("bound to a key, without a proof", |it| {
            it.set("cnf", json!({"jkt": other}));
        });
    }

    /// How long ago the login was.
    fn logins(&mut self) {
        let good = self.good;
        let freshness = &good.requirement.freshness;
        let (now, leeway) = (self.now(), self.leeway());
        if freshness.login {
            self.changed("refreshed, and not of the login", |it| {
                it.set("auth_time", now - 1);
            });
        }
        if let Some(max_age) = freshness.max_age {
            let old = now - i64::from(max_age) - leeway - 1;
            self.changed("of a login that is too long ago", |it| {
                it.set("auth_time", old);
            });
        }
        if freshness.login || freshness.max_age.is_some() {
            self.changed("without `auth_time`", |it| {
                drop(it.claims.remove("auth_time"));
            });
        }
    }

    /// The authentication context class of the login.
    fn acr(&mut self) {
        let good = self.good;
        let Some(acr) = &good.requirement.freshness.acr else {
            return;
        };
        self.changed("without `acr`", |it| drop(it.claims.remove("acr")));
        self.changed("with null as `acr`", |it| it.set("acr", Value::Null));
        let all = acr.joined();
        self.changed("with another `acr`", |it| {
            it.set("acr", format!("{all}-not"));
        });
        self.changed("with `acr` as an array", |it| it.set("acr", acr.as_slice()));
    }

    /// For each claim: a token without it, with another value, with another JSON type.
    fn claims(&mut self) {
        let requirement = &self.good.requirement;
        let scope = requirement.scope.iter().map(|expected| ("scope", expected));
        let named = requirement.claims.iter();
        let named = named.map(|(name, expected)| (name.as_str(), expected));
        for (name, expected) in named.chain(scope) {
            if *expected == ExpectedClaim::Absent {
                self.changed(&format!("with `{name}`"), |it| it.set(name, "present"));
                continue;
            }
            self.changed(&format!("without `{name}`"), |it| {
                drop(it.claims.remove(name));
            });
            self.changed(&format!("with null as `{name}`"), |it| {
                it.set(name, Value::Null);
            });
            let value = self.good.forgery.claims.get(name);
            if let Some(value) = value.filter(|_| *expected != ExpectedClaim::Present) {
                self.values(name, expected, value);
                self.parts(name, expected, value);
            }
        }
    }

    fn values(&mut self, name: &str, expected: &ExpectedClaim, value: &Value) {
        let is_accepted = |value: &Value| match expected {
            ExpectedClaim::OneOf(values) => values.contains(value),
            ExpectedClaim::Value(wanted) => value == wanted,
            _ => false,
        };
        for other in [other_value(value), json!("none of them")] {
            if !is_accepted(&other) {
                self.changed(&format!("with another `{name}`"), |it| it.set(name, other));
            }
        }
        for retyped in other_types(value) {
            if !is_accepted(&retyped) {
                let what = format!("with `{name}` as another JSON type");
                self.changed(&what, |it| it.set(name, retyped));
            }
        }
    }

    /// Without one of the items, or one of the members, that a claim has to have.
    fn parts(&mut self, name: &str, expected: &ExpectedClaim, value: &Value) {
        if let ExpectedClaim::All(items) = expected
            && items.len() > 1
        {
            for (missing, item) in items.iter().enumerate() {
                let mut rest = items.clone();
                rest.remove(missing);
                self.changed(&format!("without `{item}` in `{name}`"), |it| {
                    it.set(name, rest.join(" "));
                });
            }
        }
        if let (ExpectedClaim::Value(_), Value::Object(members)) = (expected, value) {
            for member in members.keys() {
                let mut fewer = members.clone();
                fewer.remove(member);
                self.changed(&format!("without `{member}` in `{name}`"), |it| {
                    it.set(name, fewer);
                });
            }
        }
    }

    /// The claims of `override` inside the scope, or as another JSON type, where they do not count.
    fn override_inside_scope(&mut self) {
        let requirement = &self.good.requirement;
        let Some(claims) = &requirement.override_claims else {
            return;
        };
        // Without another rule the route needs nothing that `override` could replace.
        let first = requirement.claims.first().map(|(name, _)| name.as_str());
        let Some(required) = first.or(requirement.scope.as_ref().map(|_| "scope")) else {
            return;
        };
        self.changed("with the claims of `override` inside `scope`", |it| {
            it.claims.remove(required);
            it.set("scope", Value::Object(claims.clone()));
        });
        for (name, value) in claims {
            for retyped in other_types(value) {
                let what = "with the claims of `override` as another JSON type";
                self.changed(what, |it| {
                    it.claims.remove(required);
                    it.claims.extend(claims.clone());
                    it.set(name, retyped);
                });
            }
        }
    }
}

fn other_value(value: &Value) -> Value {
    match value {
        Value::Bool(value) => json!(!value),
        Value::Number(value) => json!(value.as_i64().unwrap_or_default().wrapping_add(1)),
        Value::String(value) => json!(format!("{value}-not")),
        Value::Array(_) => json!([]),
        Value::Object(_) => json!({}),
        Value::Null => json!("null"),
    }
}

/// The same value as other JSON types, as somebody who compares loosely would take it.
fn other_types(value: &Value) -> Vec<Value> {
    match value {
        Value::Bool(value) => vec![json!(i32::from(*value)), json!(value.to_string())],
        Value::Number(number) => vec![json!(number.to_string()), json!([number])],
        Value::String(text) => vec![json!({ text: true }), json!({ "value": text })],
        Value::Array(_) | Value::Object(_) => vec![json!(value.to_string()), json!([value])],
        Value::Null => vec![json!("null"), json!(false)],
    }
}

/// A token that is really revoked, if the manager keeps sessions.
async fn revoked(good: &Good) -> Option<String> {
    good.manager.parts().sessions.as_ref()?;
    let id = match good.requirement.token_type {
        TokenType::Auth => "jti",
        TokenType::Refresh => "rid",
    };
    let mut forgery = good.forgery.clone();
    let random = random_id().ok()?;
    forgery.set(id, random);
    let signed = forgery.sign(&good.manager, Signer::Manager)?;
    let token: Token = good.manager.verify_token(&signed).ok()?;
    let revoked = good.manager.revoke_token(&token).await;
    revoked.is_ok().then_some(signed)
}
