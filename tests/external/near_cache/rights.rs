//! The permissions of the user of Redis.

use flask_pyjwt::store::{SessionStore as _, Standing};

use super::{hears, hits, impatient, kept, near};
use crate::redis_store::{
    records::{Answers as _, NOW, auth, connected, reason, revoke_session, session},
    rules,
};
use support::redis::{RIGHTS, Server, needs_redis, wait_until};

/// What a near cache needs in addition.
const NEAR_RIGHTS: &str = "+client|tracking";

fn user_of(server: &Server) -> String {
    server.ask::<String>(&format!(
        "ACL SETUSER app on >s3cret {RIGHTS} {NEAR_RIGHTS}"
    ));
    format!("redis://app:s3cret@127.0.0.1:{}", server.port)
}

#[actix_web::test]
async fn the_documented_rights_are_sufficient() {
    needs_redis!();
    let server = Server::start();
    let url = user_of(&server);
    let store = near().connect(&url).await.expect("connected");
    rules::are_kept(&store).await;
    store.opens(&session("zoe", "1", NOW), NOW).await;
    assert_eq!(kept(&store, &auth("zoe", "1", "0")).await, Standing::Good);
}

#[actix_web::test]
async fn a_user_who_may_not_track_is_an_error_at_the_start() {
    needs_redis!();
    let server = Server::start();
    let url = user_of(&server);
    for (right, part) in [
        (
            "client|tracking",
            "does not announce changes, which the near cache needs",
        ),
        ("role", "role"),
    ] {
        server.ask::<String>(&format!("ACL SETUSER app -{right}"));
        let error = near().connect(&url).await.expect_err(right);
        let (reason, all) = (reason(&error), format!("{error} {error:?}"));
        assert!(
            reason.contains(part) && reason.contains("NOPERM"),
            "{reason}"
        );
        assert!(
            !reason.contains("s3cret") && !all.contains("s3cret"),
            "{all}"
        );
        server.ask::<String>(&format!("ACL SETUSER app +{right}"));
    }
    near().connect(&url).await.expect("it has all rights again");
}

#[actix_web::test]
async fn without_the_right_to_track_each_check_asks_until_it_is_back() {
    needs_redis!();
    let server = Server::start();
    let url = user_of(&server);
    let (store, other) = (
        near().connect(&url).await.expect("connected"),
        connected(&server).await,
    );
    let token = auth("ann", "1", "0");
    store.opens(&session("ann", "1", NOW), NOW).await;
    assert_eq!(kept(&store, &token).await, Standing::Good);
    server.ask::<String>("ACL SETUSER app -client|tracking");
    server.ask::<i64>("CLIENT KILL USER app");
    hears(&store).await;
    let before = hits(&store);
    for _ in 0..20 {
        assert_eq!(store.standing_of(&token, NOW).await, Standing::Good);
    }
    other.revokes(&revoke_session("ann", "1"), NOW).await;
    for _ in 0..20 {
        assert_eq!(store.standing_of(&token, NOW).await, Standing::Revoked);
    }
    assert_eq!(hits(&store), before);
    server.ask::<String>("ACL SETUSER app +client|tracking");
    assert_eq!(kept(&store, &token).await, Standing::Revoked);
}

#[actix_web::test]
async fn a_user_who_is_removed_gets_no_answers() {
    needs_redis!();
    let server = Server::start();
    let url = user_of(&server);
    for command in ["ACL DELUSER app", "ACL SETUSER app -role"] {
        user_of(&server);
        let store = impatient().connect(&url).await.expect("connected");
        let token = auth("ann", "1", "0");
        store.opens(&session("ann", "1", NOW), NOW).await;
        assert_eq!(kept(&store, &token).await, Standing::Good);
        server.ask::<redis::Value>(command);
        wait_until("the answers end", async || {
            store.standing(&token, NOW).await.is_err()
        })
        .await;
        for _ in 0..20 {
            assert!(store.standing(&token, NOW).await.is_err(), "{command}");
        }
    }
}
