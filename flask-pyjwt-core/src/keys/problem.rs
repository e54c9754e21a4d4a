//! Why a key is refused, in words for the person who configures it.

/// The reason why a key cannot be used. Says nothing of the key's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyProblem {
    #[error(
        "has no PEM block (`-----BEGIN …-----`); give the key as PEM, on one line with \\n for the line breaks if need be"
    )]
    NoPem,
    #[error("has more than one PEM key; leave one")]
    SeveralKeys,
    #[error("is a broken PEM block; copy the key again, from -----BEGIN to -----END")]
    BrokenPem,
    #[error("is an encrypted private key; decrypt it first, for instance with `openssl pkey`")]
    Encrypted,
    #[error("is a certificate; extract its key with `openssl x509 -pubkey -noout`")]
    Certificate,
    #[error("is a PEM block of a kind that holds no usable key")]
    OtherPem,
    #[error("is a public key where a private key is needed")]
    PublicForPrivate,
    #[error(
        "is a private key where a public key is needed; anybody who verifies would be able to sign"
    )]
    PrivateForPublic,
    #[error("is no key of the kind and curve that the algorithm takes, or is damaged")]
    Unfit,
    #[error(
        "is a key of another kind than the algorithm takes: see the family of its `EncodingKey` or `DecodingKey`"
    )]
    OtherKind,
    #[error(
        "is refused by the crypto provider; the log says what it answered. This package's own cryptography \
         never takes the provider's place"
    )]
    ProviderRefuses,
    #[error(
        "is used by a crypto provider that signs otherwise than the algorithm does, verifies what the key has not \
         signed, or refuses what it has"
    )]
    ProviderErrs,
    #[error(
        "is for an algorithm that `jsonwebtoken` does not have, so that no crypto provider can serve it"
    )]
    NotForProviders,
    #[error(
        "is no private key whose public key can be computed here; where the crypto provider holds it, give \
         the public key as well, with `Key::public_key`"
    )]
    NoPublicPart,
    #[error("is an RSA key of less than 2048 bits; make a larger one")]
    TooSmall,
    #[error("is an RSA key of more than 8192 bits; nobody could afford to verify with it")]
    TooLarge,
    #[error("is an RSA key with an unsafe public exponent; make a new one")]
    UnsafeExponent,
    #[error("is an RSA key whose modulus has a small factor: anybody can sign; make a new one")]
    SmallFactor,
    #[error(
        "is an Ed25519 key of small order or in another encoding than its canonical one: anybody could \
         sign; make a new one"
    )]
    WeakPoint,
    #[error(
        "is an RSA key of a broken generator, from which the private key can be computed (ROCA, \
         CVE-2017-15361); make a new one"
    )]
    Guessable,
}
