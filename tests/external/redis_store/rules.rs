//! The rules of a store, for each way of keeping sessions in Redis.

use flask_pyjwt::store::{Rotated, SessionStore, Standing};

use time::Duration;

use super::{
    records::{
        Answers as _, DAY, GRACE, HOUR, IDLE, NOW, SECOND, auth, connected, generation, lone,
        refresh, revoke_session, revoke_subject, revoke_token, rotation, session,
    },
    server::{Server, needs_redis},
};

/// What every store must do.
pub(crate) async fn are_kept(store: &impl SessionStore) {
    a_session_is_opened_rotated_and_replayed(store).await;
    only_revoked_tokens_are_refused(store).await;
    a_session_ends_by_itself(store).await;
    a_clock_that_is_set_back_makes_nothing_valid_again(store).await;
}

async fn a_session_is_opened_rotated_and_replayed(store: &impl SessionStore) {
    assert_eq!(
        store.standing_of(&auth("ann", "1", "0"), NOW).await,
        Standing::Revoked
    );
    let mut opened = session("ann", "1", NOW);
    store.opens(&opened, NOW).await;
    assert_eq!(
        store.standing_of(&auth("ann", "1", "0"), NOW).await,
        Standing::Good
    );
    assert_eq!(
        store.standing_of(&refresh("ann", "1", "0"), NOW).await,
        Standing::Good
    );
    assert_eq!(store.lists("ann", NOW).await, [opened.clone()]);
    assert_eq!(store.lists("bob", NOW).await, []);

    let now = NOW + HOUR;
    opened.generations.push(generation("1", now));
    opened.generations.remove(0);
    opened.expires_at = now + IDLE;
    r#"{"a":[],"b":1.0}"#.clone_into(&mut opened.claims);
    let mut first = rotation("ann", "1", "0", "1", now);
    first.claims = Some(opened.claims.clone());
    let Rotated::Won(won) = store.rotates(&first).await else {
        panic!("the first one wins");
    };
    assert_eq!(won.current(), Some(&first.successor));
    assert_eq!(
        (won.expires_at, &won.claims),
        (opened.expires_at, &opened.claims)
    );
    for late in [Duration::ZERO, GRACE - Duration::MILLISECOND] {
        let again = rotation("ann", "1", "0", "2", now + late);
        let answer = store.rotates(&again).await;
        assert_eq!(answer, Rotated::Again(won.clone(), first.successor.clone()));
        let token = refresh("ann", "1", "0");
        assert_eq!(store.standing_of(&token, now + late).await, Standing::Good);
    }
    let late = now + GRACE;
    assert_eq!(
        store.standing_of(&refresh("ann", "1", "0"), late).await,
        Standing::Replayed
    );
    assert_eq!(
        store.standing_of(&refresh("ann", "1", "1"), late).await,
        Standing::Good
    );
    assert_eq!(
        store.standing_of(&auth("ann", "1", "0"), late).await,
        Standing::Good
    );
    let replay = rotation("ann", "1", "0", "2", late);
    assert_eq!(store.rotates(&replay).await, Rotated::Replayed);
    assert_eq!(store.rotates(&replay).await, Rotated::Gone);
    assert_eq!(
        store.standing_of(&auth("ann", "1", "1"), late).await,
        Standing::Revoked
    );
    assert_eq!(store.lists("ann", late).await, []);
}

async fn only_revoked_tokens_are_refused(store: &impl SessionStore) {
    for (subject, id) in [("cy", "1"), ("cy", "2"), ("dan", "1")] {
        store.opens(&session(subject, id, NOW), NOW).await;
    }
    store
        .revokes(&revoke_token("cy", "a-0", NOW + HOUR), NOW)
        .await;
    assert_eq!(
        store.standing_of(&auth("cy", "1", "0"), NOW).await,
        Standing::Revoked
    );
    assert_eq!(
        store.standing_of(&refresh("cy", "1", "0"), NOW).await,
        Standing::Good
    );
    assert_eq!(
        store.standing_of(&auth("cy", "1", "1"), NOW).await,
        Standing::Good
    );
    assert_eq!(
        store.standing_of(&auth("dan", "1", "0"), NOW).await,
        Standing::Good
    );
    store
        .revokes(&revoke_token("cy", "r-0", NOW + HOUR), NOW)
        .await;
    let rotated = store.rotates(&rotation("cy", "1", "0", "1", NOW)).await;
    assert_eq!(rotated, Rotated::Gone);

    store.revokes(&revoke_session("dan", "2"), NOW).await;
    store.revokes(&revoke_session("cy", "1"), NOW).await;
    store.revokes(&revoke_session("cy", "1"), NOW).await;
    assert_eq!(
        store.standing_of(&auth("cy", "1", "1"), NOW).await,
        Standing::Revoked
    );
    assert_eq!(
        store.standing_of(&auth("cy", "2", "1"), NOW).await,
        Standing::Good
    );

    for issued_until in [NOW, NOW - Duration::MILLISECOND] {
        let all = revoke_subject("cy", issued_until, NOW + DAY);
        store.revokes(&all, NOW).await;
    }
    assert_eq!(
        store.standing_of(&auth("cy", "2", "1"), NOW).await,
        Standing::Revoked
    );
    assert_eq!(store.lists("cy", NOW).await, []);
    assert_eq!(store.lists("dan", NOW).await.len(), 1);
    for (subject, issued_at, standing) in [
        ("cy", NOW, Standing::Revoked),
        ("cy", NOW + Duration::MILLISECOND, Standing::Good),
        ("dan", NOW, Standing::Good),
    ] {
        for id in [None, Some("x")] {
            let token = lone(subject, id, issued_at);
            assert_eq!(store.standing_of(&token, NOW).await, standing, "{token:?}");
        }
    }
    let still = lone("cy", Some("a-0"), NOW + Duration::MILLISECOND);
    assert_eq!(store.standing_of(&still, NOW).await, Standing::Revoked);
    store.opens(&session("cy", "3", NOW), NOW).await;
    assert_eq!(
        store.standing_of(&auth("cy", "3", "1"), NOW).await,
        Standing::Good
    );
}

async fn a_session_ends_by_itself(store: &impl SessionStore) {
    store.opens(&session("eve", "1", NOW), NOW).await;
    let end = NOW + IDLE;
    for (now, is_live) in [(end - Duration::MILLISECOND, true), (end, false)] {
        let standing = store.standing_of(&auth("eve", "1", "0"), now).await;
        assert_eq!(standing == Standing::Good, is_live);
        assert_eq!(store.lists("eve", now).await.len(), usize::from(is_live));
    }
    let late = rotation("eve", "1", "0", "1", end);
    assert_eq!(store.rotates(&late).await, Rotated::Gone);
}

async fn a_clock_that_is_set_back_makes_nothing_valid_again(store: &impl SessionStore) {
    for id in ["1", "2"] {
        store.opens(&session("fay", id, NOW), NOW).await;
    }
    store
        .revokes(&revoke_token("fay", "x", NOW + SECOND), NOW)
        .await;
    store.revokes(&revoke_session("fay", "1"), NOW).await;
    let all = revoke_subject("fay", NOW, NOW + SECOND);
    store.revokes(&all, NOW).await;
    // An hour after its end, a revocation is still in force, whatever happens later.
    for late in [SECOND, HOUR] {
        let now = NOW + late;
        store.opens(&session("fay", "3", now), now).await;
        for now in [NOW - HOUR, NOW, now] {
            for token in [
                lone("fay", Some("x"), NOW + Duration::MILLISECOND),
                lone("fay", None, NOW),
                auth("fay", "1", "0"),
                auth("fay", "2", "0"),
            ] {
                let standing = store.standing_of(&token, now).await;
                assert_eq!(standing, Standing::Revoked, "{token:?} at {now:?}");
            }
        }
    }
    // A token that was rotated at a time in the future is neither valid nor a replay.
    let now = NOW + HOUR;
    let Rotated::Won(_) = store.rotates(&rotation("fay", "3", "0", "1", now)).await else {
        panic!("rotated");
    };
    let before = now - GRACE;
    assert_eq!(
        store.standing_of(&refresh("fay", "3", "0"), before).await,
        Standing::Revoked
    );
    let unclear = rotation("fay", "3", "0", "2", before);
    assert_eq!(store.rotates(&unclear).await, Rotated::Gone);
    assert_eq!(
        store.standing_of(&refresh("fay", "3", "1"), before).await,
        Standing::Good
    );
}

#[actix_web::test]
async fn one_server_keeps_the_rules() {
    needs_redis!();
    let server = Server::start();
    are_kept(&connected(&server).await).await;
}
