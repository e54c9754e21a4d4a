//! Tokens with wrong signatures of several algorithms, and the ordinary tokens that they are compared with.
//!
//! A signature of RSA or on a curve takes longer to verify than a whole token of HS256. So these are compared
//! with an ordinary, valid, new token of the same algorithm.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flask_pyjwt::{AuthManager, Issuer, Key};

use super::{json::SHAPES, tokens::LARGEST};
use crate::{
    claims::{self, ISSUER, SUBJECT},
    keys::Keys,
    race::Candidate,
};

const ALGORITHMS: [&str; 3] = ["RS256", "ES256", "EdDSA"];
const FOREIGN: &str = "https://other.example";
/// The most keys without IDs that are tried.
const TRIALS: usize = 8;

/// The names of all cases, with those of ordinary tokens first.
pub(super) fn names() -> impl Iterator<Item = String> {
    let of = |kind: &'static str| ALGORITHMS.map(|name| format!("{kind}-{name}"));
    let kinds = [
        "ordinary",
        "refused-wrong-signature",
        "refused-nameless-keys",
    ];
    let hmac = "refused-nameless-keys-HS256".to_owned();
    kinds.into_iter().flat_map(of).chain([hmac])
}

/// The case with this name. Its keys are only made now, because RSA keys take long.
pub(super) fn find(name: &str) -> Option<Candidate<'static>> {
    if !names().any(|own| own == name) {
        return None;
    }
    let (kind, algorithm) = name.rsplit_once('-')?;
    let keys = Keys::generate(algorithm);
    let own = keys.manager(false);
    let ordinary = claims::mint(&own, SUBJECT).signed().to_owned();
    Some(match kind {
        "ordinary" => Candidate::new(name, move || {
            assert!(own.verify_token(&ordinary).is_ok());
        }),
        "refused-wrong-signature" => {
            let forged = forged(algorithm, &ordinary, ISSUER);
            Candidate::new(name, move || assert!(own.verify_token(&forged).is_err()))
        }
        _ => {
            let trusting = trusting(&keys);
            let forged = forged(algorithm, &ordinary, FOREIGN);
            Candidate::new(name, move || {
                assert!(trusting.verify_token(&forged).is_err());
            })
        }
    })
}

/// A token of the largest size with the signature of another one.
fn forged(algorithm: &str, other: &str, issuer: &str) -> String {
    let (_, signature) = other.rsplit_once('.').expect("a token");
    let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#));
    let size = (LARGEST - header.len() - signature.len() - 2) / 4 * 3;
    let members = format!(r#""iss":"{issuer}","#);
    let payload = SHAPES[0].bounded(&members, size).expect("many members");
    let forged = format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode(payload));
    assert!(forged.len() <= LARGEST, "{} bytes", forged.len());
    forged
}

/// A server that trusts an issuer with so many keys without IDs.
fn trusting(keys: &Keys) -> AuthManager {
    let auth_type = keys.algorithm.parse().expect("a known algorithm");
    let issuer = Issuer::new(FOREIGN).any_audience(true);
    let issuer = (0..TRIALS).fold(issuer, |issuer, n| {
        if keys.is_secret() {
            issuer.key(Key::new(
                auth_type,
                format!("{n}, a secret of some forty-eight bytes"),
            ))
        } else {
            issuer.key(Key::verify_only(
                auth_type,
                Keys::generate(&keys.algorithm).public,
            ))
        }
    });
    let config = keys.config().token_table(0, 0).trust(issuer);
    AuthManager::new(config).expect("a valid configuration")
}
