//! A store that is down or hangs: every endpoint fails closed, and says when to come again.

use flask_pyjwt::MemoryStore;

use crate::sessions::checks::Broken;

use super::{BASIC, Server, is_refused};

#[actix_web::test]
async fn threat_35_the_endpoints_fail_closed_if_the_store_is_down_or_hangs() {
    let good = Server::with(|config| config.session_store(MemoryStore::default())).await;
    let pair = good.login().await;
    for broken in [Broken::Down, Broken::Hanging] {
        let name = format!("{broken:?}");
        let server = Server::with(|config| config.session_store(broken)).await;
        let mut replies = vec![server.refresh(BASIC, pair.refresh.signed()).await];
        for token in [&pair.auth, &pair.refresh] {
            replies.push(server.introspect(token.signed()).await);
            replies.push(server.revoke(token.signed()).await);
        }
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", pair.refresh.signed()),
            ("scope", "read"),
        ];
        replies.push(server.post("/token", BASIC, &form).await);
        for reply in replies {
            is_refused(&reply, 503, "temporarily_unavailable", &name);
            assert_eq!(reply.field("retry-after"), "1", "{name}");
        }
        // What needs no store is answered.
        let reply = server.introspect("garbage").await;
        assert_eq!(reply.text(), r#"{"active":false}"#, "{name}");
        let reply = server.post("/introspect", None, &[("token", "x")]).await;
        is_refused(&reply, 401, "invalid_client", &name);
    }
}
