//! A thousand concurrent rotations with one token, in one process and in four; logins at the limit.

use std::{collections::HashSet, env};

use flask_pyjwt::store::{Opening, SessionStore as _};
use futures_util::future::join_all;
use time::Duration;

use super::{
    records::{connected, patient},
    server::{Server, needs_postgres},
};
use crate::redis_store::{
    races::{URL, is_one_line, race, rotate_all, take_part},
    records::{Answers as _, NOW, rotation, session},
};

#[actix_web::test]
async fn threat_37_one_of_a_thousand_concurrent_rotations_in_one_process_wins() {
    needs_postgres!();
    let server = Server::start();
    let store = connected(&server).await;
    for round in 0..5 {
        let subject = format!("round {round}");
        store.opens(&session(&subject, "1", NOW), NOW).await;
        let (won, successors) = rotate_all(&store, round, "one").await;
        assert_eq!(won, 1, "round {round}");
        is_one_line(&store, round, &successors).await;
    }
}

#[actix_web::test]
async fn threat_37_one_of_four_thousand_concurrent_rotations_in_four_processes_wins() {
    needs_postgres!();
    let server = Server::start();
    let store = connected(&server).await;
    let test = "postgres_store::races::a_process_of_the_race";
    race(&store, test, &server.url(), 3).await;
}

/// The child process of the test above. Without its variable it does nothing.
#[actix_web::test]
async fn a_process_of_the_race() {
    if let Ok(url) = env::var(URL) {
        let store = patient(&url).build().expect("valid settings");
        take_part(&store).await;
    }
}

/// A refresh and the logins that would evict its session happen one after the other: a session that was refreshed
/// first is not evicted instead of an older one.
#[actix_web::test]
async fn a_login_evicts_no_session_that_was_refreshed_before_it() {
    needs_postgres!();
    let server = Server::start();
    let stores = [connected(&server).await, connected(&server).await];
    for round in 0..40 {
        let subject = format!("subject {round}");
        for number in 0..3 {
            let opened = NOW + Duration::seconds(number);
            stores[0]
                .opens(&session(&subject, &number.to_string(), opened), opened)
                .await;
        }
        let now = NOW + Duration::minutes(1);
        let refresh = rotation(&subject, "0", "0", "1", now);
        let login = Opening::new(session(&subject, "new", now), 3);
        let (refreshed, evicted) =
            futures_util::join!(stores[0].rotate(&refresh), stores[1].open(&login, now));
        let refreshed = refreshed.expect("an answer");
        let evicted = evicted.expect("opened");
        let is_gone = refreshed == flask_pyjwt::store::Rotated::Gone;
        assert_eq!(evicted, [if is_gone { "0" } else { "1" }], "{refreshed:?}");
    }
}

#[actix_web::test]
async fn concurrent_logins_in_three_stores_keep_the_limit() {
    needs_postgres!();
    let server = Server::start();
    let stores = [
        connected(&server).await,
        connected(&server).await,
        connected(&server).await,
    ];
    let openings: Vec<_> = (0..60)
        .map(|number| {
            let now = NOW + Duration::milliseconds(number);
            (
                Opening::new(session("ann", &number.to_string(), now), 5),
                now,
            )
        })
        .collect();
    let logins = openings.iter().enumerate();
    let logins = logins.map(|(number, (opening, now))| stores[number % 3].open(opening, *now));
    let evicted = join_all(logins).await.into_iter();
    let evicted: Vec<_> = evicted.flat_map(|it| it.expect("opened")).collect();
    assert_eq!(evicted.len(), 55);
    let distinct: HashSet<_> = evicted.iter().collect();
    assert_eq!(distinct.len(), 55, "each session is evicted once");
    assert_eq!(stores[0].lists("ann", NOW).await.len(), 5);
}
