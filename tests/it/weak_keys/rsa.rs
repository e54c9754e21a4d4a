//! Row 4: RSA keys with wrong numbers. Their sizes are tested in `rsa_sizes.rs`.

use flask_pyjwt::AuthType;

use super::{config, is_refused, verifier};
use support::keys::{self, RSA, rsa_public_of};

const RSA_TYPES: [AuthType; 3] = [AuthType::RS256, AuthType::RS512, AuthType::PS384];

#[test]
fn threat_4_an_rsa_exponent_of_one_or_an_even_one_is_refused() {
    let n = &keys::integers_of(&keys::der(&keys::rsa_public_pkcs1(&RSA)))[0][1..];
    for auth_type in RSA_TYPES {
        for exponent in [&[0_u8][..], &[1], &[2], &[4], &[1, 0, 0]] {
            for key in rsa_public_of(n, exponent) {
                is_refused(verifier(auth_type, &key), "JWT_PUBLICKEY", "", &key);
                let both = config(auth_type, keys::rsa_private(&RSA)).public_key(&key);
                is_refused(both, "JWT_PUBLICKEY", "", &key);
            }
        }
        // A private key with e = d = 1, whose signature is the message itself.
        let numbers = keys::integers_of(&keys::der(&keys::rsa_private_pkcs1(&RSA)));
        let mut parts: Vec<&[u8]> = numbers.iter().map(Vec::as_slice).collect();
        for place in [2, 3, 6, 7] {
            parts[place] = &[1];
        }
        let key = keys::pem("RSA PRIVATE KEY", keys::integers(&parts));
        is_refused(config(auth_type, &key), "JWT_SECRET", "", "e = d = 1");
        // Every part of the private key, replaced by one that does not match.
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
