//! The compared algorithms, and a new key of each.

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    rsa::{KeyPair as RsaKeyPair, KeySize},
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _},
};
use flask_pyjwt::{AuthManager, AuthType, Config};
use serde::{Deserialize, Serialize};

use crate::claims::ISSUER;

/// The compared algorithms.
pub(crate) const ALGORITHMS: [&str; 4] = ["HS256", "RS256", "ES256", "EdDSA"];

/// A key: a secret as text, or PEM.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Keys {
    pub(crate) algorithm: String,
    pub(crate) private: String,
    /// Empty for a shared secret.
    pub(crate) public: String,
}

impl Keys {
    /// A new key for an algorithm of [`ALGORITHMS`].
    pub(crate) fn generate(algorithm: &str) -> Self {
        let (private, public) = match algorithm {
            "RS256" => {
                let key = RsaKeyPair::generate(KeySize::Rsa2048).expect("an RSA key");
                let public: PublicKeyX509Der<'_> = key.public_key().as_der().expect("DER");
                let private =
                    aws_lc_rs::encoding::AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&key)
                        .expect("DER");
                (private.as_ref().to_vec(), public.as_ref().to_vec())
            }
            "ES256" => {
                let key =
                    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a P-256 key");
                let public: PublicKeyX509Der<'_> = key.public_key().as_der().expect("DER");
                let private = key.to_pkcs8v1().expect("DER");
                (private.as_ref().to_vec(), public.as_ref().to_vec())
            }
            "EdDSA" => {
                let key = Ed25519KeyPair::generate().expect("an Ed25519 key");
                let public: PublicKeyX509Der<'_> = key.public_key().as_der().expect("DER");
                let private = key.to_pkcs8v1().expect("DER");
                (private.as_ref().to_vec(), public.as_ref().to_vec())
            }
            _ => {
                return Self {
                    algorithm: algorithm.to_owned(),
                    private: "a secret of 48 bytes, for nothing but measurement".to_owned(),
                    public: String::new(),
                };
            }
        };
        Self {
            algorithm: algorithm.to_owned(),
            private: pem::encode(&pem::Pem::new("PRIVATE KEY", private)),
            public: pem::encode(&pem::Pem::new("PUBLIC KEY", public)),
        }
    }

    pub(crate) fn is_secret(&self) -> bool {
        self.public.is_empty()
    }

    /// The verifying key as DER, or the bytes of the secret.
    pub(crate) fn verifying_bytes(&self) -> Vec<u8> {
        if self.is_secret() {
            self.private.clone().into_bytes()
        } else {
            pem::parse(&self.public).expect("PEM").into_contents()
        }
    }

    /// The signing key as DER, or the bytes of the secret.
    pub(crate) fn signing_bytes(&self) -> Vec<u8> {
        if self.is_secret() {
            self.private.clone().into_bytes()
        } else {
            pem::parse(&self.private).expect("PEM").into_contents()
        }
    }

    /// A configuration of this package with this key.
    pub(crate) fn config(&self) -> Config {
        let auth_type: AuthType = self.algorithm.parse().expect("a known algorithm");
        Config::new(ISSUER, auth_type, &self.private)
    }

    /// A manager with this key, and with a table of verified tokens of the default size or none.
    pub(crate) fn manager(&self, table: bool) -> AuthManager {
        let config = self.config();
        let config = if table {
            config
        } else {
            config.token_table(0, 0)
        };
        AuthManager::new(config).expect("a valid configuration")
    }
}
