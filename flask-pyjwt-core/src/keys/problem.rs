//! The reasons why a key is refused, as sentences for the person who configures it.

/// Why a key cannot be used. The messages contain nothing of the key itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeyProblem {
    #[error(
        "has no PEM block (`-----BEGIN …-----`); give the key as PEM, if necessary on one line with \\n for line breaks"
    )]
    NoPem,
    #[error("has more than one PEM key; keep one of them")]
    SeveralKeys,
    #[error("is a damaged PEM block; copy the key again, from -----BEGIN to -----END")]
    BrokenPem,
    #[error("is an encrypted private key; decrypt it first, for example with `openssl pkey`")]
    Encrypted,
    #[error("is a certificate; extract its key with `openssl x509 -pubkey -noout`")]
    Certificate,
    #[error("is a PEM block of a type that contains no usable key")]
    OtherPem,
    #[error("is a public key where a private key is needed")]
    PublicForPrivate,
    #[error(
        "is a private key where a public key is needed; every server that verifies tokens could sign them too"
    )]
    PrivateForPublic,
    #[error("does not have the type and curve that the algorithm needs, or is damaged")]
    Unfit,
    #[error(
        "is a key of another type than the algorithm needs: compare the family of its `EncodingKey` or `DecodingKey`"
    )]
    OtherKind,
    #[error(
        "is refused by the crypto provider; see the log for its error. The built-in cryptography is never used \
         as a fallback"
    )]
    ProviderRefuses,
    #[error(
        "does not work with the crypto provider: it makes invalid signatures, accepts invalid ones, or refuses \
         valid ones"
    )]
    ProviderErrs,
    #[error(
        "is for an algorithm that `jsonwebtoken` does not support, so it cannot be used with a crypto provider"
    )]
    NotForProviders,
    #[error(
        "is not a private key that can be read here; if the crypto provider holds the key, add its public key \
         with `Key::public_key`"
    )]
    NoPublicPart,
    #[error("is an RSA key of less than 2048 bits; generate a larger one")]
    TooSmall,
    #[error("is an RSA key of more than 8192 bits; verifying with it would be too slow")]
    TooLarge,
    #[error("is an RSA key with an unsafe public exponent; generate a new one")]
    UnsafeExponent,
    #[error(
        "is an RSA key whose modulus has a small factor, so that anybody can sign; generate a new one"
    )]
    SmallFactor,
    #[error(
        "is an Ed25519 key of small order or not in canonical encoding, so that anybody could sign; \
         generate a new one"
    )]
    WeakPoint,
    #[error(
        "is an RSA key from a vulnerable generator, and its private key can be computed (ROCA, \
         CVE-2017-15361); generate a new one"
    )]
    Guessable,
}
