//! Reads keys from PEM, and recognizes keys that must not be used as HMAC secrets.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use serde_json::Value;
use zeroize::Zeroizing;

use super::KeyProblem;

/// The encoding of a key's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// `PRIVATE KEY` (RFC 5958)
    Pkcs8,
    /// `RSA PRIVATE KEY` (RFC 8017, appendix A.1.2)
    Pkcs1Private,
    /// `EC PRIVATE KEY` (RFC 5915)
    Sec1,
    /// `PUBLIC KEY` (RFC 5280, section 4.1)
    Spki,
    /// `RSA PUBLIC KEY` (RFC 8017, appendix A.1.1)
    Pkcs1Public,
}

/// One key, decoded from PEM.
pub(crate) struct Material {
    pub(crate) encoding: Encoding,
    pub(crate) der: Zeroizing<Vec<u8>>,
}

impl Material {
    pub(crate) fn private(text: &[u8]) -> Result<Self, KeyProblem> {
        let material = Self::from_pem(text)?;
        match material.encoding {
            Encoding::Spki | Encoding::Pkcs1Public => Err(KeyProblem::PublicForPrivate),
            _ => Ok(material),
        }
    }

    pub(crate) fn public(text: &[u8]) -> Result<Self, KeyProblem> {
        let material = Self::from_pem(text)?;
        match material.encoding {
            Encoding::Spki | Encoding::Pkcs1Public => Ok(material),
            _ => Err(KeyProblem::PrivateForPublic),
        }
    }

    /// Reads a PEM text that contains exactly one key. Line breaks can be written as `\n`, for variables that have one
    /// line.
    fn from_pem(text: &[u8]) -> Result<Self, KeyProblem> {
        let text = Zeroizing::new(unescape_line_breaks(text));
        if !contains(&text, b"-----BEGIN ") {
            return Err(KeyProblem::NoPem);
        }
        let blocks = pem::parse_many(text.as_slice()).map_err(|_| KeyProblem::BrokenPem)?;
        let mut keys = blocks
            .into_iter()
            // `openssl ecparam -genkey` writes the curve's parameters before the key.
            .filter(|block| block.tag() != "EC PARAMETERS")
            .map(|block| {
                let encoding = match block.tag() {
                    "PRIVATE KEY" => Encoding::Pkcs8,
                    "RSA PRIVATE KEY" => Encoding::Pkcs1Private,
                    "EC PRIVATE KEY" => Encoding::Sec1,
                    "PUBLIC KEY" => Encoding::Spki,
                    "RSA PUBLIC KEY" => Encoding::Pkcs1Public,
                    "ENCRYPTED PRIVATE KEY" => return Err(KeyProblem::Encrypted),
                    "CERTIFICATE" => return Err(KeyProblem::Certificate),
                    _ => return Err(KeyProblem::OtherPem),
                };
                // The older form of encryption: `Proc-Type: 4,ENCRYPTED` (RFC 1421).
                if block.headers().get("Proc-Type").is_some() {
                    return Err(KeyProblem::Encrypted);
                }
                Ok(Self {
                    encoding,
                    der: Zeroizing::new(block.into_contents()),
                })
            });
        let key = keys.next().ok_or(KeyProblem::BrokenPem)??;
        match keys.next() {
            Some(_) => Err(KeyProblem::SeveralKeys),
            None => Ok(key),
        }
    }
}

/// Returns whether the bytes are a key in PEM, SSH, JWK or DER form, also in UTF-16 or base64.
///
/// Such a key must not be used as an HMAC secret: anybody who knows the public key could sign tokens (CVE-2022-29217).
pub(crate) fn looks_like_a_public_secret(secret: &[u8]) -> bool {
    let without = |bytes: &[u8]| -> Vec<u8> {
        let kept = secret.iter().filter(|byte| !bytes.contains(byte));
        kept.copied().collect()
    };
    let in_one_byte = Zeroizing::new(without(b"\0"));
    let base64 = Zeroizing::new(without(b" \t\r\n="));
    let decoded = [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD]
        .into_iter()
        .find_map(|alphabet| alphabet.decode(&*base64).ok());
    let decoded = Zeroizing::new(decoded.unwrap_or_default());
    [secret, &in_one_byte, &decoded]
        .into_iter()
        .any(|bytes| is_text_of_key(bytes) || is_der_of_key(bytes))
}

/// Returns whether these bytes are a key in DER. A key is recognized by its object identifier (RFC 8017, RFC 5480, RFC
/// 8410). PKCS#1 has no identifier; such a key is recognized as one sequence that spans all bytes.
fn is_der_of_key(der: &[u8]) -> bool {
    const RSA: &[u8] = &[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
    const ELLIPTIC_CURVE: &[u8] = &[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    const EDWARDS_CURVE: &[u8] = &[6, 3, 0x2b, 0x65];
    match der {
        [0x30, 0x82, high, low, rest @ ..]
            if rest.len() == usize::from(u16::from_be_bytes([*high, *low])) =>
        {
            true
        }
        [0x30, rest @ ..] => [RSA, ELLIPTIC_CURVE, EDWARDS_CURVE]
            .into_iter()
            .any(|kind| contains(&rest[..rest.len().min(32)], kind)),
        _ => false,
    }
}

/// Returns whether these bytes are a key in a text format.
fn is_text_of_key(secret: &[u8]) -> bool {
    const SSH: [&[u8]; 6] = [
        b"sk-ssh-",
        b"ssh-rsa",
        b"ssh-dss",
        b"ssh-ed25519",
        b"ecdsa-sha2-",
        b"sk-ecdsa-sha2-",
    ];
    const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
    let text = secret.trim_ascii_start();
    let text = text
        .strip_prefix(BYTE_ORDER_MARK)
        .unwrap_or(text)
        .trim_ascii_start();
    contains(text, b"-----BEGIN ")
        || contains(text, b"---- BEGIN ")
        // In `authorized_keys`, options precede the key.
        || text.split(u8::is_ascii_whitespace).any(|word| {
            SSH.iter().any(|kind| word.starts_with(kind))
        })
        || is_jwk(text)
}

/// Returns whether a text is a JWK, a JWK set (RFC 7517) or a list of JWKs, by their required members.
fn is_jwk(text: &[u8]) -> bool {
    fn holds_key(value: &Value) -> bool {
        match value {
            Value::Object(members) => members.contains_key("kty") || members.contains_key("keys"),
            Value::Array(items) => items.iter().any(holds_key),
            _ => false,
        }
    }
    serde_json::from_slice(text).is_ok_and(|value| holds_key(&value))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn unescape_line_breaks(mut text: &[u8]) -> Vec<u8> {
    let mut unescaped = Vec::with_capacity(text.len());
    while let Some((first, rest)) = text.split_first() {
        let escape = [br"\r\n".as_slice(), br"\n"]
            .into_iter()
            .find(|escape| text.starts_with(escape));
        unescaped.push(escape.map_or(*first, |_| b'\n'));
        text = escape.map_or(rest, |escape| &text[escape.len()..]);
    }
    unescaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(tag: &str) -> String {
        pem::encode(&pem::Pem::new(tag, vec![1, 2, 3]))
    }

    #[test]
    fn a_text_with_exactly_one_private_key_is_accepted() {
        let rows = [
            (block("PRIVATE KEY"), Ok(Encoding::Pkcs8)),
            (
                block("EC PARAMETERS") + &block("EC PRIVATE KEY"),
                Ok(Encoding::Sec1),
            ),
            (
                format!("Bag Attributes\n{}", block("RSA PRIVATE KEY")),
                Ok(Encoding::Pkcs1Private),
            ),
            (
                block("PRIVATE KEY").replace("\r\n", "\\n"),
                Ok(Encoding::Pkcs8),
            ),
            (
                block("PRIVATE KEY").replace("\r\n", "\\r\\n"),
                Ok(Encoding::Pkcs8),
            ),
            (
                block("PRIVATE KEY") + &block("PRIVATE KEY"),
                Err(KeyProblem::SeveralKeys),
            ),
            (block("PUBLIC KEY"), Err(KeyProblem::PublicForPrivate)),
            (block("RSA PUBLIC KEY"), Err(KeyProblem::PublicForPrivate)),
            (block("ENCRYPTED PRIVATE KEY"), Err(KeyProblem::Encrypted)),
            (block("CERTIFICATE"), Err(KeyProblem::Certificate)),
            (block("OPENSSH PRIVATE KEY"), Err(KeyProblem::OtherPem)),
            (
                "-----BEGIN PRIVATE KEY-----\nMII".into(),
                Err(KeyProblem::BrokenPem),
            ),
            ("c2VjcmV0".into(), Err(KeyProblem::NoPem)),
            (String::new(), Err(KeyProblem::NoPem)),
        ];
        for (text, expected) in rows {
            let found = Material::private(text.as_bytes()).map(|material| material.encoding);
            assert_eq!(found, expected, "{text}");
        }
        let private = Material::public(block("PRIVATE KEY").as_bytes()).map(|_| ());
        assert_eq!(private, Err(KeyProblem::PrivateForPublic));
    }

    #[test]
    fn threat_2_keys_are_not_accepted_as_secrets() {
        for key in [
            block("PUBLIC KEY").as_str(),
            &block("CERTIFICATE").replace("\r\n", "\\n"),
            "  \n-----BEGIN PUBLIC KEY-----",
            "---- BEGIN SSH2 PUBLIC KEY ----",
            "ssh-rsa AAAAB3NzaC1yc2E",
            "\u{feff}ssh-rsa AAAAB3NzaC1yc2E",
            "no-pty,command=\"true\" ssh-rsa AAAAB3NzaC1yc2E",
            "ssh-ed25519 AAAA me@host",
            "ecdsa-sha2-nistp256 AAAA",
            r#" {"kty":"oct","k":"c2VjcmV0"}"#,
            r#"{"keys":[]}"#,
            r#"[{"kty":"oct","k":"c2VjcmV0"}]"#,
        ] {
            assert!(looks_like_a_public_secret(key.as_bytes()), "{key}");
        }
        let utf_16: Vec<u8> = block("PUBLIC KEY")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert!(looks_like_a_public_secret(&utf_16));
        for secret in [
            "correct horse battery staple",
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            r#"{"a":1}"#,
            "ssh",
            "-----",
            "{",
        ] {
            assert!(!looks_like_a_public_secret(secret.as_bytes()), "{secret}");
        }
    }
}
