//! Valid and invalid configurations: every mistake is found when the manager is made, and the error names its
//! key and shows no value.

mod dotenv_file;
mod environment;
mod key_forms;
mod probe;
mod trusted_files;
mod unread;

use std::fmt::Debug;

use flask_pyjwt::{AuthManager, AuthType, Config, ConfigError};
use time::Duration;

use support::SECRET;

fn config(auth_type: AuthType, secret: impl AsRef<[u8]>) -> Config {
    Config::new("issuer", auth_type, secret)
}

/// Asserts that a manager of this configuration accepts the tokens that it mints.
#[track_caller]
fn works(config: Config, what: impl Debug) -> AuthManager {
    let auth = AuthManager::new(config).unwrap_or_else(|error| panic!("{what:?}: {error}"));
    let token = auth
        .auth_token("alice")
        .sign()
        .unwrap_or_else(|error| panic!("{what:?}: {error}"));
    let verified = auth
        .verify_token(token.signed())
        .map(|token| token.sub().to_owned());
    assert_eq!(verified.as_deref(), Ok("alice"), "{what:?}");
    auth
}

/// Asserts that no manager is made of this configuration, and that the error names the key and says what to do.
#[track_caller]
fn is_invalid(config: Config, key: &str, expected_text: &str, what: impl Debug) {
    let error = AuthManager::new(config)
        .map(|_| ())
        .expect_err(&format!("{what:?}"));
    assert!(
        matches!(error, ConfigError::Invalid { .. }),
        "{what:?}: {error:?}"
    );
    assert_eq!(error.key(), key, "{what:?}: {error}");
    let message = error.to_string();
    assert!(
        message.contains(key) && message.contains(expected_text),
        "{what:?}: {message}"
    );
}

#[test]
fn a_secret_is_used_byte_for_byte() {
    let secrets: [&[u8]; 6] = [
        b"01234567890123456789012345678901",
        b" 1234567890123456789012345678901\n",
        b"\\n234567890123456789012345678901 ",
        b"\xff\xfe\x00\x01 not a text, but thirty-two and more",
        "ünïcödé ünïcödé ünïcödé ünïcödé".as_bytes(),
        b"$HOME ${HOME} %HOME% `id` $(id) ''",
    ];
    for secret in secrets {
        let auth = works(config(AuthType::HS256, secret), secret);
        let token = auth.auth_token("alice").sign().expect("minted");
        let key = support::forge::Key::Hs256(secret);
        let (message, signature) = token.signed().rsplit_once('.').expect("a signature");
        assert_eq!(
            support::forge::encode(key.sign(message.as_bytes())),
            signature
        );
    }
}

#[test]
fn ages_are_whole_seconds_from_one_to_a_century() {
    let with = |age: Duration, is_auth: bool| {
        let config = config(AuthType::HS256, SECRET);
        if is_auth {
            config.auth_max_age(age)
        } else {
            config.refresh_max_age(age)
        }
    };
    let century = Duration::seconds(3_155_760_000);
    for (is_auth, key) in [(true, "JWT_AUTHMAXAGE"), (false, "JWT_REFRESHMAXAGE")] {
        for good in [
            Duration::SECOND,
            Duration::hours(1),
            Duration::days(30),
            century,
        ] {
            let auth = works(with(good, is_auth), good);
            let (auth_age, refresh_age) = (auth.auth_max_age(), auth.refresh_max_age());
            assert_eq!(if is_auth { auth_age } else { refresh_age }, good);
            let refresh = auth.refresh_token("alice").sign().expect("minted");
            let minted = auth.auth_token("alice").sign().expect("minted");
            assert_eq!(
                (minted.max_age(), refresh.max_age()),
                (auth_age, refresh_age)
            );
        }
        for (wrong, expected_text) in [
            (Duration::ZERO, "at least 1 second"),
            (Duration::seconds(-1), "at least 1 second"),
            (Duration::seconds(i64::MIN), "at least 1 second"),
            (Duration::milliseconds(500), "whole seconds"),
            (Duration::milliseconds(-500), "whole seconds"),
            (Duration::milliseconds(1_500), "whole seconds"),
            (Duration::MAX, ""),
            (Duration::MIN, ""),
            (century + Duration::SECOND, "at most"),
            (Duration::seconds(i64::MAX), "at most"),
        ] {
            is_invalid(with(wrong, is_auth), key, expected_text, wrong);
        }
    }
}

#[test]
fn other_values_are_refused_outside_their_range() {
    let good = || config(AuthType::HS256, SECRET);
    let day = Duration::DAY;
    for config in [
        good().issuer("i"),
        good().issuer("é \" \\ \n"),
        good().audience("a"),
        good().key_id("k"),
        good().key_id("\"\\é"),
        good().max_token_size(1 << 20),
        good().max_token_size(512),
        good().max_lifetime(Duration::WEEK),
        good().refresh_max_age(day).max_lifetime(day),
        good().token_table(0, 0),
        good().token_table(1, 1),
        good().token_table(1 << 24, 0),
        good().integer_subjects(true),
        good().public_key("of no use for HMAC"),
    ] {
        works(config.clone(), config);
    }
    for (config, key) in [
        (good().issuer(""), "JWT_ISSUER"),
        (good().audience(""), "JWT_AUDIENCE"),
        (good().key_id(""), "JWT_KEYID"),
        (good().max_token_size(0), "max_token_size"),
        (good().max_token_size(255), "max_token_size"),
        (good().max_token_size((1 << 20) + 1), "max_token_size"),
        (good().max_token_size(usize::MAX), "max_token_size"),
        (good().max_lifetime(Duration::ZERO), "max_lifetime"),
        (good().max_lifetime(Duration::seconds(-1)), "max_lifetime"),
        (good().max_lifetime(Duration::HOUR), "max_lifetime"),
        (
            good().max_lifetime(Duration::WEEK - Duration::NANOSECOND),
            "max_lifetime",
        ),
        (good().max_lifetime(Duration::MIN), "max_lifetime"),
    ] {
        is_invalid(config.clone(), key, "", config);
    }
}

#[test]
fn the_last_call_of_a_setter_counts() {
    let auth = works(
        config(AuthType::HS512, "short")
            .issuer("")
            .issuer("last")
            .auth_type(AuthType::HS256)
            .secret("short")
            .secret(SECRET)
            .leeway(Duration::DAY)
            .leeway(Duration::ZERO)
            .auth_max_age(Duration::ZERO)
            .auth_max_age(Duration::MINUTE)
            .allow_weak_secret(true)
            .allow_weak_secret(false),
        "the last",
    );
    assert_eq!(auth.issuer(), "last");
    assert_eq!(auth.auth_type(), AuthType::HS256);
    assert_eq!(auth.auth_max_age(), Duration::MINUTE);
}
