//! Public keys that make forging easy, in each way in which a key can be configured, and signatures on which
//! implementations of Ed25519 differ. Both backends run these tests.

use std::{env, fs};

use flask_pyjwt::{AuthManager, AuthType, Config, Issuer, Key, TokenError};
use serde_json::{Value, json};

use support::{
    ISSUER,
    forge::decode,
    frozen, hs256,
    keys::{self, pem, rsa_public_of, write},
    manager,
};

/// See tests/vectors/README.md.
fn vectors(name: &str) -> Vec<Value> {
    let vectors: Value =
        serde_json::from_str(include_str!("../vectors/hostile_keys.json")).expect("JSON");
    vectors[name].as_array().expect("an array").clone()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().expect("text")
}

fn number(jwk: &Value, name: &str) -> Vec<u8> {
    decode(text(jwk, name))
}

/// A JWK as PEM texts of each type.
fn pems_of(jwk: &Value) -> Vec<String> {
    let spki = |algorithm: &[u8], key: &[u8]| {
        let bits = write(3, &[&[0], key].concat());
        let parts = [write(0x30, algorithm), bits].concat();
        vec![pem("PUBLIC KEY", write(0x30, &parts))]
    };
    match text(jwk, "kty") {
        "RSA" => rsa_public_of(&number(jwk, "n"), &number(jwk, "e")).to_vec(),
        "EC" => {
            let curve: &[u8] = match text(jwk, "crv") {
                "P-256" => &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7],
                "P-384" => &[0x2B, 0x81, 4, 0, 34],
                _ => &[0x2B, 0x81, 4, 0, 35],
            };
            let ec = write(6, &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1]);
            let point = [&[4][..], &number(jwk, "x"), &number(jwk, "y")].concat();
            spki(&[ec, write(6, curve)].concat(), &point)
        }
        _ => spki(&write(6, &[0x2B, 0x65, 0x70]), &number(jwk, "x")),
    }
}

/// Whether a key is accepted, for each way to configure it.
fn doors(auth_type: AuthType, jwk: &Value) -> Vec<(&'static str, bool)> {
    let trusted = |change: &dyn Fn(Issuer) -> Issuer| {
        let issuer = Issuer::new("https://other.example").audience("api");
        AuthManager::new(hs256().trust(change(issuer))).is_ok()
    };
    let set = |jwk: &Value| trusted(&|issuer| issuer.jwk_set(json!({ "keys": [jwk] }).to_string()));
    let mut described = jwk.clone();
    described["alg"] = auth_type.name().into();
    described["kid"] = "a".into();
    let accepted = |issuer: Issuer| {
        let set = json!({ "keys": [jwk] }).to_string();
        issuer.jwk_set(set).algorithms([auth_type])
    };
    let mut doors = vec![
        ("described JWK", set(&described)),
        ("JWK", trusted(&accepted)),
    ];
    for (number, pem) in pems_of(jwk).into_iter().enumerate() {
        let key = || Key::verify_only(auth_type, &pem);
        let path = env::temp_dir().join(format!(
            "flask-pyjwt-hostile-{}-{}",
            std::process::id(),
            number
        ));
        fs::create_dir_all(&path).expect("the folder is created");
        fs::write(path.join("a.pem"), &pem).expect("the file is written");
        let running = manager(hs256());
        doors.extend([
            (
                "verify_only",
                AuthManager::new(Config::verify_only(ISSUER, auth_type, &pem)).is_ok(),
            ),
            (
                "verification_key",
                AuthManager::new(hs256().verification_key(key())).is_ok(),
            ),
            ("prepublish", running.prepublish(key()).is_ok()),
            ("Issuer::key", trusted(&|issuer| issuer.key(key()))),
            (
                "JWT_KEYS_DIR",
                AuthManager::new(Config::with_keys_dir(ISSUER, auth_type, &path)).is_ok(),
            ),
        ]);
        fs::remove_dir_all(path).expect("it exists");
    }
    doors
}

/// `docs/threats.md` 52: weak keys of every type, and good ones of the same types for comparison.
#[test]
fn weak_public_keys_are_refused_wherever_they_are_configured() {
    for vector in vectors("keys") {
        let (what, jwk) = (text(&vector, "what"), &vector["jwk"]);
        let auth_type = text(&vector, "alg").parse().expect("an algorithm");
        let is_good = vector["good"] == json!(true);
        for (door, is_let_in) in doors(auth_type, jwk) {
            assert_eq!(is_let_in, is_good, "{what}: {door}");
        }
    }
}

/// `docs/threats.md` 52: a public key that accompanies the private one, and one in compressed form.
#[test]
fn a_weak_public_key_is_refused_in_addition_to_a_private_one() {
    for vector in vectors("keys") {
        let auth_type: AuthType = text(&vector, "alg").parse().expect("an algorithm");
        for pem in pems_of(&vector["jwk"]) {
            let config = Config::new(ISSUER, auth_type, keys::secret(auth_type));
            assert!(
                AuthManager::new(config.public_key(pem)).is_err(),
                "{vector}"
            );
        }
    }
}

#[test]
fn compressed_points_are_accepted_and_hybrid_ones_refused() {
    for auth_type in [AuthType::ES256, AuthType::ES384, AuthType::ES512] {
        let auth = manager(Config::new(ISSUER, auth_type, keys::secret(auth_type)).clock(frozen()));
        let token = auth.auth_token("alice").sign().expect("minted");
        let spki = keys::der(&keys::public(auth_type).expect("a public key"));
        let parts = keys::read(&keys::read(&spki)[0].1);
        let [algorithm, bits] = &parts[..] else {
            panic!("two parts");
        };
        let point = &bits.1[2..];
        let (x, y) = point.split_at(point.len() / 2);
        let sign = y.last().expect("a byte") & 1;
        for (form, coordinates, is_good) in [
            (2 | sign, x, true),
            (6 | sign, point, false),
            (2 | sign, point, false),
            (2 | sign, &x[1..], false),
            (4, x, false),
        ] {
            let bits = write(3, &[&[0, form], coordinates].concat());
            let parts = [write(0x30, &algorithm.1), bits].concat();
            let pem = pem("PUBLIC KEY", write(0x30, &parts));
            let config = Config::verify_only(ISSUER, auth_type, pem).clock(frozen());
            let outcome = AuthManager::new(config).map(|auth| auth.verify_token(token.signed()));
            let outcome = outcome.map(|token| token.is_ok());
            let expected = is_good.then_some(true);
            assert_eq!(outcome.ok(), expected, "{auth_type} {form}");
        }
    }
}

/// The equation without the cofactor, with both halves of the signature in canonical form and the first one not
/// of small order.
#[test]
fn both_backends_agree_on_edge_cases_of_ed25519_signatures() {
    for vector in vectors("tokens") {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": vector["x"] });
        let public = pems_of(&jwk).remove(0);
        let config = Config::verify_only(ISSUER, AuthType::EdDSA, public).clock(frozen());
        let outcome = manager(config).verify_token(text(&vector, "token"));
        let expected = match vector["good"].as_bool() {
            Some(true) => Ok(()),
            _ => Err(TokenError::Signature),
        };
        assert_eq!(outcome.map(drop), expected, "{}", vector["what"]);
    }
}
