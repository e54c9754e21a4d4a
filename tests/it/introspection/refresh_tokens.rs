//! Answers about refresh tokens, which are active, too.

use flask_pyjwt::{Issuer, TokenError, TokenType};
use serde_json::{Value, json};
use time::Duration;

use super::{OPAQUE, PATH, Setting, active, with, without_audience};
use crate::remote_keys::server::{Answer, BadServer};

fn web(server: &BadServer) -> Issuer {
    without_audience(server).audience("web")
}

/// A refresh token of the issuer is active, too, and no word says what it is (RFC 7662, section 2.2).
#[actix_web::test]
async fn a_refresh_token_is_no_access_token_whatever_audience_is_expected() {
    let every = |server: &BadServer| without_audience(server).any_audience(true);
    let client = |server: &BadServer| web(server).map_claim("aud", "client_id");
    let either = |server: &BadServer| web(server).map_claim("aud", ["aud", "client_id"]);
    let without = |name: &str, mut claims: Value| {
        claims.as_object_mut().expect("an object").remove(name);
        claims
    };
    let missing = Err(TokenError::MissingClaim("token_type"));
    let mistyped = Err(TokenError::MistypedClaim("token_type"));
    let untyped = with("token_type", json!(null));
    let null = |mut claims: Value| {
        claims["token_type"] = json!(null);
        claims
    };
    let settings: [fn(&BadServer) -> Issuer; 3] = [every, client, either];
    for (number, change) in settings.into_iter().enumerate() {
        for (claims, expected) in [
            (without("aud", active()), Ok(())),
            (without("aud", with("token_type", json!("DPoP"))), Ok(())),
            (without("aud", untyped.clone()), missing),
            (without("aud", null(active())), missing),
            (without("aud", with("token_type", json!(""))), mistyped),
            (without("aud", with("token_type", json!(7))), mistyped),
        ] {
            let setting = Setting::trusting(Answer::json(&claims), change);
            let verified = setting.verify(OPAQUE).await.map(drop);
            assert_eq!(verified, expected, "{number}: {claims}");
            // A refused answer is kept as briefly as any other.
            setting.server.answers(PATH, Answer::json(active()));
            setting.clock.advance(Duration::seconds(6));
            let asked = if expected.is_ok() { 1 } else { 2 };
            drop(setting.verify(OPAQUE).await);
            assert_eq!(setting.server.requests(), asked, "{number}: {claims}");
        }
    }
    // Where the audience is checked, it says enough.
    let setting = Setting::new(Answer::json(&untyped));
    assert_eq!(setting.verify(OPAQUE).await.as_deref(), Ok("alice"));
    let own = |issuer: Issuer| issuer.map_claim("aud", ["aud", "client_id"]);
    let setting = Setting::of(Answer::json(&untyped), own);
    assert_eq!(setting.verify(OPAQUE).await.as_deref(), Ok("alice"));
    let setting = Setting::trusting(Answer::json(&untyped), client);
    assert_eq!(setting.verify(OPAQUE).await.map(drop), missing);
}

#[actix_web::test]
async fn an_answer_that_names_a_refresh_token_is_refused_in_any_case() {
    for (name, value) in [
        ("token_type", "refresh_token"),
        ("token_type", "RefreshToken"),
        ("token_use", "refresh"),
        ("token_use", "refresh_token"),
        ("typ", "Refresh"),
        ("typ", "Offline"),
    ] {
        let demanded = |issuer: Issuer| issuer.require_claim(name, value);
        let every = |server: &BadServer| without_audience(server).any_audience(true);
        let claims = with(name, json!(value));
        for setting in [
            Setting::of(Answer::json(&claims), demanded),
            Setting::trusting(Answer::json(&claims), every),
            Setting::new(Answer::json(&claims)),
        ] {
            let expected = TokenType::Auth;
            let refused = setting.verify(OPAQUE).await.map(drop);
            assert_eq!(refused, Err(TokenError::WrongType { expected }), "{claims}");
        }
    }
}
