//! Generated tokens and requirements, decided by a guard and explained.

use actix_web::{App, HttpResponse, http::StatusCode, test as actix_test, web};
use flask_pyjwt::{
    AuthType, Config, ExpectedClaim, MemoryStore, Rejection, RequireToken, RuleOutcome,
    TokenCheckError, testing::TestAuth,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use time::Duration;

/// What kind of token is presented.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Auth,
    Refresh,
    Expired,
    NotYetValid,
    OtherKey,
    OtherIssuer,
    Tampered,
    NoToken,
    Revoked,
    Barred,
    Session,
    /// The auth token of a pair that was refreshed.
    Refreshed,
    EndedSession,
    SessionRefresh,
    /// A refresh token that was used long ago.
    Replayed,
}

const KINDS: [Kind; 15] = [
    Kind::Auth,
    Kind::Refresh,
    Kind::Expired,
    Kind::NotYetValid,
    Kind::OtherKey,
    Kind::OtherIssuer,
    Kind::Tampered,
    Kind::NoToken,
    Kind::Revoked,
    Kind::Barred,
    Kind::Session,
    Kind::Refreshed,
    Kind::EndedSession,
    Kind::SessionRefresh,
    Kind::Replayed,
];

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        4 => Just(Kind::Auth),
        4 => Just(Kind::Session),
        2 => prop::sample::select(KINDS.to_vec()),
    ]
}

/// Few names and values, so that they often match.
fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "role", "acr"]).prop_map(str::to_owned)
}

fn item() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["read", "write", "7", "x"]).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop::sample::select(vec![
        Value::Null,
        json!(true),
        json!(7),
        json!(1.5),
        json!("7"),
        json!("read"),
        json!("read write"),
    ]);
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::btree_map(name(), inner, 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn claims() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map(name(), value(), 0..4)
        .prop_map(|members| members.into_iter().collect())
}

fn expected() -> impl Strategy<Value = ExpectedClaim> {
    let items = || prop::collection::vec(item(), 0..3);
    let variable = || prop::sample::select(vec!["id", "id", "jd", "none", "read"]);
    prop_oneof![
        value().prop_map(ExpectedClaim::Value),
        variable().prop_map(|name| ExpectedClaim::Path(name.to_owned())),
        variable().prop_map(|name| ExpectedClaim::PathOrText(name.to_owned())),
        items().prop_map(ExpectedClaim::All),
        items().prop_map(ExpectedClaim::Any),
        prop::collection::vec(value(), 0..3).prop_map(ExpectedClaim::OneOf),
        Just(ExpectedClaim::Present),
        Just(ExpectedClaim::Absent),
    ]
}

fn guard() -> impl Strategy<Value = RequireToken> {
    let issuers = prop::sample::select(vec!["test", "other", ""]);
    let requirement = (
        prop::bool::weighted(0.15),
        prop::collection::vec((name(), expected()), 0..3),
        prop::option::weighted(0.25, expected()),
        prop::option::weighted(
            0.3,
            claims().prop_filter("not empty", |map| !map.is_empty()),
        ),
        prop::bool::weighted(0.1),
        prop::option::weighted(0.15, prop::sample::select(vec![0, 50, 1_000])),
        prop::option::weighted(0.1, issuers),
        prop::option::weighted(0.2, prop::sample::select(vec!["id", "id", "none"])),
        prop::option::weighted(0.15, prop::sample::select(vec!["7", "read"])),
    );
    requirement.prop_map(
        |(refresh, claims, scope, override_claims, fresh, max_age, issuer, subject, acr)| {
            let mut guard = if refresh {
                RequireToken::refresh()
            } else {
                RequireToken::auth()
            };
            for (name, expected) in claims {
                guard = guard.expect_claim(name, expected);
            }
            if let Some(subject) = subject {
                guard = guard.sub_from_path(subject);
            }
            if let Some(scope) = scope {
                guard = guard.expect_scope(scope);
            }
            if let Some(claims) = override_claims {
                guard = guard.override_claims(claims);
            }
            if let Some(seconds) = max_age {
                guard = guard.max_age(seconds);
            }
            if let Some(issuer) = issuer {
                guard = guard.issuer(issuer);
            }
            if let Some(acr) = acr {
                guard = guard.acr([acr, "x"]);
            }
            guard.fresh(fresh)
        },
    )
}

/// A text that is presented as a token.
async fn token(
    auth: &TestAuth,
    kind: Kind,
    claims: &Map<String, Value>,
    scope: Option<Value>,
) -> String {
    let mut token = auth.token("7");
    let mut session = auth.session("7");
    for (name, value) in claims {
        token = token.claim(name, value.clone());
        session = session.claim(name, value.clone());
    }
    if let Some(scope) = scope.filter(|scope| !scope.is_null()) {
        token = token.scope(scope.clone());
        session = session.scope(scope);
    }
    let text = |token: flask_pyjwt::testing::TestToken| token.sign().to_string();
    match kind {
        Kind::Auth => text(token),
        Kind::Refresh => text(auth.refresh_token("7")),
        Kind::Expired => text(token.expired()),
        Kind::NotYetValid => text(token.not_yet_valid()),
        Kind::OtherKey => text(token.of_other_key()),
        Kind::OtherIssuer => text(token.of_other_issuer()),
        Kind::Tampered => text(token.tampered()),
        Kind::NoToken => "a.b.c".to_owned(),
        Kind::Revoked => text(token.revoked()),
        Kind::Barred => text(token.claim("barred", true)),
        Kind::Session | Kind::Refreshed | Kind::EndedSession => {
            let session = session.await;
            auth.clock().advance(Duration::seconds(60));
            match kind {
                Kind::Refreshed => {
                    let pair = auth.manager().refresh(&session.refresh).await;
                    return pair.expect("refreshed").auth.signed().to_owned();
                }
                Kind::EndedSession => session.end().await,
                _ => {}
            }
            session.auth().signed().to_owned()
        }
        Kind::SessionRefresh => session.await.refresh.signed().to_owned(),
        Kind::Replayed => {
            let session = session.await;
            let pair = auth.manager().refresh(&session.refresh).await;
            let pair = pair.expect("refreshed");
            auth.clock().advance(Duration::seconds(600));
            let next = auth.manager().refresh(&pair.refresh).await;
            next.expect("refreshed");
            auth.clock().advance(Duration::seconds(600));
            session.refresh.signed().to_owned()
        }
    }
}

#[test]
fn an_explanation_decides_as_a_guard() {
    let system = actix_web::rt::System::new();
    let secret = "a secret of 32 bytes, at the least";
    let config = Config::new("test", AuthType::HS256, secret)
        .session_store(MemoryStore::default())
        .token_check(async |token: flask_pyjwt::Token| {
            let is_barred = token.claim("barred").is_some();
            if is_barred {
                Err(TokenCheckError::Revoked)
            } else {
                Ok(())
            }
        });
    let auth = TestAuth::around(config);
    let case = (
        kind(),
        claims(),
        prop::option::of(value()),
        guard(),
        prop::sample::select(vec!["7", "read", "1.5"]),
    );
    let config = ProptestConfig {
        cases: 1_500,
        failure_persistence: None,
        ..<_>::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let counts = std::cell::Cell::new([0, 0]);
    let outcome = runner.run(&case, |(kind, claims, scope, guard, variable)| {
        let (explained, answered) = system.block_on(async {
            let token = token(&auth, kind, &claims, scope).await;
            let manager = auth.manager();
            let explained = manager.explain(&token, &guard).path("id", variable).await;
            let resource = web::resource("/{id}")
                .wrap(guard)
                .route(web::get().to(HttpResponse::Ok));
            let app = App::new().app_data(auth.manager()).service(resource);
            let app = actix_test::init_service(app).await;
            let request = actix_test::TestRequest::with_uri(&format!("/{variable}"))
                .insert_header(("Authorization", format!("Bearer {token}")));
            let answer = actix_test::call_service(&app, request.to_request()).await;
            (explained, answer.status())
        });
        let status = explained
            .rejection()
            .map_or(StatusCode::OK, Rejection::status);
        prop_assert_eq!(answered, status, "{}", explained);
        prop_assert_eq!(
            explained.is_accepted(),
            answered == StatusCode::OK,
            "{}",
            explained
        );
        let fails = |outcome| outcome == RuleOutcome::Fails;
        let is_failed = explained.rules().iter().any(|rule| fails(rule.outcome()));
        prop_assert_eq!(is_failed, !explained.is_accepted(), "{}", explained);
        let mut now = counts.get();
        now[usize::from(explained.is_accepted())] += 1;
        counts.set(now);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    // Both outcomes must occur, or the test proves nothing.
    assert!(counts.get().iter().all(|count| *count > 100), "{counts:?}");
}

#[actix_web::test]
async fn an_explanation_changes_no_session() {
    let auth = TestAuth::new();
    let replayed = token(&auth, Kind::Replayed, &Map::new(), None).await;
    let manager = auth.manager();
    for _ in 0..3 {
        let explained = manager.explain(&replayed, &RequireToken::refresh()).await;
        let reason = explained.rejection().map(Rejection::reason);
        assert_eq!(reason, Some("token_replayed"), "{explained}");
    }
    assert_eq!(manager.sessions("7").await.expect("sessions").len(), 1);
}
