//! Rows 10 and 11: signatures with numbers out of range, or in another form.

use flask_pyjwt::{AuthType, UnverifiedToken};

use support::{
    claims, config,
    forge::{Key, decode, encode, forge, segments, with_signature},
    guarded_site, header,
    keys::{self, ED25519, P256, P384, P521, RSA},
};

/// The orders of the groups of P-256, P-384 and P-521, and of Ed25519's (little endian).
const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

const P384_ORDER: &str = "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf\
                          581a0db248b0a77aecec196accc52973";
const P521_ORDER: &str = "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff\
                          fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409";
const ED25519_ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<_> = text
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .collect();
    let byte = |pair: &[u32]| u8::try_from(pair[0] << 4 | pair[1]).expect("a byte");
    digits.chunks(2).map(byte).collect()
}

/// `a - b` of big-endian numbers of equal length.
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
        (AuthType::ES512, &*P521, P521_ORDER),
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
async fn threat_10_an_ed25519_signature_with_an_unreduced_scalar_is_refused() {
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
async fn threat_11_the_twin_of_an_ecdsa_signature_verifies_as_the_same_token() {
    for (own, pair, order) in [
        (AuthType::ES256, &*P256, P256_ORDER),
        (AuthType::ES384, &*P384, P384_ORDER),
        (AuthType::ES512, &*P521, P521_ORDER),
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
