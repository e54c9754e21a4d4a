//! The candidates for verifying and minting, with one key and one token.

use std::hint::black_box;

use flask_pyjwt::AuthManager;
use serde_json::{Map, Value};

use crate::{
    claims::{self, Borrowed, Claims, SUBJECT},
    floor::{Floor, read},
    keys::Keys,
    peers::{JsonWebToken, JwtSimple},
    race::Candidate,
};

/// The names of the candidates, used by tables and targets.
pub(crate) mod name {
    pub(crate) const MAP: &str = "jsonwebtoken, map";
    pub(crate) const STRUCT: &str = "jsonwebtoken, struct";
    pub(crate) const SIMPLE: &str = "jwt-simple";
    pub(crate) const OURS: &str = "flask-pyjwt, no table";
    pub(crate) const OURS_MAP: &str = "flask-pyjwt, no table, claims() asked for";
    pub(crate) const TABLE: &str = "flask-pyjwt, table hit";
    pub(crate) const MINT: &str = "flask-pyjwt";
    pub(crate) const FLOOR_MAP: &str = "floor, map";
    pub(crate) const FLOOR_STRUCT: &str = "floor, struct";
    pub(crate) const FLOOR_BORROWED: &str = "floor, borrowed struct";
    pub(crate) const SIGNATURE: &str = "signature alone";
}

/// All candidates with one key.
pub(crate) struct Field {
    pub(crate) token: String,
    pub(crate) jsonwebtoken: JsonWebToken,
    simple: JwtSimple,
    pub(crate) floor: Floor,
    pub(crate) ours: AuthManager,
    pub(crate) ours_with_table: AuthManager,
}

impl Field {
    pub(crate) fn new(keys: &Keys) -> Self {
        let ours = keys.manager(false);
        Self {
            token: claims::mint(&ours, SUBJECT).signed().to_owned(),
            jsonwebtoken: JsonWebToken::new(keys),
            simple: JwtSimple::new(keys),
            floor: Floor::new(keys),
            ours,
            ours_with_table: keys.manager(true),
        }
    }

    /// Verification of the token.
    pub(crate) fn verify(&self) -> Vec<Candidate<'_>> {
        let token = &*self.token;
        let (message, signature) = token.rsplit_once('.').expect("a token");
        let mut raw = [0; 512];
        let length = base64_simd::URL_SAFE_NO_PAD
            .decode(signature.as_bytes(), base64_simd::Out::from_slice(&mut raw))
            .expect("base64url")
            .len();
        let (floor, jsonwebtoken) = (&self.floor, &self.jsonwebtoken);
        let verify = |auth: &AuthManager| auth.verify_token(black_box(token)).expect("valid");
        vec![
            Candidate::new(name::MAP, || {
                let claims: Option<Map<String, Value>> = jsonwebtoken.verify(black_box(token));
                claims.expect("valid")
            }),
            Candidate::new(name::STRUCT, || {
                let claims: Option<Claims> = jsonwebtoken.verify(black_box(token));
                claims.expect("valid")
            }),
            Candidate::new(name::SIMPLE, || {
                self.simple.verify(black_box(token)).expect("valid")
            }),
            Candidate::new(name::OURS, move || verify(&self.ours)),
            Candidate::new(name::OURS_MAP, move || {
                let token = verify(&self.ours);
                black_box(token.claims());
                token
            }),
            Candidate::new(name::TABLE, move || verify(&self.ours_with_table)),
            Candidate::new(name::FLOOR_MAP, || {
                floor.verify(black_box(token), |json| read::<Map<String, Value>>(json))
            }),
            Candidate::new(name::FLOOR_STRUCT, || {
                floor.verify(black_box(token), |json| read::<Claims>(json))
            }),
            Candidate::new(name::FLOOR_BORROWED, || {
                floor.verify(black_box(token), |payload| {
                    black_box(read::<Borrowed<'_>>(payload));
                });
            }),
            Candidate::new(name::SIGNATURE, move || {
                assert!(floor.is_genuine(black_box(message.as_bytes()), &raw[..length]));
            }),
        ]
    }

    /// Minting of such a token.
    pub(crate) fn mint(&self) -> Vec<Candidate<'_>> {
        let floor = &self.floor;
        let (message, _) = self.token.rsplit_once('.').expect("a token");
        let simple_claims = self.simple.verify(&self.token).expect("valid");
        vec![
            Candidate::new(name::MAP, || {
                self.jsonwebtoken.mint(&Claims::fresh().to_map())
            }),
            Candidate::new(name::STRUCT, || self.jsonwebtoken.mint(&Claims::fresh())),
            Candidate::new(name::SIMPLE, move || {
                self.simple.mint(simple_claims.clone())
            }),
            Candidate::new(name::MINT, || claims::mint(&self.ours, SUBJECT)),
            Candidate::new(name::FLOOR_STRUCT, || floor.mint(&Claims::fresh())),
            Candidate::new(name::SIGNATURE, move || {
                let mut signature = [0; 512];
                floor.sign(black_box(message.as_bytes()), &mut signature);
                signature
            }),
        ]
    }
}
