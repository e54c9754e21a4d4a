//! Keys in every form in which they can be configured, and texts that are not keys.

use flask_pyjwt::{AuthManager, AuthType, Config, ConfigError, MintError};
use time::Duration;

use super::{config, is_invalid, works};
use support::keys::{self, ED25519, P256, P384, P521, RSA};

/// The private keys of an algorithm, in every accepted form.
fn private_keys(auth_type: AuthType) -> Vec<String> {
    match auth_type {
        AuthType::ES256 => vec![keys::ecdsa_private(&P256), keys::ecdsa_private_sec1(&P256)],
        AuthType::ES384 => vec![keys::ecdsa_private(&P384), keys::ecdsa_private_sec1(&P384)],
        AuthType::ES512 => vec![keys::ecdsa_private(&P521), keys::ecdsa_private_sec1(&P521)],
        AuthType::EdDSA => vec![
            keys::ed25519_private(&ED25519),
            keys::ed25519_private_v2(&ED25519),
        ],
        _ => vec![keys::rsa_private(&RSA), keys::rsa_private_pkcs1(&RSA)],
    }
}

/// The public keys of an algorithm, in every accepted form.
fn public_keys(auth_type: AuthType) -> Vec<String> {
    match auth_type {
        AuthType::ES256 => vec![keys::ecdsa_public(&P256)],
        AuthType::ES384 => vec![keys::ecdsa_public(&P384)],
        AuthType::ES512 => vec![keys::ecdsa_public(&P521)],
        AuthType::EdDSA => vec![keys::ed25519_public(&ED25519)],
        _ => vec![keys::rsa_public(&RSA), keys::rsa_public_pkcs1(&RSA)],
    }
}

/// The ten algorithms that have key pairs.
fn asymmetric() -> impl Iterator<Item = AuthType> {
    AuthType::ALL
        .into_iter()
        .filter(|auth_type| !auth_type.name().starts_with("HS"))
}

/// One PEM text in the variants that editors, shells and operating systems make of it.
fn spellings(pem: &str) -> [String; 9] {
    [
        pem.to_owned(),
        pem.trim_end().to_owned(),
        pem.replace('\n', "\r\n"),
        pem.replace('\n', "\\n"),
        pem.trim_end().replace('\n', "\\n"),
        pem.replace('\n', "\\r\\n"),
        format!("\n\n  {pem}\n\n"),
        format!("Bag Attributes\n    friendlyName: key\n{pem}"),
        format!("\u{feff}{pem}"),
    ]
}

#[test]
fn every_algorithm_accepts_its_keys_in_every_form_and_spelling() {
    for auth_type in asymmetric() {
        for private in private_keys(auth_type) {
            for spelling in spellings(&private) {
                works(config(auth_type, &spelling), (auth_type, &spelling));
            }
        }
        let private = &private_keys(auth_type)[0];
        for public in public_keys(auth_type) {
            for spelling in spellings(&public) {
                let pair = config(auth_type, private).public_key(&spelling);
                works(pair, (auth_type, &spelling));
            }
        }
    }
    for auth_type in AuthType::ALL {
        let auth = works(config(auth_type, keys::secret(auth_type)), auth_type);
        assert_eq!(auth.auth_type(), auth_type);
        assert_eq!(auth.issuer(), "issuer");
        assert_eq!(auth.auth_max_age(), Duration::seconds(3_600));
        assert_eq!(auth.refresh_max_age(), Duration::seconds(604_800));
    }
}

#[test]
fn a_public_key_alone_verifies_and_cannot_mint() {
    for auth_type in asymmetric() {
        let auth = works(config(auth_type, keys::secret(auth_type)), auth_type);
        let token = auth.auth_token("alice").sign().expect("minted");
        for public in public_keys(auth_type).iter().flat_map(|key| spellings(key)) {
            let verifier = AuthManager::new(Config::verify_only("issuer", auth_type, &public));
            let verifier = verifier.unwrap_or_else(|error| panic!("{auth_type} {public}: {error}"));
            assert!(verifier.verify_token(token.signed()).is_ok(), "{auth_type}");
            for minted in [
                verifier.auth_token("a").sign(),
                verifier.refresh_token("a").sign(),
            ] {
                let minted = minted.map(|token| token.exp());
                assert!(
                    matches!(minted, Err(MintError::MissingSigner)),
                    "{auth_type}: {minted:?}"
                );
            }
        }
    }
    for auth_type in [AuthType::HS256, AuthType::HS384, AuthType::HS512] {
        let error = AuthManager::new(Config::verify_only(
            "issuer",
            auth_type,
            keys::rsa_public(&RSA),
        ));
        assert!(
            matches!(error, Err(ConfigError::Missing { key: "JWT_SECRET" })),
            "{error:?}"
        );
    }
}

#[test]
fn the_error_of_an_unusable_key_says_what_to_do() {
    for auth_type in asymmetric() {
        let own = &private_keys(auth_type)[0];
        let public = &public_keys(auth_type)[0];
        let der = keys::der(own);
        let (first, second) = own.split_at(own.len() / 2);
        let legacy = own.replacen(
            "KEY-----\n",
            "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n",
            1,
        );
        for (wrong, expected_text) in [
            ("not a key", "PEM"),
            ("-----BEGIN PRIVATE KEY-----", "copy the key again"),
            (first, "copy the key again"),
            (second, "PEM"),
            (&own.replace("-----END", "-----FINE"), "copy the key again"),
            (&own.replacen('\n', "\n!", 1), "copy the key again"),
            (&format!("{own}{own}"), "more than one"),
            (&format!("{own}{public}"), "more than one"),
            (public, "public key where a private key"),
            (&legacy, "decrypt"),
            (&keys::pem("ENCRYPTED PRIVATE KEY", &der), "decrypt"),
            (&keys::pem("CERTIFICATE", &der), "openssl x509"),
            (&keys::pem("OPENSSH PRIVATE KEY", &der), "no usable key"),
            (&keys::pem("DSA PRIVATE KEY", &der), "no usable key"),
            (&keys::pem("PRIVATE KEY", ""), ""),
            (&keys::pem("PRIVATE KEY", [0x30, 0]), "damaged"),
            (&keys::pem("PRIVATE KEY", &der[..der.len() - 1]), "damaged"),
            (&keys::pem("RSA PRIVATE KEY", &der), "damaged"),
            (&keys::pem("EC PARAMETERS", [6, 1, 0]), ""),
        ] {
            is_invalid(
                config(auth_type, wrong),
                "JWT_SECRET",
                expected_text,
                (auth_type, wrong),
            );
        }
        for (wrong, expected_text) in [
            ("not a key", "PEM"),
            ("", "PEM"),
            (own.as_str(), "private key where a public key"),
            (&keys::pem("CERTIFICATE", keys::der(public)), "openssl x509"),
            (&format!("{public}{public}"), "more than one"),
            (&keys::pem("PUBLIC KEY", [0x30, 0]), "damaged"),
            (&format!("ssh-rsa {}", "A".repeat(300)), "PEM"),
            (r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, "PEM"),
        ] {
            let pair = config(auth_type, own).public_key(wrong);
            is_invalid(pair, "JWT_PUBLICKEY", expected_text, (auth_type, wrong));
            let alone = Config::verify_only("issuer", auth_type, wrong);
            is_invalid(alone, "JWT_PUBLICKEY", expected_text, (auth_type, wrong));
        }
    }
}

/// PKCS#8's `oneAsymmetricKey` can include a public key, which must belong to the private one.
#[test]
fn a_private_key_that_includes_another_public_key_is_refused() {
    let own = keys::der(&keys::ed25519_private_v2(&ED25519));
    let other = keys::der(&keys::ed25519_private_v2(&keys::OTHER_ED25519));
    let mut mixed = own.clone();
    mixed[own.len() - 32..].copy_from_slice(&other[own.len() - 32..]);
    let mixed = keys::pem("PRIVATE KEY", mixed);
    is_invalid(config(AuthType::EdDSA, mixed), "JWT_SECRET", "", "EdDSA");

    for (auth_type, pair, others) in [
        (AuthType::ES256, &*P256, &*keys::OTHER_P256),
        (AuthType::ES384, &*P384, &*keys::OTHER_P384),
    ] {
        let (own, other) = (
            keys::ecdsa_private_sec1(pair),
            keys::ecdsa_private_sec1(others),
        );
        let (mut own, other) = (keys::der(&own), keys::der(&other));
        let size = if auth_type == AuthType::ES256 { 64 } else { 96 };
        let start = own.len() - size;
        own[start..].copy_from_slice(&other[start..]);
        let mixed = keys::pem("EC PRIVATE KEY", own);
        is_invalid(config(auth_type, mixed), "JWT_SECRET", "", auth_type);
    }
}
