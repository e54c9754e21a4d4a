//! Row 4: RSA keys that are too small, or no keys.

use flask_pyjwt::{AuthManager, AuthType};

use super::{
    common::keys::{self, RSA},
    config, is_refused, verifier,
};

/// An RSA key of 1024 bits, which AWS-LC does not make.
const RSA_1024: &str = "\
-----BEGIN RSA PRIVATE KEY-----\n\
MIICXQIBAAKBgQDpOm0ZAG4q5IpQKYNtC5z55bjww4ytGyiETVRypdh95/1xQ+Vz\n\
ZQJ+aX8BAYQlBVXp+bZquc6AGM6GsLbBsr/9GtNzzqVsARBz+flWRYQivUMODNlp\n\
756sRzx4j/ZpYMPGrTDxqsD6X1t9yKm14pAcxarK7tQ9zNXLKPhojprrTQIDAQAB\n\
AoGAYNCtGxTPpqSKOe6RrQGGH0JaPC+gxPciIZGMPa9UqCdWUN9Tb0x99YXLf9pm\n\
RYvqdx7+t1z8OLaTfNv8cXnHMfoSuOii2luzulkFLywWNMyw5l3ClyhZJ1/L6Nbl\n\
upEswSL1UIVuWd3bQfbiqF2RVdLZNRHwdJlwLXXZS/Sk0I0CQQD/PVcKuqdGsHTM\n\
MXfe+bwfg557XhIqWY3qhmT+IsjKn+Ihegb+tz04JLGTd8w6DXfXGrtGy+Nd5306\n\
H7pqZLzfAkEA6exMjjTypM5ut+Vu6tUu91pcsejBDPZNgcPpoYRrLRCSLrOUvfJQ\n\
gyrxVqRMevWL6Kv42r9uCRHAw25IZpUxUwJAB6Yi8aNeV/P5zBS/buM1DAy5tyC+\n\
kp5Ubm7Qn/0S31+jOzWY+BEtuH0BBVZVvHei28NlUV3S1oGVcyR4Ra/3KQJBALd9\n\
9E9YmT1N8OuvvWHX+A9vgmbL/SL90a6IzyszhB7FcOXRWEvnV+CMPuOH3bZWBnls\n\
7LgqkVXr5xll2MUfIqECQQDE7l8ezItgQItOaK72IqucsW9dAOm1qkqdJ25c07rn\n\
VPwjmQO45qpyeoXQZPvn9mMA49JJQQGVlQHR7ufSjZkJ\n\
-----END RSA PRIVATE KEY-----";

/// A public key of this modulus and this exponent, both as big-endian bytes.
fn rsa_public(modulus: &[u8], exponent: &[u8]) -> [String; 2] {
    let positive = |number: &[u8]| match number {
        [0x80..=0xFF, ..] => [&[0], number].concat(),
        _ => number.to_vec(),
    };
    let pkcs1 = keys::integers(&[&positive(modulus), &positive(exponent)]);
    let rsa_encryption = keys::write(6, &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1]);
    let algorithm = keys::write(0x30, &[rsa_encryption, vec![5, 0]].concat());
    let bits = keys::write(3, &[&[0], pkcs1.as_slice()].concat());
    let spki = keys::write(0x30, &[algorithm, bits].concat());
    [
        keys::pem("RSA PUBLIC KEY", pkcs1),
        keys::pem("PUBLIC KEY", spki),
    ]
}

/// An odd number of so many bits.
fn modulus(bits: usize) -> Vec<u8> {
    let mut modulus = vec![0xA5; bits.div_ceil(8)];
    modulus[0] = match bits % 8 {
        0 => 0xA5,
        rest => 1 << (rest - 1),
    };
    modulus
}

const F4: &[u8] = &[1, 0, 1];

const RSA_TYPES: [AuthType; 3] = [AuthType::RS256, AuthType::RS512, AuthType::PS384];

#[test]
fn threat_4_an_rsa_key_has_2048_bits_or_more() {
    let n = &keys::integers_of(&keys::der(RSA_1024))[1][1..];
    assert_eq!(n.len(), 128);
    for auth_type in RSA_TYPES {
        is_refused(
            config(auth_type, RSA_1024),
            "JWT_SECRET",
            "2048 bits",
            "private",
        );
        let [pkcs1, spki] = rsa_public(n, F4);
        is_refused(
            verifier(auth_type, &pkcs1),
            "JWT_PUBLICKEY",
            "2048 bits",
            "PKCS#1",
        );
        is_refused(
            verifier(auth_type, &spki),
            "JWT_PUBLICKEY",
            "2048 bits",
            "SPKI",
        );
        for bits in [512, 1024, 1536, 2040, 2047] {
            for key in rsa_public(&modulus(bits), F4) {
                is_refused(
                    verifier(auth_type, &key),
                    "JWT_PUBLICKEY",
                    "2048 bits",
                    &key,
                );
            }
        }
        for bits in [2048, 2049, 3072, 4096, 8192] {
            for key in rsa_public(&modulus(bits), F4) {
                assert!(
                    AuthManager::new(verifier(auth_type, &key)).is_ok(),
                    "{bits}"
                );
            }
        }
        for bits in [8193, 16_384] {
            for key in rsa_public(&modulus(bits), F4) {
                is_refused(verifier(auth_type, &key), "JWT_PUBLICKEY", "", &key);
            }
        }
    }
}

#[test]
fn threat_4_an_rsa_exponent_of_one_or_an_even_one_is_refused() {
    let n = &keys::integers_of(&keys::der(&keys::rsa_public_pkcs1(&RSA)))[0][1..];
    for auth_type in RSA_TYPES {
        for exponent in [&[0_u8][..], &[1], &[2], &[4], &[1, 0, 0]] {
            for key in rsa_public(n, exponent) {
                is_refused(verifier(auth_type, &key), "JWT_PUBLICKEY", "", &key);
                let both = config(auth_type, keys::rsa_private(&RSA)).public_key(&key);
                is_refused(both, "JWT_PUBLICKEY", "", &key);
            }
        }
        // A private key with e = d = 1: "signs" by doing nothing.
        let numbers = keys::integers_of(&keys::der(&keys::rsa_private_pkcs1(&RSA)));
        let mut parts: Vec<&[u8]> = numbers.iter().map(Vec::as_slice).collect();
        for place in [2, 3, 6, 7] {
            parts[place] = &[1];
        }
        let key = keys::pem("RSA PRIVATE KEY", keys::integers(&parts));
        is_refused(config(auth_type, &key), "JWT_SECRET", "", "e = d = 1");
        // Any part of the private key that does not belong to the others.
        for place in 1..parts.len() {
            let mut parts: Vec<_> = numbers.clone();
            *parts[place].last_mut().expect("not empty") ^= 2;
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let key = keys::pem("RSA PRIVATE KEY", keys::integers(&parts));
            let what = format!("part {place}");
            is_refused(config(auth_type, &key), "JWT_SECRET", "", &what);
        }
    }
}
