//! Errors of sessions in a program without HTTP, and their sources.

use std::{error::Error, io, sync::Arc};

use actix_web::rt::Runtime;
use flask_pyjwt::{
    AuthManager, MemoryStore, MintError, Misconfiguration, Rejection, SessionError, TokenError,
    store::StoreError,
};
use time::Duration;

use super::checks::Broken;
use support::{hs256, log, manager};

/// The text of an error, then the texts of all its sources.
fn chain(error: &dyn Error) -> Vec<String> {
    let mut texts = vec![error.to_string()];
    let mut source = error.source();
    while let Some(cause) = source {
        texts.push(cause.to_string());
        source = cause.source();
    }
    texts
}

/// Runs a job on a plain tokio runtime.
fn job<T>(work: impl Future<Output = T>) -> T {
    let runtime = Runtime::new().expect("a runtime");
    runtime.tokio_runtime().block_on(work)
}

/// Like a command-line tool: ends all sessions of a user, and returns a message about the outcome.
async fn log_out(auth: &AuthManager, user: &str) -> String {
    match auth.revoke_subject(user).await {
        Ok(_) => format!("{user} is logged out"),
        Err(error) => chain(&error).join("\n  because "),
    }
}

#[test]
fn a_program_without_http_can_revoke_and_print_errors() {
    let auth = manager(hs256().session_store(MemoryStore::default()));
    job(async {
        let pair = auth.login("alice").await.expect("opened");
        assert_eq!(log_out(&auth, "alice").await, "alice is logged out");
        let revoked = auth.check_revocation(&pair.auth).await;
        assert_eq!(revoked, Err(SessionError::Token(TokenError::Revoked)));
        assert_eq!(auth.sessions("alice").await, Ok(vec![]));
    });
    let printed = |auth| job(log_out(&auth, "alice"));
    assert_eq!(
        printed(manager(hs256().session_store(Broken::Down))),
        "the session store has not done what it was asked\n  \
             because the session store cannot be reached or failed\n  \
             because no route to host"
    );
    let timeout = Duration::MILLISECOND;
    assert_eq!(
        printed(manager(
            hs256()
                .session_store(Broken::Hanging)
                .store_timeout(timeout)
        )),
        "the session store has not done what it was asked\n  \
             because the session store did not answer within 1 ms"
    );
    assert_eq!(
        printed(manager(hs256())),
        "no session store is configured: add `Config::session_store`"
    );
}

#[test]
fn every_error_keeps_its_sources() {
    const CLAIM: &str = "the value of the claim `x` cannot be written as JSON";
    let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused");
    let no_number = Arc::new(serde_json::from_str::<u8>("x").expect_err("no number"));
    let source_text = no_number.to_string();
    let mint = |source: &Arc<serde_json::Error>| MintError::NoJson {
        name: "x".to_owned(),
        source: Arc::clone(source),
    };
    let claims = MintError::SessionClaims {
        source: Arc::clone(&no_number),
    };
    let mistake = Misconfiguration::NotMinted(mint(&no_number));
    let cases: Vec<(Box<dyn Error>, Vec<&str>)> = vec![
        (
            Box::new(SessionError::Store(StoreError::unavailable(refused))),
            vec![
                "the session store has not done what it was asked",
                "the session store cannot be reached or failed",
                "connection refused",
            ],
        ),
        (
            Box::new(SessionError::from(TokenError::Replayed)),
            vec!["the token is refused", "the refresh token was used before"],
        ),
        (
            Box::new(SessionError::from(mint(&no_number))),
            vec!["the session's tokens cannot be minted", CLAIM, &source_text],
        ),
        (
            Box::new(MintError::Refused(TokenError::Clock)),
            vec!["the token would be refused", "the clock is out of range"],
        ),
        (
            Box::new(claims),
            vec!["the session's claims cannot be read", &source_text],
        ),
        // The refusal of a request adds nothing to the token's error or the server's mistake.
        (
            Box::new(Rejection::from(mistake)),
            vec!["the token is not minted", CLAIM, &source_text],
        ),
        (
            Box::new(Rejection::from(TokenError::Expired)),
            vec!["the token has expired"],
        ),
        (
            Box::new(SessionError::NotRevocable),
            vec!["the token has no id to revoke it by: mint it with `AuthManager::login`"],
        ),
        (
            Box::new(SessionError::TooDeep),
            vec!["calls of the AuthManager are nested too deeply: its session store calls it"],
        ),
    ];
    for (error, expected) in cases {
        assert_eq!(chain(&*error), expected, "{error:?}");
    }
}

#[test]
fn the_source_of_a_store_error_can_be_downcast() {
    let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
    let error = SessionError::Store(StoreError::unavailable(refused));
    let store = error.source().and_then(|source| source.downcast_ref());
    let Some(StoreError::Unavailable(cause)) = store else {
        panic!("{error:?}");
    };
    let cause = cause.downcast_ref().map(io::Error::kind);
    assert_eq!(cause, Some(io::ErrorKind::ConnectionRefused));
    // The same through the manager.
    let auth = manager(hs256().session_store(Broken::Down));
    let log = log::capture();
    let error = job(async { auth.sessions("alice").await }).expect_err("no answer");
    let store = error.source().and_then(|source| source.downcast_ref());
    assert!(
        matches!(store, Some(StoreError::Unavailable(_))),
        "{error:?}"
    );
    // The log contains it, too.
    assert!(log.text().contains("no route to host"));
}
