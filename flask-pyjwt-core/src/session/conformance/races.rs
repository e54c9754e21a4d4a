//! Tests with concurrent calls.

use std::sync::Arc;

use actix_web::rt::spawn;

use super::{
    Store,
    fixture::{
        HOUR, MANY, NOW, answered, auth_token, generation, open, open_ids, opened, rotation,
        session, standing,
    },
};
use crate::session::{Generation, Opening, Revocation, Rotated, Standing};

/// Exactly one rotation wins, and all others get its successor.
pub async fn one_of_a_thousand_concurrent_rotations_wins(store: Store) {
    for round in 0..3 {
        let session = open(&store, "alice", &format!("s{round}"), NOW).await;
        let racers: Vec<_> = (0..1_000)
            .map(|racer| {
                let store = Arc::clone(&store);
                let rotation = rotation(&session, "0", &format!("1-{racer}"), NOW);
                spawn(async move { answered(store.rotate(&rotation)).await })
            })
            .collect();
        let (mut won, mut again): (Vec<Generation>, Vec<Generation>) = <_>::default();
        for racer in racers {
            match racer.await.expect("it ends") {
                Rotated::Won(session) => won.extend(session.current().cloned()),
                Rotated::Again(_, successor) => again.push(successor),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(won.len(), 1, "winners in round {round}");
        assert_eq!(again.len(), 999);
        assert!(again.iter().all(|successor| *successor == won[0]));
    }
}

/// In any order, the session is gone afterwards.
pub async fn a_revocation_wins_over_concurrent_rotations(store: Store) {
    for round in 0..50 {
        let id = format!("s{round}");
        let session = open(&store, "alice", &id, NOW).await;
        let racers: Vec<_> = (0..10)
            .map(|racer| {
                let store = Arc::clone(&store);
                let rotation = rotation(&session, "0", &format!("1-{racer}"), NOW);
                spawn(async move {
                    if racer == round % 10 {
                        let revocation = Revocation::Session {
                            subject: rotation.subject,
                            session: rotation.session,
                        };
                        answered(store.revoke(&revocation, NOW)).await;
                    } else {
                        answered(store.rotate(&rotation)).await;
                    }
                })
            })
            .collect();
        for racer in racers {
            racer.await.expect("it ends");
        }
        let token = auth_token(&session, "0");
        assert_eq!(standing(&store, &token, NOW).await, Standing::Revoked);
        assert_eq!(open_ids(&store, "alice", NOW).await, [""; 0]);
    }
}

/// Of concurrent revocations of a session, in three ways, exactly one has ended it.
pub async fn one_of_several_concurrent_revocations_ends_a_session(store: Store) {
    for round in 0..20 {
        let (subject, id) = ("alice".to_owned(), format!("s{round:02}"));
        open(&store, &subject, &id, NOW).await;
        let racers: Vec<_> = (0..12)
            .map(|racer| {
                let (store, subject, id) = (Arc::clone(&store), subject.clone(), id.clone());
                spawn(async move {
                    let revocation = match racer % 3 {
                        0 => Revocation::of_session(subject, id),
                        1 => Revocation::of_subject(subject, NOW, NOW + HOUR),
                        _ => {
                            let other = session(&subject, &format!("other {racer}"), NOW);
                            let opening = Opening::new(other, MANY).replacing(vec![id]);
                            return answered(store.open(&opening, NOW)).await;
                        }
                    };
                    answered(store.revoke(&revocation, NOW)).await
                })
            })
            .collect();
        let mut ended = Vec::new();
        for racer in racers {
            ended.extend(racer.await.expect("it ends"));
        }
        let count = ended.iter().filter(|ended| **ended == id).count();
        assert_eq!(count, 1, "round {round}: {ended:?}");
    }
}

/// Sessions of one subject and of several are opened concurrently.
pub async fn concurrent_logins_all_open_their_sessions(store: Store) {
    let racers: Vec<_> = (0..200)
        .map(|racer| {
            let store = Arc::clone(&store);
            let subject = if racer % 2 == 0 { "alice" } else { "bob" };
            let session = session(subject, &format!("s{racer:03}"), NOW);
            spawn(async move {
                opened(&store, &session, MANY, NOW).await;
                let next = rotation(&session, "0", "1", NOW);
                match answered(store.rotate(&next)).await {
                    Rotated::Won(after) => {
                        assert_eq!(after.current(), Some(&generation("1", NOW)));
                    }
                    other => panic!("{other:?}"),
                }
            })
        })
        .collect();
    for racer in racers {
        racer.await.expect("it ends");
    }
    for (subject, odd) in [("alice", 0), ("bob", 1)] {
        let expected: Vec<_> = (0..100).map(|n| format!("s{:03}", 2 * n + odd)).collect();
        assert_eq!(open_ids(&store, subject, NOW).await, expected);
    }
}
