//! How recent a login has to be.

use crate::{
    token::{Token, Verification},
    web::Rejection,
};

/// How recent the login of a token has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// The token is the one that was issued at the login.
    Login,
    /// The login was at most so many seconds ago.
    Within { seconds: u32 },
}

impl Freshness {
    /// Judges by the claim `auth_time` (`OpenID` Connect Core, section 2). A token that has none was
    /// issued by nobody knows which login.
    pub(crate) fn check(self, token: &Token, verification: &Verification) -> Result<(), Rejection> {
        let now = verification.clock.now()?;
        let leeway = verification.rules.leeway;
        let login = token
            .authenticated_at()
            .filter(|login| *login <= now.plus(leeway));
        let (is_recent, max_age) = match self {
            Self::Login => (login == Some(token.issued_at()), 0),
            Self::Within { seconds } => {
                let longest = i64::from(seconds).saturating_add(leeway);
                (
                    login.is_some_and(|login| now <= login.plus(longest)),
                    seconds,
                )
            }
        };
        if is_recent {
            Ok(())
        } else {
            Err(Rejection::LoginTooOld { max_age })
        }
    }
}
