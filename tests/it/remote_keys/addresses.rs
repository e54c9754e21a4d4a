//! Addresses that are never requested.

use flask_pyjwt::{AuthManager, AuthType, ConfigError, Issuer};
use time::Duration;

use support::{SECRET, config, keys};

#[test]
fn threat_9_invalid_addresses_are_refused_at_startup() {
    let name = "https://other.example";
    let issuer = || Issuer::new(name).audience("api");
    let public = || keys::public(AuthType::EdDSA).expect("a public key");
    let key = || flask_pyjwt::Key::verify_only(AuthType::EdDSA, public());
    for (issuer, reason) in [
        (
            issuer().jwks_url("http://other.example/jwks"),
            "is not https",
        ),
        (
            issuer().jwks_url("http://127.0.0.1:1/jwks"),
            "allow_http_on_loopback(true)",
        ),
        (
            issuer()
                .jwks_url("http://other.example/jwks")
                .allow_http_on_loopback(true),
            "is not https",
        ),
        (issuer().jwks_url("file:///etc/passwd"), "is not https"),
        (issuer().jwks_url("other.example"), "is not an absolute URL"),
        (
            issuer().jwks_url("https://u:p@other.example"),
            "a user, a password",
        ),
        (
            Issuer::new("other").audience("api").discovery(),
            "is not an absolute URL",
        ),
        (
            issuer().jwks_url("https://other.example").key(key()),
            "both keys and an address",
        ),
        (
            issuer().discovery().root_certificates(""),
            "not certificates in PEM",
        ),
        (
            issuer().discovery().root_certificates(public()),
            "not certificates in PEM",
        ),
        (
            issuer()
                .discovery()
                .root_certificates(keys::pem("CERTIFICATE", [7; 60])),
            "not certificates in PEM",
        ),
        (
            issuer().key(key()).root_certificates(""),
            "although `root_certificates` is set",
        ),
        (
            issuer().discovery().keep_keys(Duration::SECOND),
            "less than 1 minute",
        ),
        (
            issuer().discovery().algorithms([AuthType::HS256]),
            "cannot contain HMAC secrets",
        ),
    ] {
        let config = config(AuthType::HS256, SECRET).trust(issuer);
        let error = AuthManager::new(config).expect_err(reason);
        assert!(error.to_string().contains(reason), "{error}");
        assert!(
            matches!(error, ConfigError::Invalid { key: "trust", .. }),
            "{error:?}"
        );
    }
}
