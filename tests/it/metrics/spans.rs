//! What the request's span gets of a decision.

use std::sync::{Arc, Mutex};

use actix_web::web;
use flask_pyjwt::{AuthManager, MemoryStore, require_token};
use support::{hs256, manager, site::Site};
use tracing::{
    Instrument as _, Subscriber,
    field::{Empty, Field, Visit},
    span::{Id, Record},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt as _},
};

#[require_token(scope = {"admin": true})]
async fn admin() -> &'static str {
    "admin"
}

async fn site(auth: AuthManager) -> Site {
    Site::new(|app| {
        app.app_data(auth).route("/", web::get().to(admin));
    })
    .await
}

/// What was recorded after a span began.
#[derive(Clone, Default)]
struct Recorded(Arc<Mutex<Vec<(String, String)>>>);

impl Recorded {
    fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.0.lock().expect("not poisoned"))
    }
}

impl<S: Subscriber> Layer<S> for Recorded {
    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut self.clone());
    }
}

impl Visit for Recorded {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let value = format!("{value:?}").trim_matches('"').to_owned();
        self.0
            .lock()
            .expect("not poisoned")
            .push((field.name().to_owned(), value));
    }
}

#[actix_web::test]
async fn the_span_has_the_outcome_and_the_id_and_the_subject_only_if_that_is_wanted() {
    let recorded = Recorded::default();
    let subscriber = tracing_subscriber::registry().with(recorded.clone());
    let _guard = tracing::subscriber::set_default(subscriber);
    for wants_subject in [false, true] {
        let config = hs256()
            .session_store(MemoryStore::default())
            .log_subjects(wants_subject);
        let auth = manager(config);
        let site = site(auth.clone()).await;
        let admin = auth
            .login("alice")
            .scope(serde_json::json!({"admin": true}));
        let admin = admin.await.expect("opened").auth;
        let user = auth.login("bob").await.expect("opened").auth;
        for (token, outcome, subject) in [
            (admin.signed(), "accepted", Some("alice")),
            (user.signed(), "scope_not_met", Some("bob")),
            ("a.b.c", "token_encoding", None),
        ] {
            let span = tracing::info_span!(
                "request",
                outcome = Empty,
                token.id = Empty,
                enduser.id = Empty
            );
            site.get("/", token).instrument(span).await;
            let all = recorded.take();
            let find = |name: &str| {
                let found = all.iter().find(|(field, _)| field == name);
                found.map(|(_, value)| value.clone())
            };
            assert_eq!(find("outcome").as_deref(), Some(outcome));
            assert_eq!(
                find("enduser.id").as_deref(),
                subject.filter(|_| wants_subject)
            );
            let id = find("token.id");
            assert_eq!(id.is_some(), subject.is_some(), "{all:?}");
            if outcome == "accepted" {
                assert_eq!(id.as_deref(), admin.claim("jti").and_then(|it| it.as_str()));
            }
        }
        // A span without the fields gets nothing.
        site.get("/", admin.signed())
            .instrument(tracing::info_span!("plain"))
            .await;
        assert!(recorded.take().is_empty());
    }
}
