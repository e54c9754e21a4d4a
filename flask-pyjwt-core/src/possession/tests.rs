//! The examples of RFC 9449, as they are printed there.

use super::*;
use crate::{
    jose::{NumericDate, Thumbprint},
    keys::{Crypto, KeyRing, TokenLife},
};

/// Section 4.1, figure 2, and section 5: with a request for a token.
const WITHOUT_TOKEN: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
/// Section 7.1, figure 12: with a token.
const WITH_TOKEN: &str = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA";
/// Section 7.1: the token of that request.
const TOKEN: &str = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
/// Section 6.1: the thumbprint of the key of all examples.
const KEY: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

fn ring() -> KeyRing {
    let life = TokenLife { age: 1, leeway: 0 };
    KeyRing::new([], false, life, Crypto::default()).expect("a ring without keys")
}

fn check(
    proof: &str,
    (method, address): (&str, &str),
    token: Option<&str>,
    second: i64,
) -> Result<Checked, Unfit> {
    let dpop = DpopConfig::default().validate(Crypto::default());
    let expected = Expected {
        method,
        addresses: &[Address::parse(address).expect("an address")],
        token: token.map(|token| (token, Thumbprint::parse(KEY).expect("a thumbprint"))),
    };
    let now = NumericDate::at(second).ok_or(crate::jose::TokenError::Clock);
    dpop.expect("valid").check(proof, &expected, &ring(), now)
}

#[test]
fn threat_63_the_examples_of_the_rfc_are_accepted_for_their_requests_only() {
    const LOGIN: (&str, &str) = ("POST", "https://server.example.com/token");
    const USE: (&str, &str) = ("GET", "https://resource.example.org/protectedresource");
    let login = check(WITHOUT_TOKEN, LOGIN, None, 1_562_262_616).expect("good");
    assert_eq!(login.key.to_string(), KEY);
    let used = check(WITH_TOKEN, USE, Some(TOKEN), 1_562_262_618).expect("good");
    assert_eq!(used.key.to_string(), KEY);
    assert_ne!(login.id, used.id);

    for (proof, request, token, second, error) in [
        (WITHOUT_TOKEN, USE, None, 1_562_262_616, ProofError::Method),
        (
            WITH_TOKEN,
            LOGIN,
            Some(TOKEN),
            1_562_262_618,
            ProofError::Method,
        ),
        (
            WITH_TOKEN,
            ("GET", LOGIN.1),
            Some(TOKEN),
            1_562_262_618,
            ProofError::Address,
        ),
        (
            WITH_TOKEN,
            USE,
            Some("another"),
            1_562_262_618,
            ProofError::OtherToken,
        ),
        (
            WITHOUT_TOKEN,
            LOGIN,
            Some(TOKEN),
            1_562_262_616,
            ProofError::Claim("ath"),
        ),
        (
            WITH_TOKEN,
            USE,
            Some(TOKEN),
            1_562_262_718,
            ProofError::Time,
        ),
        (WITHOUT_TOKEN, LOGIN, None, 1_562_262_555, ProofError::Time),
    ] {
        let refused = check(proof, request, token, second).map(drop);
        assert_eq!(refused, Err(Unfit::Proof(error)), "{error}");
    }
}
