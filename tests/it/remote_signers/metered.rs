//! What Prometheus gets of remote signatures.

use flask_pyjwt::{AuthType, metrics, signer::SignerError};

use super::{Service, now};
use crate::metrics::{assert_as_listed, recorded, scrape};

#[test]
#[expect(clippy::float_cmp, reason = "counts are whole numbers")]
fn attempts_are_counted_by_their_result_and_timed() {
    recorded(async {
        let service = Service::new(AuthType::ES256, |call, signature| match call {
            0 => now(Err(SignerError::temporary("throttled"))),
            2 => now(Err(SignerError::permanent("disabled"))),
            3 => now(Ok(Vec::new())),
            4 => super::never(),
            _ => now(Ok(signature)),
        });
        let auth = service.manager();
        let count = |result: &str| scrape().sum(metrics::REMOTE_SIGNATURES, &[("result", result)]);
        assert_eq!(count("timeout"), 0.0);
        auth.auth_token("alice").sign_async().await.expect("minted");
        for _ in 0..2 {
            auth.auth_token("alice")
                .sign_async()
                .await
                .expect_err("not signed");
        }
        {
            let mut minting = Box::pin(auth.auth_token("alice").sign_async());
            assert!(futures_util::poll!(minting.as_mut()).is_pending());
        }
        let expected = ["ok", "temporary", "error", "wrong_signature", "dropped"];
        for result in expected {
            assert_eq!(count(result), 1.0, "{result}");
        }
        assert_eq!(count("timeout"), 0.0);
        let scraped = scrape();
        let durations = format!("{}_count", metrics::REMOTE_SIGNATURE_DURATION);
        assert_eq!(scraped.sum(&durations, &[]), 5.0);
        // Tokens that were refused are not minted ones.
        assert_eq!(scraped.sum(metrics::MINTED, &[]), 1.0);
        assert_as_listed(&scraped);
    });
}
