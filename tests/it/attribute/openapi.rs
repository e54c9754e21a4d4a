//! Other attributes that read the handler's signature see the original one, whether above or below.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::*;

#[derive(Deserialize, Serialize, ToSchema)]
struct Note {
    text: String,
}

#[derive(Deserialize, IntoParams)]
struct Page {
    number: u32,
}

/// The same handler with these attributes, in a module of its own.
macro_rules! documented {
    ($($module:ident { $(#[$attribute:meta])* })*) => {$(
        mod $module {
            use super::*;

            #[derive(OpenApi)]
            #[openapi(paths(note))]
            pub(super) struct Api;

            /// Changes a note.
            ///
            /// The new text is the body.
            $(#[$attribute])*
            pub(super) async fn note(
                path: web::Path<(String, u32)>,
                page: web::Query<Page>,
                note: Json<Note>,
            ) -> impl Responder {
                let (user, id) = path.into_inner();
                format!("{user} {id} {} {}", page.number, note.text)
            }
        }
    )*};
}

documented! {
    unprotected {
        #[utoipa::path(params(Page), responses((status = 200, body = String)))]
        #[post("/{user}/notes/{id}")]
    }
    above {
        #[utoipa::path(params(Page), responses((status = 200, body = String)))]
        #[require_token(sub = "user")]
        #[post("/{user}/notes/{id}")]
    }
    between {
        #[require_token(sub = "user")]
        #[utoipa::path(params(Page), responses((status = 200, body = String)))]
        #[post("/{user}/notes/{id}")]
    }
    lowest {
        #[require_token(sub = "user")]
        #[post("/{user}/notes/{id}")]
        #[utoipa::path(params(Page), responses((status = 200, body = String)))]
    }
    above_flasks_order {
        #[utoipa::path(params(Page), responses((status = 200, body = String)))]
        #[post("/{user}/notes/{id}")]
        #[require_token(sub = "user")]
    }
    conditional {
        #[require_token(sub = "user")]
        #[cfg_attr(
            all(),
            utoipa::path(params(Page), responses((status = 200, body = String))),
            tracing::instrument(skip_all)
        )]
        #[post("/{user}/notes/{id}")]
    }
    renamed_runtime {
        #[require_token(sub = "user", crate = ::flask_pyjwt)]
        #[utoipa::path(params(Page), responses((status = 200, body = String)))]
        #[post("/{user}/notes/{id}")]
    }
}

/// Registered with a path that only the application knows.
mod without_route {
    use super::*;

    #[derive(OpenApi)]
    #[openapi(paths(note))]
    pub(super) struct Api;

    /// Changes a note.
    ///
    /// The new text is the body.
    #[require_token(sub = "user")]
    #[utoipa::path(
        post,
        path = "/{user}/notes/{id}",
        params(Page),
        responses((status = 200, body = String))
    )]
    pub(super) async fn note(
        path: web::Path<(String, u32)>,
        page: web::Query<Page>,
        note: Json<Note>,
    ) -> impl Responder {
        let (user, id) = path.into_inner();
        format!("{user} {id} {} {}", page.number, note.text)
    }
}

/// The only operation of a document, with its path, and without the parts that contain the module's name.
fn operation(document: &utoipa::openapi::OpenApi) -> Value {
    let document = serde_json::to_value(document).expect("JSON");
    let mut paths = document["paths"].clone();
    let operation = &mut paths["/{user}/notes/{id}"]["post"];
    operation["tags"] = Value::Null;
    paths
}

// `test` is actix-web's module here.
#[core::prelude::v1::test]
fn an_operation_is_described_in_full_with_either_attribute_above() {
    let expected = operation(&unprotected::Api::openapi());
    let described = &expected["/{user}/notes/{id}"]["post"];
    assert_eq!(described["parameters"].as_array().map(Vec::len), Some(3));
    assert_eq!(described["summary"], "Changes a note.");
    assert_eq!(described["description"], "The new text is the body.");
    let body = &described["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body, &json!({"$ref": "#/components/schemas/Note"}));
    for (order, document) in [
        ("above", above::Api::openapi()),
        ("between", between::Api::openapi()),
        ("lowest", lowest::Api::openapi()),
        ("above Flask's order", above_flasks_order::Api::openapi()),
        ("conditional", conditional::Api::openapi()),
        ("renamed runtime", renamed_runtime::Api::openapi()),
        ("without a route", without_route::Api::openapi()),
    ] {
        let mut guarded = operation(&document);
        let described = &mut guarded["/{user}/notes/{id}"]["post"];
        // What the guard says, and all else as without it.
        let security = described["security"].take();
        assert_eq!(security, json!([{"bearer": []}]), "{order}");
        let sentence = "Needs an auth token whose subject is the `user` of the path.";
        let whole = format!("The new text is the body.\n\n{sentence}");
        assert_eq!(described["description"], whole, "{order}");
        described["description"] = json!("The new text is the body.");
        let described = described.as_object_mut().expect("an operation");
        described.remove("security");
        described.remove("x-flask-pyjwt-places");
        for status in ["400", "401", "403", "503"] {
            let answers = described["responses"].as_object_mut().expect("answers");
            assert!(answers.remove(status).is_some(), "{order} {status}");
        }
        assert_eq!(guarded, expected, "{order}");
    }
}

#[actix_web::test]
async fn a_described_handler_is_protected_with_either_attribute_above() {
    macro_rules! check {
        ($($service:expr),*) => {$({
            let app = test::init_service(App::new().app_data(auth()).service($service)).await;
            for (user, status) in [
                (None, StatusCode::UNAUTHORIZED),
                (Some("bob"), StatusCode::FORBIDDEN),
                (Some("ann"), StatusCode::OK),
            ] {
                let mut request = test::TestRequest::post()
                    .uri("/ann/notes/7?number=1")
                    .set_json(json!({"text": "new"}));
                if let Some(user) = user {
                    let field = format!("Bearer {}", token(user, &json!({})));
                    request = request.insert_header((header::AUTHORIZATION, field));
                }
                let answer = test::call_service(&app, request.to_request()).await;
                assert_eq!(answer.status(), status, "{} {user:?}", stringify!($service));
            }
        })*};
    }
    check!(
        above::note,
        between::note,
        lowest::note,
        above_flasks_order::note,
        conditional::note,
        renamed_runtime::note,
        web::resource("/{user}/notes/{id}").route(web::post().to(without_route::note))
    );
}

#[require_token(sub = "user")]
#[tracing::instrument(skip(token))]
#[get("/below/{user}")]
async fn instrumented_below(user: web::Path<String>, token: CurrentToken) -> String {
    tracing::info!("in the handler");
    format!("{user} {}", token.sub())
}

#[tracing::instrument(skip(token))]
#[require_token(sub = "user")]
#[get("/above/{user}")]
async fn instrumented_above(user: web::Path<String>, token: CurrentToken) -> String {
    tracing::info!("in the handler");
    format!("{user} {}", token.sub())
}

#[actix_web::test]
async fn a_span_has_the_handlers_arguments_and_begins_after_the_guard() {
    let app = App::new()
        .app_data(auth())
        .service(instrumented_below)
        .service(instrumented_above);
    let app = test::init_service(app).await;
    for path in ["/below/ann", "/above/ann"] {
        for (user, spans) in [("bob", &[][..]), ("ann", &["user=Path(\"ann\")"])] {
            let seen = spans::capture();
            let status = status!(&app, path, &token(user, &json!({})));
            assert_eq!(status == StatusCode::OK, user == "ann", "{path} {user}");
            assert_eq!(seen.take(), spans, "{path} {user}");
        }
    }
}

mod spans {
    //! The spans of this thread with their fields.

    use std::{
        fmt::Debug,
        sync::{Arc, Mutex},
    };

    use tracing::{
        Subscriber,
        field::{Field, Visit},
        span::{Attributes, Id},
        subscriber::DefaultGuard,
    };
    use tracing_subscriber::{
        Layer,
        layer::{Context, SubscriberExt as _},
    };

    #[derive(Clone, Default)]
    struct Spans(Arc<Mutex<Vec<String>>>);

    pub(super) struct Captured {
        spans: Spans,
        _guard: DefaultGuard,
    }

    /// Captures the spans of this thread until the result is dropped.
    pub(super) fn capture() -> Captured {
        let spans = Spans::default();
        let subscriber = tracing_subscriber::registry().with(spans.clone());
        Captured {
            spans,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    impl Captured {
        pub(super) fn take(&self) -> Vec<String> {
            std::mem::take(&mut *self.spans.0.lock().expect("not poisoned"))
        }
    }

    impl<S: Subscriber> Layer<S> for Spans {
        fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
            attributes.record(&mut self.clone());
        }
    }

    impl Visit for Spans {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            let text = format!("{field}={value:?}");
            self.0.lock().expect("not poisoned").push(text);
        }
    }
}
