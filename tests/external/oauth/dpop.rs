//! Bound tokens (DPoP, RFC 9449) of the example, whose proofs `openid-client` and `jose` make.

use super::example;
use crate::npm::check;

fn bind(mode: &str, demand: &str) {
    let secret = "0123456789abcdef0123456789abcdef";
    let variables = [("CLIENT_SECRET", secret), ("DPOP_NONCE", demand)];
    let (_example, address) = example("oauth", &variables);
    check("dpop.mjs", &[&address, mode], &[("CREDENTIAL", secret)]);
}

#[test]
fn a_token_of_the_example_is_accepted_with_the_key_of_its_client_only() {
    bind("plain", "0");
}

#[test]
fn a_token_of_the_example_is_accepted_with_a_nonce_in_each_proof() {
    bind("nonce", "1");
}
