//! What is refused when the configuration is built: the public key has the checks of every other key.

use flask_pyjwt::{AuthManager, AuthType, ConfigError, Key, MemoryStore};
use support::{keys, manager};
use time::Duration;

use super::{LOCAL, Service, config};

#[track_caller]
fn refused(key: Key, reason: &str) {
    let error = AuthManager::new(config(key)).expect_err("refused");
    let sentence = error.to_string();
    assert!(sentence.contains(reason), "{sentence}");
    assert!(
        !sentence.contains("BEGIN PUBLIC KEY-----\n") && !sentence.contains("PRIVATE KEY-----\n")
    );
}

fn with_public(auth_type: AuthType, public: impl Into<String>) -> Key {
    let mut service = Service::good(auth_type);
    service.public = public.into();
    service.key()
}

#[test]
fn hmac_has_no_public_key() {
    for auth_type in [AuthType::HS256, AuthType::HS384, AuthType::HS512] {
        refused(Service::good(auth_type).key(), "which has no public key");
    }
}

#[test]
fn a_public_key_that_is_none_is_refused() {
    let es256 = |public: &str| with_public(AuthType::ES256, public);
    refused(es256(""), "has no PEM block");
    refused(es256("garbage"), "has no PEM block");
    refused(es256(&"x".repeat(10_000_000)), "has no PEM block");
    refused(
        es256(&keys::ecdsa_private(&keys::P256)),
        "is a private key where a public key",
    );
    refused(
        es256(&keys::ed25519_public(&keys::ED25519)),
        "does not have the type and curve",
    );
    refused(
        es256(&keys::ecdsa_public(&keys::P384)),
        "does not have the type and curve",
    );
    refused(
        with_public(AuthType::RS256, keys::ecdsa_public(&keys::P256)),
        "does not have the type",
    );
}

#[test]
fn threat_52_weak_public_keys_are_refused() {
    // RFC 8032: the point of order one.
    let small_order = keys::pem("PUBLIC KEY", {
        let mut spki = keys::der(&keys::ed25519_public(&keys::ED25519));
        let start = spki.len() - 32;
        spki[start..].copy_from_slice(&[0; 32]);
        spki[start] = 1;
        spki
    });
    refused(with_public(AuthType::EdDSA, small_order), "of small order");
    let modulus = [vec![0xc5; 255], vec![0x07]].concat();
    let [spki, _] = keys::rsa_public_of(&modulus, &[1]);
    let error = AuthManager::new(config(with_public(AuthType::RS256, spki))).expect_err("e = 1");
    assert!(error.to_string().contains("RSA key"), "{error}");
}

#[test]
fn a_jwk_is_read_and_checked() {
    let auth = Service::good(AuthType::ES256).manager();
    let set = serde_json::to_value(auth.jwk_set()).expect("JSON");
    let jwk = set["keys"][0].clone();
    let given = manager(config(with_public(AuthType::ES256, jwk.to_string())));
    assert_eq!(given.jwk_set(), auth.jwk_set());
    for (member, value, reason) in [
        ("d", "AAAA", "has the private member `d`"),
        ("use", "enc", "not for signatures"),
        ("alg", "ES384", "has an `alg` that is not accepted"),
        ("crv", "P-384", "malformed"),
        ("kty", "oct", "is a symmetric key"),
        ("x", "AAAA", "malformed"),
    ] {
        let mut jwk = jwk.clone();
        jwk[member] = value.into();
        refused(with_public(AuthType::ES256, jwk.to_string()), reason);
    }
    refused(with_public(AuthType::ES256, "{"), "is not a JSON object");
    refused(
        with_public(AuthType::ES256, r#"{"kty":"EC","kty":"EC"}"#),
        "is not a JSON object",
    );
    // An RSA key without `alg` serves the signer's algorithm.
    let auth = Service::good(AuthType::PS256).manager();
    let mut jwk = serde_json::to_value(auth.jwk_set()).expect("JSON")["keys"][0].take();
    jwk.as_object_mut().expect("an object").remove("alg");
    assert!(AuthManager::new(config(with_public(AuthType::PS256, jwk.to_string()))).is_ok());
}

#[test]
fn settings_have_limits() {
    let key = || Service::good(AuthType::ES256).key();
    for timeout in [
        Duration::ZERO,
        Duration::microseconds(999),
        Duration::seconds(-1),
        Duration::seconds(61),
        Duration::MAX,
    ] {
        refused(key().timeout(timeout), "`timeout`");
    }
    refused(key().retries(11), "`retries`");
    refused(key().retries(u32::MAX), "`retries`");
    for concurrency in [0, 10_001, usize::MAX] {
        refused(key().concurrency(concurrency), "`concurrency`");
    }
    refused(
        key().local_secret("short"),
        "`local_secret` that has 5 bytes",
    );
    refused(
        key().local_secret(keys::secret(AuthType::ES256)),
        "`local_secret` that is a key in PEM",
    );
    refused(key().id(""), "empty key ID");
    let good = key()
        .timeout(Duration::MILLISECOND)
        .retries(0)
        .concurrency(10_000)
        .local_secret(LOCAL);
    assert!(AuthManager::new(config(good)).is_ok());
}

#[test]
fn settings_of_remote_keys_are_refused_for_others() {
    let local = || Key::new(AuthType::ES256, keys::secret(AuthType::ES256));
    refused(
        local().timeout(Duration::SECOND),
        "`timeout`, which only `Key::remote` has",
    );
    refused(
        local().retries(1),
        "`retries`, which only `Key::remote` has",
    );
    refused(
        local().concurrency(1),
        "`concurrency`, which only `Key::remote` has",
    );
    refused(
        local().local_secret(LOCAL),
        "`local_secret`, which only `Key::remote` has",
    );
}

#[test]
fn sessions_need_a_local_secret_at_start_and_at_a_rotation() {
    let service = Service::good(AuthType::ES256);
    let with_store = |key| config(key).session_store(MemoryStore::default());
    let refused = |answer: Result<AuthManager, ConfigError>| {
        let error = answer.expect_err("refused").to_string();
        assert!(
            error.contains("`local_secret`, which the session store needs"),
            "{error}"
        );
    };
    refused(AuthManager::new(with_store(service.key())));
    assert!(AuthManager::new(with_store(service.key().local_secret(LOCAL))).is_ok());
    let auth = manager(support::hs256().session_store(MemoryStore::default()));
    let error = auth.rotate(service.key()).expect_err("refused").to_string();
    assert!(error.contains("`local_secret`"), "{error}");
    assert!(auth.rotate(service.key().local_secret(LOCAL)).is_ok());
}

#[test]
fn nothing_secret_is_in_debug() {
    let key = Service::good(AuthType::ES256).key().local_secret(LOCAL);
    let secret = std::str::from_utf8(LOCAL).expect("text");
    let auth = manager(config(key.clone()));
    for text in [
        format!("{key:?}"),
        format!("{auth:?}"),
        format!("{:?}", config(key)),
    ] {
        assert!(!text.contains(secret), "{text}");
    }
}
