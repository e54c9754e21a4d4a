//! Arguments that hold a secret. Every user of the machine can see the arguments of a process, and the shell keeps
//! them in its history.

use std::ffi::OsString;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::failure::Failure;

/// The schemes of session stores.
const STORES: [&str; 6] = [
    "redis",
    "rediss",
    "valkey",
    "valkeys",
    "postgres",
    "postgresql",
];
/// The parameters of URLs that are passwords.
pub(crate) const PASSWORDS: [&str; 5] = ["pass", "passwd", "password", "pwd", "sslpassword"];

/// Refuses arguments with a token, a private key, or a URL with a password in it. The error does not repeat them.
pub(crate) fn refuse_in(arguments: impl IntoIterator<Item = OsString>) -> Result<(), Failure> {
    for argument in arguments {
        let argument = argument.to_string_lossy();
        // `--option=value`
        let value = argument.split_once('=').map(|(_, value)| value);
        for text in [Some(&*argument), value].into_iter().flatten() {
            if has_token(text) {
                return Err(Failure::usage(
                    "an argument is a token, which other users of this machine can see there: write it to a file, or \
                     to standard input and give `-`",
                ));
            }
            if has_key(text) {
                return Err(Failure::usage(
                    "an argument is a key, which other users of this machine can see there: write it to a file",
                ));
            }
            if has_password(text) {
                return Err(Failure::usage(
                    "an argument is a URL with a password, which other users of this machine can see there: set the \
                     environment variable STORE instead",
                ));
            }
        }
    }
    Ok(())
}

/// Whether a text is a token, or has one anywhere in it.
fn has_token(text: &str) -> bool {
    let is_inside = |(start, _)| {
        // `eyJ` is `{"` in base64url: the header, the payload, and perhaps a signature follow.
        let mut segments = text[start..].splitn(3, '.');
        let mut is_whole = || {
            let segment = segments.next();
            segment.is_some_and(|it| !it.is_empty() && it.bytes().all(is_base64url))
        };
        is_whole() && is_whole() && segments.next().is_some()
    };
    text.match_indices("eyJ").any(is_inside) || text.split_whitespace().any(is_token)
}

/// Whether a text has the form of a token: at least three segments, the first of which is a JSON object.
fn is_token(text: &str) -> bool {
    let text = text.trim_matches(['"', '\'']);
    let mut segments = text.split('.');
    let first = segments.next().unwrap_or_default();
    let header = URL_SAFE_NO_PAD.decode(first.trim_end_matches('='));
    let has_header = first.starts_with("eyJ") || header.is_ok_and(|it| it.first() == Some(&b'{'));
    // A token that was cut short is still a secret.
    has_header && (segments.count() >= 1 || first.len() > 64)
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_=".contains(&byte)
}

/// Whether a text has a private key in it: PEM, the lines between its first and its last, or a JWK.
pub(crate) fn has_key(text: &str) -> bool {
    let has_member = |name: &str| text.contains(&format!("\"{name}\""));
    text.contains("-----BEGIN ")
        || text.split_whitespace().any(is_der_of_a_key)
        || (has_member("kty") && (has_member("d") || has_member("k")))
}

/// Whether a text is the base64 of a DER sequence that begins with the number 0 or 1, as all formats of private keys do
/// (PKCS#8, PKCS#1, SEC 1) and no format of public keys does.
fn is_der_of_a_key(text: &str) -> bool {
    let Some(start) = text.get(..24).filter(|_| text.len() >= 40) else {
        return false;
    };
    let start = URL_SAFE_NO_PAD.decode(start.replace('+', "-").replace('/', "_"));
    let Ok([0x30, length, rest @ ..]) = start.as_deref() else {
        return false;
    };
    // A long length is in so many more bytes.
    let more = if *length < 0x80 { 0 } else { length & 0x7f };
    let version = rest.get(usize::from(more)..);
    version.is_some_and(|it| it.starts_with(&[2, 1, 0]) || it.starts_with(&[2, 1, 1]))
}

/// Whether a text has a URL with a password in it.
fn has_password(text: &str) -> bool {
    text.match_indices(':').any(|(colon, _)| {
        let (before, rest) = (&text[..colon], &text[colon + 1..]);
        let is_of_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        let length = before.bytes().rev().take_while(is_of_scheme).count();
        let (before, scheme) = before.split_at(before.len() - length);
        let scheme = scheme.to_ascii_lowercase();
        // A text can go on after the URL. An address of a store is all of it, and its password can be anything.
        let rest = if before.is_empty() && STORES.contains(&&*scheme) {
            rest
        } else {
            let is_after = |it: char| it.is_whitespace() || "\"'".contains(it);
            rest.split(is_after).next().unwrap_or_default()
        };
        if STORES.contains(&&*scheme) && (before.is_empty() || rest.starts_with("//")) {
            is_store_with_password(&scheme, rest.trim_start_matches('/'))
        } else {
            let rest = rest.strip_prefix("//");
            rest.is_some_and(is_other_with_password)
        }
    })
}

fn is_store_with_password(scheme: &str, rest: &str) -> bool {
    // A password can contain any character, so the last `@` counts.
    let is_in_authority = rest.rsplit_once('@').is_some_and(|(user, _)| {
        // A user without a password makes no sense to Redis: it is a password in the wrong place.
        user.contains(':') || !scheme.starts_with("postgres")
    });
    is_in_authority || is_in_query(rest)
}

fn is_other_with_password(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || is_in_query(rest)
}

fn is_in_query(rest: &str) -> bool {
    let query = rest.split_once('?').map_or("", |(_, query)| query);
    query.split(['&', '#']).any(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let name = name.to_ascii_lowercase();
        PASSWORDS.contains(&&*name) && !value.is_empty()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYWxsb3J5In0.AA";

    #[test]
    fn tokens_and_passwords_are_refused_as_arguments() {
        for secret in [
            TOKEN.to_owned(),
            format!("Bearer {TOKEN}"),
            format!("--token={TOKEN}"),
            format!("jwt=\"{TOKEN}\""),
            TOKEN[..25].to_owned(),
            "redis://:hidden@127.0.0.1".to_owned(),
            "rediss://hidden@127.0.0.1".to_owned(),
            "--store=postgres://alice:hid/den@host/shop".to_owned(),
            "postgres://alice@host/shop?sslmode=require&password=hidden".to_owned(),
            "-----BEGIN PRIVATE KEY-----\nhidden".to_owned(),
            format!("bearer {TOKEN}"),
            format!("Authorization: Bearer {TOKEN}"),
            format!("--path=tok=a={TOKEN}"),
            format!("tok=a={TOKEN}"),
            format!(r#"x={{"t":"{TOKEN}"}}"#),
            format!("https://app.example/?token={TOKEN}"),
            format!("prefix-{TOKEN}"),
            "redis:u:hidden@h".to_owned(),
            "redis:hidden@h".to_owned(),
            "--store=postgres:/u:hidden@h/x".to_owned(),
            "POSTGRES://u:hidden@h".to_owned(),
            "postgres://u:hid \"den@h".to_owned(),
            "postgres://h/x?sslpassword=hidden".to_owned(),
            r#"a = "https://b", c = "https://u:hidden@h""#.to_owned(),
            r#"a = "redis://:hidden@h""#.to_owned(),
            r#"x={"kty":"OKP","crv":"Ed25519","d":"hidden"}"#.to_owned(),
            // The beginnings of keys: Ed25519, P-256 (PKCS#8, SEC 1), RSA (PKCS#8, PKCS#1).
            "MC4CAQAwBQYDK2VwBCIEIAhiddenhiddenhiddenhiddenhidden".to_owned(),
            "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0hiddenhidden".to_owned(),
            "--name=MHcCAQEEIAhiddenhiddenhiddenhiddenhiddenhidden".to_owned(),
            "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwhiddenhiddenhidden".to_owned(),
            "MIIEowIBAAKCAQEAhiddenhiddenhiddenhiddenhiddenhidden".to_owned(),
        ] {
            let failure = refuse_in([OsString::from(&secret)]).expect_err("a secret");
            assert!(!failure.text().contains("hidden"), "{secret}");
            assert!(!failure.text().contains("eyJ"), "{secret}");
        }
    }

    #[test]
    fn other_arguments_are_accepted() {
        for argument in [
            "-",
            "token.txt",
            "./eyes.only.txt",
            "eyJ",
            "alice",
            "redis://127.0.0.1:6379/0",
            "postgres://alice@host/shop?sslmode=require",
            "postgres:///shop?host=/run/postgresql&passfile=/etc/pass",
            "file:sessions.redb",
            "https://accounts.example/a?b=c",
            "--claim=team=\"red\"",
            r#"issuer = "https://auth.example.com", override = {"admin": true}, email = "a@b.c""#,
            "https://mastodon.example:8443/@alice",
            r#"urls=["https://a.b","mailto:a@b.c"]"#,
            r#"picture="https://a.b/?bypass=1""#,
            "https://a.b/#x:y@z",
            "urn:redis:user@example",
            "acct:alice@example.com",
            "the story of redis: a tale @ night",
            "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
            r#"x={"kty":"OKP","x":"AA"}"#,
            "sub = \"eyJay\"",
        ] {
            assert!(refuse_in([OsString::from(argument)]).is_ok(), "{argument}");
        }
    }
}
