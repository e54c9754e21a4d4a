//! Access tokens by RFC 9068: minted, and required of other issuers.

use flask_pyjwt::{
    AuthManager, AuthType, Config, ConfigError, Issuer, Key, MemoryStore, MintError, SessionError,
    TokenError, TokenType,
};
use serde_json::{Map, Value, json};

use support::{NOW, SECRET, forge, forge::forge, frozen, hs256, manager};

const AUDIENCE: &str = "our-api";
const OTHER: &str = "https://other.example";

fn profile() -> Config {
    hs256().audience(AUDIENCE).access_token_profile("web")
}

fn other() -> Issuer {
    Issuer::new(OTHER)
        .key(Key::new(AuthType::HS256, SECRET))
        .audience(AUDIENCE)
}

fn trusting(issuer: Issuer) -> Result<AuthManager, ConfigError> {
    AuthManager::new(Config::for_issuers([issuer]).clock(frozen()))
}

/// All claims that RFC 9068 requires.
fn required() -> Value {
    json!({
        "iss": OTHER, "exp": NOW + 60, "aud": AUDIENCE, "sub": "alice", "client_id": "web", "iat": NOW, "jti": "1",
    })
}

fn signed(typ: &Value, claims: &Value) -> String {
    let mut header = json!({"alg": "HS256"});
    if !typ.is_null() {
        header["typ"] = typ.clone();
    }
    forge(
        header.to_string(),
        claims.to_string(),
        &forge::Key::Hs256(SECRET),
    )
}

#[test]
fn a_minted_token_has_the_type_and_all_required_claims() {
    let auth = manager(profile());
    let token = auth.auth_token("alice").sign().expect("minted");
    assert_eq!(token.header()["typ"], "at+jwt");
    let claims = token.claims();
    for (name, value) in [
        ("iss", json!(auth.issuer())),
        ("exp", json!(NOW + 3_600)),
        ("aud", json!(AUDIENCE)),
        ("sub", json!("alice")),
        ("client_id", json!("web")),
        ("iat", json!(NOW)),
        ("type", json!("auth")),
    ] {
        assert_eq!(claims[name], value, "{name}");
    }
    let id = |token: &flask_pyjwt::Token| token.claims()["jti"].as_str().map(str::to_owned);
    assert_eq!(id(&token).expect("an id").len(), 22);
    let other = auth.auth_token("alice").client_id("spa").sign();
    let other = other.expect("minted");
    assert_ne!(id(&token), id(&other));
    assert_eq!(other.claims()["client_id"], "spa");
    for token in [&token, &other] {
        let verified = auth.verify_token(token.signed()).expect("accepted");
        assert_eq!(verified.token_type(), TokenType::Auth);
        // A server of the same fleet without the profile accepts it, and its tokens are accepted here.
        let plain = manager(hs256().audience(AUDIENCE));
        assert!(plain.verify_token(token.signed()).is_ok());
        let token = plain.auth_token("alice").sign().expect("minted");
        assert_eq!(token.header()["typ"], "JWT");
        assert!(!token.claims().contains_key("jti"));
        assert!(auth.verify_token(token.signed()).is_ok());
    }
    let refresh = auth.refresh_token("alice").sign().expect("minted");
    assert_eq!(refresh.header()["typ"], "JWT");
    assert!(!refresh.claims().contains_key("client_id"));
    let with_id = manager(profile().key_id("k1"));
    let token = with_id.auth_token("alice").sign().expect("minted");
    let header = Value::Object(token.header().clone());
    assert_eq!(
        header,
        json!({"alg": "HS256", "kid": "k1", "typ": "at+jwt"})
    );
}

#[actix_web::test]
async fn the_tokens_of_a_session_follow_the_profile() {
    let auth = manager(profile().session_store(MemoryStore::default()));
    let pair = auth.login("alice").client_id("spa").await.expect("opened");
    assert_eq!(pair.auth.header()["typ"], "at+jwt");
    assert_eq!(pair.refresh.header()["typ"], "JWT");
    assert_eq!(pair.auth.claims()["client_id"], "spa");
    let next = auth.refresh(&pair.refresh).await.expect("rotated");
    assert_eq!(next.auth.header()["typ"], "at+jwt");
    assert_eq!(next.auth.claims()["client_id"], "spa");
    let next = auth.refresh(&next.refresh).claim("team", 7).await;
    let next = next.expect("rotated");
    assert_eq!(next.auth.claims()["client_id"], "spa");
    assert_eq!(auth.check_revocation(&next.auth).await, Ok(()));

    let pair = auth.login("bob").await.expect("opened");
    assert_eq!(pair.auth.claims()["client_id"], "web");
    let refused = auth.login("bob").client_id("").await;
    assert!(matches!(refused, Err(SessionError::Mint(_))));
    let refused = auth.login("bob").claim("client_id", 7).await;
    assert!(matches!(refused, Err(SessionError::Mint(_))));
}

#[test]
fn a_client_that_is_no_client_id_is_neither_configured_nor_minted() {
    let auth = manager(profile());
    for client_id in ["", "a\n", "\u{e9}"] {
        let minted = auth.auth_token("alice").client_id(client_id).sign();
        assert!(
            matches!(
                minted,
                Err(MintError::Characters {
                    claim: "client_id",
                    ..
                })
            ),
            "{client_id:?}"
        );
        let refused = AuthManager::new(profile().access_token_profile(client_id));
        let refused = refused.expect_err("refused").to_string();
        assert!(refused.contains("access_token_profile"), "{refused}");
    }
    for client_id in [json!(7), json!(["web"]), json!(null), json!("")] {
        let minted = auth
            .auth_token("alice")
            .claim("client_id", &client_id)
            .sign();
        let refused = MintError::Refused(TokenError::MistypedClaim("client_id"));
        assert_eq!(minted.expect_err("refused"), refused, "{client_id}");
    }
}

#[test]
fn without_an_audience_the_profile_is_an_error_at_start() {
    let refused = AuthManager::new(hs256().access_token_profile("web"));
    let refused = refused.expect_err("refused").to_string();
    assert!(
        refused.contains("access_token_profile") && refused.contains("JWT_AUDIENCE"),
        "{refused}"
    );
    let refused = AuthManager::new(Config::for_issuers([other()]).access_token_profile("web"));
    assert!(refused.is_err());
}

#[test]
fn the_tokens_that_are_minted_are_those_that_are_required_of_an_issuer() {
    let minting = |config: Config| manager(config.issuer(OTHER));
    let auth = trusting(other().access_token_profile()).expect("valid");
    let token = minting(profile()).auth_token("alice").sign();
    let token = token.expect("minted");
    assert!(auth.verify_token(token.signed()).is_ok());
    let plain = minting(hs256().audience(AUDIENCE))
        .auth_token("alice")
        .sign();
    let plain = plain.expect("minted");
    assert_eq!(
        auth.verify_token(plain.signed()).expect_err("refused"),
        TokenError::Kind
    );
}

#[test]
fn threat_58_only_the_type_of_access_tokens_is_accepted() {
    let auth = trusting(other().access_token_profile()).expect("valid");
    for (typ, expected) in [
        (json!("at+jwt"), Ok(())),
        (json!("application/at+jwt"), Ok(())),
        (json!("AT+JWT"), Ok(())),
        (json!("JWT"), Err(TokenError::Kind)),
        (json!("jwt"), Err(TokenError::Kind)),
        (json!("at+jwt "), Err(TokenError::Kind)),
        (json!("logout+jwt"), Err(TokenError::Kind)),
        (json!(["at+jwt"]), Err(TokenError::Kind)),
        (json!(null), Err(TokenError::Kind)),
    ] {
        let verified = auth.verify_token(&signed(&typ, &required())).map(drop);
        assert_eq!(verified, expected, "{typ}");
    }
}

#[test]
fn threat_21_each_required_claim_has_to_be_there_and_of_its_type() {
    let auth = trusting(other().access_token_profile()).expect("valid");
    // Reads them from another place, or does not need them.
    let lenient = other().map_claim("sub", ["client_id", "sub"]);
    let lenient = trusting(lenient.access_token_profile()).expect("valid");
    let any = Issuer::new(OTHER).key(Key::new(AuthType::HS256, SECRET));
    let any = trusting(any.any_audience(true).access_token_profile()).expect("valid");
    let integers = Config::for_issuers([other().access_token_profile()]).clock(frozen());
    let integers = manager(integers.integer_subjects(true));
    let typ = json!("at+jwt");
    let names: Vec<_> = required()
        .as_object()
        .map(Map::keys)
        .expect("an object")
        .cloned()
        .collect();
    assert_eq!(names.len(), 7);
    for auth in [&auth, &lenient, &any, &integers] {
        assert!(auth.verify_token(&signed(&typ, &required())).is_ok());
        let with = |name: &str, value: Value| {
            let mut claims = required();
            claims[name] = value;
            auth.verify_token(&signed(&typ, &claims)).map(drop)
        };
        assert_eq!(with("aud", json!(["x", AUDIENCE])), Ok(()));
        for name in &names {
            let mut claims = required();
            claims.as_object_mut().expect("an object").remove(name);
            let refused = auth.verify_token(&signed(&typ, &claims));
            let refused = refused.expect_err(name);
            assert!(
                matches!(refused, TokenError::MissingClaim(missing) if missing == name),
                "{name}: {refused}"
            );
            let is_time = ["exp", "iat"].contains(&name.as_str());
            let number = if is_time {
                json!((NOW + 60).to_string())
            } else {
                json!(NOW)
            };
            for value in [
                json!(null),
                number,
                json!(true),
                json!({}),
                json!([]),
                json!([NOW]),
            ] {
                let refused = with(name, value.clone()).expect_err(name);
                assert!(
                    matches!(refused, TokenError::MistypedClaim(wrong) if wrong == name)
                        || (name == "aud" && refused == TokenError::Audience)
                        || (name == "client_id" && refused == TokenError::MistypedClaim("sub")),
                    "{name} {value}: {refused}"
                );
            }
        }
    }
}

#[test]
fn the_profile_and_another_type_are_an_error_at_start() {
    for issuer in [
        other().access_token_profile().accept_untyped(true),
        other().access_token_profile().types(["JWT"]),
        other().access_token_profile().types(["at+jwt", "JWT"]),
    ] {
        let refused = trusting(issuer).expect_err("refused").to_string();
        assert!(refused.contains("access_token_profile()"), "{refused}");
    }
    assert!(trusting(other().types(["JWT"]).access_token_profile()).is_ok());
    assert!(trusting(other().access_token_profile().types(["at+jwt"])).is_ok());
}
