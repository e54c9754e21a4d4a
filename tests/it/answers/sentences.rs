//! The event of a refused request says in one sentence what is wrong and what to change. It shows what the route
//! requires, and nothing of the token except the JSON type of a claim.

use actix_web::{cookie::Cookie, test::TestRequest, web};
use flask_pyjwt::{
    AuthManager, AuthType, CurrentToken, Issuer, Key, RequireToken, TokenLocation, require_token,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{bearer, field, token};
use support::{config, hs256, keys, log, manager, site::Site};

#[require_token(admin = true)]
async fn admin() -> &'static str {
    ""
}

#[require_token(team = ["red"], scope = {"admin": true})]
async fn team() -> &'static str {
    ""
}

#[require_token(sub = "name")]
async fn own(_: web::Path<String>) -> &'static str {
    ""
}

#[require_token(scope = all("read", "write"))]
async fn scopes() -> &'static str {
    ""
}

#[require_token("isuer" = "https://issuer.example")]
async fn misspelt() -> &'static str {
    ""
}

#[require_token(scope = "read")]
async fn read() -> &'static str {
    ""
}

#[require_token(role = any("editor", "author"))]
async fn any() -> &'static str {
    ""
}

async fn plain() -> &'static str {
    ""
}

#[require_token("refresh", "cookies")]
async fn refresh() -> &'static str {
    ""
}

#[require_token(location = ["header", "cookies"], max_age = 60)]
async fn both() -> &'static str {
    ""
}

#[require_token(
    issuer = "https://issuer.example",
    location = "header",
    header_name = "X-Token"
)]
async fn named() -> &'static str {
    ""
}

async fn site(auth: &AuthManager) -> Site {
    let query = RequireToken::auth().locations([TokenLocation::Query("t".to_owned())]);
    Site::new(|app| {
        app.app_data(auth.clone())
            .route("/admin", web::get().to(admin))
            .route("/team", web::get().to(team))
            .route("/own/{name}", web::get().to(own))
            .route("/scopes", web::get().to(scopes))
            .route("/any", web::get().to(any))
            .route("/misspelt", web::get().to(misspelt))
            .route("/read", web::get().to(read))
            .route("/refresh", web::get().to(refresh))
            .route("/both", web::post().to(both))
            .route("/named", web::get().to(named))
            .service(web::resource("/query").wrap(query).to(plain));
    })
    .await
}

type Fields = Vec<(&'static str, String)>;

/// A text that must not be in any sentence.
const PRIVATE: &str = "private-text";

fn cookie(name: &str, value: impl Into<String>) -> (&'static str, String) {
    ("cookie", Cookie::new(name, value.into()).to_string())
}

fn table() -> Vec<(&'static str, Fields, &'static str)> {
    let bearer_of = |changes: Value| bearer(changes);
    vec![
        (
            "/admin",
            vec![],
            "the request has no token: send it in the header `Authorization: Bearer <token>`",
        ),
        (
            "/admin",
            vec![field("authorization", PRIVATE)],
            "the header `Authorization` is of another scheme than `Bearer`: send `Authorization: Bearer <token>`",
        ),
        (
            "/admin",
            vec![cookie("__Host-auth", PRIVATE)],
            "the request has the cookie `__Host-auth`, and the route looks only in the header `Authorization: Bearer \
             <token>`: add \"cookies\" to the route's `location`, or `TokenLocation::DefaultCookie` to \
             `Config::locations`",
        ),
        (
            "/refresh",
            bearer_of(json!({"type": "refresh"})),
            "the request has the header `Authorization`, and the route looks only in the cookie `__Secure-refresh`: add \
             \"header\" to the route's `location`, or `TokenLocation::Header` to `Config::locations`",
        ),
        (
            "/query",
            vec![],
            "the request has no token: send it in the query parameter `t`",
        ),
        (
            "/named",
            vec![],
            "the request has no token: send it in the header `x-token`",
        ),
        (
            "/admin",
            bearer_of(json!({"type": "refresh"})),
            "a token of type `auth` is required: send the auth token and not the refresh token, or write \
             `#[require_token(\"refresh\")]` on a route for refresh tokens",
        ),
        (
            "/admin",
            bearer_of(json!({"aud": PRIVATE})),
            "the token is for another audience: set `JWT_AUDIENCE` to the `aud` that the issuer mints; where it is \
             not set, tokens with `aud` are refused",
        ),
        (
            "/admin",
            bearer_of(json!({})),
            "the route requires the claim `admin` to be `true`, and the token does not have it: mint it with \
             `.claim(\"admin\", true)`",
        ),
        (
            "/admin",
            bearer_of(json!({"admin": PRIVATE})),
            "the route requires the claim `admin` to be `true`, and the token has a string: mint it with \
             `.claim(\"admin\", true)`",
        ),
        (
            "/admin",
            bearer_of(json!({"admin": false})),
            "the route requires the claim `admin` to be `true`, and the token has a boolean, but not the right one: \
             mint it with `.claim(\"admin\", true)`",
        ),
        (
            "/admin",
            bearer_of(json!({"scope": {"admin": true, PRIVATE: 1}})),
            "the route requires the claim `admin` to be `true`, and the token does not have it, but its `scope` has \
             `admin`: write `scope = {\"admin\": …}` on the route, or mint with `.claim(\"admin\", …)`",
        ),
        (
            "/team",
            bearer_of(json!({"team": [PRIVATE]})),
            "the route requires the claim `team` to have all of `[\"red\"]`, and the token has an array, but not the \
             right one: mint it with `.claim(\"team\", json!([\"red\"]))`",
        ),
        (
            "/team",
            bearer_of(json!({"team": ["red"], "scope": PRIVATE})),
            "the route requires the claim `scope` to have all of `{\"admin\":true}`, and the token has a string: mint \
             it with `.scope(json!({\"admin\":true}))`",
        ),
        (
            "/own/bob",
            bearer_of(json!({"sub": PRIVATE})),
            "the route requires the claim `sub` to equal the route's variable `name`, and the token belongs to another \
             subject: ask for the path of the token's own value, or let other tokens pass with `override`",
        ),
        (
            "/scopes",
            bearer_of(json!({"scope": "read private-text"})),
            "the token's scope lacks `write`, which the route requires: mint it with `.scope(\"write\")`, beside what \
             it has",
        ),
        (
            "/any",
            bearer_of(json!({"role": [PRIVATE]})),
            "the route requires the claim `role` to contain one of `editor`, `author`, and the token has an array, \
             but not the right one: mint it with `.claim(\"role\", …)`",
        ),
        (
            "/misspelt",
            bearer_of(json!({})),
            "the route requires the claim `isuer` to be `\"https://issuer.example\"`, and the token does not have it: \
             mint it with `.claim(\"isuer\", \"https://issuer.example\")`, or write `issuer` on the route if `isuer` \
             is a misspelt option",
        ),
        (
            "/read",
            bearer_of(json!({})),
            "the route requires the claim `scope` to be `\"read\"`, and the token does not have it: mint it with \
             `.scope(\"read\")`",
        ),
        (
            "/both",
            [
                bearer_of(json!({})),
                vec![cookie("__Host-auth", token(json!({})))],
            ]
            .concat(),
            "the request has tokens in two of the places that the route looks at, which are the header \
             `Authorization: Bearer <token>` or the cookie `__Host-auth`: send one, or name one place in the route's \
             `location`",
        ),
        (
            "/both",
            bearer_of(json!({})),
            "the route requires a login of the last 60 seconds, and the token's is older or unknown: send the user \
             to the login, and mint there with `AuthManager::login`",
        ),
    ]
}

#[actix_web::test]
async fn the_event_of_a_refusal_says_what_to_change_and_shows_nothing_of_the_token() {
    let auth = manager(hs256());
    let site = site(&auth).await;
    for (path, fields, expected) in table() {
        let log = log::capture();
        let mut request = match path {
            "/both" => TestRequest::post(),
            _ => TestRequest::get(),
        };
        for field in fields {
            request = request.append_header(field);
        }
        let reply = site.ask(request.uri(path)).await;
        let events = log.take();
        assert_eq!(events.len(), 1, "{path}: {events:?}");
        let text = &events[0].text;
        assert!(
            (400..500).contains(&reply.status),
            "{path}: {}",
            reply.status
        );
        let message = format!("message=request refused: {expected} ");
        assert!(text.contains(&message), "{path}:\n{text}\n{message}");
        assert!(!text.contains(PRIVATE) && !text.contains("eyJ"), "{text}");
        assert!(!reply.text().contains(expected), "the client gets it");
    }
}

/// A token of another issuer: minting other claims on this server would not help.
#[actix_web::test]
async fn the_event_of_another_issuers_token_does_not_suggest_to_mint_claims() {
    let es256 = AuthType::ES256;
    let other = config(es256, keys::secret(es256)).issuer("https://other.example");
    let other = manager(other);
    let key = Key::verify_only(es256, keys::public(es256).expect("a key"));
    let trusted = Issuer::new("https://other.example").key(key);
    let auth = manager(hs256().trust(trusted.any_audience(true)));
    let site = site(&auth).await;
    let foreign = other.auth_token("alice").sign().expect("minted");
    let log = log::capture();
    site.get("/admin", foreign.signed()).await;
    let text = log.text();
    assert!(
        text.contains("does not have it: the token's issuer has to set it"),
        "{text}"
    );
    drop(log);
    let log = log::capture();
    let request = TestRequest::get().uri("/named");
    let field = ("x-token", foreign.signed().to_owned());
    site.ask(request.insert_header(field)).await;
    let expected = "the route accepts only tokens of `https://issuer.example`: send one of theirs";
    assert!(log.text().contains(expected), "{}", log.text());
}

#[derive(Debug, Deserialize)]
struct Member {
    #[expect(dead_code, reason = "only asked for")]
    team: u32,
}

#[require_token]
async fn member(_: CurrentToken<Member>) -> &'static str {
    ""
}

async fn wrapped(_: CurrentToken<Member>) -> &'static str {
    ""
}

#[actix_web::test]
async fn the_event_names_the_claim_that_the_handlers_type_lacks() {
    let auth = manager(hs256());
    let site = Site::new(|app| {
        let wrapped = web::resource("/wrapped").wrap(RequireToken::auth());
        app.app_data(auth.clone())
            .route("/member", web::get().to(member))
            .service(wrapped.to(self::wrapped));
    })
    .await;
    for path in ["/member", "/wrapped"] {
        for (claims, expected) in [
            (
                json!({}),
                ", since the claim `team` is missing: mint every claim",
            ),
            (
                json!({"team": PRIVATE}),
                ", since a claim is not u32: mint every claim",
            ),
            (
                json!({"team": {PRIVATE: ", expected "}}),
                ", since a claim is not u32: mint every claim",
            ),
            (json!({"team": -1}), "`CurrentToken<C>`: mint every claim"),
        ] {
            let log = log::capture();
            let reply = site.get(path, &token(claims)).await;
            reply.is_refused(403, "insufficient_scope", "claims_do_not_fit", path);
            let text = log.text();
            assert!(text.contains(expected), "{path}: {text}");
            assert!(!text.contains(PRIVATE), "{path}: {text}");
        }
    }
}
