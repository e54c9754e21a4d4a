//! What a broken signer does: nothing of it is ever in a token.

use actix_web::{App, HttpResponse, test, web};
use flask_pyjwt::{AuthManager, AuthType, Rejection, SignerFailure, signer::SignerError};
use support::{forge, keys, log};

use super::{Answer, Service, failure, never, now};

/// A signer that always answers in this way, and the failure of minting with it.
async fn failing(
    auth_type: AuthType,
    answer: impl Fn(Vec<u8>) -> Answer + Send + Sync + 'static,
) -> (Service, SignerFailure) {
    let service = Service::new(auth_type, move |_, signature| answer(signature));
    let failure = failure(&service.manager()).await;
    (service, failure)
}

/// The same numbers as an ECDSA signature in DER.
fn der(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    keys::write(0x30, &keys::integers(&[r, s]))
}

#[tokio::test(start_paused = true)]
async fn a_signer_that_hangs_is_given_up_after_its_time() {
    let began = tokio::time::Instant::now();
    let (service, failure) = failing(AuthType::ES256, |_| never()).await;
    assert!(
        matches!(
            failure,
            SignerFailure::Timeout {
                milliseconds: 2_000
            }
        ),
        "{failure}"
    );
    // An attempt that took too long is not repeated.
    assert_eq!(service.calls(), 1);
    assert_eq!(began.elapsed().as_millis(), 2_000);
    assert!(failure.is_temporary());
}

#[tokio::test(start_paused = true)]
async fn a_temporary_error_is_followed_by_another_attempt() {
    let service = Service::new(AuthType::ES256, |call, signature| match call {
        0 => now(Err(SignerError::temporary("throttled"))),
        _ => now(Ok(signature)),
    });
    let auth = service.manager();
    let token = auth.auth_token("alice").sign_async().await.expect("minted");
    assert!(auth.verify_token(token.signed()).is_ok());
    assert_eq!(service.calls(), 2);
}

#[tokio::test(start_paused = true)]
async fn attempts_end_after_the_configured_number() {
    for retries in [0, 1, 4] {
        let service = Service::new(AuthType::ES256, |_, _| {
            now(Err(SignerError::temporary("throttled")))
        });
        let auth = support::manager(super::config(service.key().retries(retries)));
        let failure = failure(&auth).await;
        assert!(matches!(&failure, SignerFailure::Failed(error) if error.is_temporary()));
        assert_eq!(service.calls(), 1 + retries as usize);
    }
}

#[actix_web::test]
async fn a_permanent_error_is_not_repeated() {
    let permanent = |_| now(Err(SignerError::permanent("the key is disabled")));
    let (service, failure) = failing(AuthType::ES256, permanent).await;
    assert!(!failure.is_temporary());
    assert_eq!(service.calls(), 1);
    assert_eq!(
        format!("{failure:?}"),
        "the remote signer failed: signing failed: the key is disabled"
    );
}

#[actix_web::test]
async fn a_signature_of_another_key_is_refused() {
    for auth_type in [
        AuthType::ES256,
        AuthType::EdDSA,
        AuthType::RS256,
        AuthType::PS256,
    ] {
        let other = move |signature: Vec<u8>| {
            let message = b"another message, or another key";
            let other = match auth_type {
                AuthType::ES256 => forge::Key::Ecdsa(&keys::OTHER_P256).sign(message),
                _ => keys::key(auth_type).sign(message),
            };
            assert_eq!(other.len(), signature.len());
            now(Ok(other))
        };
        let (service, failure) = failing(auth_type, other).await;
        assert!(
            matches!(failure, SignerFailure::WrongSignature),
            "{auth_type}: {failure}"
        );
        assert_eq!(service.calls(), 1);
    }
}

#[actix_web::test]
async fn der_is_refused_and_the_error_says_the_right_form() {
    for (auth_type, length) in [
        (AuthType::ES256, 64),
        (AuthType::ES384, 96),
        (AuthType::ES512, 132),
    ] {
        let (_, failure) = failing(auth_type, |signature| now(Ok(der(&signature)))).await;
        let SignerFailure::WrongLength { length: found, .. } = &failure else {
            panic!("{auth_type}: {failure}");
        };
        assert!(*found > length);
        let sentence = failure.to_string();
        let expected = format!(
            "{auth_type} needs {length}, which are r and s of {} bytes each, without DER",
            length / 2
        );
        assert!(sentence.contains(&expected), "{sentence}");
    }
}

#[actix_web::test]
async fn signatures_of_any_other_length_are_refused() {
    for auth_type in [AuthType::ES256, AuthType::EdDSA, AuthType::RS256] {
        for length in [0, 1, 63, 65, 10_000_000] {
            let (_, failure) = failing(auth_type, move |_| now(Ok(vec![7; length]))).await;
            let is_of_length =
                matches!(&failure, SignerFailure::WrongLength { length: it, .. } if *it == length);
            assert!(is_of_length, "{auth_type}: {failure}");
            assert!(!failure.is_temporary());
        }
    }
}

#[actix_web::test]
async fn zeros_and_numbers_above_the_order_are_refused() {
    for (auth_type, length) in [
        (AuthType::ES256, 64),
        (AuthType::EdDSA, 64),
        (AuthType::RS256, 256),
    ] {
        for byte in [0, 0xff] {
            let (_, failure) = failing(auth_type, move |_| now(Ok(vec![byte; length]))).await;
            assert!(
                matches!(failure, SignerFailure::WrongSignature),
                "{auth_type}: {failure}"
            );
        }
    }
}

#[actix_web::test]
async fn a_panic_is_a_failure_of_one_signature() {
    // In the call itself, and in its future.
    for in_future in [false, true] {
        let service = Service::new(AuthType::ES256, move |call, signature| {
            assert!(call > 0 || in_future, "the signer panics");
            Box::pin(async move {
                assert!(call > 0, "the signer panics");
                Ok(signature)
            })
        });
        let auth = service.manager();
        assert!(matches!(failure(&auth).await, SignerFailure::Panicked));
        assert!(auth.auth_token("alice").sign_async().await.is_ok());
    }
}

async fn login(auth: AuthManager) -> Result<HttpResponse, Rejection> {
    let token = auth.auth_token("alice").sign_async().await?;
    Ok(HttpResponse::Ok().body(token.signed().to_owned()))
}

#[actix_web::test]
async fn a_client_learns_nothing_and_the_log_says_why() {
    type Answers = Box<dyn Fn() -> Answer + Send + Sync>;
    let temporary = || SignerError::temporary("PIN of slot 7");
    let permanent = || SignerError::permanent("PIN of slot 7");
    let answers: [(u16, &str, Answers); 3] = [
        (503, "temporary", Box::new(move || now(Err(temporary())))),
        (500, "error", Box::new(move || now(Err(permanent())))),
        (500, "wrong_signature", Box::new(|| now(Ok(Vec::new())))),
    ];
    for (status, reason, answer) in answers {
        let service = Service::new(AuthType::ES256, move |_, _| answer());
        let auth = support::manager(super::config(service.key().retries(0)));
        let app = App::new()
            .app_data(auth)
            .route("/login", web::post().to(login));
        let app = test::init_service(app).await;
        let captured = log::capture();
        let request = test::TestRequest::post().uri("/login").to_request();
        let answer = test::call_service(&app, request).await;
        assert_eq!(answer.status(), status);
        assert_eq!(answer.headers().contains_key("retry-after"), status == 503);
        let body = test::read_body(answer).await;
        let body = String::from_utf8_lossy(&body);
        assert!(
            !body.contains("slot 7") && !body.contains("signer"),
            "{body}"
        );
        let log = captured.text();
        assert!(log.contains("the remote signer"), "{log}");
        assert!(log.contains(reason), "{log}");
        // The message, which is a token without its signature.
        assert!(!log.contains("eyJ"), "{log}");
    }
}
