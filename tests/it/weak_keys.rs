//! `docs/threats.md` 2, 3, 4 and 20: configurations that are refused at startup.
// The expected texts for odd keys are those of one backend. AWS-LC is used if both are enabled.
#![cfg(feature = "aws-lc-rs")]

mod rsa;

use base64::Engine as _;
use flask_pyjwt::{AuthManager, AuthType, Config, ConfigError};
use time::Duration;

use support::{
    SECRET,
    forge::encode,
    keys::{self, OTHER_RSA, P256, P384, P521, RSA},
    log,
};

/// Asserts that no manager is made, that the error names the setting, and that it says what to do.
#[track_caller]
fn is_refused(config: Config, key: &str, expected_text: &str, what: &str) {
    match AuthManager::new(config) {
        Err(ConfigError::Invalid { key: own, reason }) => {
            assert_eq!(own, key, "{what}: {reason}");
            assert!(reason.contains(expected_text), "{what}: {reason}");
        }
        Err(error) => panic!("{what}: {error}"),
        Ok(_) => panic!("{what} is accepted"),
    }
}

fn config(auth_type: AuthType, secret: impl AsRef<[u8]>) -> Config {
    Config::new("issuer", auth_type, secret)
}

fn verifier(auth_type: AuthType, public_key: &str) -> Config {
    Config::verify_only("issuer", auth_type, public_key)
}

const HMAC: [(AuthType, usize); 3] = [
    (AuthType::HS256, 32),
    (AuthType::HS384, 48),
    (AuthType::HS512, 64),
];

#[test]
fn threat_2_a_key_of_another_type_is_refused_as_hmac_secret() {
    let rsa = keys::rsa_private(&RSA);
    let public = keys::rsa_public(&RSA);
    let certificate = keys::pem("CERTIFICATE", [7; 600]);
    let n = encode(&keys::integers_of(&keys::der(&keys::rsa_public_pkcs1(&RSA)))[0][1..]);
    let blob = encode([7; 300]);
    let texts = [
        rsa.clone(),
        keys::rsa_private_pkcs1(&RSA),
        public.clone(),
        keys::rsa_public_pkcs1(&RSA),
        keys::ecdsa_private(&P256),
        keys::ecdsa_private_sec1(&P384),
        keys::ecdsa_public(&P256),
        keys::ed25519_private(&keys::ED25519),
        keys::ed25519_public(&keys::ED25519),
        certificate.clone(),
        public.replace('\n', "\r\n"),
        public.replace('\n', "\\n"),
        public.replace('\n', " "),
        public.replace('\n', ""),
        public.trim_end().to_owned(),
        format!("  \r\n\t{public}"),
        format!("\u{feff}{public}"),
        format!("# the key\nBag Attributes: none\n{certificate}"),
        public.lines().next().expect("a line").to_owned() + &"x".repeat(64),
        format!("---- BEGIN SSH2 PUBLIC KEY ----\n{blob}\n---- END SSH2 PUBLIC KEY ----"),
        keys::pem("OPENSSH PRIVATE KEY", [7; 300]),
        keys::pem("EC PARAMETERS", [7; 60]),
        keys::pem("X509 CRL", [7; 60]),
        format!("ssh-rsa {blob}"),
        format!("ssh-rsa {blob} me@host"),
        format!("ssh-dss {blob}"),
        format!("ssh-ed25519 {blob}"),
        format!("ssh-ed25519-cert-v01@openssh.com {blob}"),
        format!("ecdsa-sha2-nistp256 {blob}"),
        format!("ecdsa-sha2-nistp384 {blob}"),
        format!("sk-ssh-ed25519@openssh.com {blob}"),
        format!("sk-ecdsa-sha2-nistp256@openssh.com {blob}"),
        format!("\n  ssh-rsa {blob}"),
        format!("\u{feff}ssh-rsa {blob}"),
        format!("no-pty,command=\"true\" ssh-rsa {blob}"),
        format!("host.example ssh-ed25519 {blob}"),
        format!("# a comment\nssh-rsa {blob}"),
        format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB"}}"#),
        format!(r#"{{"kty":"oct","k":"{blob}"}}"#),
        format!(r#" {{ "use" : "sig", "k\u0074y" : "EC" , "crv" : "P-256", "x" : "{blob}" }} "#),
        format!(r#"{{"keys":[{{"kty":"oct","k":"{blob}"}}]}}"#),
        format!("\u{feff}{{\"kty\":\"oct\",\"k\":\"{blob}\"}}"),
        format!(r#"[{{"kty":"oct","k":"{blob}"}}]"#),
    ];
    for text in &texts {
        for (auth_type, _) in HMAC {
            let what = &text[..text.len().min(60)];
            is_refused(
                config(auth_type, text),
                "JWT_SECRET",
                "PEM, SSH, JWK or DER",
                what,
            );
            let weak = config(auth_type, text).allow_weak_secret(true);
            is_refused(weak, "JWT_SECRET", "PEM, SSH, JWK or DER", what);
        }
    }
    // Secrets that only look a little like a key.
    for secret in [
        "-----------------------------------------------------------------",
        "BEGIN PUBLIC KEY BEGIN PUBLIC KEY BEGIN PUBLIC KEY BEGIN PUBLIC KEY",
        "ssh is what we use here, and rsa and ed25519 and all the other things",
        r#"{"secret":"0123456789abcdef0123456789abcdef0123456789abcdef0123456789"}"#,
        "[0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123]",
        "kty keys kty keys kty keys kty keys kty keys kty keys kty keys kty keys",
    ] {
        for (auth_type, _) in HMAC {
            assert!(
                AuthManager::new(config(auth_type, secret)).is_ok(),
                "{secret}"
            );
        }
    }
}

#[test]
fn threat_2_a_key_without_pem_armour_is_refused_as_hmac_secret() {
    let standard = base64::engine::general_purpose::STANDARD;
    for key in [
        keys::rsa_public(&RSA),
        keys::rsa_private(&RSA),
        keys::rsa_public_pkcs1(&RSA),
        keys::ecdsa_public(&P384),
        keys::ecdsa_private(&P256),
        keys::ed25519_public(&keys::ED25519),
        keys::ed25519_private(&keys::ED25519),
    ] {
        let der = keys::der(&key);
        let body: String = key.lines().filter(|line| !line.starts_with('-')).collect();
        let utf_16 = key.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for secret in [
            der.clone(),
            utf_16,
            body.into_bytes(),
            encode(&der).into_bytes(),
            standard.encode(&key).into_bytes(),
        ] {
            let config = config(AuthType::HS256, secret);
            is_refused(config, "JWT_SECRET", "PEM, SSH, JWK or DER", &key);
        }
    }
    let jwk = encode(br#"[{"kty":"oct","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}]"#);
    is_refused(
        config(AuthType::HS256, jwk),
        "JWT_SECRET",
        "PEM, SSH, JWK or DER",
        "a JWK in base64url",
    );
}

#[test]
fn threat_3_an_hmac_secret_shorter_than_the_hash_is_refused() {
    for (auth_type, least) in HMAC {
        let expected_text = format!("{auth_type} needs {least}");
        for length in [1, 8, 31, least - 1] {
            let what = format!("{auth_type} {length}");
            let secret = vec![b'x'; length];
            is_refused(
                config(auth_type, &secret),
                "JWT_SECRET",
                &expected_text,
                &what,
            );
            let weak = config(auth_type, &secret).allow_weak_secret(false);
            is_refused(weak, "JWT_SECRET", &expected_text, &what);
            let weak = config(auth_type, &secret).allow_weak_secret(true);
            assert!(AuthManager::new(weak).is_ok(), "{what}");
        }
        for length in [least, least + 1, 64, 65, 128, 129, 1_000] {
            let secret: Vec<_> = (0..=255).cycle().take(length).collect();
            assert!(
                AuthManager::new(config(auth_type, secret)).is_ok(),
                "{auth_type} {length}"
            );
        }
        for allow in [false, true] {
            let empty = config(auth_type, "").allow_weak_secret(allow);
            is_refused(empty, "JWT_SECRET", "is empty", "empty");
        }
        let missing = verifier(auth_type, "");
        assert!(matches!(
            AuthManager::new(missing),
            Err(ConfigError::Missing { key: "JWT_SECRET" })
        ));
    }
}

#[test]
fn threat_3_a_key_that_does_not_fit_the_algorithm_is_refused() {
    let material: [(&str, String, String); 5] = [
        ("RS PS", keys::rsa_private(&RSA), keys::rsa_public(&RSA)),
        (
            "ES256",
            keys::ecdsa_private(&P256),
            keys::ecdsa_public(&P256),
        ),
        (
            "ES384",
            keys::ecdsa_private(&P384),
            keys::ecdsa_public(&P384),
        ),
        (
            "ES512",
            keys::ecdsa_private(&P521),
            keys::ecdsa_public(&P521),
        ),
        (
            "EdDSA",
            keys::ed25519_private(&keys::ED25519),
            keys::ed25519_public(&keys::ED25519),
        ),
    ];
    for auth_type in AuthType::ALL.into_iter().skip(HMAC.len()) {
        for (kinds, private, public) in &material {
            let what = format!("{kinds} for {auth_type}");
            if kinds
                .split(' ')
                .any(|kind| auth_type.name().starts_with(kind))
            {
                assert!(
                    AuthManager::new(config(auth_type, private)).is_ok(),
                    "{what}"
                );
                assert!(
                    AuthManager::new(verifier(auth_type, public)).is_ok(),
                    "{what}"
                );
            } else {
                is_refused(
                    config(auth_type, private),
                    "JWT_SECRET",
                    auth_type.name(),
                    &what,
                );
                is_refused(
                    verifier(auth_type, public),
                    "JWT_PUBLICKEY",
                    auth_type.name(),
                    &what,
                );
            }
        }
        is_refused(config(auth_type, SECRET), "JWT_SECRET", "PEM", "a secret");
        is_refused(config(auth_type, ""), "JWT_SECRET", "PEM", "nothing");
    }
}

#[test]
fn threat_4_a_public_key_that_does_not_match_the_private_one_is_refused() {
    for (auth_type, others) in [
        (AuthType::RS256, keys::rsa_public(&OTHER_RSA)),
        (AuthType::PS512, keys::rsa_public_pkcs1(&OTHER_RSA)),
        (AuthType::ES256, keys::ecdsa_public(&keys::OTHER_P256)),
        (AuthType::ES384, keys::ecdsa_public(&keys::OTHER_P384)),
        (AuthType::ES512, keys::ecdsa_public(&keys::OTHER_P521)),
        (AuthType::EdDSA, keys::ed25519_public(&keys::OTHER_ED25519)),
    ] {
        let mismatched = config(auth_type, keys::secret(auth_type)).public_key(&others);
        is_refused(
            mismatched,
            "JWT_PUBLICKEY",
            "does not match",
            auth_type.name(),
        );
        let own = keys::public(auth_type).expect("a public key");
        let matched = config(auth_type, keys::secret(auth_type)).public_key(own);
        assert!(AuthManager::new(matched).is_ok(), "{auth_type}");
        // A private key where a public one is needed, and vice versa.
        let private =
            config(auth_type, keys::secret(auth_type)).public_key(keys::secret(auth_type));
        is_refused(
            private,
            "JWT_PUBLICKEY",
            "private key where a public key",
            auth_type.name(),
        );
        let public = config(auth_type, &others);
        is_refused(
            public,
            "JWT_SECRET",
            "public key where a private key",
            auth_type.name(),
        );
    }
}

#[test]
fn threat_4_a_point_that_is_not_on_the_curve_is_refused() {
    for (auth_type, public) in [
        (AuthType::ES256, keys::ecdsa_public(&P256)),
        (AuthType::ES384, keys::ecdsa_public(&P384)),
        (AuthType::ES512, keys::ecdsa_public(&P521)),
    ] {
        let mut off_curve = keys::der(&public);
        *off_curve.last_mut().expect("not empty") ^= 1;
        let size = match auth_type {
            AuthType::ES256 => 32,
            AuthType::ES384 => 48,
            _ => 66,
        };
        let mut infinity = off_curve.clone();
        let start = infinity.len() - 2 * size;
        infinity[start..].fill(0);
        for key in [off_curve, infinity] {
            let key = keys::pem("PUBLIC KEY", key);
            is_refused(
                verifier(auth_type, &key),
                "JWT_PUBLICKEY",
                "curve",
                auth_type.name(),
            );
        }
    }
}

#[test]
fn threat_20_a_leeway_of_more_than_five_minutes_is_refused() {
    let leeway = |leeway| config(AuthType::HS256, SECRET).leeway(leeway);
    for seconds in [0, 1, 60, 300] {
        assert!(AuthManager::new(leeway(Duration::seconds(seconds))).is_ok());
    }
    for wrong in [
        Duration::seconds(301),
        Duration::hours(1),
        Duration::days(36_500),
        Duration::seconds(i64::MAX),
        Duration::seconds(-1),
        Duration::seconds(i64::MIN),
    ] {
        is_refused(leeway(wrong), "JWT_LEEWAY", "0 to 300", &wrong.to_string());
    }
    for wrong in [Duration::milliseconds(1), Duration::milliseconds(-500)] {
        is_refused(
            leeway(wrong),
            "JWT_LEEWAY",
            "whole seconds",
            &wrong.to_string(),
        );
    }
}

#[test]
fn the_secret_of_the_guides_programs_is_reported_in_the_log() {
    let log = log::capture();
    let _manager = AuthManager::new(config(AuthType::HS256, SECRET)).expect("a manager");
    assert_eq!(log.text(), "");

    let public = "change-me: at least 32 bytes of secret";
    let quickstart = include_str!("../../docs/guide/quickstart.md");
    assert!(quickstart.contains(public), "programs are copied with it");
    let _manager = AuthManager::new(config(AuthType::HS256, public)).expect("a manager");
    let text = log.text();
    assert!(text.contains("openssl rand -hex 32"), "{text}");
    assert!(!text.contains(public), "{text}");
}
