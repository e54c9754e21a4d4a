use quote::quote;

use super::*;
use crate::route::Routes;

/// All messages of arguments that are refused.
#[derive(Debug, PartialEq)]
struct Refused(String);

/// The requirement with `P` for the runtime's path and without blanks.
fn requirement(arguments: &str, route: &str) -> Result<String, Refused> {
    let told = |error: &dyn std::fmt::Display| Refused(error.to_string());
    let tokens = arguments.parse().map_err(|error| told(&error))?;
    let mut errors = Errors::default();
    let handler: syn::ItemFn =
        syn::parse_str(&format!("{route} fn f() {{}}")).map_err(|error| told(&error))?;
    let routes = Routes::visible(&handler.attrs);
    let args = Args::parse(tokens, &mut errors);
    let requirement = super::requirement(&args, routes.as_ref(), &quote!(P), &mut errors);
    errors.finish().map_err(|errors| {
        let messages: Vec<_> = errors.into_iter().map(|error| error.to_string()).collect();
        Refused(messages.join("\n"))
    })?;
    Ok(requirement.to_string().replace(' ', ""))
}

#[test]
fn arguments_become_a_requirement() {
    let auth = "P::Requirement::new(P::TokenType::Auth)";
    let refresh = "P::Requirement::new(P::TokenType::Refresh)";
    let cookie = r#"P::TokenLocation::Cookie(P::json::owned("c"))"#;
    for (arguments, expected) in [
        ("", auth.to_owned()),
        (r#""auth""#, auth.to_owned()),
        (r#""refresh","#, refresh.to_owned()),
        (r#"token_type = "refresh""#, refresh.to_owned()),
        (r#""auth", "header""#, format!("{auth}.locations([P::TokenLocation::Header])")),
        (r#""auth", "cookies", cookie_name = "c""#, format!("{auth}.locations([{cookie}])")),
        (r#"location = "cookies", cookie_name = "c""#, format!("{auth}.locations([{cookie}])")),
        (
            r#"cookie_name = "c", location = ["cookies", "header",]"#,
            format!("{auth}.locations([{cookie},P::TokenLocation::Header])"),
        ),
        (r#""auth", "cookies""#, format!("{auth}.locations([P::TokenLocation::DefaultCookie])")),
        (
            r#"location = ["query", "websocket"], query_name = "q""#,
            format!(r#"{auth}.locations([P::TokenLocation::Query(P::json::owned("q")),P::TokenLocation::WebSocket])"#),
        ),
        ("csrf = true, fresh = false", auth.to_owned()),
        ("csrf = false", format!("{auth}.csrf(false)")),
        ("fresh = true, max_age = 300", format!("{auth}.fresh(true).max_age(300u32)")),
        (r#"acr = "x""#, format!(r#"{auth}.acr(P::json::texts(["x"]))"#)),
        (r#"acr = literal("x")"#, format!(r#"{auth}.acr(P::json::texts(["x"]))"#)),
        (
            r#"acr = any("urn:b", "urn:a",), max_age = 60"#,
            format!(r#"{auth}.acr(P::json::texts(["urn:b","urn:a"])).max_age(60u32)"#),
        ),
        (
            r#""acr" = "x""#,
            format!(r#"{auth}.claim(P::json::owned("acr"),P::ExpectedClaim::PathOrText(P::json::owned("x")))"#),
        ),
        ("optional", format!("{auth}.optional(true)")),
        (r#"optional, "refresh""#, format!("{refresh}.optional(true)")),
        (r#"issuer = "x""#, format!(r#"{auth}.issuer(P::json::owned("x"))"#)),
        (r#"issuer = ["x"]"#, format!(r#"{auth}.issuer(P::json::owned("x"))"#)),
        (r#"issuer = ["x", "y",]"#, format!(r#"{auth}.issuer(P::json::texts(["x","y"]))"#)),
        ("scope = null", format!("{auth}.scope(P::json::null())")),
        (r#"scope = "x""#, format!(r#"{auth}.scope(P::json::text("x"))"#)),
        (
            r#"scope = contains("read")"#,
            format!(r#"{auth}.expect_scope(P::ExpectedClaim::All(P::json::texts(["read"])))"#),
        ),
        (
            r#"scope = any("a", "b",), roles = all("c", "d")"#,
            format!(
                r#"{auth}.claim(P::json::owned("roles"),P::ExpectedClaim::All(P::json::texts(["c","d"]))).expect_scope(P::ExpectedClaim::Any(P::json::texts(["a","b"])))"#
            ),
        ),
        ("scope = {}", format!("{auth}.scope(P::json::object([]))")),
        (
            "override = {admin: true}",
            format!(r#"{auth}.override_claims(P::json::members([("admin",P::json::boolean(true))]))"#),
        ),
        (
            r#"type = 1, r#match = 1, "scope" = 1, "a b" = 1"#,
            ["type", "match", "scope", "ab"].iter().fold(auth.to_owned(), |all, name| {
                all + &format!(
                    r#".claim(P::json::owned("{name}"),P::ExpectedClaim::Value(P::json::uint(1u64)))"#
                )
            }),
        ),
    ] {
        assert_eq!(requirement(arguments, ""), Ok(expected), "{arguments}");
    }
}

#[test]
fn values_are_json_and_exact() {
    for (value, expected) in [
        ("0", "uint(0u64)"),
        ("-0", "int(-0)"),
        ("18446744073709551615", "uint(18446744073709551615u64)"),
        ("-9223372036854775808", "int(-9223372036854775808)"),
        ("1.0", "float(1f64)"),
        ("-0.5", "float(-0.5f64)"),
        ("1e3", "float(1000f64)"),
        ("true", "boolean(true)"),
        ("null", "null()"),
        ("[]", "array([])"),
        ("{}", "object([])"),
    ] {
        let expected = format!(
            r#"P::Requirement::new(P::TokenType::Auth).claim(P::json::owned("x"),P::ExpectedClaim::Value(P::json::{expected}))"#
        );
        assert_eq!(
            requirement(&format!("x = {value}"), ""),
            Ok(expected),
            "{value}"
        );
    }
    let nested = |depth| format!("x = {}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(requirement(&nested(64), "").is_ok());
    assert!(requirement(&nested(65), "").is_err_and(|Refused(message)| message.contains("64")));
    let nested = |depth| format!("scope = {}1{}", "{a: ".repeat(depth), "}".repeat(depth));
    assert!(requirement(&nested(64), "").is_ok());
    assert!(requirement(&nested(65), "").is_err_and(|Refused(message)| message.contains("64")));
}

#[test]
fn a_string_is_a_variable_where_the_route_has_one() {
    let (path, text) = (
        r#"Path(P::json::owned("id"))"#,
        r#"Value(P::json::text("id"))"#,
    );
    let open = r#"PathOrText(P::json::owned("id"))"#;
    let (id, other) = (r#"#[get("/{id}")]"#, r#"#[get("/{name}")]"#);
    for (claim, route, expected) in [
        (r#"role = "id""#, id, path),
        (r#"role = "id""#, other, text),
        (r#"role = "id""#, "", open),
        (r#"role = path("id")"#, id, path),
        (r#"role = path("id")"#, "", path),
        (r#"role = literal("id")"#, id, text),
        (r#"role = literal("id")"#, "", text),
        (r#"role = outer_path("id")"#, id, path),
        (r#"role = outer_path("id")"#, other, path),
        (r#"sub = "id""#, id, path),
        (r#"sub = "id""#, "", path),
        (r#""sub" = "id""#, "", path),
        (r#"sub = literal("id")"#, id, text),
        (r#"sub = outer_path("id")"#, other, path),
    ] {
        let requirement = requirement(claim, route).unwrap_or_else(|Refused(messages)| messages);
        assert!(
            requirement.ends_with(&format!("P::ExpectedClaim::{expected})")),
            "{claim} {route}"
        );
    }
}

#[test]
fn what_is_wrong_is_refused() {
    let id = r#"#[get("/{id}")]"#;
    for arguments in [
        r#"sub = "name""#,
        r#"sub = """#,
        r#"role = "ids""#,
        r#"role = "di""#,
        r#"role = path("ids")"#,
        r#"role = path("")"#,
        "role = path()",
        "role = path(id)",
        r#"role = path("id", "x")"#,
        r#"role = other("id")"#,
        r#"scope = path("id")"#,
        "scope = contains()",
        "scope = contains(read)",
        r#"scope = contains("a", "b")"#,
        r#"scope = contains("")"#,
        "scope = all()",
        r#"scope = any("a" "b")"#,
        r#"scope = contain("a")"#,
        r#"role = any(["a"])"#,
        r#"role = [any("a")]"#,
        r#"x = [path("id")]"#,
        r#"x = {a: literal("id")}"#,
        "override = {}",
        "override = []",
        "override = true",
        "crate = \"x\"",
        "optional = true",
        "optional, optional",
        r#""refresh", token_type = "auth""#,
        r#""auth", "header", "c""#,
        r#"scope = 1, "auth""#,
        "location = []",
        r#"location = ["header", "header"]"#,
        r#"cookie_name = "c""#,
        r#"location = "query""#,
        r#"query_name = "q""#,
        r#"location = "query", query_name = """#,
        r#"location = "query", query_name = "a&b""#,
        r#"location = "cookies", query_name = "q""#,
        r#"location = "socket""#,
        "csrf",
        "csrf = 1",
        "fresh",
        r#"fresh = "true""#,
        "max_age = -1",
        r#"max_age = "5m""#,
        "max_age = 4294967296",
        r#"location = "header", cookie_name = "c""#,
        r#"location = "cookies", cookie_name = """#,
        r#"location = "cookies", cookie_name = "a b""#,
        r#""cookies""#,
        "refresh",
        "issuer = 1",
        r#"issuer = """#,
        "issuer = []",
        r#"issuer = ["a", ""]"#,
        r#"issuer = ["a", "a"]"#,
        r#"issuer = ["a", 1]"#,
        r#"issuer = "a", issuer = "b""#,
        "role: 1",
        "role",
        "a = 1, a = 2",
        r#"a = 1, "a" = 2"#,
        "a = {x: 1, x: 1}",
        "a = {x = 1}",
        "a = 18446744073709551616",
        "a = -9223372036854775809",
        "a = 5u8",
        "a = 5.0f64",
        "a = 1e999",
        "a = 'x'",
        "a = b\"x\"",
        "a = b'x'",
        "a = c\"x\"",
        "a = -\"x\"",
        "a = -true",
        "a = --1",
        "a = 1 + 1",
        "a = x",
        "a = None",
        "a =",
        "= 1",
        ",",
        "a = 1,, b = 1",
    ] {
        assert!(requirement(arguments, id).is_err(), "{arguments}");
    }
}

#[test]
fn an_acr_that_no_challenge_can_name_is_refused() {
    for arguments in [
        "acr",
        "acr = 1",
        "acr = true",
        r#"acr = """#,
        r#"acr = "a b""#,
        r#"acr = "a\\b""#,
        r#"acr = "\u{e9}""#,
        r#"acr = ["a", "b"]"#,
        "acr = any()",
        r#"acr = any("a", "a")"#,
        r#"acr = any("a", "b c")"#,
        r#"acr = all("a", "b")"#,
        r#"acr = contains("a")"#,
        r#"acr = path("id")"#,
        r#"acr = outer_path("id")"#,
        r#"acr = "a", acr = "b""#,
        r#"acr_values = "a""#,
    ] {
        let refused = requirement(arguments, r#"#[get("/{id}")]"#);
        assert!(refused.is_err(), "{arguments}: {refused:?}");
    }
}
