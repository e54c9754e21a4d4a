//! Shared questions, and how long an answer counts.

use std::sync::Arc;

use flask_pyjwt::{Issuer, TokenError};
use futures_util::{FutureExt, future::join_all};
use serde_json::json;
use time::Duration;

use super::{OPAQUE, PATH, Setting, active, unavailable, with};
use crate::remote_keys::server::{Answer, Gate};
use support::NOW;

#[actix_web::test]
async fn all_who_ask_about_one_token_share_a_question() {
    let (gate, reached) = Gate::closed();
    let gated = Answer::Gated(Arc::clone(&gate), Box::new(Answer::json(active())));
    let setting = Setting::new(gated);
    // It begins the question, and its client hangs up.
    let mut first = Box::pin(setting.verify(OPAQUE));
    assert!((&mut first).now_or_never().is_none());
    drop(first);
    reached.recv().expect("asked");
    let mut others = Box::pin(join_all((0..1_000).map(|_| setting.verify(OPAQUE))));
    assert!((&mut others).now_or_never().is_none());
    gate.open();
    for verified in others.await {
        assert_eq!(verified.as_deref(), Ok("alice"));
    }
    assert_eq!(setting.server.requests(), 1);
}

#[actix_web::test]
async fn threat_7_a_flood_of_random_tokens_is_bounded_and_displaces_no_answer() {
    let setting = Setting::new(Answer::json(active()));
    assert_eq!(setting.verify("known").await.as_deref(), Ok("alice"));
    let (gate, _reached) = Gate::closed();
    let inactive = Answer::json(json!({"active": false}));
    setting
        .server
        .answers(PATH, Answer::Gated(Arc::clone(&gate), Box::new(inactive)));
    let tokens: Vec<_> = (0..500).map(|number| format!("random{number}")).collect();
    let mut flood: Vec<_> = tokens
        .iter()
        .map(|token| Box::pin(setting.verify(token)))
        .collect();
    let at_once: Vec<_> = flood
        .iter_mut()
        .filter_map(FutureExt::now_or_never)
        .collect();
    assert_eq!(at_once.len(), 500 - 64);
    assert!(
        at_once
            .iter()
            .all(|refused| *refused == Err(unavailable(1)))
    );
    // Known tokens are answered meanwhile.
    assert_eq!(setting.verify("known").await.as_deref(), Ok("alice"));
    // Those that were active before can be asked about again: the other half of the places is theirs.
    setting.server.answers(PATH, Answer::json(active()));
    setting.clock.advance(Duration::seconds(31));
    let mut known = Box::pin(setting.verify("known"));
    assert!((&mut known).now_or_never().is_none(), "asked");
    let late = setting.verify("random").now_or_never();
    assert_eq!(late, Some(Err(unavailable(1))));
    assert_eq!(known.await.as_deref(), Ok("alice"));
    let mut waiting = Box::pin(join_all(flood.split_off(0).into_iter().take(64)));
    while (&mut waiting).now_or_never().is_none() {
        gate.open();
        actix_web::rt::task::yield_now().await;
    }
    assert!(setting.server.requests() <= 66);
    assert_eq!(setting.verify("known").await.as_deref(), Ok("alice"));
}

#[actix_web::test]
async fn an_active_answer_counts_for_its_time_and_never_beyond_exp() {
    let setting = Setting::new(Answer::json(active()));
    setting.verify(OPAQUE).await.expect("active");
    setting
        .server
        .answers(PATH, Answer::json(json!({"active": false})));
    setting.clock.advance(Duration::milliseconds(29_999));
    assert!(setting.auth.verify_token(OPAQUE).is_ok());
    setting.verify(OPAQUE).await.expect("active");
    assert_eq!(setting.server.requests(), 1);
    setting.clock.advance(Duration::MILLISECOND);
    let refused = setting.auth.verify_token(OPAQUE).map(drop);
    assert_eq!(refused, Err(unavailable(1)));
    assert_eq!(setting.verify(OPAQUE).await, Err(TokenError::Inactive));
    assert_eq!(setting.server.requests(), 2);

    // `exp` is earlier than the end of the cached answer.
    let hour = |issuer: Issuer| {
        issuer
            .introspection_cache(Duration::HOUR)
            .leeway(Duration::ZERO)
    };
    let setting = Setting::of(Answer::json(with("exp", json!(NOW + 7))), hour);
    setting.verify(OPAQUE).await.expect("active");
    setting.clock.advance(Duration::milliseconds(6_999));
    setting.verify(OPAQUE).await.expect("active");
    assert_eq!(setting.server.requests(), 1);
    setting.clock.advance(Duration::MILLISECOND);
    assert_eq!(setting.verify(OPAQUE).await, Err(TokenError::Expired));
    assert_eq!(setting.server.requests(), 2);

    // A clock that is set back makes no answer live longer.
    let setting = Setting::of(Answer::json(active()), hour);
    setting.verify(OPAQUE).await.expect("active");
    setting.clock.advance(Duration::seconds(-5));
    setting.verify(OPAQUE).await.expect("active");
    assert_eq!(setting.server.requests(), 2);

    // Nor does it bring an answer back that another one has replaced.
    let setting = Setting::of(Answer::json(active()), hour);
    setting.verify(OPAQUE).await.expect("active");
    let inactive = json!({"active": false});
    setting.server.answers(PATH, Answer::json(inactive));
    setting.clock.advance(Duration::HOUR);
    assert_eq!(setting.verify(OPAQUE).await, Err(TokenError::Inactive));
    setting.clock.advance(Duration::minutes(-30));
    assert_eq!(setting.verify(OPAQUE).await, Err(TokenError::Inactive));

    let none = |issuer: Issuer| issuer.introspection_cache(Duration::ZERO);
    let setting = Setting::of(Answer::json(active()), none);
    for asked in 1..4 {
        setting.verify(OPAQUE).await.expect("active");
        assert_eq!(setting.server.requests(), asked);
    }
}

#[actix_web::test]
async fn an_inactive_answer_counts_briefly() {
    let setting = Setting::new(Answer::json(json!({"active": false})));
    let site = setting.site().await;
    let reply = site.get("/any", OPAQUE).await;
    reply.is_refused(401, "invalid_token", "token_inactive", "inactive");
    setting.server.answers(PATH, Answer::json(active()));
    setting.clock.advance(Duration::milliseconds(4_999));
    assert_eq!(setting.verify(OPAQUE).await, Err(TokenError::Inactive));
    assert_eq!(setting.server.requests(), 1);
    setting.clock.advance(Duration::MILLISECOND);
    assert_eq!(setting.verify(OPAQUE).await.as_deref(), Ok("alice"));
}
