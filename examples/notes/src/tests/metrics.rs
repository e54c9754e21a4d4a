//! What Prometheus gets. The recorder is that of the process, so that other tests may count as well.

use std::collections::BTreeMap;

use actix_web::{
    Error,
    body::MessageBody,
    dev::{Service, ServiceResponse},
    test::{self, TestRequest},
};

use super::{Server, start};

/// The samples of the text: each series with its value.
async fn scrape<S, B>(server: &Server<S>) -> BTreeMap<String, f64>
where
    S: Service<actix_http::Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    let request = TestRequest::get().uri("/metrics").to_request();
    let response = test::call_service(&server.app, request).await;
    assert_eq!(response.status(), 200);
    let content_type = response.headers().get("content-type");
    let content_type = content_type.and_then(|it| it.to_str().ok());
    assert_eq!(
        content_type,
        Some("text/plain; version=0.0.4; charset=utf-8")
    );
    let text = String::from_utf8(test::read_body(response).await.to_vec()).expect("UTF-8");
    let samples = text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let samples = samples.map(|line| {
        let (series, value) = line.rsplit_once(' ').expect("a series and a value");
        (series.to_owned(), value.parse().expect("a number"))
    });
    samples.collect()
}

#[actix_web::test]
async fn requests_sessions_and_users_are_counted() {
    let server = start().await;
    let before = scrape(&server).await;
    let token = server.register("alice").await;
    for _ in 0..3 {
        assert_eq!(server.get("/me", &token).await.status, 200);
    }
    assert_eq!(server.get("/me", "a.b.c").await.status, 401);
    let after = scrape(&server).await;
    let grown = |name: &str, labels: &[&str]| {
        let is_it = |series: &&String| {
            series.starts_with(name) && labels.iter().all(|label| series.contains(label))
        };
        let difference = |series: &String| {
            after.get(series).unwrap_or(&0.0) - before.get(series).unwrap_or(&0.0)
        };
        after.keys().filter(is_it).map(difference).sum::<f64>()
    };
    for (name, labels, at_least) in [
        (
            "flask_pyjwt_decisions_total",
            &["outcome=\"accepted\"", "route=\"/me\""][..],
            3.0,
        ),
        (
            "flask_pyjwt_decisions_total",
            &["outcome=\"refused\"", "route=\"/me\""],
            1.0,
        ),
        (
            "flask_pyjwt_session_events_total",
            &["event=\"opened\""],
            1.0,
        ),
        (
            "flask_pyjwt_tokens_minted_total",
            &["token_type=\"auth\""],
            1.0,
        ),
        (
            "flask_pyjwt_store_calls_total",
            &["operation=\"check\"", "result=\"ok\""],
            3.0,
        ),
        (
            "flask_pyjwt_store_call_duration_seconds_bucket",
            &["le=\"+Inf\""],
            3.0,
        ),
        ("flask_pyjwt_user_loads_total", &["result=\"found\""], 3.0),
        (
            "flask_pyjwt_token_table_lookups_total",
            &["result=\"hit\""],
            2.0,
        ),
    ] {
        assert!(
            grown(name, labels) >= at_least,
            "{name} {labels:?}: {after:#?}"
        );
    }
    assert!(!after.keys().any(|series| series.contains("alice")));
}
