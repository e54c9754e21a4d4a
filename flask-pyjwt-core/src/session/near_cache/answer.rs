//! An answer of the store about an auth token, and what identifies the token.

use super::super::{Moment, SessionRecord, Standing, TokenIdentity, standing::Known};

/// What a store says about an auth token, valid at any time until the subject changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The token is good. It belongs to no session.
    Good,
    /// The token is good as long as its session lasts.
    GoodUntil(Moment),
    /// The same, and it is the first of its pair to be presented. Never kept, because
    /// [`mark_used`](super::super::SessionStore::mark_used) follows.
    UnusedUntil(Moment),
    /// The token is revoked, or its session is unknown.
    Revoked,
}

impl Answer {
    /// The answer for what a store has read about a token and its subject: whether the token is
    /// revoked by its id, its session, and the moment until which issued tokens without a session
    /// are revoked.
    #[must_use]
    pub fn new(
        token: &AuthToken,
        is_revoked: bool,
        session: Option<&SessionRecord>,
        issued_until: Option<Moment>,
    ) -> Self {
        // At the session's last moment, so that the answer does not depend on the caller's clock.
        let expires_at = session.map_or(Moment::MAX, |session| session.expires_at);
        let last = Moment::from_milliseconds(expires_at.milliseconds().saturating_sub(1));
        let token = token.identity();
        let known = Known {
            revoked: is_revoked,
            in_session: session.map(|session| session.standing(&token, last)),
            issued_until,
        };
        match (known.standing(&token), session) {
            (Standing::Good, None) => Self::Good,
            (Standing::Good, Some(_)) => Self::GoodUntil(expires_at),
            (Standing::Unused, _) => Self::UnusedUntil(expires_at),
            (Standing::Revoked | Standing::Replayed, _) => Self::Revoked,
        }
    }

    /// The standing of the token at this moment of the caller's clock.
    #[must_use]
    pub fn standing(self, now: Moment) -> Standing {
        match self {
            Self::Good => Standing::Good,
            Self::GoodUntil(until) if now < until => Standing::Good,
            Self::UnusedUntil(until) if now < until => Standing::Unused,
            Self::GoodUntil(_) | Self::UnusedUntil(_) | Self::Revoked => Standing::Revoked,
        }
    }

    /// Whether the answer may be kept.
    pub(super) fn is_kept(self) -> bool {
        !matches!(self, Self::UnusedUntil(_))
    }
}

/// An auth token, identified among those of its subject.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AuthToken {
    /// The claim `sid`.
    pub session: Option<String>,
    /// The claim `jti`.
    pub id: Option<String>,
    /// The claim `iat` of a token that belongs to no session. For others it does not matter.
    pub issued_at: Option<Moment>,
}

impl AuthToken {
    /// The auth token with this identity. `None` for a refresh token, about which the store is
    /// always asked.
    #[must_use]
    pub fn of(token: &TokenIdentity) -> Option<Self> {
        token.grace.is_none().then(|| Self {
            session: token.session.clone(),
            id: token.id.clone(),
            issued_at: issued_at(token),
        })
    }

    /// Whether this is the token.
    pub(super) fn is(&self, token: &TokenIdentity) -> bool {
        self.session == token.session && self.id == token.id && self.issued_at == issued_at(token)
    }

    /// How many bytes its texts have.
    pub(super) fn len(&self) -> usize {
        [&self.session, &self.id]
            .map(|text| text.as_ref().map_or(0, String::len))
            .iter()
            .sum()
    }

    /// The identity, without the subject.
    fn identity(&self) -> TokenIdentity {
        TokenIdentity {
            subject: String::new(),
            session: self.session.clone(),
            id: self.id.clone(),
            issued_at: self.issued_at.unwrap_or(Moment::MAX),
            grace: None,
        }
    }
}

/// The claim `iat`, if it matters.
pub(super) fn issued_at(token: &TokenIdentity) -> Option<Moment> {
    token.session.is_none().then_some(token.issued_at)
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::{super::super::Generation, *};

    const NOW: Moment = Moment::from_milliseconds(1_800_000_000_000);

    /// Whatever the caller's clock says, also if it is set back.
    #[test]
    fn an_answer_says_the_same_at_any_time_as_what_it_was_made_from() {
        let mut first = Generation::new("refresh-0", "auth-0", NOW);
        let mut sessions = vec![None];
        for repeatable_until in [None, Some(NOW + Duration::HOUR)] {
            first.repeatable_until = repeatable_until;
            let session = SessionRecord::new("phone", "alice", first.clone(), Duration::DAY);
            sessions.push(Some(session));
        }
        let mut compared = 0;
        for session in &sessions {
            for sid in [None, Some("phone".to_owned())] {
                for id in [None, Some("auth-0".to_owned()), Some("auth-1".to_owned())] {
                    for revoked in [false, true] {
                        for issued_until in [None, Some(NOW - Duration::HOUR), Some(NOW)] {
                            let mut token = TokenIdentity::new("alice", NOW);
                            token.session.clone_from(&sid);
                            token.id.clone_from(&id);
                            let session = session.as_ref().filter(|_| sid.is_some());
                            let issued_until = issued_until.filter(|_| sid.is_none());
                            compared += compare(&token, revoked, session, issued_until);
                        }
                    }
                }
            }
        }
        assert_eq!(compared, 3 * 2 * 3 * 2 * 3 * 7);
    }

    fn compare(
        token: &TokenIdentity,
        revoked: bool,
        session: Option<&SessionRecord>,
        issued_until: Option<Moment>,
    ) -> usize {
        let asked = AuthToken::of(token).expect("an auth token");
        let answer = Answer::new(&asked, revoked, session, issued_until);
        let end = NOW + Duration::DAY;
        let around = [NOW, end - Duration::MILLISECOND, end, end + Duration::DAY];
        let moments = [Moment::MIN, NOW - Duration::DAY].into_iter().chain(around);
        moments.chain([Moment::MAX]).fold(0, |count, now| {
            let known = Known {
                revoked,
                in_session: session.map(|session| session.standing(token, now)),
                issued_until,
            };
            assert_eq!(
                answer.standing(now),
                known.standing(token),
                "{token:?} {now:?}"
            );
            count + 1
        })
    }

    #[test]
    fn a_refresh_token_has_no_answer() {
        let mut token = TokenIdentity::new("alice", NOW);
        assert!(AuthToken::of(&token).is_some());
        token.grace = Some(Duration::ZERO);
        assert!(AuthToken::of(&token).is_none());
    }
}
