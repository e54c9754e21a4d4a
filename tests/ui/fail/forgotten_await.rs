//! Nothing happens where `.await` or `.sign()` is forgotten, and the compiler says so.
#![deny(unused_must_use)]

use flask_pyjwt::{AuthManager, CurrentToken};

async fn forgets(auth: AuthManager, token: CurrentToken) {
    auth.login("alice");
    auth.login("alice").label("Firefox");
    auth.refresh(&token);
    auth.logout(&token);
    auth.revoke_session("alice", "session");
    auth.revoke_subject("alice");
    auth.revoke_token(&token);
    auth.check_revocation(&token);
    auth.sessions("alice");
    auth.auth_token("alice");
    auth.refresh_token("alice");
}

fn main() {}
