//! What the file forgets, and the space that this frees.

use std::fs;
use support::folder::Folder;

use flask_pyjwt::{
    FileStore,
    store::{Moment, SessionStore as _, Standing},
};
use futures_util::future::join_all;

use time::Duration;

use super::sessions::{
    HOUR, NOW, end_session, opening, plain_token, refresh_token, revoke_subject, revoke_token,
    rotation, standing,
};

/// Opens so many sessions concurrently.
async fn open_many(store: &FileStore, name: &str, many: usize, now: Moment) {
    let sessions: Vec<_> = (0..many)
        .map(|number| {
            opening(
                &format!("subject {number}"),
                &format!("{name}-{number}"),
                now,
            )
        })
        .collect();
    for opened in join_all(sessions.iter().map(|session| store.open(session, now))).await {
        opened.expect("opened");
    }
}

/// Makes changes without effect, which make the store forget what has ended.
async fn forget(store: &FileStore, now: Moment) {
    for _ in 0..4 {
        let revocation = end_session("nobody", "none");
        store.revoke(&revocation, now).await.expect("nothing to do");
    }
}

#[actix_web::test]
async fn what_has_ended_is_kept_for_an_hour_and_then_forgotten() {
    let folder = Folder::new("file-store");
    let store = FileStore::open(folder.file("sessions")).expect("created");
    let revocations = [
        revoke_token("alice", "t", NOW + HOUR),
        revoke_subject("bob", NOW, NOW + HOUR),
    ];
    for revocation in &revocations {
        store.revoke(revocation, NOW).await.expect("revoked");
    }
    store
        .open(&opening("carol", "s", NOW), NOW)
        .await
        .expect("opened");
    let revoked = [plain_token("alice", "t", NOW), plain_token("bob", "u", NOW)];

    // The clock advances, and goes back by an hour: nothing is valid again.
    let now = NOW + 2 * HOUR - Duration::MILLISECOND;
    forget(&store, now).await;
    for token in &revoked {
        assert_eq!(standing(&store, token, NOW).await, Standing::Revoked);
    }
    let token = refresh_token("carol", "s", 0);
    assert_eq!(standing(&store, &token, now).await, Standing::Revoked);
    assert_eq!(standing(&store, &token, NOW).await, Standing::Good);

    forget(&store, now + Duration::MILLISECOND).await;
    for token in &revoked {
        assert_eq!(standing(&store, token, NOW).await, Standing::Good);
    }
    assert_eq!(standing(&store, &token, NOW).await, Standing::Revoked);
}

#[actix_web::test]
async fn what_was_extended_is_not_forgotten_at_its_first_end() {
    let folder = Folder::new("file-store");
    let store = FileStore::open(folder.file("sessions")).expect("created");
    store
        .open(&opening("carol", "s", NOW), NOW)
        .await
        .expect("opened");
    for until in [NOW + HOUR, NOW + 5 * HOUR, NOW + HOUR] {
        for revocation in [
            revoke_token("alice", "t", until),
            revoke_subject("bob", NOW, until),
        ] {
            store.revoke(&revocation, NOW).await.expect("revoked");
        }
    }
    let tokens = [plain_token("alice", "t", NOW), plain_token("bob", "u", NOW)];
    let mut now = NOW;
    for number in 0..6 {
        now += HOUR - Duration::MILLISECOND;
        let rotated = store.rotate(&rotation("carol", "s", number, now)).await;
        assert!(matches!(rotated, Ok(flask_pyjwt::store::Rotated::Won(_))));
        forget(&store, now).await;
        for token in &tokens {
            let standing = standing(&store, token, now).await;
            assert_eq!(
                standing == Standing::Revoked,
                now < NOW + 6 * HOUR,
                "{number}"
            );
        }
        let current = refresh_token("carol", "s", number + 1);
        assert_eq!(standing(&store, &current, now).await, Standing::Good);
    }
    forget(&store, now + HOUR).await;
    let current = refresh_token("carol", "s", 6);
    assert_eq!(standing(&store, &current, now).await, Standing::Good);
    forget(&store, now + 2 * HOUR).await;
    assert_eq!(standing(&store, &current, now).await, Standing::Revoked);
}

#[actix_web::test]
async fn the_file_does_not_grow_with_ended_sessions_and_shrinks_when_opened() {
    let folder = Folder::new("file-store");
    let path = folder.file("sessions");
    let length = || fs::metadata(&path).expect("it exists").len();
    let store = FileStore::open(&path).expect("created");
    let mut lengths = Vec::new();
    for day in 0..12 {
        let now = NOW + day * 24 * HOUR;
        open_many(&store, &day.to_string(), 500, now).await;
        lengths.push(length());
    }
    assert!(lengths[11] <= 2 * lengths[2], "{lengths:?}");

    let now = NOW + 20 * 24 * HOUR;
    open_many(&store, "many", 5_000, now).await;
    let full = length();
    let subjects: Vec<_> = (0..5_000)
        .map(|number| revoke_subject(&format!("subject {number}"), now, now))
        .collect();
    let revoked = join_all(subjects.iter().map(|it| store.revoke(it, now))).await;
    assert!(revoked.iter().all(Result::is_ok));
    open_many(&store, "few", 5, now + 3 * HOUR).await;
    for _ in 0..1_250 {
        forget(&store, now + 3 * HOUR).await;
    }
    drop(store);
    let store = FileStore::open(&path).expect("opened");
    drop(store);
    assert!(length() < full / 4, "{} {full}", length());
    let store = FileStore::open(&path).expect("opened");
    let token = refresh_token("subject 4", "few-4", 0);
    assert_eq!(
        standing(&store, &token, now + 3 * HOUR).await,
        Standing::Good
    );
}
