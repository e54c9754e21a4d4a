//! `docs/threats.md` 33: no secret and no token in debug output, errors, logs or responses.

mod events;

use std::{error::Error, fmt::Debug};

use actix_web::{HttpResponse, web};
use flask_pyjwt::{
    AnyClaims, AuthManager, AuthType, Config, ConfigError, CurrentToken, Rejection, RequireToken,
    TokenLocation, UnverifiedToken,
    testing::{FrozenClock, SystemClock},
};
use serde_json::json;

use support::{
    NOW, SECRET, at, claims_with,
    forge::{Key, encode, forge, segments},
    header, hs256, keys, log, manager,
    site::Site,
};

/// Pieces of what must not appear: of a secret, of keys, of a token.
fn pieces(texts: &[&str]) -> Vec<String> {
    texts
        .iter()
        .flat_map(|text| text.split(['\n', '.']))
        .filter(|piece| piece.len() > 4 && !piece.starts_with("-----"))
        .map(|piece| piece[piece.len() / 2..].to_owned())
        .collect()
}

#[track_caller]
fn shows_none_of(pieces: &[String], shown: &str) {
    for piece in pieces {
        assert!(!shown.contains(piece.as_str()), "{piece} is in {shown}");
    }
}

fn debug(value: &impl Debug) -> String {
    format!("{value:?} {value:#?}")
}

/// An error as it can be displayed, with all its sources.
fn shown(error: &dyn Error) -> String {
    let mut shown = format!("{error} {error:?} {error:#?}");
    let mut source = error.source();
    while let Some(error) = source {
        shown = [shown, format!(" {error} {error:?}")].concat();
        source = error.source();
    }
    shown
}

#[actix_web::test]
async fn threat_33_debug_shows_no_secret_and_no_token() {
    let private = keys::rsa_private(&keys::RSA);
    let public = keys::rsa_public(&keys::RSA);
    let secret = std::str::from_utf8(SECRET).expect("a text");
    let auth = manager(hs256());
    let token = auth
        .auth_token("marker-subject")
        .claim("private", "marker-claim")
        .sign()
        .expect("minted");
    let hidden = pieces(&[&private, &public, secret, token.signed(), "marker-claim"]);

    let config = Config::new("issuer", AuthType::RS256, &private).public_key(&public);
    shows_none_of(&hidden, &debug(&config));
    shows_none_of(&hidden, &debug(&manager(config)));
    shows_none_of(&hidden, &debug(&hs256()));
    shows_none_of(&hidden, &debug(&auth));
    shows_none_of(&hidden, &debug(&token));
    shows_none_of(&hidden, &debug(&auth.verify_token(token.signed())));
    shows_none_of(
        &hidden,
        &debug(&auth.auth_token("x").claim("private", "marker-claim")),
    );
    shows_none_of(&hidden, &debug(&auth.refresh_token("marker-subject")));
    shows_none_of(&hidden, &debug(&UnverifiedToken::decode(token.signed())));
    // Values that reveal neither may be shown.
    for value in [
        debug(&RequireToken::auth().claim("role", "editor")),
        debug(&RequireToken::auth().claim_from_path("role", "x")),
        debug(&TokenLocation::Cookie("auth_token".into())),
        debug(&FrozenClock::new(at(NOW))),
        debug(&SystemClock::default()),
        debug(&AnyClaims::default()),
        debug(&AuthType::ALL),
    ] {
        shows_none_of(&hidden, &value);
    }

    let (own, hidden_again) = (auth.clone(), hidden.clone());
    let look = move |token: CurrentToken| {
        shows_none_of(&hidden_again, &debug(&token));
        std::future::ready(HttpResponse::Ok().finish())
    };
    let site = Site::new(|app| {
        app.app_data(own.clone())
            .service(web::resource("/").wrap(RequireToken::auth()).to(look));
    })
    .await;
    assert_eq!(site.get("/", token.signed()).await.status, 200);
}

#[test]
fn threat_33_errors_show_no_secret_and_no_token() {
    let other = keys::rsa_public(&keys::OTHER_RSA);
    let private = keys::rsa_private(&keys::RSA);
    let damaged = private.replace('A', "B");
    let escaped = private.replace('\n', "\\n");
    let encrypted = keys::pem("ENCRYPTED PRIVATE KEY", keys::der(&private));
    let ec = keys::ecdsa_private(&keys::P256);
    let jwk = format!(r#"{{"kty":"oct","k":"{}"}}"#, encode(SECRET));
    let ssh = format!("ssh-rsa {}", encode(SECRET));
    let short = "short marker";
    let rows: [(AuthType, &str, Option<&str>); 13] = [
        (AuthType::HS256, short, None),
        (AuthType::HS512, &"marker".repeat(8), None),
        (AuthType::HS256, &private, None),
        (AuthType::HS256, &jwk, None),
        (AuthType::HS256, &ssh, None),
        (AuthType::RS256, short, None),
        (AuthType::RS256, &damaged, None),
        (AuthType::RS256, &encrypted, None),
        (AuthType::RS256, &ec, None),
        (AuthType::ES256, &escaped, None),
        (AuthType::EdDSA, &private, None),
        (AuthType::RS256, &private, Some(&other)),
        (AuthType::RS256, &private, Some(&private)),
    ];
    for (auth_type, secret, public) in rows {
        let config = Config::new("issuer", auth_type, secret);
        let config = match public {
            Some(public) => config.public_key(public),
            None => config,
        };
        let error = AuthManager::new(config).expect_err("a wrong configuration");
        let mut hidden = pieces(&[secret, public.unwrap_or_default()]);
        hidden.push("marker".to_owned());
        shows_none_of(&hidden, &shown(&error));
        let key = if public.is_some() {
            "JWT_PUBLICKEY"
        } else {
            "JWT_SECRET"
        };
        assert_eq!(error.key(), key, "{error}");
        assert!(error.to_string().contains(key), "{error}");
        assert!(matches!(error, ConfigError::Invalid { .. }), "{error:?}");
    }

    let auth = manager(hs256());
    for token in hostile_tokens() {
        let error = auth.verify_token(&token).expect_err("hostile");
        let mut hidden = pieces(&[&token]);
        hidden.push("marker".to_owned());
        shows_none_of(&hidden, &shown(&error));
        shows_none_of(&hidden, &shown(&Rejection::from(error)));
        shows_none_of(&hidden, &debug(&auth.verify_token(&token)));
        if let Err(error) = UnverifiedToken::decode(&token) {
            shows_none_of(&hidden, &shown(&error));
        }
    }
    let deep = (0..70).fold(json!("marker"), |value, _| json!([value]));
    let error = auth
        .auth_token("marker")
        .claim("x", deep)
        .sign()
        .expect_err("deep");
    shows_none_of(&["marker".to_owned()], &shown(&error));
}

/// Tokens for every reason of a refusal, with `marker` wherever an attacker can write.
fn hostile_tokens() -> Vec<String> {
    let sign = |header: &str, payload: &str| forge(header, payload, &Key::Hs256(SECRET));
    let good_header = header(AuthType::HS256);
    let mut tokens: Vec<_> = [
        json!({"exp": NOW - 1, "sub": "marker"}),
        json!({"nbf": NOW + 1, "sub": "marker"}),
        json!({"iss": "marker"}),
        json!({"aud": "marker"}),
        json!({"sub": ["marker"]}),
        json!({"sub": "marker\r\nmarker: marker"}),
        json!({"type": "marker"}),
        json!({"cnf": "marker"}),
        json!({"exp": "marker"}),
        json!({"exp": null, "marker": 1}),
    ]
    .map(|changes| sign(&good_header, &claims_with(changes)))
    .into();
    tokens.extend([
        sign(&good_header, "marker"),
        sign(&good_header, r#"{"marker":1,"marker":2}"#),
        sign("marker", "{}"),
        sign(r#"{"alg":"marker"}"#, "{}"),
        sign(r#"{"alg":"HS256","typ":"marker"}"#, "{}"),
        sign(r#"{"alg":"HS256","typ":"JWT","kid":"marker"}"#, "{}"),
        sign(r#"{"alg":"HS256","typ":"JWT","crit":["marker"]}"#, "{}"),
        "marker".to_owned(),
        "marker.marker.marker".to_owned(),
        "marker\u{e9}.a.b".to_owned(),
        format!(
            "{}.{}.{}",
            encode(&good_header),
            encode("{}"),
            encode("marker")
        ),
        "marker".repeat(10_000),
    ]);
    tokens
}

#[test]
fn threat_33_making_a_manager_and_minting_log_no_secret() {
    let log = log::capture();
    let weak = "marker";
    let auth = manager(
        hs256()
            .secret(weak)
            .allow_weak_secret(true)
            .public_key("marker"),
    );
    let token = auth
        .auth_token("marker")
        .claim("x", "marker")
        .sign()
        .expect("minted");
    auth.verify_token(token.signed()).expect("valid");
    for auth_type in AuthType::ALL {
        manager(Config::new("issuer", auth_type, keys::secret(auth_type)));
    }
    let text = log.text();
    // The warnings about a weak secret and about a public key that has no effect.
    assert!(
        text.contains("JWT_SECRET") && text.contains("JWT_PUBLICKEY"),
        "{text}"
    );
    let mut hidden = pieces(&[token.signed(), &keys::rsa_private(&keys::RSA)]);
    hidden.extend(segments(token.signed()).map(str::to_owned));
    hidden.push(weak.to_owned());
    shows_none_of(&hidden, &text);
}
