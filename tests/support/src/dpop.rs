//! DPoP proofs as a client makes them, and as an attacker does (RFC 9449).

use aws_lc_rs::{
    digest,
    rand::{SecureRandom as _, SystemRandom},
    signature::{EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};

use crate::{
    NOW,
    forge::{Key, encode, forge},
    keys::P256,
};

/// A proof that is about to be signed. Each part can be changed.
pub struct Proof {
    pub header: Value,
    pub claims: Value,
}

/// The public key as a JWK.
pub fn jwk(pair: &EcdsaKeyPair) -> Value {
    let point = &pair.public_key().as_ref()[1..];
    let (x, y) = point.split_at(point.len() / 2);
    let curve = match point.len() {
        64 => "P-256",
        96 => "P-384",
        _ => "P-521",
    };
    json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)})
}

/// The JWK thumbprint (RFC 7638, section 3): the members in this order, without blanks.
pub fn thumbprint(pair: &EcdsaKeyPair) -> String {
    let jwk = jwk(pair);
    let text = format!(
        r#"{{"crv":{},"kty":"EC","x":{},"y":{}}}"#,
        jwk["crv"], jwk["x"], jwk["y"]
    );
    hash(&text)
}

/// The SHA-256 hash of a text, in base64url: `ath` of a token.
pub fn hash(text: &str) -> String {
    encode(digest::digest(&digest::SHA256, text.as_bytes()))
}

impl Proof {
    /// A proof with the key [`P256`], made now, without a token.
    pub fn new(method: &str, address: &str) -> Self {
        Self {
            header: json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": jwk(&P256)}),
            claims: json!({
                "jti": id(),
                "htm": method,
                "htu": address,
                "iat": NOW,
            }),
        }
    }

    /// With the hash of this token.
    pub fn of(self, token: &str) -> Self {
        self.claim("ath", hash(token))
    }

    /// Sets a claim; `null` removes it.
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.claims, name, value.into());
        self
    }

    /// Sets a member of the header; `null` removes it.
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        set(&mut self.header, name, value.into());
        self
    }

    pub fn sign(&self) -> String {
        self.sign_with(&Key::Ecdsa(&P256))
    }

    pub fn sign_with(&self, key: &Key<'_>) -> String {
        forge(self.header.to_string(), self.claims.to_string(), key)
    }
}

/// An id that no other proof has.
fn id() -> String {
    let mut id = [0; 16];
    SystemRandom::new().fill(&mut id).expect("random bytes");
    encode(id)
}

fn set(object: &mut Value, name: &str, value: Value) {
    if value.is_null() {
        object.as_object_mut().expect("an object").remove(name);
    } else {
        object[name] = value;
    }
}
