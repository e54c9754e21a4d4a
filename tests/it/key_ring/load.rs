//! A hundred rotations while two workers serve requests.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
};

use flask_pyjwt::{AuthManager, AuthType, Config, Key, TokenError};

use super::secret;
use support::ISSUER;

/// No valid token is refused, and no token of a dropped key is accepted.
#[test]
fn a_hundred_rotations_while_two_workers_mint_and_verify() {
    let auth = AuthManager::new(Config::new(ISSUER, AuthType::HS256, secret(0)).key_id("0"))
        .expect("a valid configuration");
    let (over, served) = (AtomicBool::new(false), AtomicU32::new(0));
    let mut first_of = Vec::new();
    thread::scope(|scope| {
        for worker in 0..2 {
            let (auth, over, served) = (&auth, &over, &served);
            scope.spawn(move || {
                let mut kept = Vec::new();
                while !over.load(Ordering::Acquire) {
                    let token = auth.auth_token(worker).sign().expect("minted");
                    assert!(auth.verify_token(token.signed()).is_ok());
                    kept.push(token);
                    for token in kept.iter().rev().take(8) {
                        assert!(auth.verify_token(token.signed()).is_ok());
                    }
                    kept.truncate(64);
                    served.fetch_add(1, Ordering::AcqRel);
                }
                for token in &kept {
                    assert!(auth.verify_token(token.signed()).is_ok());
                }
            });
        }
        for number in 1..=100_u8 {
            let before = served.load(Ordering::Acquire);
            first_of.push(auth.auth_token("first").sign().expect("minted"));
            let key = Key::new(AuthType::HS256, secret(number)).id(number.to_string());
            auth.rotate(key).expect("a valid key");
            // At least one request is served between two rotations.
            while served.load(Ordering::Acquire) < before + 2 {
                thread::yield_now();
            }
        }
        over.store(true, Ordering::Release);
    });
    // Tokens of a removed key are refused, and those of the other keys are not.
    for number in (0..100_usize).step_by(2) {
        let token = first_of[number].signed();
        assert!(auth.verify_token(token).is_ok());
        auth.remove_key(&number.to_string()).expect("it exists");
        for _ in 0..2 {
            let refused = auth.verify_token(token).map(drop);
            assert_eq!(refused, Err(TokenError::UnknownKey), "{number}");
        }
        assert!(auth.verify_token(first_of[number + 1].signed()).is_ok());
    }
    assert_eq!(auth.keys().len(), 51);
}
