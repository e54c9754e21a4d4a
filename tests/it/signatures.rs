//! `docs/threats.md` 1, 2, 5, 6, 10 and 11: algorithms, keys inside tokens, signatures.

mod numbers;

use std::net::{Ipv4Addr, TcpListener};

use aws_lc_rs::signature;
use flask_pyjwt::AuthType;
use serde_json::{Value, json};

use support::{
    SECRET, claims, config,
    forge::{Key, decode, encode, forge, segments, with_signature},
    guarded_site, header, hs256,
    keys::{self, OTHER_ED25519, OTHER_P256, OTHER_P384, OTHER_RSA},
};

const HS256: Key<'_> = Key::Hs256(SECRET);

#[actix_web::test]
async fn threat_1_an_alg_other_than_the_keys_is_refused_before_the_signature() {
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
        // It makes no difference whether the token is signed.
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
    // Escapes have the same meaning, and a valid token can contain them.
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
                // The same signature with the right algorithm name, and a key of the same type where it fits.
                let token = forge(header(own), claims().to_string(), &keys::key(other));
                site.refuses(&token, "token_signature", &what).await;
            }
        }
    }
}

#[actix_web::test]
async fn threat_2_a_public_key_cannot_be_used_as_hmac_secret() {
    for own in [
        AuthType::RS256,
        AuthType::PS256,
        AuthType::ES256,
        AuthType::ES384,
        AuthType::ES512,
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
async fn threat_5_keys_in_a_token_are_ignored_and_never_fetched() {
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
            // Ignored: a token of the configured key is accepted with it.
            let genuine = forge(&header, &payload, &keys::key(own));
            site.accepts(&genuine, &header).await;
        }
    }
    let connection = listener.accept().map(|_| ()).map_err(|error| error.kind());
    assert_eq!(connection, Err(std::io::ErrorKind::WouldBlock));
}

#[actix_web::test]
async fn threat_6_a_kid_other_than_the_configured_one_is_refused() {
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
        json!("k".repeat(1_900)),
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
        // A key without a configured ID is not selected by `kid`: the signature decides.
        if name.is_string() {
            without.accepts(&token, &header).await;
        } else {
            without.refuses(&token, "token_unknown_key", &header).await;
        }
        let forged = forge(&header, claims().to_string(), &Key::Hs256(&[7; 64]));
        with.refuses(&forged, "token_unknown_key", &header).await;
        without.refuses(&forged, "token_unknown_key", &header).await;
    }
    for length in [2_048, 5_000, 1 << 20] {
        let header = json!({"alg": "HS256", "typ": "JWT", "kid": "k".repeat(length)}).to_string();
        let huge = forge(header, claims().to_string(), &HS256);
        with.refuses(&huge, "token_too_large", &length.to_string())
            .await;
    }
    let roomy = guarded_site(hs256().key_id("key").max_token_size(1 << 20)).await;
    let header = json!({"alg": "HS256", "typ": "JWT", "kid": "k".repeat(260_000)}).to_string();
    let huge = forge(header, claims().to_string(), &HS256);
    roomy
        .refuses(&huge, "token_unknown_key", "nearly a quarter of one")
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
async fn threat_10_malformed_signatures_are_refused_for_every_algorithm() {
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
        // A valid signature of something else.
        let other = support::claims_with(json!({"sub": "root"}));
        let [_, _, signature] = segments(&good);
        let moved = format!("{}.{}.{signature}", encode(header(own)), encode(other));
        site.refuses(&moved, "token_signature", own.name()).await;
    }
}

#[actix_web::test]
async fn threat_10_another_key_of_the_same_type_does_not_verify() {
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
        (AuthType::ES512, Key::Ecdsa(&keys::OTHER_P521)),
        (AuthType::EdDSA, Key::Ed25519(&OTHER_ED25519)),
    ] {
        let site = guarded_site(config(own, keys::secret(own))).await;
        let token = forge(header(own), claims().to_string(), &others);
        site.refuses(&token, "token_signature", own.name()).await;
    }
}
