//! A damaged file gives an error, or every answer is right.

use std::{fs, path::Path};
use support::folder::Folder;

use flask_pyjwt::{
    FileStore,
    store::{SessionStore as _, Standing, StoreError},
};

use super::sessions::{
    NOW, end_session, opening, plain_token, random, refresh_token, revoke_subject, revoke_token,
    rotation, standing,
};

/// Fills a store, with the revocations last: they are what a file that lacks its last change has lost.
async fn fill(store: &FileStore) {
    for number in 0..40 {
        let id = number.to_string();
        store
            .open(&opening("alice", &id, NOW), NOW)
            .await
            .expect("opened");
        store
            .rotate(&rotation("alice", &id, 0, NOW))
            .await
            .expect("won");
    }
    store
        .revoke(&revoke_subject("bob", NOW, NOW), NOW)
        .await
        .expect("revoked");
    for number in 0..20 {
        let id = number.to_string();
        let revocation = revoke_token("alice", &id, NOW);
        store.revoke(&revocation, NOW).await.expect("revoked");
        store
            .revoke(&end_session("alice", &id), NOW)
            .await
            .expect("ended");
    }
}

/// Opens the file and, if that works, checks that every answer is right. Returns whether it worked.
async fn is_whole_or_refused(path: &Path, case: &str) -> bool {
    let store = match FileStore::open(path) {
        Ok(store) => store,
        Err(StoreError::Corrupt { reason }) => {
            // This text means that the database panicked.
            assert_ne!(reason, "it cannot be read", "{case}");
            return false;
        }
        Err(error) => panic!("{case}: {error:?}"),
    };
    let token = plain_token("bob", "t", NOW);
    assert_eq!(
        standing(&store, &token, NOW).await,
        Standing::Revoked,
        "{case}"
    );
    for number in 0..40 {
        let id = number.to_string();
        let (old, current) = (
            refresh_token("alice", &id, 0),
            refresh_token("alice", &id, 1),
        );
        let plain = plain_token("alice", &id, NOW);
        let expected = if number < 20 {
            [Standing::Revoked, Standing::Revoked, Standing::Revoked]
        } else {
            [Standing::Replayed, Standing::Good, Standing::Good]
        };
        for (token, expected) in [old, current, plain].iter().zip(expected) {
            let standing = standing(&store, token, NOW).await;
            assert_eq!(standing, expected, "{case} {token:?}");
        }
    }
    true
}

/// The file as it is after the store was closed, and as it is after its process was killed.
async fn closed_and_killed(folder: &Folder) -> [(&'static str, Vec<u8>); 2] {
    let path = folder.file("sessions");
    let store = FileStore::open(&path).expect("created");
    fill(&store).await;
    let killed = fs::read(&path).expect("read");
    drop(store);
    [
        ("closed", fs::read(&path).expect("read")),
        ("killed", killed),
    ]
}

#[actix_web::test]
async fn a_file_with_flipped_bits_is_refused_or_answers_correctly() {
    let folder = Folder::new("file-store");
    let path = folder.private_file("damaged");
    for (state, content) in closed_and_killed(&folder).await {
        let mut random = random(7);
        let (mut refused, mut cases) = (0, 0);
        // Every byte of the header, and a sample of the rest.
        let header = 0..400;
        let anywhere = (0..200).map(|_| random(content.len()));
        for (number, place) in header.chain(anywhere).enumerate() {
            let mut damaged = content.clone();
            damaged[place] ^= 1 << (number % 8);
            fs::write(&path, &damaged).expect("written");
            cases += 1;
            let case = format!("{state}: bit {} of byte {place}", number % 8);
            let whole = is_whole_or_refused(&path, &case).await;
            refused += usize::from(!whole);
            assert!(!whole || number >= 400, "{case}: the header counts");
        }
        // Much of the file is unused, and some of it was unused before.
        assert!(refused > 410, "{state}: {refused} of {cases}");
    }
}

#[actix_web::test]
async fn a_file_of_the_wrong_length_is_refused_or_answers_correctly() {
    let folder = Folder::new("file-store");
    let path = folder.private_file("damaged");
    for (state, content) in closed_and_killed(&folder).await {
        let mut random = random(11);
        let lengths = (0..100).map(|number| match number {
            0..10 => number * 100,
            10..50 => number * 4_096 % content.len(),
            _ => random(content.len()),
        });
        for length in lengths {
            fs::write(&path, &content[..length]).expect("written");
            let case = format!("{state}: {length} of {} bytes", content.len());
            is_whole_or_refused(&path, &case).await;
        }
        for more in [1, 512, 4_096, 40_960] {
            let mut longer = content.clone();
            longer.resize(content.len() + more, 0);
            fs::write(&path, &longer).expect("written");
            is_whole_or_refused(&path, &format!("{state}: {more} bytes more")).await;
        }
        // The original file is complete.
        fs::write(&path, &content).expect("written");
        assert!(is_whole_or_refused(&path, state).await, "{state}");
    }
}
