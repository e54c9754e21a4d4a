//! `GET /metrics`, for Prometheus.

use std::{sync::LazyLock, time::Duration};

use actix_web::{HttpResponse, get, rt, web};
use flask_pyjwt::{Protected, metrics::DURATION_BUCKETS, public};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// The recorder of the process. There can be one only, however many applications the tests make.
static RECORDER: LazyLock<PrometheusHandle> = LazyLock::new(|| {
    PrometheusBuilder::new()
        .set_buckets_for_metric(
            Matcher::Suffix("duration_seconds".to_owned()),
            &DURATION_BUCKETS,
        )
        .expect("there are buckets")
        .install_recorder()
        .expect("no other recorder is installed")
});

/// Installs the recorder. It has to be there before the `AuthManager` is made.
pub(crate) fn install() -> PrometheusHandle {
    RECORDER.clone()
}

/// Lets the recorder drop what it needs no more. Without it, its memory would grow with each measured value.
pub(crate) fn tidy_up(recorder: PrometheusHandle) {
    rt::spawn(async move {
        let mut interval = rt::time::interval(Duration::from_secs(5));
        loop {
            interval.tick().await;
            recorder.run_upkeep();
        }
    });
}

pub(crate) fn routes(app: Protected) -> Protected {
    app.service(show)
}

/// What happened so far, in Prometheus' text format. Block other clients in your proxy.
#[public]
#[get("/metrics")]
async fn show(recorder: web::Data<PrometheusHandle>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(recorder.render())
}
