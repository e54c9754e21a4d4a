//! Compares the requirements of routes with a second, naive implementation.

use actix_web::{App, HttpResponse, http::StatusCode, test as actix_test, web};
use flask_pyjwt::{AuthManager, AuthType, Config, RequireToken};
use proptest::{prelude::*, strategy::ValueTree as _, test_runner::TestCaseError};
use serde_json::{Map, Value, json};

/// The requirements for one request.
#[derive(Debug, Clone)]
struct Rules {
    claims: Vec<(String, Value)>,
    /// A claim that must equal the route variable.
    bound: Option<String>,
    scope: Option<Value>,
    override_claims: Option<Map<String, Value>>,
}

/// Few names and values, so that they often match.
fn name() -> impl Strategy<Value = String> {
    prop::sample::select(vec!["a", "b", "c", "é"]).prop_map(str::to_owned)
}

fn leaf() -> impl Strategy<Value = Value> {
    prop::sample::select(vec![
        Value::Null,
        json!(true),
        json!(false),
        json!(0),
        json!(1),
        json!(-1),
        json!(1.0),
        json!(0.5),
        json!("1"),
        json!("true"),
        json!(""),
        json!("admin"),
        json!("nonadmin"),
        json!("a\"\\\n"),
        json!(9_007_199_254_740_992_u64),
        json!(9_007_199_254_740_993_u64),
        json!(u64::MAX),
        json!(i64::MIN),
    ])
}

fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 12, 3, |inner| {
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

fn rules() -> impl Strategy<Value = Rules> {
    (
        prop::collection::vec((name(), value()), 0..2),
        prop::option::weighted(0.3, name()),
        prop::option::weighted(0.5, value()),
        prop::option::weighted(
            0.4,
            claims().prop_filter("not empty", |map| !map.is_empty()),
        ),
    )
        .prop_map(|(claims, bound, scope, override_claims)| Rules {
            claims,
            bound,
            scope,
            override_claims,
        })
}

/// The rules of `docs/design.md`, step by step, without optimization.
fn naive(required: &Value, actual: Option<&Value>) -> bool {
    let Some(actual) = actual else { return false };
    if let (Some(required), Some(actual)) = (required.as_object(), actual.as_object()) {
        return required
            .iter()
            .all(|(name, value)| naive(value, actual.get(name)));
    }
    if let (Some(required), Some(actual)) = (required.as_array(), actual.as_array()) {
        return required
            .iter()
            .all(|item| actual.iter().any(|own| naive(item, Some(own))));
    }
    required == actual
}

fn allowed(rules: &Rules, token: &Map<String, Value>, variable: &str) -> bool {
    if let Some(claims) = &rules.override_claims
        && claims
            .iter()
            .all(|(name, value)| naive(value, token.get(name)))
    {
        return true;
    }
    let is_bound = |name: &String| match token.get(name) {
        Some(Value::String(text)) => text == variable,
        Some(Value::Number(number)) => number.to_string() == variable,
        _ => false,
    };
    rules
        .claims
        .iter()
        .all(|(name, value)| naive(value, token.get(name)))
        && rules.bound.iter().all(is_bound)
        && rules
            .scope
            .iter()
            .all(|scope| naive(scope, token.get("scope")))
}

fn guard(rules: &Rules) -> RequireToken {
    let mut guard = RequireToken::auth();
    for (name, value) in &rules.claims {
        guard = guard.claim(name, value.clone());
    }
    if let Some(name) = &rules.bound {
        guard = guard.claim_from_path(name, "variable");
    }
    if let Some(scope) = &rules.scope {
        guard = guard.scope(scope.clone());
    }
    if let Some(claims) = &rules.override_claims {
        guard = guard.override_claims(claims.clone());
    }
    guard
}

#[test]
fn requirements_decide_as_the_naive_implementation() {
    let system = actix_web::rt::System::new();
    let secret = "a secret of 32 bytes, at the least";
    let auth = AuthManager::new(Config::new("rules", AuthType::HS256, secret))
        .expect("a valid configuration");
    let case = (rules(), claims(), prop::option::of(value()), any::<bool>());
    let variables = prop::sample::select(vec!["1", "admin", "-1", "0.5", "true", "null"]);
    let config = ProptestConfig {
        cases: 800,
        failure_persistence: None,
        ..<_>::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let mut counts = [0, 0];
    let outcome = runner.run(
        &(case, variables),
        |((mut rules, claims, scope, same), variable)| {
            let mut claims = claims;
            if let (Some(scope), true) = (&scope, same) {
                // The token has what the route requires. Otherwise few cases would pass.
                rules.scope = Some(scope.clone());
            }
            let mut token = auth.auth_token("alice");
            for (name, value) in &claims {
                token = token.claim(name, value);
            }
            if let Some(scope) = scope.filter(|scope| !scope.is_null()) {
                token = token.scope(scope.clone());
                claims.insert("scope".to_owned(), scope);
            }
            let token = token
                .sign()
                .map_err(|error| TestCaseError::fail(error.to_string()))?;
            let expected = allowed(&rules, &claims, variable);
            let resource = web::resource("/{variable}")
                .wrap(guard(&rules))
                .route(web::get().to(HttpResponse::Ok));
            let status = system.block_on(async {
                let app = App::new().app_data(auth.clone()).service(resource);
                let app = actix_test::init_service(app).await;
                let request = actix_test::TestRequest::with_uri(&format!("/{variable}"))
                    .insert_header(("Authorization", format!("Bearer {}", token.signed())));
                actix_test::call_service(&app, request.to_request())
                    .await
                    .status()
            });
            let wanted = if expected {
                StatusCode::OK
            } else {
                StatusCode::FORBIDDEN
            };
            prop_assert_eq!(status, wanted);
            Ok(())
        },
    );
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
    // Both outcomes must occur, or the test proves nothing.
    let mut samples = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..200 {
        let (rules, claims) = (rules(), claims())
            .new_tree(&mut samples)
            .expect("a sample")
            .current();
        counts[usize::from(allowed(&rules, &claims, "1"))] += 1;
    }
    assert!(counts.iter().all(|count| *count > 10), "{counts:?}");
}
