//! How recent a login has to be.

use crate::{
    token::{Token, Verification},
    web::Rejection,
};

/// How recent the login of a token has to be. By default, any will do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Freshness {
    /// The token has to be the one that was issued at the login.
    pub(crate) login: bool,
    /// The login was at most so many seconds ago.
    pub(crate) max_age: Option<u32>,
}

impl Freshness {
    /// Judges by the claim `auth_time` (OpenID Connect Core, section 2). A token that has none was
    /// issued by nobody knows which login.
    pub(crate) fn check(self, token: &Token, verification: &Verification) -> Result<(), Rejection> {
        if !self.login && self.max_age.is_none() {
            return Ok(());
        }
        let now = verification.clock.now()?;
        let leeway = verification.rules.leeway;
        let login = token
            .authenticated_at()
            .filter(|login| *login <= now.plus(leeway));
        let max_age = self.max_age.unwrap_or(0);
        let is_recent = login.is_some_and(|login| {
            let longest = i64::from(max_age).saturating_add(leeway);
            (!self.login || login == token.issued_at())
                && (self.max_age.is_none() || now <= login.plus(longest))
        });
        if is_recent {
            Ok(())
        } else {
            Err(Rejection::LoginTooOld { max_age })
        }
    }
}
