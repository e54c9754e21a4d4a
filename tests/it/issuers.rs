//! Tokens of other issuers: each is verified by the rules and with the keys of the issuer that it names.

mod at_start;
mod named;
mod places_and_clocks;
mod routes;
mod templates;
mod without_own;

use flask_pyjwt::{AuthManager, AuthType, Issuer, Key, TokenError, TokenType};
use serde_json::{Value, json};
use time::Duration;

use support::{
    ISSUER, NOW, SECRET, claims_with,
    forge::{self, encode, forge},
    hs256, keys, manager,
};

const OTHER: &str = "https://other.example";
const THIRD: &str = "https://third.example";

fn public(auth_type: AuthType) -> String {
    keys::public(auth_type).expect("a public key")
}

fn other() -> Issuer {
    Issuer::new(OTHER)
        .key(Key::verify_only(AuthType::ES256, public(AuthType::ES256)).id("e"))
        .audience("api")
}

fn third() -> Issuer {
    Issuer::new(THIRD)
        .key(Key::verify_only(AuthType::EdDSA, public(AuthType::EdDSA)))
        .audience("api")
}

fn both() -> AuthManager {
    manager(hs256().trust(other()).trust(third()))
}

/// A valid token of [`OTHER`] with some claims changed.
#[expect(clippy::needless_pass_by_value, reason = "reads better with json!(…)")]
fn token(changes: Value) -> String {
    let mut claims = json!({ "iss": OTHER, "aud": "api", "type": null });
    for (name, value) in changes.as_object().expect("an object") {
        claims[name] = value.clone();
    }
    let header = r#"{"alg":"ES256","kid":"e","typ":"at+jwt"}"#;
    forge(header, claims_with(claims), &keys::key(AuthType::ES256))
}

fn outcome(auth: &AuthManager, token: &str) -> Result<String, TokenError> {
    auth.verify_token(token).map(|token| token.iss().to_owned())
}

#[test]
fn a_token_is_verified_only_with_the_keys_of_the_issuer_that_it_names() {
    let auth = both();
    let (hs256, es256, eddsa) = (
        forge::Key::Hs256(SECRET),
        keys::key(AuthType::ES256),
        keys::key(AuthType::EdDSA),
    );
    let named = |alg: &str, kid: &str| format!(r#"{{"alg":"{alg}","kid":"{kid}","typ":"JWT"}}"#);
    let nameless = |alg: &str| format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#);
    let algorithm = Err(TokenError::Algorithm);
    for (header, key, issuer, expected) in [
        (nameless("HS256"), &hs256, ISSUER, Ok(ISSUER.to_owned())),
        (named("ES256", "e"), &es256, OTHER, Ok(OTHER.to_owned())),
        (nameless("EdDSA"), &eddsa, THIRD, Ok(THIRD.to_owned())),
        // Signed with the key of one issuer, with the name of the other.
        (named("ES256", "e"), &es256, ISSUER, algorithm.clone()),
        (named("ES256", "e"), &es256, THIRD, algorithm.clone()),
        (nameless("EdDSA"), &eddsa, ISSUER, algorithm.clone()),
        (nameless("EdDSA"), &eddsa, OTHER, algorithm.clone()),
        (nameless("HS256"), &hs256, OTHER, algorithm.clone()),
        (nameless("HS256"), &hs256, THIRD, algorithm.clone()),
        // The key has an ID, but it is the only one.
        (nameless("ES256"), &es256, OTHER, Ok(OTHER.to_owned())),
        (
            named("ES256", "x"),
            &es256,
            OTHER,
            Err(TokenError::UnknownKey),
        ),
        // Threat 21: the name of no issuer.
        (
            named("ES256", "e"),
            &es256,
            "https://other.example/",
            Err(TokenError::Issuer),
        ),
        (
            named("ES256", "e"),
            &es256,
            "https://OTHER.example",
            Err(TokenError::Issuer),
        ),
        (
            named("ES256", "e"),
            &es256,
            "https://other",
            Err(TokenError::Issuer),
        ),
        (named("ES256", "e"), &es256, "", Err(TokenError::Issuer)),
    ] {
        let audience = if issuer == ISSUER {
            json!(null)
        } else {
            json!("api")
        };
        let claims = claims_with(json!({ "iss": issuer, "aud": audience }));
        let token = forge(&header, claims, key);
        assert_eq!(outcome(&auth, &token), expected, "{header} {issuer}");
    }
}

#[test]
fn threats_18_to_22_the_rules_hold_for_every_issuer() {
    let auth = both();
    assert_eq!(outcome(&auth, &token(json!({}))), Ok(OTHER.to_owned()));
    for (changes, error) in [
        (json!({ "iss": null }), TokenError::MissingClaim("iss")),
        (json!({ "iss": [OTHER] }), TokenError::MistypedClaim("iss")),
        (json!({ "iss": 1 }), TokenError::MistypedClaim("iss")),
        (json!({ "aud": null }), TokenError::MissingClaim("aud")),
        (json!({ "aud": "Api" }), TokenError::Audience),
        (json!({ "aud": ["apis", "ap"] }), TokenError::Audience),
        (
            json!({ "aud": ["api", 1] }),
            TokenError::MistypedClaim("aud"),
        ),
        (
            json!({ "aud": { "api": true } }),
            TokenError::MistypedClaim("aud"),
        ),
        (json!({ "exp": null }), TokenError::MissingClaim("exp")),
        // The issuer's clock may be five seconds off.
        (json!({ "exp": NOW - 5 }), TokenError::Expired),
        (json!({ "exp": "soon" }), TokenError::MistypedClaim("exp")),
        (json!({ "iat": null }), TokenError::MissingClaim("iat")),
        (json!({ "iat": NOW + 6 }), TokenError::NotYetValid),
        (json!({ "nbf": NOW + 6 }), TokenError::NotYetValid),
        (json!({ "nbf": "0" }), TokenError::MistypedClaim("nbf")),
        (json!({ "sub": null }), TokenError::MissingClaim("sub")),
        (json!({ "sub": 7 }), TokenError::MistypedClaim("sub")),
        (json!({ "cnf": {} }), TokenError::UnknownBinding),
    ] {
        assert_eq!(
            outcome(&auth, &token(changes.clone())),
            Err(error),
            "{changes}"
        );
    }
    let short = manager(hs256().trust(other().max_lifetime(Duration::HOUR)));
    let long = token(json!({ "exp": NOW + 4_000 }));
    assert_eq!(outcome(&short, &long), Err(TokenError::Lifetime));
}

#[test]
fn threat_23_only_the_configured_token_types_are_accepted() {
    let key = keys::key(AuthType::ES256);
    let of_type = |typ: Option<&str>| {
        let mut header = json!({ "alg": "ES256", "kid": "e" });
        if let Some(typ) = typ {
            header["typ"] = typ.into();
        }
        let claims = claims_with(json!({ "iss": OTHER, "aud": "api" }));
        forge(header.to_string(), claims, &key)
    };
    let by_default = manager(hs256().trust(other()));
    let strict = manager(hs256().trust(other().types(["at+jwt"])));
    let untyped = manager(hs256().trust(other().accept_untyped(true)));
    for (typ, accepted) in [
        (Some("JWT"), [true, false, true]),
        (Some("jwt"), [true, false, true]),
        (Some("at+JWT"), [true, true, true]),
        (Some("application/at+jwt"), [true, false, true]),
        (None, [false, false, true]),
        (Some(""), [false, false, false]),
        (Some("dpop+jwt"), [false, false, false]),
        (Some("logout+jwt"), [false, false, false]),
        (Some("secevent+jwt"), [false, false, false]),
    ] {
        for (auth, accepted) in [&by_default, &strict, &untyped].into_iter().zip(accepted) {
            let found = outcome(auth, &of_type(typ)).map(drop);
            let expected = if accepted {
                Ok(())
            } else {
                Err(TokenError::Kind)
            };
            assert_eq!(found, expected, "{typ:?}");
        }
    }
}

#[test]
fn threats_5_and_14_keys_in_headers_are_ignored_and_extensions_refused() {
    let auth = both();
    let key = keys::key(AuthType::ES256);
    let alien = forge::Key::Ecdsa(&keys::OTHER_P256);
    let claims = || claims_with(json!({ "iss": OTHER, "aud": "api" }));
    let header = |more: &str| format!(r#"{{"alg":"ES256","kid":"e","typ":"JWT",{more}}}"#);
    for more in [
        r#""jku":"https://mallory.example/jwks.json""#,
        r#""x5u":"https://mallory.example/""#,
        r#""jwk":{"kty":"EC"}"#,
        r#""x5c":["AA"]"#,
    ] {
        assert!(
            outcome(&auth, &forge(header(more), claims(), &key)).is_ok(),
            "{more}"
        );
        let forged = forge(header(more), claims(), &alien);
        assert_eq!(
            outcome(&auth, &forged),
            Err(TokenError::Signature),
            "{more}"
        );
    }
    for more in [r#""crit":["x"]"#, r#""b64":false"#, r#""zip":"DEF""#] {
        let token = forge(header(more), claims(), &key);
        assert_eq!(outcome(&auth, &token), Err(TokenError::Critical), "{more}");
    }
}

#[test]
fn a_token_of_another_issuer_is_an_auth_token_unless_it_says_refresh() {
    let auth = both();
    for kind in [json!("refresh"), json!("Refresh")] {
        let expected = TokenType::Auth;
        let refused = auth.verify_token(&token(json!({ "type": kind })));
        assert_eq!(refused.err(), Some(TokenError::WrongType { expected }));
    }
    // simplejwt, Keycloak, Cognito
    for name in ["token_type", "typ", "token_use"] {
        for kind in [
            "refresh",
            "Refresh",
            "REFRESH_TOKEN",
            "Offline",
            "ID",
            "id",
            "id_token",
            "refresh-token",
            "refreshToken",
            "RefreshToken",
            "Id Token",
            "Logout",
            "logout_token",
        ] {
            let expected = TokenType::Auth;
            let refused = auth.verify_token(&token(json!({ name: kind })));
            let refused = refused.map(drop);
            assert_eq!(
                refused,
                Err(TokenError::WrongType { expected }),
                "{name} {kind}"
            );
        }
        for kind in [
            json!("access"),
            json!("Bearer"),
            json!("JWT"),
            json!("identity"),
            json!("refreshable"),
            json!(""),
            json!("-".repeat(2_000)),
            json!(null),
            json!(["id"]),
        ] {
            let accepted = auth.verify_token(&token(json!({ name: kind }))).map(drop);
            assert_eq!(accepted, Ok(()), "{name} {kind}");
        }
    }
    assert!(auth.verify_token(&token(json!({ "type": "id" }))).is_ok());
    // Routes for this server's own issuer only use `type`.
    let own = forge(
        r#"{"alg":"HS256","typ":"JWT"}"#,
        claims_with(json!({ "token_type": "refresh", "typ": "ID" })),
        &forge::Key::Hs256(SECRET),
    );
    assert!(auth.verify_token(&own).is_ok());
    for kind in [json!(null), json!("access"), json!("Bearer"), json!(7)] {
        let token = auth
            .verify_token(&token(json!({ "type": kind })))
            .expect("valid");
        assert_eq!(token.token_type(), TokenType::Auth);
    }
}

#[test]
fn claims_are_read_from_the_places_of_the_issuer() {
    let auth = manager(
        hs256().trust(
            other()
                .map_claim("scope", "scp")
                .map_claim("roles", "/realm_access/roles")
                .map_claim("sub", "oid")
                .map_claim("aud", "client_id")
                .require_claim("token_use", "access"),
        ),
    );
    let good = json!({
        "scp": "read", "scope": "admin", "oid": "7", "sub": "pairwise", "client_id": "api",
        "aud": "somebody else", "token_use": "access", "realm_access": { "roles": ["a"] },
    });
    let verified = auth.verify_token(&token(good.clone())).expect("valid");
    assert_eq!(verified.sub(), "7");
    assert_eq!(verified.scope(), Some(&json!("read")));
    assert_eq!(verified.claim("roles"), Some(&json!(["a"])));
    assert_eq!(verified.claims()["scope"], "admin");
    for (changes, error) in [
        (json!({ "oid": null }), TokenError::MissingClaim("sub")),
        (json!({ "client_id": "x" }), TokenError::Audience),
        (
            json!({ "client_id": null }),
            TokenError::MissingClaim("aud"),
        ),
        (json!({ "token_use": "id" }), TokenError::IssuerClaim),
        (json!({ "token_use": null }), TokenError::IssuerClaim),
    ] {
        let mut claims = good.clone();
        for (name, value) in changes.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        assert_eq!(outcome(&auth, &token(claims)), Err(error), "{changes}");
    }
}

#[test]
fn a_configured_jwk_set_verifies_tokens() {
    let auth = manager(support::config(
        AuthType::ES256,
        keys::secret(AuthType::ES256),
    ));
    let id = auth.keys()[0].id().to_owned();
    let spki = keys::der(&public(AuthType::ES256));
    let (x, y) = (encode(&spki[27..59]), encode(&spki[59..]));
    let set = json!({ "keys": [
        { "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": id },
        { "kty": "oct", "k": "c2VjcmV0" },
    ] });
    let issuer = || Issuer::new(OTHER).audience("api");
    let trusting = manager(hs256().trust(issuer().jwk_set(set.to_string())));
    let header = json!({ "alg": "ES256", "kid": id, "typ": "JWT" }).to_string();
    let claims = claims_with(json!({ "iss": OTHER, "aud": "api" }));
    let token = forge(header, claims, &keys::key(AuthType::ES256));
    assert_eq!(outcome(&trusting, &token), Ok(OTHER.to_owned()));
}

#[test]
fn a_hundred_issuers_are_distinguished() {
    let name = |n: usize| format!("https://issuer{n}.example");
    let secret = |n: usize| format!("the secret of the issuer of number {n:04}");
    let config = (0..100).fold(hs256(), |config, n| {
        let key = Key::new(AuthType::HS256, secret(n));
        config.trust(Issuer::new(name(n)).key(key).audience("api"))
    });
    let auth = manager(config);
    for n in (0..100).step_by(9) {
        for (key, expected) in [(n, Ok(name(n))), (n + 1, Err(TokenError::Signature))] {
            let claims = claims_with(json!({ "iss": name(n), "aud": "api" }));
            let key = secret(key);
            let header = r#"{"alg":"HS256","typ":"JWT"}"#;
            let token = forge(header, claims, &forge::Key::Hs256(key.as_bytes()));
            assert_eq!(outcome(&auth, &token), expected, "{n}");
        }
    }
}
