//! `main() -> Result<(), Box<dyn Error>>` and `expect` print errors with `Debug`. It is the sentence of `Display` with all
//! sources.

use std::{error::Error, fs, io, sync::Arc};

use flask_pyjwt::{
    AuthManager, AuthType, Config, ConfigError, CurrentToken, MintError, Misconfiguration,
    ProofError, Rejection, SessionError, SignerFailure, TokenCheckError, TokenError, TokenType,
    jsonwebtoken::signature, signer::SignerError, store::StoreError,
};
use time::Duration;

use support::{example::repository, hs256, manager};

/// The texts of an error and its sources.
fn sentence(error: &dyn Error) -> String {
    let mut sentence = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        sentence = format!("{sentence}: {cause}");
        source = cause.source();
    }
    sentence
}

fn no_json() -> Arc<serde_json::Error> {
    Arc::new(serde_json::from_str::<u8>("x").expect_err("no number"))
}

fn io_error() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "no such file")
}

fn text() -> String {
    "x".to_owned()
}

fn config_errors() -> Vec<ConfigError> {
    vec![
        ConfigError::Missing { key: "JWT_ISSUER" },
        ConfigError::Invalid {
            key: "JWT_SECRET",
            reason: "is too short".to_owned(),
        },
        ConfigError::Unreadable {
            key: "path",
            path: Some("/x/.env".into()),
            source: io_error(),
        },
        ConfigError::Unreadable {
            key: "JWT_SECRET_FILE",
            path: None,
            source: io_error(),
        },
    ]
}

fn mint_errors() -> Vec<MintError> {
    vec![
        MintError::MissingSigner,
        MintError::ReservedClaim { name: text() },
        MintError::NoJson {
            name: text(),
            source: no_json(),
        },
        MintError::SessionClaims { source: no_json() },
        MintError::TooLarge {
            size: 9_000,
            limit: 8_192,
        },
        MintError::Randomness,
        MintError::Provider(Arc::new(signature::Error::new())),
        MintError::NeedsAsync,
        MintError::Refused(TokenError::Clock),
    ]
    .into_iter()
    .chain(signer_failures().into_iter().map(MintError::Signer))
    .collect()
}

fn signer_failures() -> Vec<SignerFailure> {
    vec![
        SignerFailure::Timeout {
            milliseconds: 2_000,
        },
        SignerFailure::Busy {
            concurrency: 32,
            milliseconds: 2_000,
        },
        SignerFailure::Failed(SignerError::temporary(io_error())),
        SignerFailure::Failed(SignerError::permanent("no such key")),
        SignerFailure::Panicked,
        SignerFailure::WrongLength {
            length: 70,
            expected: text(),
        },
        SignerFailure::WrongSignature,
        SignerFailure::NoRuntime,
    ]
}

fn token_errors() -> Vec<TokenError> {
    vec![
        TokenError::TooLarge,
        TokenError::Form,
        TokenError::Encoding,
        TokenError::Header,
        TokenError::Algorithm,
        TokenError::Kind,
        TokenError::Critical,
        TokenError::UnknownKey,
        TokenError::Signature,
        TokenError::Payload,
        TokenError::DuplicateMember,
        TokenError::MissingClaim("exp"),
        TokenError::MistypedClaim("iat"),
        TokenError::Expired,
        TokenError::NotYetValid,
        TokenError::Lifetime,
        TokenError::Issuer,
        TokenError::IssuerClaim,
        TokenError::Audience,
        TokenError::WrongType {
            expected: TokenType::Auth,
        },
        TokenError::Bound,
        TokenError::Revoked,
        TokenError::Inactive,
        TokenError::Replayed,
        TokenError::KeysUnavailable {
            retry_after: Duration::SECOND,
        },
        TokenError::Clock,
    ]
}

fn store_errors() -> Vec<StoreError> {
    vec![
        StoreError::unavailable(io_error()),
        StoreError::Timeout { milliseconds: 5 },
        StoreError::Full { limit: 5 },
        StoreError::TooManyTokens { limit: 5 },
        StoreError::InUse,
        StoreError::NotPrivate { reason: text() },
        StoreError::corrupt("x"),
    ]
}

fn session_errors() -> Vec<SessionError> {
    let plain = [
        SessionError::NotRevocable,
        SessionError::NoStore,
        SessionError::TooDeep,
    ];
    let mut errors = Vec::from(plain);
    errors.extend(token_errors().into_iter().map(SessionError::Token));
    errors.extend(store_errors().into_iter().map(SessionError::Store));
    errors.extend(mint_errors().into_iter().map(SessionError::Mint));
    errors
}

fn misconfigurations() -> Vec<Misconfiguration> {
    let plain = [
        Misconfiguration::NoSessionStore,
        Misconfiguration::CookieTooLarge {
            name: text(),
            size: 5_000,
        },
        Misconfiguration::NoCsrfSecret,
        Misconfiguration::MissingManager,
        Misconfiguration::SeveralManagers,
        Misconfiguration::Unguarded,
        Misconfiguration::RouteMistake(text()),
    ];
    let mut errors = Vec::from(plain);
    errors.extend(mint_errors().into_iter().map(Misconfiguration::NotMinted));
    errors
}

fn rejections() -> Vec<Rejection> {
    let plain = [
        Rejection::MissingCredentials,
        Rejection::MalformedCredentials,
        Rejection::SeveralAuthorizations,
        Rejection::SeveralCookies,
        Rejection::SeveralParameters,
        Rejection::SeveralProtocols,
        Rejection::SeveralPlaces,
        Rejection::ClaimNotMet { name: text() },
        Rejection::ScopeNotMet,
        Rejection::MissingScope { scope: text() },
        Rejection::ClaimsDoNotFit,
        Rejection::CrossSite,
        Rejection::CsrfProofMissing,
        Rejection::CsrfProofNotFirst,
        Rejection::CsrfProofWrong,
        Rejection::Unavailable {
            retry_after: Duration::SECOND,
        },
        Rejection::InvalidProof(ProofError::Replayed),
        Rejection::NonceRequired { nonce: text() },
        Rejection::NotBound,
        Rejection::NoCertificate,
        Rejection::OtherCertificate,
        Rejection::LoginTooOld {
            max_age: 60,
            acr_values: String::new(),
        },
        Rejection::AcrNotMet {
            acr_values: "x".to_owned(),
            max_age: None,
        },
        Rejection::NotRevocable,
    ];
    let mut errors = Vec::from(plain);
    errors.extend(token_errors().into_iter().map(Rejection::InvalidToken));
    errors.extend(misconfigurations().into_iter().map(Rejection::from));
    errors
}

fn boxed<E: Error + 'static>(errors: Vec<E>) -> impl Iterator<Item = Box<dyn Error>> {
    errors.into_iter().map(|error| Box::new(error).into())
}

#[test]
fn debug_of_every_public_error_is_its_sentence_with_all_sources() {
    let unknown_type = "access".parse::<TokenType>().expect_err("no type");
    let unknown_algorithm = "none".parse::<AuthType>().expect_err("no algorithm");
    let of_a_check = vec![
        TokenCheckError::Revoked,
        TokenCheckError::Unavailable {
            retry_after: Duration::SECOND,
        },
    ];
    let errors = boxed(config_errors())
        .chain(boxed(mint_errors()))
        .chain(boxed(signer_failures()))
        .chain(boxed(vec![SignerError::permanent(io_error())]))
        .chain(boxed(token_errors()))
        .chain(boxed(store_errors()))
        .chain(boxed(session_errors()))
        .chain(boxed(misconfigurations()))
        .chain(boxed(rejections()))
        .chain(boxed(vec![unknown_type]))
        .chain(boxed(vec![unknown_algorithm]))
        .chain(boxed(of_a_check));
    for error in errors {
        let expected = sentence(&*error);
        assert_eq!(format!("{error:?}"), expected);
        assert_eq!(format!("{error:#?}"), expected);
        let (first, words) = (expected.split(' ').next(), expected.split(' ').count());
        assert!(words >= 2, "{expected}");
        assert!(first.is_none_or(|word| word != "is"), "{expected}");
    }
}

/// The output of `?` in `main`, for an error of this package.
#[test]
fn debug_of_an_error_in_main_says_what_to_do() {
    let auth = manager(hs256());
    let empty = AuthManager::new(Config::new("", AuthType::HS256, "x")).map(drop);
    let refused = auth.auth_token("").sign().map(drop);
    for (error, expected) in [
        (
            empty.map_err(Into::into),
            "invalid config value `JWT_ISSUER`: it is empty: give it a value or leave it out",
        ),
        (
            refused.map_err(Into::into),
            "the token would be refused: the claim `sub` has a value of the wrong type or out of range",
        ),
    ] {
        let error: Box<dyn Error> = error.expect_err("an error");
        assert_eq!(format!("{error:?}"), expected);
    }
}

/// The actix error of an extraction, which has a private type.
#[actix_web::test]
async fn debug_of_an_extraction_error_is_a_sentence() {
    let request = actix_web::test::TestRequest::default()
        .app_data(manager(hs256()))
        .to_http_request();
    let error = CurrentToken::extract(&request)
        .await
        .expect_err("unguarded");
    assert!(
        format!("{error:?}").contains("add `#[require_token]`"),
        "{error:?}"
    );
}

/// No public error derives `Debug`, so that an error that is added later prints its sentence, too.
#[test]
fn no_public_error_derives_debug() {
    let mut found = 0;
    let mut folders = vec![repository().join("flask-pyjwt-core/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).expect("source text");
            for part in text.split("#[derive(").skip(1) {
                let (derived, rest) = part.split_once(")]").expect("the end of the derive");
                let item = rest.lines().find(|line| line.starts_with("pub"));
                let is_public = item.is_some_and(|line| line.starts_with("pub "));
                if derived.contains("thiserror::Error") && is_public {
                    found += 1;
                    assert!(!derived.contains("Debug"), "{}: {item:?}", path.display());
                }
            }
        }
    }
    // `LostEvents` is tested in sessions/subscribers.rs.
    assert_eq!(found, 14, "the public errors: test a new one above");
}

/// The source of a store's error comes from its author, who may have written anything.
#[test]
fn a_source_without_an_end_is_cut() {
    #[derive(Debug)]
    struct OfItself;
    impl std::fmt::Display for OfItself {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("round and round")
        }
    }
    impl Error for OfItself {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(self)
        }
    }
    let error = SessionError::Store(StoreError::unavailable(OfItself));
    let text = format!("{error:?}");
    assert!(
        text.contains("round and round") && text.len() < 1_000,
        "{text}"
    );
}
