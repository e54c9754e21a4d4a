//! What makes and checks signatures: this package's own cryptography, or a provider of the user's.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto::CryptoProvider};

use super::{
    AuthType, KeyProblem, Material, PublicKey, backend,
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
    Own(backend::Verifier),
    Provided(ProvidedVerifier),
}

/// Signs with one key.
#[expect(
    clippy::large_enum_variant,
    reason = "one per configured key, never moved"
)]
pub(crate) enum Signer {
    Own(backend::Signer),
    Provided(ProvidedSigner),
}

impl Verifier {
    #[inline]
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Own(key) => key.verify(message, signature),
            Self::Provided(key) => key.verify(message, signature),
        }
    }
}

impl Signer {
    /// Makes a signature.
    ///
    /// # Errors
    ///
    /// When the system's source of randomness or the provider fails.
    #[inline]
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, MintError> {
        match self {
            Self::Own(key) => key.sign(message).ok_or(MintError::Randomness),
            Self::Provided(key) => key
                .sign(message)
                .map_err(|error| MintError::Provider(error.into())),
        }
    }
}

/// Where keys get their cryptography: the features of this package, unless a provider is configured.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Crypto(Option<&'static CryptoProvider>);

impl Crypto {
    pub(crate) fn provided(provider: &'static CryptoProvider) -> Self {
        Self(Some(provider))
    }

    pub(super) fn is_provided(self) -> bool {
        self.0.is_some()
    }

    /// What verifies with a public key, whose kind and strength are judged first.
    pub(super) fn public(
        self,
        auth_type: AuthType,
        key: &Material,
    ) -> Result<Verifier, KeyProblem> {
        let Some(provider) = self.0 else {
            return backend::Verifier::public(auth_type, key).map(Verifier::Own);
        };
        let key = PublicKey::checked(auth_type, key)?;
        let key = PublicKey::of(&key).ok_or(KeyProblem::Unfit)?;
        let algorithm = algorithm(auth_type)?;
        let form = SignatureForm::of(&key);
        ProvidedVerifier::new(provider, algorithm, key.to_decoding_key(), form)
            .map(Verifier::Provided)
    }

    /// What signs and verifies with an HMAC secret that was judged.
    pub(super) fn hmac(
        self,
        auth_type: AuthType,
        secret: &[u8],
    ) -> Result<(Signer, Verifier), KeyProblem> {
        let Some(provider) = self.0 else {
            let signer = backend::Signer::hmac(auth_type, secret);
            let verifier = backend::Verifier::hmac(auth_type, secret);
            return Ok((Signer::Own(signer), Verifier::Own(verifier)));
        };
        let algorithm = algorithm(auth_type)?;
        let form = SignatureForm::Exactly(auth_type.least_secret());
        let key = DecodingKey::from_secret(secret);
        let verifier = ProvidedVerifier::new(provider, algorithm, key, form.clone())?;
        let key = EncodingKey::from_secret(secret);
        let signer = ProvidedSigner::new(provider, algorithm, key, form)?;
        Ok((Signer::Provided(signer), Verifier::Provided(verifier)))
    }

    /// What the provider signs with: a private key whose public one was judged.
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
