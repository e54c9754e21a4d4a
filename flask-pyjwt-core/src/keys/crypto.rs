//! Selects the cryptography: the built-in backend, or a provider that the application configures.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto::CryptoProvider};

use super::{
    AuthType, KeyProblem, Material, PublicKey, RemoteKey, backend,
    provided::{ProvidedSigner, ProvidedVerifier, SignatureForm},
};
use crate::error::MintError;

/// Verifies signatures of one algorithm with one key.
#[cfg_attr(
    feature = "aws-lc-rs",
    expect(
        clippy::large_enum_variant,
        reason = "one per configured key, never moved"
    )
)]
pub(crate) enum Verifier {
    BuiltIn(backend::Verifier),
    Provided(ProvidedVerifier),
}

/// Signs with one key.
#[expect(
    clippy::large_enum_variant,
    reason = "one per configured key, never moved"
)]
pub(crate) enum Signer {
    BuiltIn(backend::Signer),
    Provided(ProvidedSigner),
    Remote(Box<RemoteKey>),
}

impl Verifier {
    #[inline]
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::BuiltIn(key) => key.verify(message, signature),
            Self::Provided(key) => key.verify(message, signature),
        }
    }
}

impl Signer {
    /// Signs a message.
    ///
    /// # Errors
    ///
    /// Returns an error if the system's random number generator or the provider fails, or if the key is remote.
    #[inline]
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, MintError> {
        match self {
            Self::BuiltIn(key) => key.sign(message).ok_or(MintError::Randomness),
            Self::Provided(key) => key
                .sign(message)
                .map_err(|error| MintError::Provider(error.into())),
            Self::Remote(_) => Err(MintError::NeedsAsync),
        }
    }

    /// Returns the key that signs elsewhere, if it is one.
    pub(crate) fn remote(&self) -> Option<&RemoteKey> {
        match self {
            Self::Remote(key) => Some(key),
            Self::BuiltIn(_) | Self::Provided(_) => None,
        }
    }
}

/// The cryptography for keys: the built-in backend unless a provider is configured.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Crypto(Option<&'static CryptoProvider>);

impl Crypto {
    pub(crate) fn provided(provider: &'static CryptoProvider) -> Self {
        Self(Some(provider))
    }

    pub(super) fn is_provided(self) -> bool {
        self.0.is_some()
    }

    /// Checks a public key's kind and strength, and prepares it for verifying.
    pub(super) fn public(
        self,
        auth_type: AuthType,
        key: &Material,
    ) -> Result<Verifier, KeyProblem> {
        let Some(provider) = self.0 else {
            return backend::Verifier::public(auth_type, key).map(Verifier::BuiltIn);
        };
        let key = PublicKey::checked(auth_type, key)?;
        let key = PublicKey::of(&key).ok_or(KeyProblem::Unfit)?;
        let algorithm = algorithm(auth_type)?;
        let form = SignatureForm::of(&key);
        ProvidedVerifier::new(provider, algorithm, key.to_decoding_key(), form)
            .map(Verifier::Provided)
    }

    /// Prepares an HMAC secret, which the caller has checked.
    pub(super) fn hmac(
        self,
        auth_type: AuthType,
        secret: &[u8],
    ) -> Result<(Signer, Verifier), KeyProblem> {
        let Some(provider) = self.0 else {
            let signer = backend::Signer::hmac(auth_type, secret);
            let verifier = backend::Verifier::hmac(auth_type, secret);
            return Ok((Signer::BuiltIn(signer), Verifier::BuiltIn(verifier)));
        };
        let algorithm = algorithm(auth_type)?;
        let form = SignatureForm::Exactly(auth_type.min_secret_length());
        let key = DecodingKey::from_secret(secret);
        let verifier = ProvidedVerifier::new(provider, algorithm, key, form.clone())?;
        let key = EncodingKey::from_secret(secret);
        let signer = ProvidedSigner::new(provider, algorithm, key, form)?;
        Ok((Signer::Provided(signer), Verifier::Provided(verifier)))
    }

    /// Prepares a private key for signing with the provider. The caller has checked its public key. Returns `None`
    /// without a provider.
    pub(super) fn provided_signer(
        self,
        auth_type: AuthType,
        key: EncodingKey,
        public: &PublicKey,
    ) -> Option<Result<Signer, KeyProblem>> {
        let provider = self.0?;
        let form = SignatureForm::of(public);
        let signer = algorithm(auth_type)
            .and_then(|algorithm| ProvidedSigner::new(provider, algorithm, key, form));
        Some(signer.map(Signer::Provided))
    }
}

fn algorithm(auth_type: AuthType) -> Result<Algorithm, KeyProblem> {
    Algorithm::try_from(auth_type).map_err(|_| KeyProblem::NotForProviders)
}
