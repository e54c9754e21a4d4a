//! The sessions of a subject, page by page.

use std::collections::BTreeSet;

use flask_pyjwt::{AuthManager, Session};
use time::Duration;

use super::{clock, with_memory};

/// All pages of this size, with a change of the sessions after each page.
async fn pages(
    auth: &AuthManager,
    subject: &str,
    most: usize,
    mut between: impl AsyncFnMut(usize),
) -> Vec<Vec<Session>> {
    let (mut pages, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = auth.session_page(subject, after.as_deref(), most).await;
        let page = page.expect("listed");
        pages.push(page.sessions);
        between(pages.len()).await;
        after = page.next;
        if after.is_none() {
            return pages;
        }
    }
}

#[actix_web::test]
async fn pages_list_each_session_once_from_the_latest_login() {
    let clock = clock();
    let auth = with_memory(&clock);
    // Three at a time in the same millisecond.
    for number in 0..25 {
        auth.login("alice").await.expect("opened");
        clock.advance(Duration::milliseconds(i64::from(number % 3 == 2)));
    }
    auth.login("bob").await.expect("opened");
    for most in [0, 1, 2, 7, 24, 25, 26, usize::MAX] {
        let pages = pages(&auth, "alice", most, async |_| {}).await;
        assert_eq!(pages.len(), 25_usize.div_ceil(most.max(1)));
        let listed: Vec<_> = pages.concat();
        assert_eq!(listed.len(), 25);
        assert!(listed.is_sorted_by(|a, b| (b.opened, &a.id) < (a.opened, &b.id)));
    }
    let none = auth.session_page("carol", None, 10).await.expect("listed");
    assert_eq!((none.sessions, none.next), (vec![], None));
}

#[actix_web::test]
async fn pages_miss_no_session_that_is_open_all_the_time_whatever_ends_or_opens_in_between() {
    let clock = clock();
    let auth = with_memory(&clock);
    for _ in 0..20 {
        auth.login("alice").await.expect("opened");
        clock.advance(Duration::SECOND);
    }
    let all = auth.session_page("alice", None, 20).await.expect("listed");
    let ids: Vec<_> = all.sessions.into_iter().map(|it| it.id).collect();
    // After each page of five, the last one of it and the next one end, and another one opens.
    let (own, ended) = (&auth, &ids);
    let pages = pages(&auth, "alice", 5, async |page| {
        for place in [5 * page - 1, 5 * page] {
            if let Some(id) = ended.get(place) {
                own.revoke_session("alice", id).await.expect("ended");
            }
        }
        own.login("alice").await.expect("opened");
    })
    .await;
    let listed: Vec<_> = pages.concat().into_iter().map(|it| it.id).collect();
    let unique: BTreeSet<_> = listed.iter().collect();
    assert_eq!(unique.len(), listed.len(), "nothing twice");
    let open = auth.session_page("alice", None, 100).await.expect("listed");
    let all_the_time = open.sessions.iter().filter(|it| ids.contains(&it.id));
    assert!(all_the_time.clone().count() > 10);
    for session in all_the_time {
        assert!(unique.contains(&session.id));
    }
}

#[actix_web::test]
async fn any_text_is_a_place_in_the_list() {
    let auth = with_memory(&clock());
    auth.login("alice").await.expect("opened");
    auth.login("bob").await.expect("opened");
    let long = "f".repeat(10_000_000);
    for (after, expected) in [("", 1), ("0", 1), ("g", 0), ("\u{1f600}", 0), (&long, 0)] {
        let page = auth.session_page("alice", Some(after), 9).await;
        assert_eq!(page.expect("listed").sessions.len(), expected);
    }
}

#[actix_web::test]
async fn ending_says_whether_something_has_ended() {
    let auth = with_memory(&clock());
    let pair = auth.login("alice").await.expect("opened");
    auth.login("alice").await.expect("opened");
    let id = pair.auth.session_id().expect("a session");
    for (subject, expected) in [("bob", false), ("alice", true), ("alice", false)] {
        assert_eq!(auth.revoke_session(subject, id).await, Ok(expected));
    }
    for expected in [1, 0] {
        assert_eq!(auth.revoke_subject("alice").await, Ok(expected));
    }
}
