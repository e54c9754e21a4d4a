//! The answers of a guard.

use utoipa::openapi::{
    Content, ContentBuilder, HeaderBuilder, ObjectBuilder, RefOr, Response, ResponseBuilder,
    Responses,
    schema::{SchemaType, Type},
};

/// Adds the answers of a guard, where the operation has none of its own for that status.
pub(super) fn add(responses: &mut Responses) {
    let all = [
        (
            "400",
            "The credentials are malformed, or there are several.",
            true,
            false,
        ),
        (
            "401",
            "There are no credentials, or the token is not valid, or the login is too long ago.",
            true,
            false,
        ),
        (
            "403",
            "The token is valid, and does not let its owner do this.",
            true,
            false,
        ),
        (
            "503",
            "Whether the token is valid cannot be found out at the moment.",
            false,
            true,
        ),
    ];
    for (status, description, is_challenged, is_retried) in all {
        // `4XX` and `default` are the author's own words for this status.
        let range = format!("{}XX", &status[..1]);
        let own = [status, &range, "default"];
        if own.iter().any(|own| responses.responses.contains_key(*own)) {
            continue;
        }
        let response = answer(description, is_challenged, is_retried);
        responses
            .responses
            .insert(status.to_owned(), RefOr::T(response));
    }
}

fn answer(description: &str, is_challenged: bool, is_retried: bool) -> Response {
    let text = |description: &str| {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(description))
    };
    let header = |kind: Type, description: &str| {
        let schema = ObjectBuilder::new().schema_type(SchemaType::Type(kind));
        HeaderBuilder::new()
            .schema(Some(schema))
            .description(Some(description))
            .build()
    };
    let mut response = ResponseBuilder::new()
        .description(description)
        .content("application/json", body(text))
        .header("Cache-Control", header(Type::String, "`no-store`"));
    if is_challenged {
        let challenge = header(Type::String, "The challenge (RFC 6750, section 3).");
        response = response.header("WWW-Authenticate", challenge);
    }
    if is_retried {
        let seconds = header(Type::Integer, "After so many seconds, try again.");
        response = response.header("Retry-After", seconds);
    }
    response.build()
}

fn body(text: impl Fn(&str) -> ObjectBuilder) -> Content {
    let schema = ObjectBuilder::new()
        .property(
            "error",
            text("A short name that does not change, such as `invalid_token`."),
        )
        .required("error")
        .property("error_description", text("What is wrong, for people."))
        .required("error_description");
    ContentBuilder::new().schema(Some(schema)).build()
}
