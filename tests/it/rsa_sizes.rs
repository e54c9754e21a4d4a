//! `docs/threats.md` 4: RSA keys of 2048 to 8192 bits are accepted, and others are refused before any token,
//! with either cryptography.

use aws_lc_rs::{
    rsa,
    signature::{self, KeyPair as _, RsaEncoding},
};
use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, Key, TokenError};
use serde_json::{Value, json};

use support::{
    ISSUER, claims_with, config,
    forge::{self, encode, forge},
    hs256,
    keys::{self, RSA, rsa_public_of},
    manager,
};

/// An RSA key of 1024 bits, which AWS-LC does not make.
const RSA_1024: &str = "\
-----BEGIN RSA PRIVATE KEY-----\n\
MIICXQIBAAKBgQDpOm0ZAG4q5IpQKYNtC5z55bjww4ytGyiETVRypdh95/1xQ+Vz\n\
ZQJ+aX8BAYQlBVXp+bZquc6AGM6GsLbBsr/9GtNzzqVsARBz+flWRYQivUMODNlp\n\
756sRzx4j/ZpYMPGrTDxqsD6X1t9yKm14pAcxarK7tQ9zNXLKPhojprrTQIDAQAB\n\
AoGAYNCtGxTPpqSKOe6RrQGGH0JaPC+gxPciIZGMPa9UqCdWUN9Tb0x99YXLf9pm\n\
RYvqdx7+t1z8OLaTfNv8cXnHMfoSuOii2luzulkFLywWNMyw5l3ClyhZJ1/L6Nbl\n\
upEswSL1UIVuWd3bQfbiqF2RVdLZNRHwdJlwLXXZS/Sk0I0CQQD/PVcKuqdGsHTM\n\
MXfe+bwfg557XhIqWY3qhmT+IsjKn+Ihegb+tz04JLGTd8w6DXfXGrtGy+Nd5306\n\
H7pqZLzfAkEA6exMjjTypM5ut+Vu6tUu91pcsejBDPZNgcPpoYRrLRCSLrOUvfJQ\n\
gyrxVqRMevWL6Kv42r9uCRHAw25IZpUxUwJAB6Yi8aNeV/P5zBS/buM1DAy5tyC+\n\
kp5Ubm7Qn/0S31+jOzWY+BEtuH0BBVZVvHei28NlUV3S1oGVcyR4Ra/3KQJBALd9\n\
9E9YmT1N8OuvvWHX+A9vgmbL/SL90a6IzyszhB7FcOXRWEvnV+CMPuOH3bZWBnls\n\
7LgqkVXr5xll2MUfIqECQQDE7l8ezItgQItOaK72IqucsW9dAOm1qkqdJ25c07rn\n\
VPwjmQO45qpyeoXQZPvn9mMA49JJQQGVlQHR7ufSjZkJ\n\
-----END RSA PRIVATE KEY-----";

/// Keys of these sizes in bits, made by `openssl genrsa`.
const RSA_8192: &str = include_str!("rsa_sizes/8192.pem");
const RSA_8194: &str = include_str!("rsa_sizes/8194.pem");

const F4: &[u8] = &[1, 0, 1];
const OTHER: &str = "https://other.example";

const RSA_TYPES: [(AuthType, &dyn RsaEncoding); 6] = [
    (AuthType::RS256, &signature::RSA_PKCS1_SHA256),
    (AuthType::RS384, &signature::RSA_PKCS1_SHA384),
    (AuthType::RS512, &signature::RSA_PKCS1_SHA512),
    (AuthType::PS256, &signature::RSA_PSS_SHA256),
    (AuthType::PS384, &signature::RSA_PSS_SHA384),
    (AuthType::PS512, &signature::RSA_PSS_SHA512),
];

fn verifier(auth_type: AuthType, public_key: &str) -> Config {
    Config::verify_only(ISSUER, auth_type, public_key)
}

/// Asserts that no manager is made, and that the error says what is wrong with the key.
#[track_caller]
fn is_refused(config: Config, expected_text: &str, what: &str) {
    let error = AuthManager::new(config).expect_err(what).to_string();
    assert!(error.contains(expected_text), "{what}: {error}");
}

/// A number of so many bits without a factor below 4096.
fn modulus(bits: usize) -> Vec<u8> {
    let rest = |number: &[u8], factor: u32| {
        let digits = number.iter();
        digits.fold(0, |rest, digit| (rest * 256 + u32::from(*digit)) % factor)
    };
    let mut modulus = odd(bits);
    let last = modulus.len() - 1;
    while (3..4096)
        .step_by(2)
        .any(|factor| rest(&modulus, factor) == 0)
    {
        modulus[last - 1] = modulus[last - 1].wrapping_add(modulus[last] / 0xff);
        modulus[last] = modulus[last].wrapping_add(2);
    }
    modulus
}

/// An odd number of so many bits.
fn odd(bits: usize) -> Vec<u8> {
    let mut modulus = vec![0xA5; bits.div_ceil(8)];
    modulus[0] = match bits % 8 {
        0 => 0xA5,
        rest => 1 << (rest - 1),
    };
    modulus
}

/// A JWK with this modulus and this key ID.
fn jwk(modulus: &[u8], id: &str) -> Value {
    json!({ "kty": "RSA", "kid": id, "use": "sig", "n": encode(modulus), "e": encode(F4) })
}

/// Another issuer with this key set, which accepts the algorithms of all keys.
fn issuer(keys: &[Value]) -> Issuer {
    Issuer::new(OTHER)
        .jwk_set(json!({ "keys": keys }).to_string())
        .algorithms(RSA_TYPES.map(|(auth_type, _)| auth_type))
        .audience("api")
}

/// The modulus of a key pair.
fn modulus_of(pair: &rsa::KeyPair) -> &[u8] {
    pair.public_key()
        .modulus()
        .big_endian_without_leading_zero()
}

#[test]
fn threat_4_an_rsa_key_of_less_than_2048_bits_is_refused() {
    let n = &keys::integers_of(&keys::der(RSA_1024))[1][1..];
    assert_eq!(n.len(), 128);
    for (auth_type, _) in RSA_TYPES {
        is_refused(config(auth_type, RSA_1024), "2048 bits", "private");
        for key in rsa_public_of(n, F4) {
            is_refused(verifier(auth_type, &key), "2048 bits", &key);
        }
        for bits in [512, 1024, 1536, 2040, 2047] {
            for key in rsa_public_of(&modulus(bits), F4) {
                is_refused(verifier(auth_type, &key), "2048 bits", &key);
            }
        }
        for bits in [2048, 2049, 3072, 4096, 8191, 8192] {
            for key in rsa_public_of(&modulus(bits), F4) {
                let verifier = AuthManager::new(verifier(auth_type, &key));
                assert!(verifier.is_ok(), "{bits}: {verifier:?}");
            }
        }
    }
}

#[test]
fn threat_4_an_rsa_key_of_more_than_8192_bits_is_refused() {
    for (auth_type, _) in RSA_TYPES {
        is_refused(config(auth_type, RSA_8194), "8192 bits", "private");
        for bits in [8193, 8194, 8200, 16_384, 16_392, 32_768] {
            for key in rsa_public_of(&modulus(bits), F4) {
                is_refused(verifier(auth_type, &key), "8192 bits", &bits.to_string());
                let issuer = Issuer::new(OTHER).audience("api");
                let issuer = issuer.key(Key::verify_only(auth_type, &key));
                is_refused(hs256().trust(issuer), "8192 bits", &bits.to_string());
            }
        }
    }
}

#[test]
fn threat_8_a_key_of_another_size_is_skipped() {
    let good = jwk(modulus_of(&RSA), "good");
    let claims = claims_with(json!({ "iss": OTHER, "aud": "api", "type": null }));
    let token = |id: &str| {
        let header = json!({ "alg": "RS256", "kid": id, "typ": "JWT" }).to_string();
        forge(header, &claims, &keys::key(AuthType::RS256))
    };
    for bits in [1024, 2047, 8193, 8194, 16_384, 32_768] {
        let bad = jwk(&modulus(bits), "bad");
        let alone = hs256().trust(issuer(std::slice::from_ref(&bad)));
        is_refused(alone, "no usable key", &bits.to_string());
        let auth = manager(hs256().trust(issuer(&[bad, good.clone()])));
        assert!(auth.verify_token(&token("good")).is_ok(), "{bits}");
        let outcome = auth.verify_token(&token("bad")).map(drop);
        assert_eq!(outcome, Err(TokenError::UnknownKey), "{bits}");
    }
}

#[test]
fn a_key_of_8192_bits_verifies_in_every_form() {
    let pair = rsa::KeyPair::from_pkcs8(&keys::der(RSA_8192)).expect("a key");
    assert_eq!(modulus_of(&pair).len(), 1_024);
    let pem = [keys::rsa_public(&pair), keys::rsa_public_pkcs1(&pair)];
    let set = manager(hs256().trust(issuer(&[jwk(modulus_of(&pair), "large")])));
    for (auth_type, encoding) in RSA_TYPES {
        let forge = |issuer: &str, audience: Value, of_type: Value| {
            let header = json!({ "alg": auth_type.name(), "kid": "large", "typ": "JWT" });
            let claims = json!({ "iss": issuer, "aud": audience, "type": of_type });
            let key = forge::Key::Rsa(&pair, encoding);
            forge(header.to_string(), claims_with(claims), &key)
        };
        let own = forge(ISSUER, Value::Null, json!("auth"));
        let [_, _, signature] = forge::segments(&own);
        assert_eq!(forge::decode(signature).len(), 1_024);
        let mut other = forge::decode(signature);
        other[1_023] ^= 1;
        for pem in &pem {
            let config = verifier(auth_type, pem).key_id("large");
            let auth = manager(config.clock(support::frozen()));
            let outcome = auth.verify_token(&own).map(drop);
            assert_eq!(outcome, Ok(()), "{auth_type}");
            let outcome = auth.verify_token(&forge::with_signature(&own, &other));
            assert_eq!(outcome.map(drop), Err(TokenError::Signature), "{auth_type}");
        }
        let outcome = set.verify_token(&forge(OTHER, json!("api"), Value::Null));
        assert_eq!(outcome.map(drop), Ok(()), "{auth_type}");
    }
}

#[test]
fn a_key_of_8192_bits_signs() {
    let auth = manager(config(AuthType::RS256, RSA_8192));
    let token = auth.auth_token("alice").sign().expect("minted");
    let pair = rsa::KeyPair::from_pkcs8(&keys::der(RSA_8192)).expect("a key");
    let verifier = verifier(AuthType::RS256, &keys::rsa_public(&pair));
    let verifier = manager(verifier.clock(support::frozen()));
    assert_eq!(verifier.verify_token(token.signed()).map(drop), Ok(()));
}
