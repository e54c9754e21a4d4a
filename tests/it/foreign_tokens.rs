//! Compatibility with another library, for every algorithm: it accepts our tokens, and we accept its tokens.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rsa, signature,
};
use flask_pyjwt::{AuthManager, AuthType, Config, MintError, TokenError, testing::FrozenClock};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

fn pem_of(tag: &str, der: &[u8]) -> Vec<u8> {
    pem::encode(&pem::Pem::new(tag, der)).into_bytes()
}

/// A new key pair of the algorithm's type, or a secret for HMAC.
fn keys(auth_type: AuthType) -> (Vec<u8>, Option<Vec<u8>>) {
    use signature::KeyPair as _;
    let (private, public) = match auth_type.name() {
        name if name.starts_with("HS") => return (vec![b'k'; 64], None),
        name if name.starts_with("ES") => {
            let algorithm = match name {
                "ES256" => &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
                "ES512" => &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
                _ => &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
            };
            let pair = signature::EcdsaKeyPair::generate(algorithm).expect("a key");
            let private = pair.to_pkcs8v1().expect("PKCS#8").as_ref().to_vec();
            (
                private,
                pair.public_key().as_der().expect("SPKI").as_ref().to_vec(),
            )
        }
        "EdDSA" => {
            let pair = signature::Ed25519KeyPair::generate().expect("a key");
            let private = pair.to_pkcs8v1().expect("PKCS#8").as_ref().to_vec();
            (
                private,
                pair.public_key().as_der().expect("SPKI").as_ref().to_vec(),
            )
        }
        _ => {
            let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).expect("a key");
            let private = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair)
                .expect("PKCS#8")
                .as_ref()
                .to_vec();
            (
                private,
                pair.public_key().as_der().expect("SPKI").as_ref().to_vec(),
            )
        }
    };
    (
        pem_of("PRIVATE KEY", &private),
        Some(pem_of("PUBLIC KEY", &public)),
    )
}

fn foreign_keys(name: &str, private: &[u8], public: &[u8]) -> (EncodingKey, DecodingKey) {
    let keys = match &name[..2] {
        "HS" => Ok((
            EncodingKey::from_secret(private),
            DecodingKey::from_secret(private),
        )),
        "ES" => EncodingKey::from_ec_pem(private)
            .and_then(|key| Ok((key, DecodingKey::from_ec_pem(public)?))),
        "Ed" => EncodingKey::from_ed_pem(private)
            .and_then(|key| Ok((key, DecodingKey::from_ed_pem(public)?))),
        _ => EncodingKey::from_rsa_pem(private)
            .and_then(|key| Ok((key, DecodingKey::from_rsa_pem(public)?))),
    };
    keys.expect("the other library takes the keys")
}

#[test]
fn jsonwebtoken_and_this_library_accept_each_others_tokens() {
    let now = OffsetDateTime::now_utc();
    // The other library does not support ES512.
    let known = |auth_type: &AuthType| *auth_type != AuthType::ES512;
    for auth_type in AuthType::ALL.into_iter().filter(known) {
        let name = auth_type.name();
        let (private, public) = keys(auth_type);
        let config = Config::new("issuer", auth_type, &private).clock(FrozenClock::new(now));
        let auth = AuthManager::new(config).expect(name);
        let public = public.unwrap_or_else(|| private.clone());
        let (encoding, decoding) = foreign_keys(name, &private, &public);
        let algorithm: Algorithm = name.parse().expect(name);

        let issued = now.unix_timestamp();
        let claims = json!({
            "iss": "issuer", "sub": "alice", "type": "auth", "iat": issued, "exp": issued + 60,
            "name": "Ünïcödé \u{1f600} \"quoted\"", "nested": {"list": [1, 2.5, null]},
        });
        let foreign = |claims: &Value| {
            jsonwebtoken::encode(&Header::new(algorithm), claims, &encoding).expect(name)
        };
        let token = auth.verify_token(&foreign(&claims)).expect(name);
        assert_eq!(json!(token.claims()), claims, "{name}");
        let mut expired = claims.clone();
        expired["exp"] = issued.into();
        assert_eq!(
            auth.verify_token(&foreign(&expired)).err(),
            Some(TokenError::Expired)
        );

        let ours = auth
            .auth_token("alice")
            .scope(json!({"a": [1]}))
            .sign()
            .expect(name);
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&["issuer"]);
        let data =
            jsonwebtoken::decode::<Map<String, Value>>(ours.signed(), &decoding, &validation)
                .expect(name);
        assert_eq!(&data.claims, ours.claims(), "{name}");

        // Another key of the same type does not verify the token.
        let (other, _) = keys(auth_type);
        let other = if name.starts_with("HS") {
            vec![b'x'; 64]
        } else {
            other
        };
        let config = Config::new("issuer", auth_type, other).clock(FrozenClock::new(now));
        let stranger = AuthManager::new(config).expect(name);
        let refused = stranger.verify_token(ours.signed()).err();
        assert_eq!(refused, Some(TokenError::Signature), "{name}");
        // A server with only the public key accepts the same tokens, and mints none.
        if !name.starts_with("HS") {
            let config = Config::verify_only("issuer", auth_type, &public);
            let reader = AuthManager::new(config.clock(FrozenClock::new(now))).expect(name);
            assert!(reader.verify_token(ours.signed()).is_ok(), "{name}");
            let refused = reader.auth_token("alice").sign();
            assert!(matches!(refused, Err(MintError::MissingSigner)), "{name}");
        }
    }
}
