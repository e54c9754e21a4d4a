//! THREATS rows 1, 2, 5, 6, 10 and 11: algorithms, keys that a token brings along, signatures.

mod common;

use std::net::{Ipv4Addr, TcpListener};

use aws_lc_rs::signature;
use flask_pyjwt::{AuthType, UnverifiedToken};
use serde_json::{Value, json};

use self::common::{
    SECRET, claims, config,
    forge::{Key, decode, encode, forge, segments, with_signature},
    guarded_site, header, hs256,
    keys::{self, ED25519, OTHER_ED25519, OTHER_P256, OTHER_P384, OTHER_RSA, P256, P384, RSA},
};

const HS256: Key<'_> = Key::Hs256(SECRET);

#[actix_web::test]
async fn threat_1_an_alg_that_is_not_the_keys_is_refused_before_the_signature() {
    let site = guarded_site(hs256()).await;
    for alg in [
        r#""none""#,
        r#""nOnE""#,
        r#""None""#,
        r#""NONE""#,
        r#""n\u006fne""#,
        r#""none ""#,
        r#""none\u0000""#,
        r#""""#,
        r#"" HS256""#,
        r#""hs256""#,
        r#""Hs256""#,
        r#""HS256\u0000""#,
        r#""HS384""#,
        r#""HS512""#,
        r#""RS256""#,
        r#""PS256""#,
        r#""ES256""#,
        r#""EdDSA""#,
        r#""ES256K""#,
        r#""HS1""#,
        r#""dir""#,
        r#""HS256,none""#,
        "null",
        "true",
        "256",
        "[]",
        r#"["HS256"]"#,
        r#"{"alg":"HS256"}"#,
    ] {
        let header = format!(r#"{{"alg":{alg},"typ":"JWT"}}"#);
        let payload = claims().to_string();
        // Signed or not: nobody asks.
        let signed = forge(&header, &payload, &HS256);
        site.refuses(&signed, "token_algorithm", &header).await;
        let zeros = with_signature(&signed, [0; 32]);
        site.refuses(&zeros, "token_algorithm", &header).await;
        let [head, body, _] = segments(&signed);
        site.refuses(&format!("{head}.{body}."), "token_form", &header)
            .await;
    }
    for header in [r#"{"typ":"JWT"}"#, r#"{"ALG":"HS256","typ":"JWT"}"#, "{}"] {
        let token = forge(header, claims().to_string(), &HS256);
        site.refuses(&token, "token_algorithm", header).await;
    }
    // Escapes say the same, and a genuine token may be written with them.
    let escaped = forge(
        r#"{"\u0061lg":"HS\u00325\u0036","typ":"JWT"}"#,
        claims().to_string(),
        &HS256,
    );
    site.accepts(&escaped, "escapes in a header").await;
}

#[actix_web::test]
async fn threat_1_every_algorithm_refuses_tokens_of_every_other_one() {
    for own in AuthType::ALL {
        let site = guarded_site(config(own, keys::secret(own))).await;
        for other in AuthType::ALL {
            let what = format!("{other} for {own}");
            let token = forge(header(other), claims().to_string(), &keys::key(other));
            if other == own {
                site.accepts(&token, &what).await;
            } else {
                site.refuses(&token, "token_algorithm", &what).await;
                // The same signature under the right name, by the same kind of key where it fits.
                let token = forge(header(own), claims().to_string(), &keys::key(other));
                site.refuses(&token, "token_signature", &what).await;
            }
        }
    }
}

#[actix_web::test]
async fn threat_2_a_public_key_is_no_hmac_secret() {
    for own in [
        AuthType::RS256,
        AuthType::PS256,
        AuthType::ES256,
        AuthType::ES384,
        AuthType::EdDSA,
    ] {
        let site = guarded_site(config(own, keys::secret(own))).await;
        let public = keys::public(own).expect("a public key");
        let der = keys::der(&public);
        let secrets = [
            public.clone().into_bytes(),
            public.trim_end().as_bytes().to_vec(),
            public.replace('\n', "\r\n").into_bytes(),
            public.replace('\n', "").into_bytes(),
            der,
            Vec::new(),
        ];
        for (number, secret) in secrets.iter().enumerate() {
            let what = format!("{own} {number}");
            let key = Key::Hs256(secret);
            let payload = claims().to_string();
            let confused = forge(header(AuthType::HS256), &payload, &key);
            site.refuses(&confused, "token_algorithm", &what).await;
            let confused = forge(header(own), &payload, &key);
            site.refuses(&confused, "token_signature", &what).await;
        }
    }
}

#[actix_web::test]
async fn threat_5_keys_that_a_token_brings_are_ignored_and_never_fetched() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.set_nonblocking(true).expect("set");
    let url = format!("http://{}/keys", listener.local_addr().expect("bound"));
    let certificate = keys::pem("CERTIFICATE", [0x30; 64]);
    let n = keys::integers_of(keys::der(&keys::rsa_public_pkcs1(&OTHER_RSA)).as_slice());
    let brought = [
        json!({"jwk": {"kty": "oct", "k": encode(b"a secret of the attacker's, long enough")}}),
        json!({"jwk": {"kty": "RSA", "n": encode(&n[0][1..]), "e": "AQAB"}}),
        json!({"jwk": "not a key"}),
        json!({"jwk": null}),
        json!({"jku": url}),
        json!({"jku": ["file:///etc/passwd", url]}),
        json!({"x5u": url, "x5c": [certificate], "x5t": "AA"}),
        json!({"x5c": 7}),
        json!({"jku": url, "jwk": {}, "x5u": url, "x5c": []}),
    ];
    for (own, attackers) in [
        (
            AuthType::HS256,
            Key::Hs256(b"a secret of the attacker's, long enough"),
        ),
        (
            AuthType::RS256,
            Key::Rsa(&OTHER_RSA, &signature::RSA_PKCS1_SHA256),
        ),
    ] {
        let site = guarded_site(config(own, keys::secret(own))).await;
        for members in &brought {
            let mut header = json!({"alg": own.name(), "typ": "JWT"});
            let own_members = header.as_object_mut().expect("an object");
            own_members.extend(members.as_object().expect("an object").clone());
            let (header, payload) = (header.to_string(), claims().to_string());
            let forged = forge(&header, &payload, &attackers);
            site.refuses(&forged, "token_signature", &header).await;
            // Ignored means: a token of the configured key is good with it.
            let genuine = forge(&header, &payload, &keys::key(own));
            site.accepts(&genuine, &header).await;
        }
    }
    let connection = listener.accept().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(connection, Err(std::io::ErrorKind::WouldBlock));
}

#[actix_web::test]
async fn threat_6_a_kid_names_the_configured_key_or_nothing() {
    let names = [
        json!(""),
        json!("../../../../dev/null"),
        json!("/etc/passwd"),
        json!("file:///dev/null"),
        json!("' UNION SELECT 'secret' --"),
        json!("key\u{0}"),
        json!("\u{0}"),
        json!("Key"),
        json!("key "),
        json!("ke"),
        json!("key1"),
        json!("$(id)"),
        json!("k\u{e9}y"),
        json!("k".repeat(5_000)),
        json!(7),
        json!(true),
        Value::Null,
        json!(["key"]),
        json!({"kid": "key"}),
    ];
    let without = guarded_site(hs256()).await;
    let with = guarded_site(hs256().key_id("key")).await;
    for name in names {
        let header = json!({"alg": "HS256", "typ": "JWT", "kid": name}).to_string();
        let token = forge(&header, claims().to_string(), &HS256);
        with.refuses(&token, "token_unknown_key", &header).await;
        without.refuses(&token, "token_unknown_key", &header).await;
    }
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": "k".repeat(1 << 20)}).to_string();
    let huge = forge(header, claims().to_string(), &HS256);
    with.refuses(&huge, "token_too_large", "a megabyte").await;
    let roomy = guarded_site(hs256().key_id("key").max_token_size(1 << 20)).await;
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": "k".repeat(700_000)}).to_string();
    let huge = forge(header, claims().to_string(), &HS256);
    roomy
        .refuses(&huge, "token_unknown_key", "nearly one")
        .await;

    for header in [
        r#"{"alg":"HS256","typ":"JWT","kid":"key"}"#,
        r#"{"kid":"\u006bey","alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"HS256","typ":"JWT"}"#,
    ] {
        let token = forge(header, claims().to_string(), &HS256);
        with.accepts(&token, header).await;
    }
}

#[actix_web::test]
async fn threat_10_signatures_that_are_no_signatures_are_refused_for_every_algorithm() {
    for own in AuthType::ALL {
        let site = guarded_site(config(own, keys::secret(own))).await;
        let good = forge(header(own), claims().to_string(), &keys::key(own));
        site.accepts(&good, own.name()).await;
        let signature = decode(segments(&good)[2]);
        let length = signature.len();
        let mut wrong = vec![
            vec![0; length],
            vec![0xFF; length],
            vec![0],
            vec![0; 1024],
            vec![0; 1025],
            vec![0; 2000],
            [signature.as_slice(), &[0]].concat(),
            [&[0], signature.as_slice()].concat(),
            [signature.as_slice(), &signature].concat(),
            signature.iter().rev().copied().collect(),
        ];
        wrong.extend([1, length / 4, length / 2, length - 1].map(|end| signature[..end].to_vec()));
        wrong.extend([1, length / 2].map(|start| signature[start..].to_vec()));
        wrong.extend([0, length / 2, length - 1].map(|at| {
            let mut signature = signature.clone();
            signature[at] ^= 1;
            signature
        }));
        for signature in wrong {
            let token = with_signature(&good, &signature);
            let what = format!("{own} {}", encode(&signature));
            site.refuses(&token, "token_signature", &what).await;
        }
        // The right signature, over something else.
        let other = common::claims_with(json!({"sub": "root"}));
        let [_, _, signature] = segments(&good);
        let moved = format!("{}.{}.{signature}", encode(header(own)), encode(other));
        site.refuses(&moved, "token_signature", own.name()).await;
    }
}

#[actix_web::test]
async fn threat_10_keys_of_the_same_kind_are_other_keys() {
    for (own, others) in [
        (AuthType::HS256, Key::Hs256(&SECRET[1..])),
        (
            AuthType::RS256,
            Key::Rsa(&OTHER_RSA, &signature::RSA_PKCS1_SHA256),
        ),
        (
            AuthType::PS512,
            Key::Rsa(&OTHER_RSA, &signature::RSA_PSS_SHA512),
        ),
        (AuthType::ES256, Key::Ecdsa(&OTHER_P256)),
        (AuthType::ES384, Key::Ecdsa(&OTHER_P384)),
        (AuthType::EdDSA, Key::Ed25519(&OTHER_ED25519)),
    ] {
        let site = guarded_site(config(own, keys::secret(own))).await;
        let token = forge(header(own), claims().to_string(), &others);
        site.refuses(&token, "token_signature", own.name()).await;
    }
}

/// The order of P-256's and of P-384's group, and of Ed25519's (little endian).
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const P384_ORDER: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf\
                          581a0db248b0a77aecec196accc52973";
const ED25519_ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .collect();
    let byte = |pair: &[u32]| u8::try_from(pair[0] << 4 | pair[1]).expect("a byte");
    digits.chunks(2).map(byte).collect()
}

/// `a - b` of big-endian numbers of one length.
fn difference(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut digits: Vec<u8> = a
        .iter()
        .zip(b)
        .rev()
        .map(|(a, b)| {
            let digit = i16::from(*a) - i16::from(*b) - borrow;
            borrow = i16::from(digit < 0);
            u8::try_from(digit.rem_euclid(256)).expect("a byte")
        })
        .collect();
    digits.reverse();
    digits
}

#[actix_web::test]
async fn threat_10_ecdsa_numbers_out_of_range_and_der_are_refused() {
    for (own, pair, order) in [
        (AuthType::ES256, &*P256, P256_ORDER),
        (AuthType::ES384, &*P384, P384_ORDER),
    ] {
        let site = guarded_site(config(own, keys::secret(own))).await;
        let good = forge(header(own), claims().to_string(), &Key::Ecdsa(pair));
        let signature = decode(segments(&good)[2]);
        let order = hex(order);
        let size = order.len();
        assert_eq!(signature.len(), 2 * size);
        let (r, s) = signature.split_at(size);
        let (zero, ones) = (vec![0; size], vec![0xFF; size]);
        let one = [vec![0; size - 1], vec![1]].concat();
        let under = difference(&order, &one);
        let der = |r: &[u8], s: &[u8]| {
            let padded = |number: &[u8]| [&[0], number].concat();
            keys::integers(&[&padded(r), &padded(s)])
        };
        for wrong in [
            [zero.as_slice(), &zero].concat(),
            [zero.as_slice(), s].concat(),
            [r, &zero].concat(),
            [one.as_slice(), &one].concat(),
            [order.as_slice(), s].concat(),
            [r, &order].concat(),
            [order.as_slice(), &order].concat(),
            [under.as_slice(), &under].concat(),
            [ones.as_slice(), &ones].concat(),
            [s, r].concat(),
            [&[0], r, &[0], s].concat(),
            der(r, s),
            der(&zero, &zero),
            [r, s, &[0; 8]].concat(),
        ] {
            let token = with_signature(&good, &wrong);
            let what = format!("{own} {}", encode(&wrong));
            site.refuses(&token, "token_signature", &what).await;
        }
    }
}

#[actix_web::test]
async fn threat_10_an_ed25519_signature_whose_scalar_is_not_reduced_is_refused() {
    let site = guarded_site(config(AuthType::EdDSA, keys::secret(AuthType::EdDSA))).await;
    let good = forge(
        header(AuthType::EdDSA),
        claims().to_string(),
        &Key::Ed25519(&ED25519),
    );
    let mut signature = decode(segments(&good)[2]);
    let mut carry = 0;
    for (digit, order) in signature[32..].iter_mut().zip(hex(ED25519_ORDER)) {
        let sum = u16::from(*digit) + u16::from(order) + carry;
        [*digit, _] = sum.to_le_bytes();
        carry = sum >> 8;
    }
    let twin = with_signature(&good, signature);
    site.refuses(&twin, "token_signature", "s + L").await;
}

#[actix_web::test]
async fn threat_10_an_rsa_signature_above_the_modulus_is_refused() {
    let site = guarded_site(config(AuthType::RS256, keys::secret(AuthType::RS256))).await;
    let good = forge(
        header(AuthType::RS256),
        claims().to_string(),
        &keys::key(AuthType::RS256),
    );
    let modulus = &keys::integers_of(&keys::der(&keys::rsa_public_pkcs1(&RSA)))[0][1..];
    let signature = decode(segments(&good)[2]);
    let negative = difference(modulus, &signature);
    for wrong in [
        modulus,
        &negative,
        &vec![0; 255],
        &[vec![0; 255], vec![1]].concat(),
    ] {
        let token = with_signature(&good, wrong);
        site.refuses(&token, "token_signature", &encode(wrong))
            .await;
    }
}

#[actix_web::test]
async fn threat_11_the_twin_of_an_ecdsa_signature_verifies_and_is_the_same_token() {
    for (own, pair, order) in [
        (AuthType::ES256, &*P256, P256_ORDER),
        (AuthType::ES384, &*P384, P384_ORDER),
    ] {
        let site = guarded_site(config(own, keys::secret(own))).await;
        let good = forge(header(own), claims().to_string(), &Key::Ecdsa(pair));
        let signature = decode(segments(&good)[2]);
        let (r, s) = signature.split_at(signature.len() / 2);
        let twin = with_signature(&good, [r, &difference(&hex(order), s)].concat());
        assert_ne!(twin, good);
        site.accepts(&good, own.name()).await;
        site.accepts(&twin, own.name()).await;
        let claims = |token| {
            UnverifiedToken::decode(token)
                .expect("a token")
                .claims()
                .clone()
        };
        assert_eq!(claims(&twin), claims(&good));
    }
}
