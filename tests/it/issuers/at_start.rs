//! Issuers that cannot work are refused at startup.

use flask_pyjwt::{AuthManager, AuthType, ConfigError, ExpectedClaim, Issuer, Key};
use time::Duration;

use super::{OTHER, other, public};
use support::{ISSUER, hs256};

#[test]
fn issuers_that_cannot_work_are_refused_at_startup() {
    let bare = || Issuer::new(OTHER).audience("api");
    let es256 = || Key::verify_only(AuthType::ES256, public(AuthType::ES256));
    for (issuer, reason) in [
        (Issuer::new("").audience("x").key(es256()), "has no name"),
        (Issuer::new(OTHER).key(es256()), "has no audience"),
        (
            other().any_audience(true),
            "has both `audience(…)` and `any_audience(true)`",
        ),
        (other().audience(""), "an empty audience"),
        (bare(), "has no key: set one"),
        (other().jwk_set("{}"), "both a `key(…)` and a JWK set"),
        (
            bare().jwk_set("{}"),
            "not a JSON object with an array `keys`",
        ),
        (bare().jwk_set(r#"{"keys":[]}"#), "no usable key"),
        (
            bare().key(Key::verify_only(AuthType::ES384, public(AuthType::ES256))),
            "the type and curve",
        ),
        (
            bare().key(Key::new(AuthType::HS256, "short")),
            "needs 32 or more",
        ),
        (
            bare().key(Key::new(AuthType::HS256, public(AuthType::ES256))),
            "PEM, SSH, JWK or DER",
        ),
        (bare().key(es256()).key(es256()), "the same key ID"),
        (
            other().algorithms([AuthType::RS256]),
            "which `algorithms(…)` does not accept",
        ),
        (other().algorithms([]), "accepts no algorithm"),
        (
            bare().jwk_set("{}").algorithms([AuthType::HS256]),
            "cannot contain HMAC secrets",
        ),
        (other().types::<String>([]), "accepts no `typ`"),
        (other().map_claim("iss", "x"), "maps the claim `iss`"),
        (other().map_claim("exp", "x"), "maps the claim `exp`"),
        (other().map_claim("sub", [""; 0]), "an empty list of places"),
        (
            other().require_claim("a", ExpectedClaim::Path("id".to_owned())),
            "a route variable",
        ),
        (
            other().require_claim("a", ExpectedClaim::one_of([""; 0])),
            "one of an empty list of values",
        ),
        (other().require_any_claim([""; 0]), "an empty list"),
        (other().leeway(Duration::seconds(301)), "0 to 300"),
        (
            other().max_lifetime(Duration::ZERO),
            "not longer than 0 seconds",
        ),
        (
            Issuer::new(ISSUER).key(es256()).audience("x"),
            "this server's own",
        ),
    ] {
        let error = AuthManager::new(hs256().trust(issuer)).expect_err(reason);
        assert!(error.to_string().contains(reason), "{error}");
        assert!(
            matches!(error, ConfigError::Invalid { key: "trust", .. }),
            "{error:?}"
        );
    }
    assert!(AuthManager::new(hs256().trust(other()).trust(other())).is_err());
    assert!(AuthManager::new(hs256().trust(other().any_audience(false))).is_ok());
}
