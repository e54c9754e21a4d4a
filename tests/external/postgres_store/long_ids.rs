//! Ids that are too long for an index of PostgreSQL: sessionless tokens of other issuers may have them.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use flask_pyjwt::store::{Opening, SessionStore as _, Standing};

use super::{
    records::connected,
    server::{Server, needs_postgres},
};
use crate::redis_store::records::{
    Answers as _, DAY, NOW, auth, lone, revoke_session, revoke_subject, revoke_token, rotation,
    session,
};

/// 4,000 characters that cannot be compressed.
fn long(seed: u32) -> String {
    let block = |number: u32| {
        let mut hash = DefaultHasher::new();
        (seed, number).hash(&mut hash);
        format!("{:016x}", hash.finish())
    };
    (0..250).map(block).collect()
}

#[actix_web::test]
async fn a_token_with_a_long_id_can_be_revoked_and_its_neighbour_stays_good() {
    needs_postgres!();
    let server = Server::start();
    let store = connected(&server).await;
    let id = long(1);
    let revocation = revoke_token("ann", &id, NOW + DAY);
    for ended in [vec![id.clone()], vec![]] {
        let revoked = store.revoke(&revocation, NOW).await.expect("revoked");
        assert_eq!(revoked, ended);
    }
    for (id, expected) in [
        (id.clone(), Standing::Revoked),
        (long(2), Standing::Good),
        (id[..3_999].to_owned(), Standing::Good),
    ] {
        let token = lone("ann", Some(&id), NOW);
        assert_eq!(store.standing_of(&token, NOW).await, expected);
    }
}

#[actix_web::test]
async fn sessions_with_long_ids_open_rotate_and_end_under_their_own_ids() {
    needs_postgres!();
    let server = Server::start();
    let store = connected(&server).await;
    let ids: Vec<String> = (0..4).map(long).collect();
    let standing = async |id: &str| store.standing_of(&auth("ann", id, "0"), NOW).await;
    store.opens(&session("ann", &ids[0], NOW), NOW).await;
    store
        .rotates(&rotation("ann", &ids[0], "0", &long(9), NOW))
        .await;
    assert_eq!(standing(&ids[0]).await, Standing::Good);

    // Replaced, evicted, revoked, and ended with all others.
    let replacing = Opening::new(session("ann", &ids[1], NOW), 9).replacing(vec![ids[0].clone()]);
    let ended = store.open(&replacing, NOW).await.expect("opened");
    assert_eq!(ended, ids[..1]);
    let evicting = Opening::new(session("ann", &ids[2], NOW), 1);
    let ended = store.open(&evicting, NOW).await.expect("opened");
    assert_eq!(ended, ids[1..2]);
    let revocation = revoke_session("ann", &ids[2]);
    let ended = store.revoke(&revocation, NOW).await.expect("revoked");
    assert_eq!(ended, ids[2..3]);
    store.opens(&session("ann", &ids[3], NOW), NOW).await;
    assert_eq!(standing(&ids[3]).await, Standing::Good);
    let revocation = revoke_subject("ann", NOW, NOW + DAY);
    let ended = store.revoke(&revocation, NOW).await.expect("revoked");
    assert_eq!(ended, ids[3..]);
    for id in &ids {
        assert_eq!(standing(id).await, Standing::Revoked);
    }
}
