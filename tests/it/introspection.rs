//! Opaque tokens: the issuer is asked about them (RFC 7662), by a server that can do everything wrong.

mod cache;
mod failures;
mod refresh_tokens;

use actix_web::{HttpResponse, get};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use flask_pyjwt::{
    AuthManager, AuthType, CurrentToken, IntrospectionClient, Issuer, Key, TokenError, TokenType,
    require_token, testing::FrozenClock,
};
use serde_json::{Value, json};
use time::Duration;

use crate::remote_keys::server::{Answer, BadServer};
use support::{
    NOW, SECRET,
    forge::{self, forge},
    frozen, hs256, manager,
    site::Site,
};

const PATH: &str = "/introspect";
const ISSUER: &str = "https://accounts.example";
const OPAQUE: &str = "2YotnFZFEjr1zCsicMWpAA";

#[require_token(issuer = "https://accounts.example", scope = contains("read"))]
#[get("/read")]
async fn read(token: CurrentToken) -> String {
    format!("{} {}", token.sub(), token.iss())
}

#[require_token]
#[get("/any")]
async fn any(token: CurrentToken) -> String {
    token.signed().to_owned()
}

#[require_token("refresh")]
#[get("/refresh")]
async fn refresh() -> HttpResponse {
    HttpResponse::Ok().finish()
}

/// The claims of an active token.
fn active() -> Value {
    json!({
        "active": true, "scope": "read write", "client_id": "web", "token_type": "Bearer", "sub": "alice",
        "aud": "our-api", "iat": NOW - 10, "exp": NOW + 3_590,
    })
}

/// These claims with one changed. `null` removes it.
fn with(name: &str, value: Value) -> Value {
    let mut claims = active();
    if value.is_null() {
        claims.as_object_mut().expect("an object").remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

fn issuer(server: &BadServer) -> Issuer {
    without_audience(server).audience("our-api")
}

fn without_audience(server: &BadServer) -> Issuer {
    Issuer::new(ISSUER)
        .introspection(
            server.url(PATH),
            IntrospectionClient::basic("our api", "s:cret"),
        )
        .allow_http_on_loopback(true)
}

struct Setting {
    server: BadServer,
    clock: FrozenClock,
    auth: AuthManager,
}

impl Setting {
    fn new(answer: Answer) -> Self {
        Self::of(answer, |issuer| issuer)
    }

    fn of(answer: Answer, change: impl FnOnce(Issuer) -> Issuer) -> Self {
        Self::trusting(answer, |server| change(issuer(server)))
    }

    fn trusting(answer: Answer, issuer: impl FnOnce(&BadServer) -> Issuer) -> Self {
        let server = BadServer::start();
        server.answers(PATH, answer);
        let clock = frozen();
        let auth = manager(hs256().clock(clock.clone()).trust(issuer(&server)));
        Self {
            server,
            clock,
            auth,
        }
    }

    async fn site(&self) -> Site {
        Site::new(|app| {
            app.app_data(self.auth.clone())
                .service(read)
                .service(any)
                .service(refresh);
        })
        .await
    }

    async fn verify(&self, token: &str) -> Result<String, TokenError> {
        let token = self.auth.verify_token_async(token).await?;
        Ok(token.sub().to_owned())
    }
}

fn unavailable(seconds: i64) -> TokenError {
    let retry_after = Duration::seconds(seconds);
    TokenError::KeysUnavailable { retry_after }
}

#[actix_web::test]
async fn a_handler_sees_the_claims_that_the_issuer_tells() {
    let setting = Setting::new(Answer::json(active()));
    let site = setting.site().await;
    let reply = site.get("/read", OPAQUE).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.body, format!("alice {ISSUER}"));
    let reply = site.get("/any", OPAQUE).await;
    assert_eq!(reply.body, OPAQUE);
    let reply = site.get("/refresh", OPAQUE).await;
    assert_eq!(reply.outcome(), (401, "token_wrong_type"));

    let token = setting.auth.verify_token(OPAQUE).expect("known");
    assert_eq!(token.claims()["client_id"], "web");
    assert_eq!(token.claims()["iss"], ISSUER);
    assert!(token.header().is_empty());
    assert!(!format!("{token:?}").contains(OPAQUE));
    assert_eq!(setting.server.requests(), 1);

    let head = &setting.server.heads()[0];
    assert!(head.starts_with("post /introspect http/1.1"), "{head}");
    for field in [
        "accept: application/json",
        "content-type: application/x-www-form-urlencoded",
        &format!(
            "authorization: basic {}",
            STANDARD.encode("our+api:s%3Acret").to_lowercase()
        ),
    ] {
        assert!(head.contains(field), "{field} in {head}");
    }
    let body = format!("token={OPAQUE}&token_type_hint=access_token");
    assert_eq!(setting.server.bodies(), [body]);

    // Characters of a token that a form has to encode.
    setting.verify("a-._~+/Z==").await.expect("active");
    let body = "token=a-._%7E%2B%2FZ%3D%3D&token_type_hint=access_token";
    assert_eq!(setting.server.bodies()[1], body);
}

#[actix_web::test]
async fn the_answer_is_judged_like_a_jwt_of_the_issuer() {
    for (claims, expected) in [
        (active(), Ok(())),
        (with("iss", json!(ISSUER)), Ok(())),
        (
            with("iss", json!("https://other.example")),
            Err(TokenError::Issuer),
        ),
        (
            with("iss", json!([ISSUER])),
            Err(TokenError::MistypedClaim("iss")),
        ),
        (with("aud", json!(["x", "our-api"])), Ok(())),
        (with("aud", json!("their-api")), Err(TokenError::Audience)),
        (
            with("aud", json!(null)),
            Err(TokenError::MissingClaim("aud")),
        ),
        (with("exp", json!(NOW - 5)), Err(TokenError::Expired)),
        (with("exp", json!(NOW - 4)), Ok(())),
        (
            with("exp", json!((NOW + 60).to_string())),
            Err(TokenError::MistypedClaim("exp")),
        ),
        (
            with("exp", json!(null)),
            Err(TokenError::MissingClaim("exp")),
        ),
        (with("iat", json!(NOW + 60)), Err(TokenError::NotYetValid)),
        (
            with("iat", json!(null)),
            Err(TokenError::MissingClaim("iat")),
        ),
        (with("nbf", json!(NOW + 60)), Err(TokenError::NotYetValid)),
        (with("nbf", json!(NOW)), Ok(())),
        (
            with("sub", json!(null)),
            Err(TokenError::MissingClaim("sub")),
        ),
        (
            with("sub", json!("")),
            Err(TokenError::MistypedClaim("sub")),
        ),
        (with("sub", json!(7)), Err(TokenError::MistypedClaim("sub"))),
        (
            with("cnf", json!({"jkt": "x"})),
            Err(TokenError::UnknownBinding),
        ),
        (
            with("token_type", json!("refresh_token")),
            Err(TokenError::WrongType {
                expected: TokenType::Auth,
            }),
        ),
        (json!({"active": false}), Err(TokenError::Inactive)),
        (with("active", json!(false)), Err(TokenError::Inactive)),
    ] {
        let setting = Setting::new(Answer::json(&claims));
        for _ in 0..2 {
            let verified = setting.verify(OPAQUE).await.map(drop);
            assert_eq!(verified, expected, "{claims}");
        }
        assert_eq!(setting.server.requests(), 1, "{claims}");
    }
    let claims = with("email_verified", json!(false));
    let strict = |issuer: Issuer| issuer.require_claim("email_verified", true);
    let setting = Setting::of(Answer::json(claims), strict);
    assert_eq!(setting.verify(OPAQUE).await, Err(TokenError::IssuerClaim));
    let profile = |issuer: Issuer| issuer.access_token_profile();
    let setting = Setting::of(Answer::json(active()), profile);
    let missing = TokenError::MissingClaim("jti");
    assert_eq!(setting.verify(OPAQUE).await, Err(missing));
}

#[actix_web::test]
async fn nobody_is_asked_about_a_jwt_or_about_what_is_no_token() {
    let setting = Setting::of(Answer::json(active()), |issuer| {
        issuer.key(Key::new(AuthType::HS256, SECRET))
    });
    let own = setting.auth.auth_token("bob").sign().expect("minted");
    assert_eq!(setting.verify(own.signed()).await.as_deref(), Ok("bob"));
    let claims = with("iss", json!(ISSUER));
    let header = r#"{"alg":"HS256","typ":"at+jwt"}"#;
    let jwt = forge(header, claims.to_string(), &forge::Key::Hs256(SECRET));
    assert_eq!(setting.verify(&jwt).await.as_deref(), Ok("alice"));
    let forged = forge(header, claims.to_string(), &forge::Key::Hs256(b"another"));
    let unsigned = forge(
        r#"{"alg":"none"}"#,
        claims.to_string(),
        &forge::Key::Hs256(SECRET),
    );
    let long = "x".repeat(8 * 1024 + 1);
    for (token, expected) in [
        (&*forged, TokenError::Signature),
        (&*unsigned, TokenError::Kind),
        ("a..b", TokenError::Form),
        ("", TokenError::Form),
        ("==", TokenError::Form),
        ("a b", TokenError::Form),
        ("a&token_type_hint=x", TokenError::Form),
        ("a\r\nb", TokenError::Form),
        ("\u{e9}", TokenError::Form),
        (&long, TokenError::TooLarge),
    ] {
        let refused = setting.verify(token).await.expect_err("refused");
        let is_expected =
            refused == expected || (token == unsigned && refused == TokenError::Algorithm);
        assert!(is_expected, "{refused} for {} bytes", token.len());
    }
    assert_eq!(setting.server.requests(), 0);
    let jwe = "a.b.c.d.e";
    assert_eq!(setting.verify(jwe).await.as_deref(), Ok("alice"));
    assert_eq!(setting.server.requests(), 1);

    // Without introspection, an opaque token is refused as before.
    let auth = manager(hs256());
    let refused = auth.verify_token_async(OPAQUE).await.map(drop);
    assert_eq!(refused, Err(TokenError::Form));
}
