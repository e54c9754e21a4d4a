//! What each argument requires, in every arrangement.

use actix_web::{
    App, get,
    http::{Method, StatusCode, header},
    test,
    web::{self, Bytes, ServiceConfig},
};
use flask_pyjwt::require_token;
use serde_json::json;

use super::*;

/// Every argument in every arrangement: above a visible path, below it, and without one.
macro_rules! arranged {
    ($($name:ident $path:literal ($($arguments:tt)*))*) => {
        mod visible {
            use super::*;
            $(
                #[require_token($($arguments)*)]
                #[get($path)]
                pub(super) async fn $name() -> &'static str { "" }
            )*
        }
        mod hidden {
            use super::*;
            $(
                #[get($path)]
                #[require_token($($arguments)*)]
                pub(super) async fn $name() -> &'static str { "" }
            )*
        }
        mod plain {
            use super::*;
            $(
                #[require_token($($arguments)*)]
                pub(super) async fn $name() -> &'static str { "" }
            )*
        }
        fn everything(app: &mut ServiceConfig) {
            app.app_data(auth())
                .service(web::scope("/visible")$(.service(visible::$name))*)
                .service(web::scope("/hidden")$(.service(hidden::$name))*)
                .service(web::scope("/plain")$(.route($path, web::get().to(plain::$name)))*)
                .service(web::scope("/outer/{team}").service(visible::outer));
        }
    };
}

arranged! {
    open "/open" ()
    text "/text" (role = "editor")
    variable "/variable/{role}" (role = "role")
    explicit "/explicit/{id}" (role = literal("id"), team = path("id"))
    two "/two/{id}" (a = "id", b = "id")
    number "/number/{level}" (level = "level")
    regex r"/regex/{year:\d{4}}" (year = "year")
    tail "/tail/{rest:.*}" (rest = "rest")
    integers "/integers" (a = 18446744073709551615, b = -9223372036854775808)
    fraction "/fraction" (a = 1.5)
    types "/types" (a = true, b = null, c = "1", d = 1)
    shape "/shape" (perms = ["read"], org = {"role": "owner"})
    named "/named" ("https://example.com/role" = "editor", type = "auth", "scope" = ["x"])
    scope "/scope" (scope = {"admin": true})
    overridden "/overridden/{user}" (sub = "user", scope = {"x": 1}, override = {"admin": true})
    subject "/subject" (sub = literal("root"))
    optional "/optional" (optional, role = "editor")
    outer "/outer/{id}" (team = outer_path("team"))
}

#[actix_web::test]
async fn arguments_mean_the_same_in_every_arrangement() {
    let app = test::init_service(App::new().configure(everything)).await;
    for (path, subject, claims, status) in [
        ("/open", "ann", json!({}), 200),
        ("/text", "ann", json!({"role": "editor"}), 200),
        ("/text", "ann", json!({"role": "reader"}), 403),
        ("/text", "ann", json!({}), 403),
        ("/variable/x", "ann", json!({"role": "x"}), 200),
        ("/variable/x", "ann", json!({"role": "role"}), 403),
        ("/variable/role", "ann", json!({"role": "role"}), 200),
        (
            "/explicit/7",
            "ann",
            json!({"role": "id", "team": "7"}),
            200,
        ),
        ("/explicit/7", "ann", json!({"role": "7", "team": "7"}), 403),
        (
            "/explicit/7",
            "ann",
            json!({"role": "id", "team": "id"}),
            403,
        ),
        ("/two/x", "ann", json!({"a": "x", "b": "x"}), 200),
        ("/two/x", "ann", json!({"a": "x", "b": "y"}), 403),
        ("/number/5", "ann", json!({"level": 5}), 200),
        ("/number/5", "ann", json!({"level": "5"}), 200),
        ("/number/05", "ann", json!({"level": 5}), 403),
        ("/variable/a%20b", "ann", json!({"role": "a b"}), 200),
        ("/variable/a%2Fb", "ann", json!({"role": "a/b"}), 200),
        ("/variable/a%252Fb", "ann", json!({"role": "a/b"}), 403),
        ("/variable/%FF", "ann", json!({"role": "\u{fffd}"}), 403),
        ("/regex/2024", "ann", json!({"year": 2024}), 200),
        ("/regex/24", "ann", json!({"year": 24}), 404),
        ("/tail/a/b", "ann", json!({"rest": "a/b"}), 200),
        (
            "/integers",
            "ann",
            json!({"a": u64::MAX, "b": i64::MIN}),
            200,
        ),
        (
            "/integers",
            "ann",
            json!({"a": u64::MAX - 1, "b": i64::MIN}),
            403,
        ),
        (
            "/integers",
            "ann",
            json!({"a": u64::MAX, "b": i64::MIN + 1}),
            403,
        ),
        ("/fraction", "ann", json!({"a": 1.5}), 200),
        ("/fraction", "ann", json!({"a": 1}), 403),
        (
            "/types",
            "ann",
            json!({"a": true, "b": null, "c": "1", "d": 1}),
            200,
        ),
        (
            "/types",
            "ann",
            json!({"a": 1, "b": null, "c": "1", "d": 1}),
            403,
        ),
        ("/types", "ann", json!({"a": true, "c": "1", "d": 1}), 403),
        (
            "/types",
            "ann",
            json!({"a": true, "b": null, "c": 1, "d": 1}),
            403,
        ),
        (
            "/types",
            "ann",
            json!({"a": true, "b": null, "c": "1", "d": true}),
            403,
        ),
        (
            "/shape",
            "ann",
            json!({"perms": ["a", "read"], "org": {"x": 1, "role": "owner"}}),
            200,
        ),
        (
            "/shape",
            "ann",
            json!({"perms": ["a"], "org": {"role": "owner"}}),
            403,
        ),
        (
            "/shape",
            "ann",
            json!({"perms": "read", "org": {"role": "owner"}}),
            403,
        ),
        (
            "/named",
            "ann",
            json!({"https://example.com/role": "editor", "scope": ["x"]}),
            200,
        ),
        (
            "/named",
            "ann",
            json!({"https://example.com/role": "editor"}),
            403,
        ),
        (
            "/scope",
            "ann",
            json!({"scope": {"admin": true, "x": 1}}),
            200,
        ),
        ("/scope", "ann", json!({"scope": {"admin": false}}), 403),
        ("/scope", "ann", json!({"admin": true}), 403),
        ("/overridden/ann", "ann", json!({"scope": {"x": 1}}), 200),
        ("/overridden/ann", "ann", json!({}), 403),
        ("/overridden/ann", "bob", json!({"scope": {"x": 1}}), 403),
        ("/overridden/ann", "bob", json!({"admin": true}), 200),
        ("/overridden/ann", "bob", json!({"admin": 1}), 403),
        ("/subject", "root", json!({}), 200),
        ("/subject", "ann", json!({}), 403),
        ("/optional", "ann", json!({"role": "editor"}), 200),
        ("/optional", "ann", json!({}), 403),
    ] {
        let token = token(subject, &claims);
        for arrangement in ["/visible", "/hidden", "/plain"] {
            let uri = format!("{arrangement}{path}");
            let answer = status!(&app, &uri, &token);
            assert_eq!(answer.as_u16(), status, "{uri} {subject} {claims}");
        }
    }
    for arrangement in ["/visible", "/hidden", "/plain"] {
        let [optional, open] = ["optional", "open"].map(|path| format!("{arrangement}/{path}"));
        assert_eq!(status!(&app, GET & optional, None, ""), StatusCode::OK);
        assert_eq!(status!(&app, &optional, "forged"), StatusCode::UNAUTHORIZED);
        assert_eq!(
            status!(&app, GET & open, None, ""),
            StatusCode::UNAUTHORIZED
        );
    }
}

#[actix_web::test]
async fn a_variable_of_an_enclosing_scope_is_found_and_a_missing_one_is_a_500() {
    let app = test::init_service(App::new().configure(everything)).await;
    let blue = token("ann", &json!({"team": "blue"}));
    for (uri, status) in [
        ("/outer/blue/outer/1", 200),
        ("/outer/red/outer/1", 403),
        ("/visible/outer/1", 500),
        ("/hidden/outer/1", 500),
        ("/plain/outer/1", 500),
    ] {
        assert_eq!(status!(&app, uri, &blue).as_u16(), status, "{uri}");
    }
}
